"""The sweep: removes bytes that no row names any more, after a grace, and those that no row ever named.

Deleted bytes stay for the grace period, so that no running download is cut. A blob without a row is what a
crash, or a write that was not certainly refused, leaves behind; one whose writer still holds it is none,
however old. Every worker may sweep; removing twice is harmless.
"""

import asyncio
import logging
import time
from collections.abc import AsyncIterator, Callable
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass

from meiku import errors
from meiku.blobs import Blobs
from meiku.config import Settings
from meiku.meta import Meta
from meiku.meta.released import drop_released_inline, forget_released, referenced, take_apart, take_released
from meiku.meta.results import drop_stale_results
from meiku.meta.uploads import forget_completed
from meiku.meta.users import remove_expired_keys
from meiku.ops.ages import Ages

BATCH = 500
# Each part is four rows changed in as many places of the file; all who write wait meanwhile.
PARTS_AT_ONCE = 100
COMPLETED_KEPT_MS = 7 * 24 * 3600 * 1000
# A new blob has no row until its commit is through; however short deleted bytes are kept, it must live on.
ORPHAN_LEAST_S = 900.0
_log = logging.getLogger("meiku.sweep")


async def sweep_forever(
    meta: Meta,
    blobs: Blobs,
    settings: Settings,
    turn: Callable[[], AbstractContextManager[bool]] = lambda: nullcontext(True),
    ages: Ages | None = None,
) -> None:
    """Sweep at the interval of the settings; what goes wrong once is logged and tried again.

    Nothing is removed while somebody else has the turn: another process that sweeps, or a backup.
    """
    grace_s = settings.blob_grace_s
    ages = ages or Ages(orphan_grace_s(grace_s))
    while True:
        await asyncio.sleep(settings.sweep_interval_s)
        ages.note()
        try:
            with turn() as is_ours:
                if is_ours:
                    before = Before(ages.before_s(grace_s), ages.before_s(orphan_grace_s(grace_s)))
                    await sweep(meta, blobs, before, time.time())
        except errors.StateError as hindrance:
            _log.warning("the sweep could not go on: %s; it will be tried again", hindrance)
        except Exception:
            _log.exception("the sweep failed; it will be tried again")


def orphan_grace_s(grace_s: float) -> float:
    """Tell how old a blob must be before it counts as nobody's."""
    return max(grace_s, ORPHAN_LEAST_S)


@dataclass(frozen=True, slots=True)
class Before:
    """The moments before which bytes were released, or written and named by nobody, that may go now.

    None where nothing is known to be old enough.
    """

    released_s: float | None
    orphans_s: float | None


async def sweep(meta: Meta, blobs: Blobs, before: Before, now_s: float) -> int:
    """Sweep once and tell how many blobs were removed; orphans younger than a running write must stay."""
    removed = 0
    if before.released_s is not None:
        removed += await _remove_old(meta, blobs, int(before.released_s * 1000))
    if before.orphans_s is not None:
        removed += await _remove_orphans(meta, blobs, before.orphans_s)
    while await meta.write(drop_stale_results, int(now_s * 1000), BATCH):
        pass
    await meta.write(forget_completed, int(now_s * 1000) - COMPLETED_KEPT_MS)
    return removed


async def _remove_old(meta: Meta, blobs: Blobs, before_ms: int) -> int:
    """Remove what was released long enough ago: first what makes room, for everything else writes."""
    removed = await _remove_released(meta, blobs, before_ms)
    while await meta.write(take_apart, before_ms, PARTS_AT_ONCE):
        pass
    removed += await _remove_released(meta, blobs, before_ms)
    while await meta.write(drop_released_inline, before_ms, BATCH):
        pass
    await meta.write(remove_expired_keys, before_ms // 1000)
    return removed


async def _remove_released(meta: Meta, blobs: Blobs, before_ms: int) -> int:
    removed = 0
    while blob_ids := await meta.read(take_released, before_ms, BATCH):
        for blob_id in blob_ids:
            await blobs.delete(blob_id)
        await meta.write(forget_released, blob_ids)
        removed += len(blob_ids)
    return removed


async def _remove_orphans(meta: Meta, blobs: Blobs, before_s: float) -> int:
    removed = 0
    async for batch in batches_of_old(blobs, before_s):
        kept = await meta.read(referenced, batch)
        for blob_id in batch:
            if blob_id not in kept:
                removed += await remove_orphan(meta, blobs, blob_id)
    return removed


async def remove_orphan(meta: Meta, blobs: Blobs, blob_id: str) -> bool:
    """Remove a blob that nobody holds and no row names; looks again once it cannot be held any more."""
    if not await blobs.try_hold(blob_id):
        return False
    try:
        if await meta.read(referenced, [blob_id]):
            return False
        await blobs.delete(blob_id)
        return True
    finally:
        blobs.let_go(blob_id)


async def batches_of_old(blobs: Blobs, before_s: float) -> AsyncIterator[list[str]]:
    """Yield the ids of blobs that were written before a moment, some hundred at a time."""
    batch: list[str] = []
    async for blob_id, written_s in blobs.ids():
        if written_s < before_s:
            batch.append(blob_id)
        if len(batch) == BATCH:
            yield batch
            batch = []
    if batch:
        yield batch
