"""Room on the disk: what may be filled, and what is left free so that removing and repairing always work.

Removing an object writes too, to the log of the rows. Were the disk filled to its last byte, nothing could be
removed any more, and it would stay full for ever. Knows no blobs and no rows.
"""

import os
import time
from pathlib import Path

from meiku import errors

# So much is not filled within the time that a look is trusted for, whoever else writes to the disk.
_PLENTY_BYTES = 1 << 30
_TRUSTED_FOR_S = 0.1


class Room:
    """The disk that a folder is on, and the bytes that new data must leave free on it."""

    def __init__(self, folder: Path, reserve_bytes: int = 0) -> None:
        """Look at nothing yet."""
        self._folder = folder
        self._reserve_bytes = reserve_bytes
        self._free_bytes = 0
        self._look_again_at_s = 0.0

    def require(self, size_bytes: int = 0) -> None:
        """Raise Full unless so many more bytes leave the reserve untouched, Gone without the folder."""
        wanted_bytes = self._reserve_bytes + size_bytes
        if self._free_bytes > wanted_bytes + _PLENTY_BYTES and time.monotonic() < self._look_again_at_s:
            return
        if not self._folder.stat().st_nlink:
            raise errors.Gone("the data folder was removed")
        disk = os.statvfs(self._folder)
        self._free_bytes = disk.f_bavail * disk.f_frsize
        self._look_again_at_s = time.monotonic() + _TRUSTED_FOR_S
        if self._free_bytes < wanted_bytes:
            raise errors.Full("nothing but the reserve is left")
