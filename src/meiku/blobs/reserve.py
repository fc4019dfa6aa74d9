"""The reserve: a file that does nothing but take room, given up when nothing else on the disk is left.

Others may fill a disk to its last byte, and removing an object writes, too, to the log of the rows: without
this nothing could be removed any more. It is made again when there is room for several of its kind. Blocking.
"""

import os
from contextlib import suppress
from pathlib import Path

from meiku.folders import sync_folder

# Many times what the log of the rows takes before it begins anew.
_MOST_BYTES = 16 << 20
_FREE_TIMES = 4


class Reserve:
    """The file of one data folder, whichever process has made it."""

    def __init__(self, folder: Path, reserve_bytes: int) -> None:
        """Take no room yet; no more than is to be left free on the disk anyway."""
        self._folder, self._path = folder, folder / "reserve"
        self._size_bytes = min(reserve_bytes, _MOST_BYTES)

    def keep(self) -> None:
        """Make the file where it is missing and there is plenty of room; failing that, there is none."""
        if not self._size_bytes or self._path.exists() or not self._has_plenty():
            return
        arriving = self._path.with_name(f"{self._path.name}.{os.getpid()}")
        with suppress(OSError):
            try:
                file = os.open(arriving, os.O_CREAT | os.O_WRONLY | os.O_CLOEXEC, 0o600)
                try:
                    os.posix_fallocate(file, 0, self._size_bytes)
                    os.fsync(file)
                finally:
                    os.close(file)
                arriving.rename(self._path)
            finally:
                arriving.unlink(missing_ok=True)

    def give_up(self) -> None:
        """Let the room go; syncing the folder has a filesystem with a journal hand it out at once."""
        with suppress(OSError):
            self._path.unlink()
            sync_folder(self._folder)

    def _has_plenty(self) -> bool:
        disk = os.statvfs(self._folder)
        return disk.f_bavail * disk.f_frsize > _FREE_TIMES * self._size_bytes
