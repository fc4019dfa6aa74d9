"""Fills a bucket of meiku's by the million, straight through its metadata store, beside the running server.

Objects without bytes, as a page of a listing never touches any, but with all else that a PUT of the other
buckets' objects writes down: a page then costs the same to write. A hundred prefixes, equally many keys under
each.
"""

import asyncio
import time
from base64 import b64encode
from collections.abc import Iterator
from hashlib import md5
from pathlib import Path

from bench.peers import Peer
from bench.workloads import PREFIXES
from meiku.meta.buckets import find_bucket
from meiku.meta.objects import store
from meiku.meta.records import EMPTY, BucketRecord, ObjectRecord
from meiku.meta.sqlite import open_sqlite
from meiku.meta.transaction import Transaction

_BUCKET = "crowded"
_SIZE_BYTES = 4 << 10
_HEADERS = '{"ContentType":"binary/octet-stream"}'
_BATCH = 20_000


def fill(peer: Peer, count: int) -> float:
    """Make the bucket and its keys; answers the seconds it took."""
    peer.make_bucket(_BUCKET)
    began_s = time.perf_counter()
    asyncio.run(_fill(peer.folder / "data" / "meta.sqlite3", count))
    return time.perf_counter() - began_s


async def _fill(database: Path, count: int) -> None:
    meta = await open_sqlite(database)
    try:
        bucket = await meta.read(find_bucket, _BUCKET)
        assert bucket is not None
        now_ms = int(time.time() * 1000)
        for first in range(0, count, _BATCH):
            await meta.write(_put, bucket, range(first, min(count, first + _BATCH)), count, now_ms)
    finally:
        await meta.close()


def _put(bucket: BucketRecord, numbers: range, count: int, now_ms: int) -> Transaction[None]:
    for key in _keys(numbers, count // PREFIXES):
        yield from store(bucket.bucket_id, _record(key, bucket.owner_id, now_ms), None, 0, now_ms)


def _record(key: str, owner_id: str, now_ms: int) -> ObjectRecord:
    digest = md5(key.encode(), usedforsecurity=False).digest()
    crc = b64encode(digest[:8]).decode()
    checksums = f'{{"CRC64NVME":"{crc}","type":"FULL_OBJECT","shown":"CRC64NVME"}}'
    return ObjectRecord(
        key.encode(),
        _SIZE_BYTES,
        digest.hex(),
        now_ms,
        owner_id,
        "STANDARD",
        EMPTY,
        checksums=checksums,
        headers=_HEADERS,
    )


def _keys(numbers: range, each: int) -> Iterator[str]:
    """Name keys in the order in which they are stored, as that is quickest."""
    return (f"p{number // each:02}/{number % each:06}" for number in numbers)
