"""One blob on its way in: a file that grows under `incoming/` and takes its place when whole and on disk.

Blocking; every method runs in a thread, one at a time, because a stream that breaks off discards the file
while its last piece may still be on its way to the disk. A file that grows is locked by the process that
writes it, so what a killed process left behind can be told from what another one is writing.
"""

import errno
import fcntl
import os
import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path

from meiku import errors
from meiku.blobs.direct import DirectFile
from meiku.blobs.room import Room
from meiku.folders import is_read_only, sync_folder

_NO_ROOM = frozenset({errno.ENOSPC, errno.EDQUOT, errno.EFBIG})


@contextmanager
def told_as_state_errors() -> Iterator[None]:
    """Turn the system's words into Full where there is no room, ReadOnly where nothing may be written."""
    try:
        yield
    except OSError as error:
        if error.errno == errno.EROFS:
            raise errors.ReadOnly(error.strerror) from error
        if error.errno in _NO_ROOM:
            raise errors.Full(error.strerror) from error
        raise


def remove_abandoned(folder: Path) -> None:
    """Remove the files that no living process writes; a crash leaves them, a read-only disk keeps them."""
    if is_read_only(folder):
        return
    for path in folder.iterdir():
        # Another process may remove the same file, or finish the same blob, at this moment.
        with suppress(FileNotFoundError, BlockingIOError), path.open("rb") as file:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
            path.unlink()


class Incoming:
    """A file that becomes a blob, or nothing."""

    def __init__(self, path: Path, target: Path, room: Room) -> None:
        self._path = path
        self._target = target
        self._room = room
        self._file: DirectFile | None = None
        self._discarded = False
        self._lock = threading.Lock()

    def append(self, pieces: Sequence[bytes]) -> None:
        """Write pieces to the end; makes the file when there is none."""
        with self._lock, told_as_state_errors():
            self._append(pieces)

    def finish(self, pieces: Sequence[bytes]) -> None:
        """Write the last pieces, put all on disk and take the final place; durable when this returns.

        The file stays locked until `let_go` or `discard`: it is nobody's orphan while its row is on the way.
        """
        with self._lock, told_as_state_errors():
            file = self._append(pieces)
            file.sync()
            self._path.rename(self._target)
            sync_folder(self._target.parent)

    def let_go(self) -> None:
        """Close the file, and with it the lock: a row names the blob, or none ever will."""
        with self._lock:
            self._close()

    def discard(self) -> None:
        """Remove every trace, wherever the file has got to."""
        with self._lock:
            self._discarded = True
            self._close()
            with (
                suppress(errors.ReadOnly),
                told_as_state_errors(),
            ):  # where nothing could be written nothing is
                self._path.unlink(missing_ok=True)
                self._target.unlink(missing_ok=True)

    def _append(self, pieces: Sequence[bytes]) -> DirectFile:
        if self._discarded:
            raise OSError(errno.ECANCELED, "the blob was discarded")
        self._room.require(sum(map(len, pieces)))
        if self._file is None:
            self._file = self._create()
        self._file.append(pieces)
        return self._file

    def _create(self) -> DirectFile:
        """Make and lock the file, again where it was taken for abandoned between the two."""
        while True:
            file = DirectFile(self._path)
            fcntl.flock(file.number, fcntl.LOCK_EX)
            if os.fstat(file.number).st_nlink:
                return file
            file.close()

    def _close(self) -> None:
        if self._file is not None:
            file, self._file = self._file, None
            file.close()
