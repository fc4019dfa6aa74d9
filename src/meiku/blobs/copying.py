"""Copies of blob files in another folder: linked where one filesystem holds both, else read and written.

A copy has its final name only once it is whole and on disk, so that what an earlier, broken copy left is
either right or not there. What is copied and why is not known here.
"""

import errno
from collections.abc import Callable, Iterator
from io import FileIO
from pathlib import Path

from meiku import errors
from meiku.blobs.incoming import Incoming, remove_abandoned, told_as_state_errors
from meiku.blobs.room import Room
from meiku.folders import sync_folder

_PIECE_BYTES = 1 << 20
# What a filesystem says when it cannot link: another one, none at all, or too many links to one file.
_CANNOT_LINK = frozenset({errno.EXDEV, errno.EPERM, errno.EOPNOTSUPP, errno.EMLINK, errno.ENOSYS})

Look = Callable[[bytes], None]


class BlobCopies:
    """The blobs of one folder on their way into another; may be used by several threads."""

    def __init__(self, source: Path, target: Path, *, link: bool) -> None:
        """Prepare the target; removes what a copy that broke off left behind."""
        self._source = source / "blobs"
        self._incoming, self._target = target / "incoming", target / "blobs"
        self._room = Room(target)
        self.link = link
        for path in (self._incoming, self._target):
            path.mkdir(mode=0o700, parents=True, exist_ok=True)
        for number in range(256):
            (self._target / f"{number:02x}").mkdir(mode=0o700, exist_ok=True)
        remove_abandoned(self._incoming)

    def size_bytes(self, blob_id: str) -> int | None:
        """Tell the size of a blob in the target; None when it is not there."""
        return _size_bytes(self._path(self._target, blob_id))

    def source_size_bytes(self, blob_id: str) -> int | None:
        """Tell the size of a blob in the source; None when it is not there."""
        return _size_bytes(self._path(self._source, blob_id))

    def copy(self, blob_id: str, look: Look) -> bool:
        """Link or copy a blob, and tell whether it was linked; a copy's pieces are shown to `look`, then b"".

        What `look` raises passes through, and leaves nothing behind. Raises Full, and Damaged where the
        source cannot be read.
        """
        source, target = self._path(self._source, blob_id), self._path(self._target, blob_id)
        if self.link and _linked(source, target):
            return True
        self.link = False
        incoming = Incoming(self._incoming / blob_id, target, self._room)
        try:
            _fill(incoming, source, look)
        except BaseException:
            incoming.discard()
            raise
        incoming.let_go()
        return False

    def look(self, blob_id: str, look: Look) -> None:
        """Show `look` a blob of the target, as `copy` does the source; Damaged where it cannot be read."""
        with self._path(self._target, blob_id).open("rb", buffering=0) as file:
            _show(file, look)

    def ids(self) -> Iterator[str]:
        """Yield the id of every blob in the target."""
        for number in range(256):
            yield from sorted(path.name for path in (self._target / f"{number:02x}").iterdir())

    def remove(self, blob_id: str) -> None:
        """Remove a blob from the target."""
        self._path(self._target, blob_id).unlink(missing_ok=True)

    def sync(self) -> None:
        """Make the names of all copies durable; what was copied is so already."""
        for number in range(256):
            sync_folder(self._target / f"{number:02x}")
        sync_folder(self._target)
        sync_folder(self._target.parent)

    def _path(self, folder: Path, blob_id: str) -> Path:
        if len(blob_id) != 32 or not set(blob_id) <= set("0123456789abcdef"):
            raise errors.Missing(blob_id)
        return folder / blob_id[:2] / blob_id


def _size_bytes(path: Path) -> int | None:
    try:
        return path.stat().st_size
    except FileNotFoundError:
        return None


def _linked(source: Path, target: Path) -> bool:
    """Take the place of what is there by a link to the source; False when the filesystem cannot."""
    target.unlink(missing_ok=True)
    try:
        with told_as_state_errors():
            target.hardlink_to(source)
    except OSError as error:
        if error.errno in _CANNOT_LINK:
            return False
        raise
    return True


def _fill(incoming: Incoming, source: Path, look: Look) -> None:
    with source.open("rb", buffering=0) as file:
        while piece := _next_piece(file):
            look(piece)
            incoming.append([piece])
    look(b"")
    incoming.finish([])


def _show(file: FileIO, look: Look) -> None:
    while piece := _next_piece(file):
        look(piece)
    look(b"")


def _next_piece(file: FileIO) -> bytes:
    try:
        return file.read(_PIECE_BYTES)
    except OSError as error:
        raise errors.Damaged(f"reading stopped: {error.strerror}") from error
