"""Bytes on the wire and what they mean: requests, bodies, forms, and the answers that go back.

Speaks HTTP, XML and forms; checks that what arrived is what was announced. It asks nobody whether the
caller may, it knows no storage, and it is never imported by what lies below the edge.
"""
