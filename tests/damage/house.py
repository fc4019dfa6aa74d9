"""A server's data folder as an operator sees it, and ways of damaging what is in it."""

import sqlite3
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any

from signed_http import SignedHttp

BUCKET = "damage"
LARGE, SMALL = b"large" * 40_000, b"small" * 1000
XML = "<CompleteMultipartUpload>{}</CompleteMultipartUpload>"


def fill(server: Any, count: int = 3) -> SignedHttp:
    """Make a bucket with objects of every kind, and an upload that is not finished."""
    http = SignedHttp(server.url)
    assert http.send("PUT", BUCKET).status == 200
    for number in range(count):
        assert http.send("PUT", f"{BUCKET}/large/{number}", LARGE).status == 200
        assert http.send("PUT", f"{BUCKET}/small/{number}", SMALL).status == 200
    assert http.send("PUT", f"{BUCKET}/empty", b"").status == 200
    upload_id, document = send_parts(http, "parts")
    assert http.send("POST", f"{BUCKET}/parts", document, uploadId=upload_id).status == 200
    send_parts(http, "unfinished")
    return http


def send_parts(http: SignedHttp, key: str) -> tuple[str, bytes]:
    """Begin an upload with two parts; tells its id and the document that completes it."""
    started = http.send("POST", f"{BUCKET}/{key}", uploads="").body.decode()
    upload_id = started.partition("<UploadId>")[2].partition("</UploadId>")[0]
    entries = ""
    for number in (1, 2):
        data = bytes([number]) * 100_000
        put = http.send("PUT", f"{BUCKET}/{key}", data, uploadId=upload_id, partNumber=str(number))
        assert put.status == 200, put.body
        entries += f"<Part><PartNumber>{number}</PartNumber><ETag>{put.etag}</ETag></Part>"
    return upload_id, XML.format(entries).encode()


@contextmanager
def rows_of(data: Path) -> Iterator[sqlite3.Connection]:
    """Open the database beside the server, to read it or to do it harm."""
    with closing(sqlite3.connect(data / "meta.sqlite3", timeout=10)) as connection, connection:
        yield connection


def blob_of(data: Path, key: str) -> Path:
    """Find the file of an object in one blob."""
    with rows_of(data) as rows:
        [(blob_id,)] = rows.execute("SELECT content_id FROM objects WHERE key = ?", (key.encode(),))
    return data / "blobs" / blob_id[:2] / blob_id


def part_of(data: Path, key: str, number: int) -> Path:
    """Find the file of a part, of an object or of an upload that is not finished."""
    with rows_of(data) as rows:
        [(blob_id,)] = rows.execute(
            "SELECT content_id FROM parts WHERE part_number = ? AND upload_id IN "
            "(SELECT content_id FROM objects WHERE key = ? "
            "UNION SELECT upload_id FROM uploads WHERE key = ?)",
            (number, key.encode(), key.encode()),
        )
    return data / "blobs" / blob_id[:2] / blob_id


def flip_a_bit(path: Path, place: int) -> None:
    """Turn one bit round, as an old disk does."""
    with path.open("r+b") as file:
        file.seek(place)
        [byte] = file.read(1)
        file.seek(place)
        file.write(bytes([byte ^ 0x10]))
