"""Ranges: the piece of an object that a GET asks for, wherever its bytes are kept."""

from typing import Any

import pytest

from ops.conftest import Send

DATA = bytes(range(256)) * 400


@pytest.fixture(params=[100, len(DATA)], ids=["inline", "file"])
def stored(request: pytest.FixtureRequest, s3: Any, bucket: str) -> bytes:
    """Store the object `k`, once beside the rows and once as a file."""
    data = DATA[: request.param]
    s3.put_object(Bucket=bucket, Key="k", Body=data)
    return data


@pytest.mark.parametrize(
    ("asked", "start", "stop"),
    [
        ("bytes=0-0", 0, 1),
        ("bytes=10-19", 10, 20),
        ("bytes=90-", 90, None),
        ("bytes=-7", -7, None),
        ("bytes=50-999999999999999999999", 50, None),
        ("bytes=-999999999999999999999", 0, None),
    ],
)
def test_a_range_is_answered_as_asked(
    raw: Send, bucket: str, stored: bytes, asked: str, start: int, stop: int | None
) -> None:
    """The answer is 206 with exactly those bytes, and says which they are."""
    answer = raw("GET", f"/{bucket}/k", b"", {"Range": asked})
    assert (answer.status, answer.body) == (206, stored[start:stop])
    first = range(len(stored))[start]
    last = first + len(answer.body) - 1
    assert answer.headers["content-range"] == f"bytes {first}-{last}/{len(stored)}"
    assert answer.headers["content-length"] == str(len(answer.body))


@pytest.mark.parametrize(
    "asked", ["bytes=5-2", "bytes=-", "bytes=a-b", "lines=0-1", "bytes=0-1,3-4", "0-4", "bytes = 0-4"]
)
def test_what_is_not_one_byte_range_is_ignored(raw: Send, bucket: str, stored: bytes, asked: str) -> None:
    """A header that S3 does not understand, or several ranges, is answered with the whole."""
    answer = raw("GET", f"/{bucket}/k", b"", {"Range": asked})
    assert (answer.status, answer.body) == (200, stored)
    assert "content-range" not in answer.headers


@pytest.mark.parametrize("asked", ["bytes=102400-", "bytes=999999-9999999", "bytes=-0"])
def test_a_range_outside_is_refused(raw: Send, bucket: str, stored: bytes, asked: str) -> None:
    """A range that begins behind the end is InvalidRange, and says how long the object is."""
    answer = raw("GET", f"/{bucket}/k", b"", {"Range": asked})
    assert (answer.status, answer.code) == (416, "InvalidRange")
    assert answer.headers["content-range"] == f"bytes */{len(stored)}"
    assert answer.element("ActualObjectSize") == str(len(stored))
    assert answer.element("RangeRequested") == asked


def test_nothing_has_no_range(raw: Send, bucket: str) -> None:
    """Of an empty object there is no range, not even the first byte."""
    raw("PUT", f"/{bucket}/k")
    assert raw("GET", f"/{bucket}/k", b"", {"Range": "bytes=0-"}).code == "InvalidRange"
    assert raw("GET", f"/{bucket}/k", b"", {"Range": "bytes=-1"}).code == "InvalidRange"


def test_head_describes_the_range(s3: Any, bucket: str, stored: bytes) -> None:
    """HEAD answers as GET would, without the bytes."""
    answer = s3.head_object(Bucket=bucket, Key="k", Range="bytes=1-4")
    assert answer["ResponseMetadata"]["HTTPStatusCode"] == 206
    assert (answer["ContentLength"], answer["ContentRange"]) == (4, f"bytes 1-4/{len(stored)}")


def test_head_outside_is_refused(raw: Send, bucket: str, stored: bytes) -> None:
    """HEAD of a range behind the end is 416 without a body."""
    answer = raw("HEAD", f"/{bucket}/k", b"", {"Range": "bytes=999999-"})
    assert (answer.status, answer.body) == (416, b"")


def test_an_object_of_one_piece_is_its_only_part(s3: Any, bucket: str, stored: bytes, raw: Send) -> None:
    """partNumber=1 is the whole object; another part is InvalidPartNumber."""
    answer = s3.get_object(Bucket=bucket, Key="k", PartNumber=1)
    assert answer["Body"].read() == stored
    assert raw("GET", f"/{bucket}/k?partNumber=2").code == "InvalidPartNumber"
    assert raw("GET", f"/{bucket}/k?partNumber=0").code == "InvalidArgument"


def test_a_part_has_no_range_within(raw: Send, bucket: str, stored: bytes) -> None:
    """Range and partNumber together are InvalidRequest."""
    assert raw("GET", f"/{bucket}/k?partNumber=1", b"", {"Range": "bytes=0-1"}).code == "InvalidRequest"


def test_every_cut_of_an_object_is_whole(raw: Send, bucket: str, stored: bytes) -> None:
    """Pieces read one after the other are the object."""
    size_bytes = len(stored) // 7
    pieces = []
    for start in range(0, len(stored), size_bytes):
        asked = f"bytes={start}-{start + size_bytes - 1}"
        pieces.append(raw("GET", f"/{bucket}/k", b"", {"Range": asked}).body)
    assert b"".join(pieces) == stored


def test_if_range_sends_the_rest_of_the_same_version_only(raw: Any, s3: Any, bucket: str) -> None:
    """A resumed download gets its range while the tag is the object's, else the whole new object."""
    etag = s3.put_object(Bucket=bucket, Key="k", Body=b"0123456789")["ETag"]
    target = f"/{bucket}/k"
    same = raw("GET", target, headers={"Range": "bytes=5-", "If-Range": etag})
    assert (same.status, same.body) == (206, b"56789")
    for other in ('"0123"', "Tue, 24 Nov 2026 00:00:00 GMT", f"W/{etag}"):
        changed = raw("GET", target, headers={"Range": "bytes=5-", "If-Range": other})
        assert (changed.status, changed.body) == (200, b"0123456789"), other
