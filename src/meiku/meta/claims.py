"""Claims: one process at a time does a piece of work, among all processes on one data folder.

A claim is a byte of a lock file, chosen by the name of the work; the kernel lets go of it when its process
dies. Two works may share a byte, which costs time and nothing else; so does going on without a claim, where
whoever has it stands still. Within a process nothing is claimed: who uses this makes sure that a process
asks once for one work.
"""

import asyncio
import fcntl
import hashlib
import os
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

from meiku.folders import open_lock

_BYTES = 1 << 40
_FIRST_WAIT_S, _LONGEST_WAIT_S = 0.005, 0.1


class Claims:
    """The claims of one process."""

    def __init__(self, path: Path, longest_wait_s: float) -> None:
        """Open the lock file; nothing is claimed yet, and nobody will wait longer than so."""
        self._longest_wait_s = longest_wait_s
        self._file = open_lock(path)

    @asynccontextmanager
    async def hold(self, work: str) -> AsyncIterator[None]:
        """Wait until no other process has the claim, and have it for the block; or do without."""
        offset = int.from_bytes(hashlib.sha256(work.encode()).digest()[:8], "big") % _BYTES
        until_s, wait_s, is_ours = time.monotonic() + self._longest_wait_s, _FIRST_WAIT_S, self._try(offset)
        while not is_ours and time.monotonic() < until_s:
            await asyncio.sleep(wait_s)
            wait_s = min(2 * wait_s, _LONGEST_WAIT_S)
            is_ours = self._try(offset)
        try:
            yield
        finally:
            if is_ours:
                fcntl.lockf(self._file, fcntl.LOCK_UN, 1, offset)

    def _try(self, offset: int) -> bool:
        try:
            fcntl.lockf(self._file, fcntl.LOCK_EX | fcntl.LOCK_NB, 1, offset)
        except (BlockingIOError, PermissionError):
            return False
        return True

    def close(self) -> None:
        """Let go of everything."""
        os.close(self._file)
