"""Blobs as files: `blobs/<first 2 of the id>/<id>`, each immutable once it is there.

A blob is written under `incoming/`, put on disk, and moved into place, so a file under `blobs/` is always
whole. Disks are waited for in a few threads; what the kernel holds in memory is read at once, on the loop.
"""

import asyncio
import contextlib
import errno
import fcntl
import os
import re
import secrets
from collections.abc import AsyncGenerator, AsyncIterable, AsyncIterator, Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from functools import partial
from itertools import islice
from pathlib import Path
from typing import ParamSpec, TypeVar

from meiku import errors
from meiku.blobs.incoming import Incoming, remove_abandoned
from meiku.blobs.room import Room
from meiku.folders import make_folder, sync_folder

P = ParamSpec("P")
T = TypeVar("T")
# A piece on its way is large where few are moving, so that each is paid for rarely, and smaller where many
# are, so that all of them together stay within bounds.
_WRITE_BYTES = 1 << 20
# The kernel takes at most 1,024 pieces in one write.
_WRITE_PIECES = 1024
_READ_BYTES = 512 << 10
# A read begins small and grows: many that begin at once would otherwise each believe to be alone.
_FIRST_READ_BYTES = 128 << 10
_PIECE_LEAST_BYTES = 64 << 10
_PIECES_BYTES = 4 << 20
_THREADS = 8
_LISTED_AT_ONCE = 1000
_WARM_LIMIT = 4096
# Filesystems and kernels that do not know how to read without waiting.
_CANNOT_PEEK = frozenset({errno.EOPNOTSUPP, errno.ENOSYS, errno.EINVAL})
_ID = re.compile(r"[0-9a-f]{32}")


async def open_files(folder: Path, reserve_bytes: int = 0, *, may_make: bool = True) -> "FileBlobs":
    """Open the store in a data folder, or make what is missing of it; removes what a crash broke off."""
    if may_make:
        await asyncio.to_thread(make_files, folder)
    await asyncio.to_thread(remove_abandoned, folder / "incoming")
    return FileBlobs(folder, Room(folder, reserve_bytes))


def make_files(folder: Path) -> None:
    """Make the folders of a store that are not there."""
    incoming, blobs = folder / "incoming", folder / "blobs"
    if incoming.is_dir() and (blobs / "ff").is_dir():
        return
    for path in (folder, incoming, blobs):
        make_folder(path)
    for number in range(256):
        (blobs / f"{number:02x}").mkdir(mode=0o700, exist_ok=True)
    sync_folder(blobs)
    sync_folder(folder)


class FileBlobs:
    """`Blobs` in a folder."""

    def __init__(self, folder: Path, room: Room) -> None:
        self._incoming = folder / "incoming"
        self._blobs = folder / "blobs"
        self._room = room
        self._threads = ThreadPoolExecutor(_THREADS, thread_name_prefix="meiku-blobs")
        self._warm: dict[str, None] = {}
        # Of blobs that this process holds: what closes the file that is locked.
        self._held: dict[str, Callable[[], None]] = {}
        # One buffer serves all reads: it is filled and copied from without a pause.
        self._buffer = memoryview(bytearray(_READ_BYTES))
        self._can_peek = True
        self._writers = 0
        self._readers = 0

    async def write(self, stream: AsyncIterable[bytes]) -> str:
        """Write a stream to a file; while one piece goes to disk the next is received."""
        blob_id = secrets.token_hex(16)
        incoming = Incoming(self._incoming / blob_id, self._path(blob_id), self._room)
        self._writers += 1
        try:
            await self._receive(incoming, stream)
        except BaseException:
            # Not to be cut short by a second cancellation: nothing may stay behind.
            await asyncio.shield(self._in_thread(incoming.discard))
            raise
        finally:
            self._writers -= 1
        self._held[blob_id] = incoming.let_go
        return blob_id

    async def _receive(self, incoming: Incoming, stream: AsyncIterable[bytes]) -> None:
        pieces: list[bytes] = []
        size_bytes = 0
        writing: asyncio.Future[None] | None = None
        async for piece in stream:
            pieces.append(piece)
            size_bytes += len(piece)
            if size_bytes < _piece_bytes(_WRITE_BYTES, self._writers) and len(pieces) < _WRITE_PIECES:
                continue
            if writing is not None:
                await writing
            writing = self._in_thread(incoming.append, pieces)
            # When the stream breaks off nobody awaits this piece: its error is the lesser one then.
            writing.add_done_callback(lambda piece: piece.cancelled() or piece.exception())
            pieces, size_bytes = [], 0
        if writing is not None:
            await writing
        await self._in_thread(incoming.finish, pieces)

    async def read(self, blob_id: str, start: int, stop: int) -> AsyncGenerator[bytes, None]:
        """Yield a range of a file, at once where the kernel holds it, from a thread where it does not."""
        file = await self.open(blob_id)
        self._readers += 1
        try:
            position, most_bytes = start, _FIRST_READ_BYTES
            while position < stop:
                wanted = min(_piece_bytes(most_bytes, self._readers), stop - position)
                most_bytes = min(2 * most_bytes, _READ_BYTES)
                piece = self._peek(file, wanted, position)
                if piece is None:
                    piece = await self._in_thread(os.pread, file, wanted, position)
                if not piece:
                    raise errors.Missing(f"{blob_id} ends at {position}")
                position += len(piece)
                yield piece
                del piece  # not to be kept beside the next one
        finally:
            self._readers -= 1
            os.close(file)

    async def open(self, blob_id: str) -> int:
        """Open a blob's file; one that was open lately is found without waiting for the disk."""
        path = self._path(blob_id)
        try:
            file = _open(path) if blob_id in self._warm else await self._open_in_thread(path)
        except FileNotFoundError as error:
            raise errors.Missing(blob_id) from error
        if len(self._warm) >= _WARM_LIMIT:
            del self._warm[next(iter(self._warm))]
        self._warm[blob_id] = None
        return file

    def let_go(self, blob_id: str) -> None:
        """Close the file that is locked, if this process holds it."""
        close = self._held.pop(blob_id, None)
        if close is not None:
            close()

    async def try_hold(self, blob_id: str) -> bool:
        """Lock a blob's file, if no other writer or sweep has it, here or in another process."""
        try:
            file = await self._in_thread(_lock, self._path(blob_id))
        except (BlockingIOError, FileNotFoundError):
            return False
        self._held[blob_id] = partial(os.close, file)
        return True

    async def delete(self, blob_id: str) -> None:
        """Remove a blob's file, if it is there."""
        self._warm.pop(blob_id, None)
        await self._in_thread(self._path(blob_id).unlink, missing_ok=True)

    async def ids(self) -> AsyncIterator[tuple[str, float]]:
        """Yield every blob's id and the time its file was last written."""
        for number in range(256):
            with await self._in_thread(os.scandir, self._blobs / f"{number:02x}") as entries:
                while found := await self._in_thread(_next_files, entries):
                    for name, written_at_s in found:
                        if written_at_s is not None and _ID.fullmatch(name):
                            yield name, written_at_s

    async def close(self) -> None:
        """Wait for the threads to finish what they began."""
        await asyncio.to_thread(self._threads.shutdown)
        for blob_id in list(self._held):
            self.let_go(blob_id)

    def _path(self, blob_id: str) -> Path:
        if not _ID.fullmatch(blob_id):
            raise errors.Missing(blob_id)
        return self._blobs / blob_id[:2] / blob_id

    async def _open_in_thread(self, path: Path) -> int:
        opening = self._threads.submit(_open, path)
        try:
            return await asyncio.wrap_future(opening)
        except asyncio.CancelledError:
            # Nobody will close what the thread still opens.
            opening.add_done_callback(_close_opened)
            raise

    def _peek(self, file: int, size_bytes: int, position: int) -> bytes | None:
        """Read what the kernel holds in memory; None when it would have to wait for the disk."""
        if not self._can_peek:
            return None
        buffer = self._buffer[:size_bytes]
        try:
            return bytes(buffer[: os.preadv(file, [buffer], position, os.RWF_NOWAIT)])
        except BlockingIOError:
            return None
        except OSError as error:
            if error.errno not in _CANNOT_PEEK:
                raise
            self._can_peek = False
            return None

    def _in_thread(self, work: Callable[P, T], *args: P.args, **kwargs: P.kwargs) -> "asyncio.Future[T]":
        return asyncio.get_running_loop().run_in_executor(self._threads, partial(work, *args, **kwargs))


def _piece_bytes(most: int, moving: int) -> int:
    return max(_PIECE_LEAST_BYTES, min(most, _PIECES_BYTES // moving))


def _open(path: Path) -> int:
    return os.open(path, os.O_RDONLY | os.O_CLOEXEC)


def _lock(path: Path) -> int:
    file = _open(path)
    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        os.close(file)
        raise
    return file


def _close_opened(opening: "Future[int]") -> None:
    if not opening.cancelled() and opening.exception() is None:
        os.close(opening.result())


def _next_files(entries: Iterator[os.DirEntry[str]]) -> list[tuple[str, float | None]]:
    """Tell the next files of a folder and when each was written; None when it has gone meanwhile."""
    found: list[tuple[str, float | None]] = []
    for entry in islice(entries, _LISTED_AT_ONCE):
        written_at_s = None
        with contextlib.suppress(FileNotFoundError):
            written_at_s = entry.stat().st_mtime
        found.append((entry.name, written_at_s))
    return found
