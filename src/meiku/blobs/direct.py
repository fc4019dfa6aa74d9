"""A file that grows past the page cache: its bytes go from our memory to the disk, without a second copy.

What is uploaded must be on disk before it is answered for, so the kernel's copy of it would be made, searched
for and written out while the client waits: three quarters of the time that storing a mebibyte took. Where a
filesystem cannot do this (O_DIRECT, open(2)), the same calls write through the cache. Knows no blobs.
"""

import errno
import fcntl
import mmap
import os
import threading
from collections.abc import Sequence
from pathlib import Path

# Disks take whole blocks at whole addresses; 4 KiB fits those of all that are sold.
_BLOCK_BYTES = 4096
_BUFFER_BYTES = 512 << 10

_of_thread = threading.local()


class DirectFile:
    """A new file, written from its beginning to its end by one thread at a time."""

    def __init__(self, path: Path) -> None:
        """Make or open the file, empty."""
        flags = os.O_CREAT | os.O_WRONLY | os.O_CLOEXEC
        try:
            self.number = os.open(path, flags | os.O_DIRECT, 0o600)
        except OSError as error:
            if error.errno != errno.EINVAL:
                raise
            self.number = os.open(path, flags, 0o600)
        self._rest = b""

    def append(self, pieces: Sequence[bytes]) -> None:
        """Write all whole blocks; what is less than one waits for the next call."""
        buffer = _buffer()
        used = len(self._rest)
        buffer[:used] = self._rest
        for piece in pieces:
            left = memoryview(piece)
            while left:
                taken = min(len(left), _BUFFER_BYTES - used)
                buffer[used : used + taken] = left[:taken]
                used, left = used + taken, left[taken:]
                if used == _BUFFER_BYTES:
                    self._write(buffer)
                    used = 0
        whole = used - used % _BLOCK_BYTES
        self._write(buffer[:whole])
        self._rest = bytes(buffer[whole:used])

    def sync(self) -> None:
        """Write what is left and put all on disk."""
        if self._rest:
            self._through_cache()
            self._write(memoryview(self._rest))
            self._rest = b""
        os.fdatasync(self.number)

    def close(self) -> None:
        """Let go of the file."""
        os.close(self.number)

    def _write(self, block: memoryview) -> None:
        while block:
            try:
                block = block[os.write(self.number, block) :]
            except OSError as error:
                # Some filesystems say only now that they cannot; some cannot go on from a short write.
                if error.errno != errno.EINVAL or not self._through_cache():
                    raise

    def _through_cache(self) -> bool:
        """Write through the page cache from now on; False where that is so already."""
        flags = fcntl.fcntl(self.number, fcntl.F_GETFL)
        fcntl.fcntl(self.number, fcntl.F_SETFL, flags & ~os.O_DIRECT)
        return bool(flags & os.O_DIRECT)


def _buffer() -> memoryview:
    """Give the thread's own buffer; pages of the system are where a disk wants them."""
    if not hasattr(_of_thread, "buffer"):
        _of_thread.buffer = memoryview(mmap.mmap(-1, _BUFFER_BYTES))
    buffer: memoryview = _of_thread.buffer
    return buffer
