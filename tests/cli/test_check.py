"""`meiku check`: every kind of damage is found and named, beside a running server, and nothing else is."""

import json
import os
import random
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from damage.house import BUCKET, LARGE, SMALL, blob_of, fill, flip_a_bit, part_of, rows_of, send_parts
from signed_http import SignedHttp


def check(data: Path, *options: str, **environment: str) -> tuple[int, Any]:
    """Run the command as an operator does; tells its exit code and what it said."""
    command = [sys.executable, "-m", "meiku", "check", "--data", str(data), "--json", *options]
    done = subprocess.run(command, capture_output=True, text=True, env=os.environ | environment)
    assert done.returncode in (0, 1), done.stderr
    return done.returncode, json.loads(done.stdout)


def found(said: Any) -> set[tuple[str, str]]:
    return {(finding["kind"], finding.get("key", "")) for finding in said["findings"]}


@pytest.fixture
def server(own_server: Callable[..., Any]) -> Iterator[Any]:
    """Serve a filled folder with two workers."""
    running = own_server("--workers", "2", MEIKU_MULTIPART_MIN_PART_BYTES="0")
    fill(running).close()
    yield running


def test_nothing_is_wrong_with_a_healthy_folder(server: Any) -> None:
    """All objects and parts are read, every byte of them, and the exit code is 0."""
    code, said = check(server.data)
    assert (code, said["findings"], said["wrong"]) == (0, [], 0)
    assert said["contents"] == 3 + 3 + 1 + 1 + 2
    assert said["size_bytes"] == 3 * len(LARGE) + 3 * len(SMALL) + 4 * 100_000


def test_a_bit_flipped_anywhere_is_found_and_the_object_named(server: Any) -> None:
    """One bit, in a blob, in a part of an object, in a part of an unfinished upload, in inline bytes."""
    luck = random.Random(7)
    flip_a_bit(blob_of(server.data, "large/1"), luck.randrange(len(LARGE)))
    flip_a_bit(part_of(server.data, "parts", 2), luck.randrange(100_000))
    flip_a_bit(part_of(server.data, "unfinished", 1), luck.randrange(100_000))
    with rows_of(server.data) as rows:
        rows.execute(
            "UPDATE inline_bytes SET data = CAST(replace(data, 'smallsmall', 'smallsmalk') AS BLOB) "
            "WHERE inline_id = (SELECT inline_id FROM objects WHERE key = ?)",
            (b"small/2",),
        )
    code, said = check(server.data)
    assert code == 1
    assert found(said) == {("changed", key) for key in ("large/1", "parts", "unfinished", "small/2")}
    assert {finding["bucket"] for finding in said["findings"]} == {BUCKET}
    [unfinished] = [finding for finding in said["findings"] if finding["key"] == "unfinished"]
    assert unfinished["part_number"] == 1
    assert unfinished["upload_id"]


def test_what_is_gone_cut_or_grown_is_found(server: Any) -> None:
    """A missing blob, one cut short, one with bytes behind its end, missing inline bytes, a missing part."""
    blob_of(server.data, "large/0").unlink()
    os.truncate(blob_of(server.data, "large/1"), 5)
    with blob_of(server.data, "large/2").open("ab") as file:
        file.write(b"more")
    with rows_of(server.data) as rows:
        [(inline_id,)] = rows.execute("SELECT inline_id FROM objects WHERE key = ?", (b"small/0",))
        rows.execute("DELETE FROM inline_bytes WHERE inline_id = ?", (inline_id,))
        rows.execute(
            "DELETE FROM parts WHERE part_number = 1 AND upload_id IN (SELECT content_id FROM objects)"
        )
    code, said = check(server.data)
    assert code == 1
    expected = {("missing", "large/0"), ("truncated", "large/1"), ("too-long", "large/2")}
    assert found(said) == expected | {("missing", "small/0"), ("parts", "parts")}


def test_repair_mends_what_it_can_and_says_what_it_could_not(server: Any) -> None:
    """Orphans beyond the grace go, a released blob in use stays, and a lost object is said to be lost.

    A young orphan, which a running write may be about to name, is not touched; no record is removed.
    """
    old, young = (server.data / "blobs" / "ab" / ("ab" + digit * 30) for digit in "01")
    for path in (old, young):
        path.write_bytes(b"nobody's")
    os.utime(old, (time.time() - 7200, time.time() - 7200))
    in_use = blob_of(server.data, "large/0")
    with rows_of(server.data) as rows:
        rows.execute("INSERT INTO released_blobs VALUES (?, 0)", (in_use.name,))
        rows.execute("INSERT INTO inline_bytes (data) VALUES (x'00')")
    flip_a_bit(blob_of(server.data, "large/1"), 100)
    assert found(check(server.data)[1]) == {("released", "large/0"), ("orphan", ""), ("changed", "large/1")}
    code, said = check(server.data, "--repair")
    assert code == 1
    done = {(finding["kind"], finding["repaired"]) for finding in said["findings"]}
    assert done == {("orphan", True), ("released", True), ("changed", False)}
    assert said["wrong"] == 1
    assert not old.exists()
    assert young.exists()
    assert in_use.exists()
    assert found(check(server.data)[1]) == {("changed", "large/1")}
    assert SignedHttp(server.url).send("HEAD", f"{BUCKET}/large/1").status == 200


def test_counts_that_are_not_their_rows_are_found_and_set_right(server: Any) -> None:
    """A wrong count of a bucket, a missing one, and a wrong sum of results are named, and counted anew."""
    http = SignedHttp(server.url)
    for bucket in ("uncounted", "nothing-in-it"):
        assert http.send("PUT", bucket).status == 200
    assert http.send("PUT", "uncounted/one", SMALL).status == 200
    right = 3 + 3 + 1 + 1, 3 * len(LARGE) + 3 * len(SMALL) + 2 * 100_000
    of_bucket = "WHERE bucket_id = (SELECT bucket_id FROM buckets WHERE name = ?)"
    with rows_of(server.data) as rows:
        rows.execute(f"UPDATE bucket_usage SET objects = objects + 1, size_bytes = 7 {of_bucket}", (BUCKET,))
        rows.execute(f"DELETE FROM bucket_usage {of_bucket}", ("uncounted",))
        rows.execute("UPDATE results_total SET size_bytes = -5")
    code, said = check(server.data)
    assert (code, {finding["kind"] for finding in said["findings"]}) == (1, {"count"})
    assert {finding.get("bucket"): finding["sentence"] for finding in said["findings"]} == {
        BUCKET: f"{right[0] + 1} objects of 7 bytes are counted, {right[0]} of {right[1]} bytes are there",
        "uncounted": f"0 objects of 0 bytes are counted, 1 of {len(SMALL)} bytes are there",
        None: "-5 bytes of results are counted, 0 are there",
    }
    code, said = check(server.data, "--repair")
    assert (code, said["wrong"], len(said["findings"])) == (0, 0, 3)
    assert check(server.data)[1]["findings"] == []
    counted = http.send("HEAD", BUCKET).headers
    assert (counted["x-rgw-object-count"], counted["x-rgw-bytes-used"]) == tuple(map(str, right))


def test_parts_that_wait_for_their_grace_are_nobody_s_damage(server: Any) -> None:
    """What was deleted or aborted is no finding; an object that was released by mistake is, and stays."""
    http = SignedHttp(server.url)
    upload_id, _ = send_parts(http, "given-up")
    assert http.send("DELETE", f"{BUCKET}/given-up", uploadId=upload_id).status == 204
    upload_id, document = send_parts(http, "deleted")
    assert http.send("POST", f"{BUCKET}/deleted", document, uploadId=upload_id).status == 200
    assert http.send("DELETE", f"{BUCKET}/deleted").status == 204
    assert check(server.data)[1]["findings"] == []
    with rows_of(server.data) as rows:
        rows.execute(
            "INSERT INTO released_uploads SELECT content_id, 0 FROM objects WHERE key = ?", (b"parts",)
        )
    assert found(check(server.data)[1]) == {("released", "parts")}
    code, said = check(server.data, "--repair")
    assert (code, said["wrong"]) == (0, 0)
    assert check(server.data)[1]["findings"] == []
    assert http.send("GET", f"{BUCKET}/parts").status == 200


def test_a_database_that_contradicts_itself_is_found(server: Any) -> None:
    """A page of the database turned to noise is told of, and the walk does not end in a traceback."""
    server.stop()
    size_bytes = (server.data / "meta.sqlite3").stat().st_size
    with rows_of(server.data) as rows:
        [(page,)] = rows.execute("SELECT rootpage FROM sqlite_schema WHERE name = 'objects'")
    assert page * 4096 <= size_bytes
    with (server.data / "meta.sqlite3").open("r+b") as file:
        file.seek((page - 1) * 4096)
        file.write(random.Random(3).randbytes(4096))
    code, said = check(server.data)
    assert code == 1
    assert "database" in {finding["kind"] for finding in said["findings"]}


def test_a_check_beside_a_busy_server_finds_nothing(server: Any) -> None:
    """Objects that are replaced, removed and uploaded during the walk are never taken for damage."""
    stop = threading.Event()
    refused: list[Any] = []

    def write(name: int) -> None:
        http, luck = SignedHttp(server.url), random.Random(name)
        while not stop.is_set():
            key, size_bytes = f"{BUCKET}/large/{luck.randrange(6)}", luck.choice((10, 200_000))
            if luck.random() < 0.3:
                answered = http.send("DELETE", key)
            else:
                answered = http.send("PUT", key, luck.randbytes(size_bytes))
            if answered.status >= 300:
                refused.append(answered)

    writers = [threading.Thread(target=write, args=(number,)) for number in range(4)]
    for writer in writers:
        writer.start()
    try:
        said = [check(server.data, MEIKU_BLOB_GRACE_S="0") for _ in range(4)]
    finally:
        stop.set()
        for writer in writers:
            writer.join()
    assert [(code, answer["findings"]) for code, answer in said] == [(0, [])] * 4
    assert refused == []


def test_the_rate_is_kept(server: Any) -> None:
    """With a limit, reading takes at least as long as its bytes need at that rate."""
    _, said = check(server.data, "--rate-limit", "1MiB")
    assert said["duration_s"] >= said["size_bytes"] / (1 << 20) * 0.9


def test_people_are_told_in_words(server: Any) -> None:
    """Without --json each finding is a line that begins with its kind and names the object."""
    flip_a_bit(blob_of(server.data, "large/1"), 0)
    command = [sys.executable, "-m", "meiku", "check", "--data", str(server.data)]
    done = subprocess.run(command, capture_output=True, text=True)
    assert done.returncode == 1
    assert f"changed  {BUCKET}/large/1: its CRC64NVME is" in done.stdout
    assert "1 findings, 1 of them not repaired" in done.stdout


def test_the_scrub_finds_damage_by_itself(own_server: Callable[..., Any]) -> None:
    """A server re-reads everything at its interval, in one worker, logs damage and counts it."""
    server = own_server("--workers", "2", MEIKU_SCRUB_INTERVAL_S="0.5", MEIKU_MULTIPART_MIN_PART_BYTES="0")
    fill(server).close()
    flip_a_bit(blob_of(server.data, "large/1"), 100)
    deadline = time.monotonic() + 30
    while '"event": "scrubbed"' not in server.read_log().partition('"event": "damage"')[2]:
        assert time.monotonic() < deadline, server.read_log()
        time.sleep(0.1)
    lines = [json.loads(line) for line in server.read_log().splitlines() if line.startswith("{")]
    damage = next(line for line in lines if line["event"] == "damage")
    assert (damage["kind"], damage["bucket"], damage["key"]) == ("changed", BUCKET, "large/1")
    first = lines.index(damage)
    scrubbed = next(line for line in lines[first:] if line["event"] == "scrubbed")
    assert scrubbed["damaged"] == 1
    assert scrubbed["objects"] == 10
    with rows_of(server.data) as rows:
        assert rows.execute("SELECT COUNT(*) FROM scrubs").fetchone() == (
            2,
        )  # the latest, and the last finished
