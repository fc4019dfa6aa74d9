"""What the operations mean. Importing this package declares every operation that is offered.

An operation asks `meta` what exists and `blobs` for bytes, and nothing else. It knows no HTTP, no SQL and no
paths.
"""

from meiku.operation import offered
from meiku.ops import (
    acls,
    buckets,
    completion,
    copies,
    cors,
    forms,
    listings,
    objects,
    parts,
    processing,
    saving,
    styles,
    uploads,
)

__all__ = ["acls", "buckets", "completion", "copies", "cors", "forms", "listings", "objects", "offered"]
__all__ += ["parts", "processing", "saving", "styles", "uploads"]
