"""Claims: one process at a time does a piece of work, among all processes on one data folder.

A claim is a byte of a lock file, chosen by the name of the work; the kernel lets go of it when its process
dies. Two works may share a byte, which costs time and nothing else. Within a process nothing is claimed: who
uses this makes sure that a process asks once for one work.
"""

import asyncio
import fcntl
import hashlib
import os
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

_BYTES = 1 << 40
_FIRST_WAIT_S, _LONGEST_WAIT_S = 0.005, 0.1


class Claims:
    """The claims of one process."""

    def __init__(self, path: Path) -> None:
        """Open the lock file; nothing is claimed yet."""
        self._file = os.open(path, os.O_CREAT | os.O_RDWR | os.O_CLOEXEC, 0o600)

    @asynccontextmanager
    async def hold(self, work: str) -> AsyncIterator[None]:
        """Wait until no other process has the claim, and have it for the block."""
        offset = int.from_bytes(hashlib.sha256(work.encode()).digest()[:8], "big") % _BYTES
        wait_s = _FIRST_WAIT_S
        while not self._try(offset):
            await asyncio.sleep(wait_s)
            wait_s = min(2 * wait_s, _LONGEST_WAIT_S)
        try:
            yield
        finally:
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
