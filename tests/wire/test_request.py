"""The request: an address, a query and headers, decoded once and literally."""

from collections.abc import Mapping
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from meiku import errors
from meiku.wire.query import read_query
from meiku.wire.request import (
    Request,
    bucket_of_host,
    check_key,
    read_address,
    read_request,
    with_literal_plus,
)

DOMAINS = ("s3.example.com", "localhost")


async def nothing() -> dict[str, Any]:
    raise AssertionError("reading a request reads no body")


def read(
    path: str = "/b/k", query: str = "", headers: Mapping[str, str | bytes] | None = None, method: str = "GET"
) -> Request:
    pairs = [
        (name.encode(), value if isinstance(value, bytes) else value.encode())
        for name, value in (headers or {}).items()
    ]
    scope = {"method": method, "scheme": "http", "raw_path": path.encode(), "headers": pairs}
    scope["http_version"] = "1.0"  # which needs no Host
    return read_request({**scope, "query_string": query.encode(), "client": ("1.2.3.4", 5)}, nothing, DOMAINS)


@pytest.mark.parametrize(
    ("path", "bucket", "key", "level"),
    [
        ("/", None, None, "service"),
        ("/b", "b", None, "bucket"),
        ("/b/", "b", None, "bucket"),
        ("/b/k", "b", "k", "object"),
        ("/b//", "b", "/", "object"),
        ("/b/..", "b", "..", "object"),
        ("/b/../c", "b", "../c", "object"),
        ("/b/a%2Fb%20c+d", "b", "a/b c+d", "object"),
        ("/b/%E5%AA%92", "b", "媒", "object"),
        ("/b/%252F", "b", "%2F", "object"),
        ("/b/%zz", "b", "%zz", "object"),
    ],
)
def test_a_path_is_bucket_and_key(path: str, bucket: str | None, key: str | None, level: str) -> None:
    """The first segment is the bucket and all the rest the key, decoded once and nothing resolved."""
    request = read(path)
    assert (request.bucket, request.key, request.level, request.host_style) == (bucket, key, level, False)


@pytest.mark.parametrize(
    ("host", "bucket"),
    [
        ("b.localhost", "b"),
        ("b.localhost:9000", "b"),
        ("B.LocalHost", "b"),
        ("a.b.s3.example.com", "a.b"),
        ("s3.example.com", None),
        (".localhost", None),
        ("notlocalhost", None),
        ("b.localhost.evil.com", None),
        ("127.0.0.1:9000", None),
        ("[::1]:9000", None),
        ("[::1]", None),
        ("", None),
    ],
)
def test_a_host_may_name_the_bucket(host: str, bucket: str | None) -> None:
    """Only what stands in front of a served domain is a bucket."""
    assert bucket_of_host(host, DOMAINS) == bucket


def test_host_style_leaves_the_path_to_the_key() -> None:
    """With the bucket in the host, the whole path is the key."""
    request = read("/b/k", headers={"host": "x.localhost"})
    assert (request.bucket, request.key, request.host_style) == ("x", "b/k", True)
    assert read("/", headers={"host": "x.localhost"}).level == "bucket"


@given(st.text(st.characters(blacklist_categories=["Cs"]), min_size=1, max_size=200))
def test_every_key_survives_its_encoding(key: str) -> None:
    """Whatever a client percent-encodes is what is read."""
    path = "/b/" + "".join(f"%{byte:02X}" for byte in key.encode())
    assert read_address(path, None) == ("b", key)


@pytest.mark.parametrize("path", ["/b/%ff", "/%C3", "/b/%ED%A0%80"])
def test_a_path_is_utf8(path: str) -> None:
    """Bytes that are not UTF-8 are InvalidURI."""
    with pytest.raises(errors.InvalidURI):
        read(path)


def test_a_key_has_a_longest() -> None:
    """1,023 bytes, counted in UTF-8; the empty key is no key."""
    assert check_key("é" * 511 + "a") is not None
    assert check_key("") is None
    with pytest.raises(errors.KeyTooLongError):
        check_key("é" * 512)


@pytest.mark.parametrize(
    ("query", "pairs"),
    [
        ("", ()),
        ("acl", (("acl", ""),)),
        ("a=1&a=2", (("a", "1"), ("a", "2"))),
        ("a=b+c%2Bd", (("a", "b c+d"),)),
        ("a=b=c;d", (("a", "b=c;d"),)),
        ("&&a&", (("a", ""),)),
    ],
)
def test_a_query_is_decoded_in_order(query: str, pairs: tuple[tuple[str, str], ...]) -> None:
    """Names alone have the value '', a plus is a space, a semicolon is itself."""
    assert read_query(query) == pairs


@pytest.mark.parametrize("query", ["a=%ff", "&".join(f"a{n}" for n in range(201))])
def test_a_query_that_no_operation_takes(query: str) -> None:
    """What is not UTF-8 or has too many parameters is InvalidURI."""
    with pytest.raises(errors.InvalidURI):
        read_query(query)


def test_the_first_of_repeated_parameters_counts() -> None:
    """One value is used; the signature covers them all."""
    request = read(query="a=1&a=2")
    assert (request.query["a"], request.query_pairs) == ("1", (("a", "1"), ("a", "2")))


def test_repeated_headers_are_joined() -> None:
    """Repeats are one value with commas, as signatures see them."""
    scope_headers = [(b"a", b"1"), (b"b", b"2"), (b"a", b"3")]
    scope = {"method": "GET", "scheme": "http", "raw_path": b"/", "headers": scope_headers, "client": None}
    scope["http_version"] = "1.0"  # which needs no Host
    request = read_request({**scope, "query_string": b""}, nothing, DOMAINS)
    assert request.headers == {"a": "1,3", "b": "2"}
    assert request.client == ""


def test_headers_are_utf8_where_they_can_be() -> None:
    """UTF-8 is read as such, anything else as Latin-1; neither is an error."""
    assert read(headers={"x-amz-meta-a": "媒"}).headers["x-amz-meta-a"] == "媒"
    assert read(headers={"x-amz-meta-a": b"\xe9"}).headers["x-amz-meta-a"] == "é"


@pytest.mark.parametrize(("text", "length"), [("5", 5), ("0", 0), ("x", None), ("-1", None), ("", None)])
def test_a_length_is_decimal(text: str, length: int | None) -> None:
    """Anything but digits is no length."""
    assert read(headers={"content-length": text}).content_length == length


SIGNED = "X-Amz-Signature=s&X-Amz-Credential=c&X-Amz-Date=d"


def test_a_v4_url_carries_headers() -> None:
    """x-amz-* parameters of a V4 presigned URL count as headers; the credential's own do not."""
    request = read(query=f"{SIGNED}&x-amz-acl=private&X-Amz-Meta-A=1&other=2")
    assert request.headers == {"x-amz-acl": "private", "x-amz-meta-a": "1"}
    assert request.sent_headers == {}


def test_a_v2_url_carries_headers() -> None:
    """V2 signs x-amz-* in a URL as it signs them in a head; what only looks like one stays a parameter."""
    signed = "AWSAccessKeyId=a&Expires=9&Signature=s"
    request = read(
        query=f"{signed}&x-amz-acl=private&Cache-Control=no-store&x-amz-process=image/info&other=2"
    )
    assert request.headers == {"x-amz-acl": "private", "cache-control": "no-store"}
    assert request.sent_headers == {}


@pytest.mark.parametrize(
    "query", ["x-amz-acl=public-read", "Signature=s&x-amz-acl=public-read&Cache-Control=a"]
)
def test_other_urls_carry_none(query: str) -> None:
    """What nobody signed stays a parameter."""
    assert read(query=query).headers == {}


def test_a_plus_can_be_read_as_itself() -> None:
    """Where the signature says so, '+' means itself: in parameters, and in headers that a URL carries."""
    request = read(query=f"{SIGNED}&prefix=a+b&x-amz-copy-source=b/my+file%20x")
    assert (request.query["prefix"], request.headers["x-amz-copy-source"]) == ("a b", "b/my file x")
    literal = with_literal_plus(request)
    assert (literal.query["prefix"], literal.headers["x-amz-copy-source"]) == ("a+b", "b/my+file x")
    with pytest.raises(errors.InvalidURI):
        with_literal_plus(read(query=f"{SIGNED}&a+b=1"))


def test_a_header_may_not_contradict_its_url() -> None:
    """What was signed in the URL cannot be replaced by a header that was not."""
    assert read(query=f"{SIGNED}&x-amz-acl=private", headers={"x-amz-acl": "private"}).headers
    with pytest.raises(errors.InvalidArgument):
        read(query=f"{SIGNED}&x-amz-acl=private", headers={"x-amz-acl": "public-read"})
