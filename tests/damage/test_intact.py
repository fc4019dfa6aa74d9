"""Damage on the disk under a running server: what is read whole is compared, and nothing new is made of it.

One bit is turned in each kind of content; then it is read and copied in every way there is. The owner is told
500 and the log has a finding; no answer ends as if it were whole.
"""

import http.client
import sqlite3
from collections.abc import Callable
from contextlib import closing
from typing import Any

import pytest
import pyvips

from damage.house import BUCKET, blob_of, fill, flip_a_bit, part_of
from meiku.signing import presign_v4
from running_server import Server
from signed_http import ACCESS, SignedHttp

KEYS = ("large/0", "small/0", "parts")


def harm(server: Server, key: str) -> None:
    """Turn one bit of an object's bytes, wherever they are kept."""
    if key == "parts":
        flip_a_bit(part_of(server.data, key, 2), 1000)
    elif key.startswith("large"):
        flip_a_bit(blob_of(server.data, key), 150_000)
    else:
        with closing(sqlite3.connect(server.data / "meta.sqlite3", timeout=10)) as rows, rows:
            [(number, data)] = rows.execute(
                "SELECT i.inline_id, i.data FROM inline_bytes i JOIN objects o ON o.inline_id = i.inline_id "
                "WHERE o.key = ?",
                (key.encode(),),
            )
            rows.execute(
                "UPDATE inline_bytes SET data = ? WHERE inline_id = ?",
                (data[:99] + b"?" + data[100:], number),
            )


@pytest.fixture
def filled(own_server: Callable[..., Server]) -> tuple[Server, SignedHttp]:
    """A server with an object of every kind of content."""
    server = own_server("--workers", "1", MEIKU_MULTIPART_MIN_PART_BYTES="0")
    return server, fill(server, 1)


def read_whole(server: Server, key: str) -> tuple[int, bytes]:
    """Get an object; returns the status and what came, where the answer was cut short."""
    target = presign_v4(ACCESS, "GET", f"{server.url}/{BUCKET}/{key}").removeprefix(server.url)
    with closing(http.client.HTTPConnection("127.0.0.1", server.port, timeout=30)) as connection:
        connection.request("GET", target)
        answer = connection.getresponse()
        try:
            return answer.status, answer.read()
        except http.client.IncompleteRead as cut:
            return -answer.status, cut.partial


@pytest.mark.parametrize("key", KEYS)
def test_damaged_bytes_are_no_whole_answer(filled: tuple[Server, SignedHttp], key: str) -> None:
    """A GET of damaged bytes is 500 where they fit into one piece, and is broken off before its end else."""
    server, _ = filled
    assert read_whole(server, key)[0] == 200
    harm(server, key)
    status, body = read_whole(server, key)
    assert status in (500, -200)
    assert (status == 500) == (b"InternalError" in body)
    assert '"event": "damage"' in server.read_log()
    assert f"{BUCKET}/{key}" in server.read_log()


@pytest.mark.parametrize("key", KEYS)
@pytest.mark.parametrize("way", ["to another", "onto itself", "as a part"])
def test_damaged_bytes_are_not_copied(filled: tuple[Server, SignedHttp], key: str, way: str) -> None:
    """A copy would carry a fresh checksum of wrong bytes: it is refused, and what was there stays."""
    server, s3 = filled
    assert s3.send("PUT", f"{BUCKET}/target", b"before").status == 200
    harm(server, key)
    source = {"x-amz-copy-source": f"{BUCKET}/{key}"}
    if way == "to another":
        answer = s3.send("PUT", f"{BUCKET}/target", headers=source)
    elif way == "onto itself":
        answer = s3.send("PUT", f"{BUCKET}/{key}", headers={**source, "x-amz-metadata-directive": "REPLACE"})
    else:
        begun = s3.send("POST", f"{BUCKET}/target", uploads="").body.decode()
        upload_id = begun.partition("<UploadId>")[2].partition("</UploadId>")[0]
        answer = s3.send("PUT", f"{BUCKET}/target", headers=source, uploadId=upload_id, partNumber="1")
        listed = s3.send("GET", f"{BUCKET}/target", uploadId=upload_id)
        assert b"<Part>" not in listed.body
    assert (answer.status, answer.code) == (500, "InternalError")
    assert s3.send("GET", f"{BUCKET}/target").body == b"before"
    assert '"event": "damage"' in server.read_log()
    checked = server.meiku_fails("check")
    assert [found["kind"] for found in checked["findings"] if found.get("key") == key] == ["changed"]


@pytest.mark.parametrize(
    ("key", "copied", "is_compared"),
    [
        ("parts", "bytes=100000-199999", True),  # the damaged part alone
        ("parts", "bytes=50000-199999", True),  # it, and a piece of the one before
        ("parts", "bytes=0-99999", None),  # the other one, which is whole
        ("large/0", "bytes=0-199999", True),  # all there is
        ("small/0", "bytes=200-300", True),  # small bytes are read whole anyway
        ("parts", "bytes=100000-199998", False),  # a piece has no checksum of its own
        ("large/0", "bytes=1-199999", False),
    ],
)
def test_a_copied_range_compares_what_it_covers_whole(
    filled: tuple[Server, SignedHttp], key: str, copied: str, is_compared: bool | None
) -> None:
    """UploadPartCopy of a range refuses damage wherever it has the bytes of a whole checksum in its hands."""
    server, s3 = filled
    harm(server, key)
    begun = s3.send("POST", f"{BUCKET}/target", uploads="").body.decode()
    upload_id = begun.partition("<UploadId>")[2].partition("</UploadId>")[0]
    source = {"x-amz-copy-source": f"{BUCKET}/{key}", "x-amz-copy-source-range": copied}
    answer = s3.send("PUT", f"{BUCKET}/target", headers=source, uploadId=upload_id, partNumber="1")
    assert answer.status == (500 if is_compared else 200)
    assert ('"event": "damage"' in server.read_log()) == bool(is_compared)


@pytest.mark.parametrize("key", ["large/0", "parts"])
def test_lost_bytes_are_not_copied(filled: tuple[Server, SignedHttp], key: str) -> None:
    """A source whose bytes are gone is damage, not a race."""
    server, s3 = filled
    path = part_of(server.data, key, 1) if key == "parts" else blob_of(server.data, key)
    path.unlink()
    answer = s3.send("PUT", f"{BUCKET}/target", headers={"x-amz-copy-source": f"{BUCKET}/{key}"})
    assert (answer.status, answer.code) == (500, "InternalError")
    assert '"event": "damage"' in server.read_log()


def test_damaged_pictures_are_not_processed(own_server: Callable[..., Server]) -> None:
    """A recipe makes nothing of bytes that are not those that were stored."""
    server = own_server("--workers", "1")
    s3 = SignedHttp(server.url)
    s3.send("PUT", BUCKET)
    picture = bytes(pyvips.Image.gaussnoise(300, 300).cast("uchar").pngsave_buffer())
    for key in ("large", "mark"):
        assert s3.send("PUT", f"{BUCKET}/{key}", picture).status == 200
    flip_a_bit(blob_of(server.data, "large"), len(picture) // 2)
    answer = s3.send("GET", f"{BUCKET}/large", **{"x-oss-process": "image/resize,w_10"})
    assert (answer.status, answer.code) == (500, "InternalError")


def test_damage_is_counted(filled: tuple[Server, SignedHttp]) -> None:
    """The page of figures tells how many reads were broken off."""
    server, s3 = filled
    harm(server, "small/0")
    assert s3.send("GET", f"{BUCKET}/small/0").status == 500
    with closing(http.client.HTTPConnection("127.0.0.1", server.port, timeout=30)) as connection:
        connection.request("GET", "/-/metrics")
        page: Any = connection.getresponse().read().decode()
    assert "meiku_damaged_reads_total 1" in page
