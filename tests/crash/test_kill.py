"""A killed server: what was answered is there and whole; what was not is there whole or not at all."""

import os
import random
import sqlite3
import subprocess
import sys
import time
from collections.abc import Callable, Mapping
from hashlib import sha256
from pathlib import Path
from typing import Any

from crash.ledger import ABSENT, Ledger
from crash.traffic import BUCKET, Client, make_results
from signed_http import SignedHttp

ROUNDS = int(os.environ.get("MEIKU_CRASH_ROUNDS", "5"))
CLIENTS = 6
SWEEP = """
import asyncio, sys, time
from pathlib import Path
from meiku.blobs.files import open_files
from meiku.meta.sqlite import open_sqlite
from meiku.ops.sweep import Before, sweep

async def main(folder):
    meta, blobs = await open_sqlite(folder / "meta.sqlite3"), await open_files(folder)
    soon = time.time() + 1
    print(await sweep(meta, blobs, Before(soon, soon), soon))
    await meta.close()

asyncio.run(main(Path(sys.argv[1])))
"""
REFERENCED = (
    "SELECT content_id FROM objects WHERE content_kind = 'blob' "
    "UNION SELECT content_id FROM parts WHERE content_kind = 'blob' "
    "UNION SELECT blob_id FROM results WHERE blob_id IS NOT NULL"
)
INLINE = "SELECT inline_id FROM objects WHERE inline_id IS NOT NULL"


def sweep_in_a_process_of_its_own(data: Path) -> None:
    """Sweep with no grace, as an operator could beside a running server that is idle."""
    subprocess.run([sys.executable, "-c", SWEEP, str(data)], check=True, capture_output=True, text=True)


def run_until_killed(server: Any, ledger: Ledger, seed: str, results: Mapping[str, bytes]) -> list[str]:
    """Let clients write, kill everything in the middle of it, and tell what was refused before."""
    clients = [Client(server.url, ledger, f"{seed}-{number}", results) for number in range(CLIENTS)]
    for client in clients:
        client.start()
    time.sleep(random.Random(seed).uniform(0.3, 1.5))
    server.kill()
    for client in clients:
        client.join(timeout=60)
    assert not any(client.is_alive() for client in clients)
    return [refusal for client in clients for refusal in client.refusals]


def held(http: SignedHttp, key: str) -> tuple[str, str]:
    """Read a key: its etag and the hash of its bytes, or ABSENT."""
    answered = http.send("GET", f"{BUCKET}/{key}")
    if answered.status == 404:
        return ABSENT, ""
    assert answered.status == 200, (key, answered.status, answered.body[:300])
    assert len(answered.body) == int(answered.headers["content-length"])
    return answered.etag, sha256(answered.body).hexdigest()


def check_promises(server: Any, ledger: Ledger, where: str) -> None:
    """Every key holds what it may hold, whole, and the listing says the same as the reads."""
    http = SignedHttp(server.url)
    found = {}
    for key in ledger.writes:
        etag, digest = held(http, key)
        assert etag in ledger.allowed(key), f"{where}: {key} holds {etag!r}, not {ledger.allowed(key)}"
        if etag != ABSENT:
            assert digest == ledger.sha256_of[etag], f"{where}: {key} is torn"
            found[key] = etag
        ledger.settle(key, etag)
    pages = server.client().get_paginator("list_objects_v2").paginate(Bucket=BUCKET)
    listed = {entry["Key"]: entry["ETag"].strip('"') for page in pages for entry in page.get("Contents", ())}
    assert listed == found, where
    http.close()


def check_folder(data: Path, where: str) -> None:
    """After the sweep there is one file for each blob that a row names, and nothing else."""
    sweep_in_a_process_of_its_own(data)
    database = sqlite3.connect(data / "meta.sqlite3")
    files = {path.name for path in (data / "blobs").rglob("*") if path.is_file()}
    assert files == {row[0] for row in database.execute(REFERENCED)}, where
    for table in ("released_blobs", "released_uploads"):
        assert database.execute(f"SELECT COUNT(*) FROM {table}").fetchone() == (0,), (where, table)
    kept = {row[0] for row in database.execute("SELECT inline_id FROM inline_bytes")}
    assert kept == {row[0] for row in database.execute(INLINE)}, where
    assert database.execute("PRAGMA integrity_check").fetchone() == ("ok",), where
    database.close()
    assert list((data / "incoming").iterdir()) == [], where


def test_a_kill_loses_nothing_that_was_answered(own_server: Callable[..., Any]) -> None:
    """Whatever moment the whole process tree is killed at, every answer holds and no key is torn.

    After the restart and a sweep exactly the referenced bytes are on disk, and sweeping harms no object.
    """
    first_seed = random.randrange(10**9)
    server = own_server("--workers", "2", MEIKU_MULTIPART_MIN_PART_BYTES="0")
    server.client().create_bucket(Bucket=BUCKET)
    results = make_results(server.url)
    ledger = Ledger()
    answered = 0
    for number in range(ROUNDS):
        where = f"seed {first_seed}, round {number}"
        refusals = run_until_killed(server, ledger, f"{first_seed}-{number}", results)
        assert refusals == [], where
        answered += ledger.answered()
        server.start()
        check_promises(server, ledger, where)
        check_folder(server.data, where)
        check_promises(server, ledger, f"{where}, after the sweep")
    assert answered > 20 * ROUNDS, f"only {answered} writes were answered: the kill proves nothing"
    assert '"event": "mistake"' not in server.read_log(), f"seed {first_seed}: {server.read_log()}"
