"""Whether the service can do its work now: asked of the stores themselves, at the moment of the question.

A write that changes nothing takes the way of every write: the turn, the engine, the disk. So whatever would
keep a client's write from ending is found. What it is in detail the log says, for anybody may ask.
"""

import asyncio
import logging
from collections.abc import Callable

from meiku import errors
from meiku.meta import Meta
from meiku.meta.probe import read_one_row, write_no_row
from meiku.wire.service import Readiness

READY = Readiness()
STARTING = Readiness("starting", "the stores are not open yet", can_read=False)
_UNREADABLE = Readiness("broken", "the stores cannot be read; the log says why", can_read=False)
_MOVED = Readiness("broken", "the data folder is not where it was; the log says what is there; reads go on")
_UNWRITABLE: dict[type[Exception], Readiness] = {
    errors.Busy: Readiness("busy", "writes wait for one that does not end; the log says whose; reads go on"),
    errors.Full: Readiness("full", "the disk is full; reads go on"),
    errors.ReadOnly: Readiness("read-only", "the disk is read-only; reads go on"),
}
_BROKEN = Readiness("broken", "nothing can be written; the log says why; reads go on")
_log = logging.getLogger("meiku.readiness")


class ReadinessProbe:
    """Asks the stores; all who ask at once are told the answer to one question."""

    def __init__(self, meta: Meta, require_folder: Callable[[], None] = lambda: None) -> None:
        """Ask nothing yet; `require_folder` raises where the data folder is not the one that was opened."""
        self._meta, self._require_folder = meta, require_folder
        self._asking: asyncio.Task[Readiness] | None = None

    async def ask(self) -> Readiness:
        """Tell how it is now."""
        if self._asking is None or self._asking.done():
            self._asking = asyncio.create_task(self._ask())
        return await asyncio.shield(self._asking)

    async def _ask(self) -> Readiness:
        try:
            await self._meta.read(read_one_row)
        except Exception as error:
            _log.warning("not ready: %s", error)
            return _UNREADABLE
        try:
            self._require_folder()
        except Exception as error:
            _log.warning("not ready: %s", error)
            return _MOVED
        try:
            await self._meta.write(write_no_row)
        except Exception as error:
            _log.warning("not ready to write: %s", error)
            return _UNWRITABLE.get(type(error), _BROKEN)
        return READY
