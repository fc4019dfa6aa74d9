"""V4 texts and signatures equal AWS's published examples."""

from hashlib import sha256

import pytest

from meiku.signing import (
    canonical_query_v4,
    canonical_request_v4,
    scope_v4,
    signature_v4,
    signing_key_v4,
    string_to_sign_v4,
    uri_encode,
)

SECRET = "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY"
EMPTY = sha256(b"").hexdigest()
TIMESTAMP = "20130524T000000Z"
HOST = "examplebucket.s3.amazonaws.com"

EXAMPLES = {
    "get": (
        ("GET", "/test.txt", [], {"range": "bytes=0-9"}, EMPTY),
        "f0e8bdb87c964420e857bd35b5d6ed310bd44f0170aba48dd91039c6036bdb41",
    ),
    "put": (
        (
            "PUT",
            "/test$file.text",
            [],
            {"date": "Fri, 24 May 2013 00:00:00 GMT", "x-amz-storage-class": "REDUCED_REDUNDANCY"},
            sha256(b"Welcome to Amazon S3.").hexdigest(),
        ),
        "98ad721746da40c64f1a55b78f14c238d841ea1380cd77a1b5971af0ece108bd",
    ),
    "get lifecycle": (
        ("GET", "/", [("lifecycle", "")], {}, EMPTY),
        "fea454ca298b7da1c68078a5d1bdbfbbe0d65c699e0f91ac7a200a0136783543",
    ),
    "list": (
        ("GET", "/", [("prefix", "J"), ("max-keys", "2")], {}, EMPTY),
        "34b48302e7b5fa45bde8084f4b7868a86f0a534bc59db6670ed5711ef69dc6f7",
    ),
}


@pytest.mark.parametrize("name", EXAMPLES)
def test_header_signatures_equal_the_published_ones(name: str) -> None:
    """Each example of "Authenticating Requests (Authorization header)" yields its printed signature."""
    (method, path, query, extra, payload_hash), expected = EXAMPLES[name]
    headers = {"host": HOST, "x-amz-date": TIMESTAMP, "x-amz-content-sha256": payload_hash, **extra}
    canonical = canonical_request_v4(method, path, query, headers, list(headers), payload_hash)
    text = string_to_sign_v4(TIMESTAMP, scope_v4("20130524", "us-east-1"), canonical)
    assert signature_v4(signing_key_v4(SECRET, "20130524", "us-east-1"), text) == expected


def test_reserved_characters_are_encoded_and_unreserved_are_not() -> None:
    """Only A-Za-z0-9-._~ stand for themselves; UTF-8 bytes and '+' are encoded in upper case."""
    assert uri_encode("Az09-._~") == "Az09-._~"
    assert uri_encode("媒/ +%!*'()") == "%E5%AA%92%2F%20%2B%25%21%2A%27%28%29"
    assert uri_encode("a/b c", safe="/") == "a/b%20c"


def test_query_sorts_by_encoded_name_then_value() -> None:
    """The order is that of the encoded text, so that a repeated name sorts by its values."""
    pairs = [("b", "2"), ("a", "z"), ("a", "é"), ("a-b", ""), ("媒", "1")]
    assert canonical_query_v4(pairs) == "%E5%AA%92=1&a=%C3%A9&a=z&a-b=&b=2"


def test_header_values_are_trimmed_and_their_spaces_collapsed() -> None:
    """White space around and within a value does not change what is signed."""
    lines = canonical_request_v4(
        "GET", "/", [], {"host": "h", "x-amz-meta-a": "  a   b "}, ["host", "x-amz-meta-a"], "x"
    )
    assert "\nx-amz-meta-a:a b\n" in lines
