"""A full disk: new data is refused with a clear answer, and everything that frees or reads goes on.

A real disk of 24 MB, so these tests need the right to mount one.
"""

import base64
import hashlib
import os
import sqlite3
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
import pyvips

from full.disks import mounted, remount
from media.writing import encoded
from signed_http import Answered, SignedHttp

LARGE, SMALL = 1_000_000, 20_000
RESERVE_BYTES = 4 << 20
BUCKET = "full"
SENTENCE = b"The server has no space left to store this. Nothing was stored; reads go on."


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    """Mount a disk of 24 MB where the first server of this test keeps its data."""
    with mounted(tmp_path / "data0", "24m") as folder:
        yield folder


@pytest.fixture
def full_server(small_disk: Path, own_server: Callable[..., Any]) -> Iterator[Any]:
    """Start a server on the small disk that sweeps at once what is deleted."""
    settings = {"MEIKU_BLOB_GRACE_S": "0", "MEIKU_SWEEP_INTERVAL_S": "1"}
    server = own_server("--workers", "2", MEIKU_RESERVE_BYTES=str(RESERVE_BYTES), **settings)
    server.client().create_bucket(Bucket=BUCKET)
    yield server
    assert '"event": "mistake"' not in server.read_log(), server.read_log()
    if server.process.poll() is None:
        server.kill()


def put(http: SignedHttp, key: str, size_bytes: int) -> Answered:
    return http.send("PUT", f"{BUCKET}/{key}", os.urandom(size_bytes))


def fill(http: SignedHttp) -> dict[str, int]:
    """Put ever smaller objects until not even an empty one is taken; tells the keys and sizes that were."""
    kept = {}
    for name, size_bytes in (("large", LARGE), ("small", SMALL), ("empty", 0)):
        for number in range(500):
            answered = put(http, f"{name}/{number}", size_bytes)
            if answered.status == 507:
                break
            assert answered.status == 200, answered.body
            kept[f"{name}/{number}"] = size_bytes
        assert answered.code == "InsufficientStorage"
    return kept


def listed(server: Any) -> dict[str, int]:
    pages = server.client().get_paginator("list_objects_v2").paginate(Bucket=BUCKET)
    return {entry["Key"]: entry["Size"] for page in pages for entry in page.get("Contents", ())}


def test_a_full_disk_refuses_every_kind_of_write_and_stores_nothing(full_server: Any) -> None:
    """Large and small PUTs, parts, copies and forms are answered 507 with a sentence; none leaves a trace."""
    http = SignedHttp(full_server.url)
    kept = fill(http)
    blobs = {path.name for path in (full_server.data / "blobs").rglob("*") if path.is_file()}
    refused = [
        put(http, "new", LARGE),
        put(http, "new", SMALL),
        put(http, "new", 0),
        http.post_form(BUCKET, "new", os.urandom(LARGE)),
        http.post_form(BUCKET, "new", os.urandom(SMALL)),
        http.send("POST", f"{BUCKET}/new", uploads=""),
        http.send("PUT", f"{BUCKET}/new", headers={"x-amz-copy-source": f"/{BUCKET}/large/0"}),
        http.send("PUT", "another-bucket"),
    ]
    assert [(answered.status, answered.code) for answered in refused] == [(507, "InsufficientStorage")] * 8
    assert all(
        b"no space left" in answered.body and b"Nothing was stored" in answered.body for answered in refused
    )
    assert listed(full_server) == kept
    assert {path.name for path in (full_server.data / "blobs").rglob("*") if path.is_file()} == blobs
    assert list((full_server.data / "incoming").iterdir()) == []


def test_what_a_recipe_makes_is_answered_and_not_kept(full_server: Any) -> None:
    """A picture by URL is made as ever; saving one, small or large, is 507, and not even a result is left."""
    http = SignedHttp(full_server.url)
    picture = pyvips.Image.gaussnoise(900, 600, mean=128, sigma=40).cast("uchar").pngsave_buffer()
    assert http.send("PUT", f"{BUCKET}/picture", picture).status == 200
    kept = {**fill(http), "picture": len(picture)}
    for recipe in ("image/resize,w_20", "image/format,bmp"):
        made = http.send("GET", f"{BUCKET}/picture", **{"x-amz-process": recipe})
        assert made.status == 200, made.body
        body = f"x-amz-process={recipe}|sys/saveas,o_{encoded('new')}".encode()
        answered = http.send("POST", f"{BUCKET}/picture", body, **{"x-amz-process": ""})
        assert (answered.status, answered.code) == (507, "InsufficientStorage")
        there = {"x-zos-process-source": f"/{BUCKET}/picture"}
        answered = http.send("POST", f"{BUCKET}/new", recipe.encode(), headers=there, **{"x-zos-process": ""})
        assert (answered.status, answered.code) == (507, "InsufficientStorage")
    assert listed(full_server) == kept
    database = sqlite3.connect(full_server.data / "meta.sqlite3")
    assert database.execute("SELECT COUNT(*) FROM results").fetchone() == (0,)
    database.close()
    assert list((full_server.data / "incoming").iterdir()) == []


def test_reads_go_on_and_replacing_keeps_the_old_object(full_server: Any) -> None:
    """GET, HEAD and listings answer as ever, and a refused replacement leaves what was there."""
    http = SignedHttp(full_server.url)
    kept = fill(http)
    before = http.send("GET", f"{BUCKET}/large/0")
    assert len(before.body) == LARGE
    assert put(http, "large/0", LARGE).status == 507
    assert http.send("GET", f"{BUCKET}/large/0").body == before.body
    assert http.send("HEAD", f"{BUCKET}/small/0").headers["content-length"] == str(SMALL)
    assert listed(full_server) == kept


def test_after_deleting_and_sweeping_writes_work_again(full_server: Any) -> None:
    """The reserve is there to remove with: every object can be deleted, and its room comes back."""
    http = SignedHttp(full_server.url)
    kept = fill(http)
    process = full_server.process
    for key in kept:
        assert http.send("DELETE", f"{BUCKET}/{key}").status == 204
    while any(path.is_file() for path in (full_server.data / "blobs").rglob("*")):
        time.sleep(0.1)
    assert put(http, "again", LARGE).status == 200
    assert listed(full_server) == {"again": LARGE}
    assert process.poll() is None
    assert "ended (" not in full_server.read_log(), "a worker died of the full disk"


def test_many_writers_at_once_fill_the_disk_and_break_nothing(full_server: Any) -> None:
    """When all race for the last room, each is answered, what was answered 200 is whole."""
    answers: dict[str, Answered] = {}

    def write(name: str) -> None:
        http = SignedHttp(full_server.url)
        for number in range(12):
            size_bytes = LARGE if number % 2 else SMALL
            answers[f"{name}/{number}"] = put(http, f"{name}/{number}", size_bytes)
        http.close()

    writers = [threading.Thread(target=write, args=(str(number),)) for number in range(8)]
    for writer in writers:
        writer.start()
    for writer in writers:
        writer.join()
    assert {answered.status for answered in answers.values()} == {200, 507}
    assert len(answers) == 96
    stored = {key for key, answered in answers.items() if answered.status == 200}
    assert set(listed(full_server)) == stored
    http = SignedHttp(full_server.url)
    for key in stored:
        found = http.send("GET", f"{BUCKET}/{key}")
        assert (found.status, found.etag) == (200, answers[key].etag)
    assert full_server.stop() == 0
    database = sqlite3.connect(full_server.data / "meta.sqlite3")
    assert database.execute("PRAGMA integrity_check").fetchone() == ("ok",)
    database.close()


def test_rows_stay_intact_when_the_disk_has_not_one_byte_left(full_server: Any) -> None:
    """Somebody else fills the same disk: writes are refused, reads go on, and nothing breaks or stops."""
    http = SignedHttp(full_server.url)
    assert put(http, "kept", LARGE).status == 200
    filler = full_server.data / "filler"
    with pytest.raises(OSError, match="No space left"), filler.open("wb", buffering=0) as file:
        while file.write(bytes(65536)):
            pass
    for number in range(40):
        assert http.send("DELETE", f"{BUCKET}/nothing{number}").status in (204, 507)
        assert put(http, f"k{number}", SMALL).status == 507
    assert len(http.send("GET", f"{BUCKET}/kept").body) == LARGE
    filler.unlink()
    assert put(http, "again", SMALL).status == 200
    assert listed(full_server) == {"kept": LARGE, "again": SMALL}
    assert full_server.stop() == 0
    database = sqlite3.connect(full_server.data / "meta.sqlite3")
    assert database.execute("PRAGMA integrity_check").fetchone() == ("ok",)
    database.close()


def test_a_disk_that_others_filled_can_still_be_emptied(small_disk: Path, full_server: Any) -> None:
    """Objects, many at once and uploads are removed with the room of the reserve, which is made again."""
    http = SignedHttp(full_server.url)
    for number in range(3):
        assert put(http, f"large/{number}", LARGE).status == put(http, f"small/{number}", SMALL).status == 200
    upload = http.send("POST", f"{BUCKET}/upload", uploads="").body.decode()
    upload_id = upload.partition("<UploadId>")[2].partition("</UploadId>")[0]
    reserve, others = small_disk / "reserve", small_disk / "of-others"
    assert reserve.stat().st_size == RESERVE_BYTES
    with others.open("wb", buffering=0) as file, pytest.raises(OSError, match="No space left"):
        while True:
            file.write(bytes(4096))
    assert put(http, "new", SMALL).status == 507
    assert http.send("DELETE", f"{BUCKET}/large/0").status == 204
    keys = "".join(f"<Object><Key>{kind}/1</Key></Object>" for kind in ("large", "small"))
    document = f"<Delete>{keys}</Delete>".encode()
    checksum = {"Content-MD5": base64.b64encode(hashlib.md5(document).digest()).decode()}
    assert http.send("POST", BUCKET, document, headers=checksum, delete="").body.count(b"<Deleted>") == 2
    assert http.send("DELETE", f"{BUCKET}/upload", uploadId=upload_id).status == 204
    assert not reserve.exists()
    assert set(listed(full_server)) == {"large/2", "small/0", "small/2"}
    others.unlink()
    deadline_s = time.monotonic() + 30
    while not reserve.exists():
        assert time.monotonic() < deadline_s
        time.sleep(0.1)
    assert put(http, "new", SMALL).status == 200


def test_a_start_on_a_disk_without_inodes_is_one_sentence(small_disk: Path) -> None:
    """It says what is missing."""
    remount(small_disk, "nr_inodes=6")
    command = [sys.executable, "-m", "meiku", "serve", "--data", str(small_disk), "--port", "0"]
    done = subprocess.run(command, check=False, capture_output=True, text=True, timeout=60)
    assert (done.returncode, done.stderr.count("\n")) == (1, 1), done.stderr
    assert done.stderr.startswith(f"meiku: {small_disk}/")
    assert "No space left on device" in done.stderr or "no inode left" in done.stderr


def test_a_backup_without_room_is_one_sentence(small_disk: Path, own_server: Callable[..., Any]) -> None:
    """It names the folder that is full; what was copied before is whole."""
    server = own_server("--workers", "1", MEIKU_RESERVE_BYTES="0")
    http = SignedHttp(server.url)
    assert http.send("PUT", BUCKET).status == 200
    for number in range(10):
        assert put(http, f"large/{number}", LARGE).status == 200
    with mounted(small_disk.parent / "target", "100k") as target:
        for size in ("100k", "4m"):  # too small for the rows, and for the bytes
            remount(target, f"size={size}")
            command = [sys.executable, "-m", "meiku", "backup", str(target), "--data", str(server.data)]
            done = subprocess.run(command, check=False, capture_output=True, text=True, timeout=60)
            assert done.returncode == 1
            sentence = done.stderr.splitlines()[-1]
            assert sentence.startswith(f"meiku: {target}: ") and "whole" in sentence, done.stderr
            assert "not an error" not in done.stderr and "Traceback" not in done.stderr
