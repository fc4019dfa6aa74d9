"""A server on a disk that fails when it is told to: for each failure there is a file that switches it on.

Run as a process, in place of `meiku.start`: every call of the system by which bytes reach the disk, or come
from it, first looks whether the file is there. SQLite's calls pass through a VFS of its own.
"""

import errno
import os
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import apsw

FAULTS = ("blob-sync", "blob-read", "blob-write", "folder-sync", "rows-sync", "rows-write", "rows-read")


def fails(name: str) -> bool:
    return (Path(os.environ["FAULTS"]) / name).exists()


def failing(name: str, call: Callable[..., Any]) -> Callable[..., Any]:
    """Wrap a call of the system so that it fails while its file is there."""

    def attempt(*arguments: Any) -> Any:
        if fails(name):
            raise OSError(errno.EIO, os.strerror(errno.EIO))
        return call(*arguments)

    return attempt


class FaultyFile(apsw.VFSFile):
    """A file of SQLite's on the failing disk."""

    def xSync(self, flags: int) -> None:
        if fails("rows-sync"):
            raise apsw.IOError("injected")
        super().xSync(flags)

    def xWrite(self, data: bytes, offset: int) -> None:
        if fails("rows-write"):
            raise apsw.IOError("injected")
        super().xWrite(data, offset)

    def xRead(self, amount: int, offset: int) -> bytes:
        if fails("rows-read"):
            raise apsw.IOError("injected")
        return super().xRead(amount, offset)


class FaultyDisk(apsw.VFS):
    """The failing disk, for SQLite."""

    def __init__(self) -> None:
        super().__init__("faulty", "unix", makedefault=True)

    def xOpen(self, name: Any, flags: list[int]) -> apsw.VFSFile:
        return FaultyFile("unix", name, flags)


def main() -> None:
    disk = FaultyDisk()
    os.fdatasync = failing("blob-sync", os.fdatasync)
    os.fsync = failing("folder-sync", os.fsync)
    os.write = failing("blob-write", os.write)
    os.pread = failing("blob-read", os.pread)
    os.preadv = failing("blob-read", os.preadv)
    from meiku import start

    # Where it begins anew, to leave secrets behind, the disk is to go on failing.
    start.PROGRAM = (__file__,)
    start.main()
    del disk


if __name__ == "__main__":
    sys.path.pop(0)
    main()
