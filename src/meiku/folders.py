"""Folders that last: made with every folder above them, each entry on disk before anything relies on it.

For whoever keeps something: a file that was synced, in a folder that was not, is gone after a power cut.
"""

import errno
import os
from pathlib import Path


def make_folder(path: Path) -> None:
    """Make a folder and those above it, for its owner only, durably; one that is there is left as it is."""
    if path.is_dir():
        return
    make_folder(path.absolute().parent)
    path.mkdir(mode=0o700, exist_ok=True)
    sync_folder(path.absolute().parent)


def is_read_only(folder: Path) -> bool:
    """Tell whether the disk that a folder is on can be read only."""
    return bool(os.statvfs(folder).f_flag & os.ST_RDONLY)


def open_lock(path: Path, access: int = os.O_RDWR) -> int:
    """Open a lock file, making it where it is missing; on a read-only disk one that stands for it.

    Whoever cannot write keeps nobody from writing, so a file of this process alone will do there.
    """
    try:
        return os.open(path, os.O_CREAT | access | os.O_CLOEXEC, 0o600)
    except OSError as error:
        if error.errno != errno.EROFS:
            raise
        return os.memfd_create(path.name)


def sync_folder(path: Path) -> None:
    """Make a folder's entries durable."""
    folder = os.open(path, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(folder)
    finally:
        os.close(folder)
