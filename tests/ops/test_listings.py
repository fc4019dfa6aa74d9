"""Listings of objects, in both of S3's versions: order, pages, folding, and how keys are written."""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any
from urllib.parse import quote, unquote

import pytest

from ops.conftest import Send
from running_server import Server

Refusal = Callable[..., tuple[str, int]]
KEYS = ["a", "a/", "a/b/1", "a/b/2", "a/c", "a0", "b", "ab", "é", "z", "媒", "😀", "\uffee"]


@pytest.fixture(scope="module")
def filled(server: Server) -> str:
    """A bucket with keys of many kinds, made once for this file."""
    client = server.client()
    client.create_bucket(Bucket="test-listings")
    for key in reversed(KEYS):
        client.put_object(Bucket="test-listings", Key=key, Body=key.encode())
    return "test-listings"


def pages(s3: Any, version: str, **asked: Any) -> tuple[list[str], list[str], int]:
    """Follow a listing to its end; gives keys, common prefixes and the number of pages."""
    keys: list[str] = []
    folded: list[str] = []
    count = 0
    for page in s3.get_paginator(version).paginate(**asked):
        keys += [entry["Key"] for entry in page.get("Contents", ())]
        folded += [entry["Prefix"] for entry in page.get("CommonPrefixes", ())]
        count += 1
    return keys, folded, count


VERSIONS = pytest.mark.parametrize("version", ["list_objects", "list_objects_v2"])


@VERSIONS
def test_keys_are_listed_in_the_order_of_their_bytes(s3: Any, filled: str, version: str) -> None:
    """The order is that of UTF-8, which is neither a dictionary's nor UTF-16's."""
    keys, _, _ = pages(s3, version, Bucket=filled)
    assert keys == sorted(KEYS, key=str.encode)
    assert keys.index("\uffee") < keys.index("😀")


@VERSIONS
@pytest.mark.parametrize("size", [1, 2, 3, 5, 12, 13, 14])
def test_pages_lose_and_repeat_nothing(s3: Any, filled: str, version: str, size: int) -> None:
    """Whatever the page size, the pages together are the listing, and no page is needless."""
    keys, _, count = pages(s3, version, Bucket=filled, PaginationConfig={"PageSize": size})
    assert keys == sorted(KEYS, key=str.encode)
    assert count == -(-len(KEYS) // size)


@VERSIONS
@pytest.mark.parametrize("size", [1, 2, 1000])
@pytest.mark.parametrize(
    ("prefix", "delimiter", "keys", "folded"),
    [
        ("", "/", [key for key in sorted(KEYS, key=str.encode) if "/" not in key], ["a/"]),
        ("a/", "/", ["a/", "a/c"], ["a/b/"]),
        ("a", "/", ["a", "a0", "ab"], ["a/"]),
        ("a/b", "", ["a/b/1", "a/b/2"], []),
        ("", "b/", [key for key in sorted(KEYS, key=str.encode) if "b/" not in key], ["a/b/"]),
        ("媒", "", ["媒"], []),
        ("nothing", "/", [], []),
    ],
)
def test_a_delimiter_folds(
    s3: Any,
    filled: str,
    version: str,
    size: int,
    prefix: str,
    delimiter: str,
    keys: list[str],
    folded: list[str],
) -> None:
    """Keys that go on behind the delimiter appear once, as their common prefix, on one page only."""
    asked = {"Bucket": filled, "Prefix": prefix, "Delimiter": delimiter}
    found = pages(s3, version, **asked, PaginationConfig={"PageSize": size})
    assert found[:2] == (keys, folded)


def test_entries_say_what_head_says(s3: Any, filled: str) -> None:
    """A listed object has the tag, the size and the time that HEAD tells."""
    entry = s3.list_objects_v2(Bucket=filled, Prefix="媒")["Contents"][0]
    head = s3.head_object(Bucket=filled, Key="媒")
    assert (entry["ETag"], entry["Size"]) == (head["ETag"], 3)
    assert (entry["LastModified"], entry["StorageClass"]) == (head["LastModified"], "STANDARD")


def test_owners_are_told_when_asked_for(s3: Any, filled: str) -> None:
    """Version 1 always names the owner, version 2 with fetch-owner."""
    me = s3.list_buckets()["Owner"]
    assert s3.list_objects(Bucket=filled, MaxKeys=1)["Contents"][0]["Owner"] == me
    assert s3.list_objects_v2(Bucket=filled, MaxKeys=1, FetchOwner=True)["Contents"][0]["Owner"] == me
    assert "Owner" not in s3.list_objects_v2(Bucket=filled, MaxKeys=1)["Contents"][0]


def test_a_page_repeats_what_was_asked(s3: Any, filled: str) -> None:
    """Name, prefix, delimiter, limit and count stand in the answer."""
    page = s3.list_objects_v2(Bucket=filled, Prefix="a", Delimiter="/", MaxKeys=2, StartAfter="a")
    said = {"Name": filled, "Prefix": "a", "Delimiter": "/", "MaxKeys": 2, "StartAfter": "a", "KeyCount": 2}
    assert {name: page[name] for name in said} == said
    assert page["IsTruncated"] is True


def test_start_after_need_not_exist(s3: Any, filled: str) -> None:
    """The page begins behind the key, whether there is such a key or not."""
    page = s3.list_objects_v2(Bucket=filled, StartAfter="a/b/15")
    assert page["Contents"][0]["Key"] == "a/b/2"


def test_a_token_outweighs_start_after(s3: Any, filled: str) -> None:
    """Who sends both goes on where the last page ended."""
    first = s3.list_objects_v2(Bucket=filled, StartAfter="a", MaxKeys=1)
    asked = {"StartAfter": "a", "ContinuationToken": first["NextContinuationToken"]}
    second = s3.list_objects_v2(Bucket=filled, MaxKeys=1, **asked)
    assert (first["Contents"][0]["Key"], second["Contents"][0]["Key"]) == ("a/", "a/b/1")


@pytest.mark.parametrize("token", ["x", "AAAA", "媒", "!!!!"])
def test_a_token_that_is_none_of_ours(raw: Send, filled: str, token: str) -> None:
    """A token that was not handed out is InvalidArgument."""
    target = f"/{filled}?list-type=2&continuation-token={quote(token)}"
    assert raw("GET", target).code == "InvalidArgument"


def test_the_next_marker_is_told_only_with_a_delimiter(s3: Any, filled: str) -> None:
    """As in S3, version 1 without a delimiter leaves the marker to the client."""
    assert "NextMarker" not in s3.list_objects(Bucket=filled, MaxKeys=1)
    assert s3.list_objects(Bucket=filled, MaxKeys=2, Delimiter="/")["NextMarker"] == "a/"


@VERSIONS
def test_a_page_of_nothing(s3: Any, filled: str, version: str) -> None:
    """max-keys=0 answers nothing, and that it is all."""
    page = getattr(s3, version)(Bucket=filled, MaxKeys=0)
    assert (page["MaxKeys"], page["IsTruncated"], page.get("Contents")) == (0, False, None)


@pytest.mark.parametrize("asked", ["max-keys=-1", "max-keys=a", "encoding-type=base64", "fetch-owner=maybe"])
def test_wrong_wishes_are_refused(raw: Send, filled: str, asked: str) -> None:
    """A parameter that cannot be read is InvalidArgument and says which."""
    answer = raw("GET", f"/{filled}?list-type=2&{asked}")
    assert (answer.code, answer.element("ArgumentName")) == ("InvalidArgument", asked.partition("=")[0])


def test_keys_are_encoded_when_asked_for(raw: Send, s3: Any, bucket: str) -> None:
    """encoding-type=url writes keys, prefix, delimiter and markers percent-encoded."""
    for key in ("d é/+ 1", "d é/+ 2", "d é/e&f/x"):
        s3.put_object(Bucket=bucket, Key=key)
    target = f"/{bucket}?encoding-type=url&prefix={quote('d é/', safe='')}&delimiter=%26&max-keys=2&marker=d"
    answer = raw("GET", target)
    told = {
        name: answer.element(name) for name in ("EncodingType", "Key", "Delimiter", "Marker", "NextMarker")
    }
    assert told == {
        "EncodingType": "url",
        "Key": "d%20%C3%A9/%2B%201",
        "Delimiter": "%26",
        "Marker": "d",
        "NextMarker": "d%20%C3%A9/%2B%202",
    }


def test_control_characters_are_legible(raw: Send, bucket: str) -> None:
    """What XML 1.0 cannot hold is a character reference, and percent-encoded when asked for."""
    raw("PUT", f"/{bucket}/a%01%0D%0A%09%3C%26b", b"x")
    assert b"<Key>a&#x1;&#xd;" in raw("GET", f"/{bucket}").body
    assert b"&lt;&amp;b</Key>" in raw("GET", f"/{bucket}").body
    encoded = raw("GET", f"/{bucket}?encoding-type=url").element("Key")
    assert unquote(encoded) == "a\x01\r\n\t<&b"


def test_a_page_holds_a_thousand(s3: Any, bucket: str) -> None:
    """1,000 keys fill a page, also when more are asked for; the 1,001st begins the next."""

    def put(n: int) -> None:
        s3.put_object(Bucket=bucket, Key=f"{n:04}")

    with ThreadPoolExecutor(8) as threads:
        list(threads.map(put, range(1001)))
    page = s3.list_objects_v2(Bucket=bucket, MaxKeys=5000)
    assert (page["KeyCount"], page["MaxKeys"], page["IsTruncated"]) == (1000, 1000, True)
    rest = s3.list_objects_v2(Bucket=bucket, ContinuationToken=page["NextContinuationToken"])
    assert [entry["Key"] for entry in rest["Contents"]] == ["1000"]


def test_listing_needs_leave(s3: Any, alice: Any, bucket: str, anonymous: Send, refusal: Refusal) -> None:
    """READ on the bucket opens its listing; reading an object does not need it, listing does."""
    assert refusal(alice.list_objects_v2, Bucket=bucket) == ("AccessDenied", 403)
    assert anonymous("GET", f"/{bucket}").code == "AccessDenied"
    s3.put_bucket_acl(Bucket=bucket, ACL="public-read")
    assert alice.list_objects_v2(Bucket=bucket)["KeyCount"] == 0
    assert anonymous("GET", f"/{bucket}?list-type=2").status == 200
