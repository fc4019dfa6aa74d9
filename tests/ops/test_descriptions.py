"""Descriptions: what is remembered of an object beside its bytes."""

import pytest

from meiku.ops.descriptions import describe, unpack


@pytest.mark.parametrize(
    ("value", "stored"),
    [
        ("", None),
        ("aws-chunked", None),
        ("AWS-Chunked", None),
        ("gzip", "gzip"),
        ("aws-chunked,gzip", "gzip"),
        ("gzip, aws-chunked , br", "gzip, br"),
        ("aws-chunked,deflate, gzip", "deflate, gzip"),
        ("deflate, gzip,aws-chunked", "deflate, gzip"),
        ("deflate, gzip", "deflate, gzip"),
    ],
)
def test_the_framing_is_not_stored_as_an_encoding(value: str, stored: str | None) -> None:
    """aws-chunked describes the request; what else is there describes the object."""
    headers = unpack(describe({"ContentEncoding": value}, {}, None, None).headers)
    assert headers.get("ContentEncoding") == stored
