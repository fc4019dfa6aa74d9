"""The scrub: compares all stored bytes with their checksums, slowly, by itself, round after round.

One process does it, whoever got the turn. How far it has got is kept, so that a restart does not begin anew.
What it finds is logged and counted; nothing is changed.
"""

import asyncio
import logging
import time
from collections.abc import Callable
from dataclasses import replace

from meiku import errors
from meiku.blobs import Blobs
from meiku.config import Settings
from meiku.meta import Meta
from meiku.meta.scrubs import Scrub, find_scrub, finish_scrub, store_scrub
from meiku.meta.stored import StoredObject, stored_objects
from meiku.ops.check import PAGE, check_object, check_uploads
from meiku.ops.findings import Finding
from meiku.ops.pace import Pace
from meiku.ops.verify import Tally, Verifier

LOOK_AGAIN_S = 30.0
# Each time is a commit; what is lost of it by a restart is only read twice.
STORE_EVERY_S = 10.0
_log = logging.getLogger("meiku.scrub")


async def scrub_forever(meta: Meta, blobs: Blobs, settings: Settings, try_take: Callable[[], bool]) -> None:
    """Scrub at the interval of the settings, in the one process that gets the turn; 0 is never."""
    if not settings.scrub_interval_s:
        return
    pause_s = min(LOOK_AGAIN_S, settings.scrub_interval_s)
    while not try_take():
        await asyncio.sleep(pause_s)
    while True:
        try:
            if await is_due(meta, settings.scrub_interval_s, time.time()):
                await scrub(meta, blobs, Pace(settings.scrub_bytes_per_s))
        except errors.StateError as hindrance:
            _log.warning("the scrub could not go on: %s; it will be tried again", hindrance)
        except Exception:
            _log.exception("the scrub failed; it will be tried again")
        await asyncio.sleep(pause_s)


async def is_due(meta: Meta, interval_s: float, now_s: float) -> bool:
    """Tell whether a round is under way or due; the first is due an interval after the first start."""
    last = await meta.read(find_scrub)
    if last is None:
        now_ms = int(now_s * 1000)
        await meta.write(store_scrub, Scrub(now_ms, finished_at_ms=now_ms))
        return False
    return last.finished_at_ms is None or now_s >= last.began_at_ms / 1000 + interval_s


async def scrub(meta: Meta, blobs: Blobs, pace: Pace) -> Scrub:
    """Run a round, or what is left of one, to its end."""
    last = await meta.read(find_scrub)
    unfinished = last is not None and last.finished_at_ms is None
    return await _Round(meta, blobs, pace, last if last and unfinished else Scrub(_now_ms())).run()


class _Round:
    """One round: where it is, and what it has counted."""

    def __init__(self, meta: Meta, blobs: Blobs, pace: Pace, scrub: Scrub) -> None:
        self._meta = meta
        self._tally = Tally(scrub.objects, scrub.size_bytes)
        self._verifier = Verifier(meta, blobs, pace, self._tally)
        self._scrub = scrub
        self._damaged = scrub.damaged
        self._stored_s = time.monotonic()

    async def run(self) -> Scrub:
        await self._meta.write(store_scrub, self._scrub)
        place = self._scrub.bucket_id, self._scrub.key
        while page := await self._meta.read(stored_objects, *place, PAGE):
            for stored in page:
                self._note(await check_object(self._meta, self._verifier, stored))
                await self._pass(stored)
            place = page[-1].bucket_id, page[-1].key
        async for finding in check_uploads(self._meta, self._verifier):
            self._note(finding)
        return await self._finish()

    async def _pass(self, stored: StoredObject) -> None:
        if time.monotonic() - self._stored_s >= STORE_EVERY_S:
            self._stored_s = time.monotonic()
            here = replace(self._counted(), bucket_id=stored.bucket_id, key=stored.key)
            await self._meta.write(store_scrub, here)

    async def _finish(self) -> Scrub:
        done = replace(self._counted(), finished_at_ms=_now_ms())
        await self._meta.write(finish_scrub, done)
        took_s = (_now_ms() - done.began_at_ms) / 1000
        fields = {"objects": done.objects, "size_bytes": done.size_bytes, "damaged": done.damaged}
        _log.info("scrubbed", extra={"fields": {**fields, "duration_s": round(took_s, 1)}})
        return done

    def _counted(self) -> Scrub:
        tally = self._tally
        return replace(
            self._scrub, objects=tally.contents, size_bytes=tally.size_bytes, damaged=self._damaged
        )

    def _note(self, finding: Finding | None) -> None:
        if finding is not None:
            self._damaged += 1
            _log.error("damage", extra={"fields": finding.as_json()})


def _now_ms() -> int:
    return int(time.time() * 1000)
