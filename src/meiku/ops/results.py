"""Kept results: what a recipe made of an object is found again, until room is short or the object is gone.

Nothing here decides who may have a result, nor what its identity is. A result that cannot be kept or read
back is made anew, and nobody hears of it.
"""

import logging
from collections.abc import AsyncIterator, Awaitable
from contextlib import suppress
from dataclasses import dataclass

from msgspec.structs import replace

from meiku import errors
from meiku.media.flights import Deliver, Make
from meiku.media.made import Made
from meiku.meta.records import Content, ObjectRecord
from meiku.meta.results import (
    ResultRecord,
    ResultSource,
    drop_result,
    drop_results_over,
    find_result,
    results_bytes,
    store_result,
    touch_result,
)
from meiku.ops import content
from meiku.ops.call import Call

# A result that is in use all day is written down as used this often.
_USE_GRAIN_MS = 60_000
_PIECE_BYTES = 1 << 20
# Nearly always one or two make room for one; more where the limit was lowered.
_DROPPED_AT_ONCE = 100
_log = logging.getLogger("meiku.results")


@dataclass(frozen=True, slots=True)
class Result:
    """What a recipe made, ready to be answered."""

    content_type: str
    size_bytes: int
    body: bytes | AsyncIterator[bytes]

    def pieces(self) -> AsyncIterator[bytes]:
        """Give the body piece by piece, for whoever stores it."""
        return _pieces(self.body) if isinstance(self.body, bytes) else self.body


async def result_of(call: Call, identity: str, record: ObjectRecord, make: Make) -> Result:
    """Give the result of this identity, made from `record`: kept, or made by `make`, once for all who ask."""
    kept = await _kept(call, identity, record)
    if kept is not None:
        return kept
    made = await call.flights.join(identity, lambda deliver: _make(call, identity, record, make, deliver))
    return Result(made.content_type, len(made.body), made.body)


async def _make(call: Call, identity: str, record: ObjectRecord, make: Make, deliver: Deliver) -> None:
    """Make a result, unless another process has done so while we waited for it; deliver it, and keep it."""
    kept = await _kept(call, identity, record)
    if kept is not None:
        return await deliver(Made(await _whole(kept.body), kept.content_type))
    made = await make()
    # Nobody waits for the disk: what is lost in a crash is made again.
    await deliver(made)
    try:
        await _keep(call, identity, record, made)
    except (errors.Full, errors.ReadOnly, errors.Busy):
        _log.info("a result could not be written", extra={"fields": {"size_bytes": len(made.body)}})
    except Exception:
        _log.exception("a result could not be kept")


async def _kept(call: Call, identity: str, record: ObjectRecord) -> Result | None:
    """Find a result that was kept; None also where its bytes are lost, and then it is forgotten."""
    found = await call.meta.read(find_result, identity)
    if found is None:
        return None
    try:
        body = found.body if found.body is not None else await _read(call, found, record)
    except errors.Missing:
        await _courtesy(call.meta.write(drop_result, identity, call.now_ms))
        return None
    if call.now_ms - found.used_at_ms > _USE_GRAIN_MS:
        await _courtesy(call.meta.write(touch_result, identity, call.now_ms))
    return Result(found.content_type, found.size_bytes, body)


async def _courtesy(write: Awaitable[None]) -> None:
    """Wait for a write that a reader does not need: where nothing can be written, reading goes on."""
    with suppress(errors.Full, errors.ReadOnly, errors.Busy):
        await write


async def _read(call: Call, found: ResultRecord, record: ObjectRecord) -> bytes | AsyncIterator[bytes]:
    where = replace(
        record, content=Content("blob", found.blob_id), size_bytes=found.size_bytes, checksums="{}"
    )
    return await content.read(call, where, 0, found.size_bytes)


async def _keep(call: Call, identity: str, record: ObjectRecord, made: Made) -> None:
    limit_bytes, size_bytes = call.settings.media_cache_bytes, len(made.body)
    if size_bytes > limit_bytes:
        return
    call.require_room(size_bytes)
    is_small = size_bytes <= call.settings.inline_limit_bytes
    blob_id = None if is_small else await call.blobs.write(_pieces(made.body))
    try:
        await _store(call, identity, record, made, blob_id)
    finally:
        call.blobs.let_go(blob_id or "")


async def _store(call: Call, identity: str, record: ObjectRecord, made: Made, blob_id: str | None) -> None:
    limit_bytes, size_bytes = call.settings.media_cache_bytes, len(made.body)
    source = ResultSource(call.bucket.bucket_id, record.key, record.etag, record.modified_at_ms)
    kept = ResultRecord(made.content_type, size_bytes, blob_id, None if blob_id else made.body, call.now_ms)
    await call.meta.write(store_result, identity, source, kept)
    if await call.meta.read(results_bytes) > limit_bytes:
        while not await call.meta.write(drop_results_over, limit_bytes, call.now_ms, _DROPPED_AT_ONCE):
            pass


async def _pieces(body: bytes) -> AsyncIterator[bytes]:
    for start in range(0, len(body), _PIECE_BYTES):
        yield body[start : start + _PIECE_BYTES]


async def _whole(body: bytes | AsyncIterator[bytes]) -> bytes:
    return body if isinstance(body, bytes) else b"".join([piece async for piece in body])
