"""A stored object as a file that FFmpeg can seek in: reads ranges by the piece, keeps a few, counts them all.

Knows no video. Nothing here raises into FFmpeg, which forgets or keeps such errors as it likes: what went
wrong is remembered in `failure`, the file looks as if it ended there, and who opened it asks afterwards.
"""

import os
from collections import OrderedDict
from typing import Protocol

from meiku.media.refusal import RecipeRefused

# As much as FFmpeg asks for at once. Hopping from box to box costs this much for each hop; where reading goes
# on, several pieces come together.
PIECE_BYTES = 32 * 1024
PIECES_AT_ONCE = 8
PIECES_KEPT = 256
BYTES_READ_LIMIT = 256 * 1024 * 1024


class RangedSource(Protocol):
    """Bytes of which any range can be read."""

    @property
    def size_bytes(self) -> int:
        """Tell how many bytes there are."""

    def read(self, start_byte: int, stop_byte: int) -> bytes:
        """Answer the bytes from start up to, not including, stop."""


class RangedFile:
    """A file over a source, as `av.open` takes one."""

    name = "video"  # FFmpeg puts it into messages

    def __init__(self, source: RangedSource, limit_bytes: int = BYTES_READ_LIMIT) -> None:
        """Begin at the start; nothing is read yet."""
        self._source = source
        self._limit_bytes = limit_bytes
        self._position = 0
        self._pieces: OrderedDict[int, bytes] = OrderedDict()
        self._next_number = 0  # of the piece that comes when reading goes on
        self._at_once = 1
        self.size_bytes = source.size_bytes
        self.bytes_read = 0
        self.failure: Exception | None = None

    def read(self, size_bytes: int) -> bytes:
        """Answer the next bytes, at most to the end of the piece they lie in; b'' is the end."""
        if self.failure is not None or not 0 <= self._position < self.size_bytes:
            return b""
        number, offset = divmod(self._position, PIECE_BYTES)
        taken = self._piece(number)[offset : offset + max(0, size_bytes)]
        self._position += len(taken)
        return taken

    def seek(self, offset: int, whence: int = os.SEEK_SET) -> int:
        """Move, also past the end, as files do."""
        origins = {os.SEEK_SET: 0, os.SEEK_CUR: self._position, os.SEEK_END: self.size_bytes}
        self._position = max(0, origins[whence] + offset)
        return self._position

    def tell(self) -> int:
        """Tell where the next read begins."""
        return self._position

    def peek(self, start_byte: int, stop_byte: int) -> bytes:
        """Answer a range, shorter at the end of the file, without moving: FFmpeg's place is its own."""
        place, self._position = self._position, start_byte
        taken = bytearray()
        while len(taken) < stop_byte - start_byte and (more := self.read(stop_byte - self._position)):
            taken += more
        self._position = place
        return bytes(taken)

    def _piece(self, number: int) -> bytes:
        """Answer a piece, from the few kept or from the source."""
        if number not in self._pieces:
            self._fetch(number)
        self._pieces.move_to_end(number)
        return self._pieces[number]

    def _fetch(self, number: int) -> None:
        """Read a piece from the source, and some more where reading has gone on piece by piece."""
        self._at_once = min(2 * self._at_once, PIECES_AT_ONCE) if number == self._next_number else 1
        fetched = self._fetched(number * PIECE_BYTES, (number + self._at_once) * PIECE_BYTES)
        self._next_number = number + self._at_once
        for first_byte in range(0, max(1, len(fetched)), PIECE_BYTES):
            self._pieces[number + first_byte // PIECE_BYTES] = fetched[first_byte : first_byte + PIECE_BYTES]
        while len(self._pieces) > PIECES_KEPT:
            self._pieces.popitem(last=False)

    def _fetched(self, start_byte: int, stop_byte: int) -> bytes:
        """Read from the source; b'' where that fails or would be too much."""
        stop_byte = min(stop_byte, self.size_bytes)
        if self.bytes_read + stop_byte - start_byte > self._limit_bytes:
            self.failure = _too_much(self._limit_bytes)
            return b""
        try:
            fetched = self._source.read(start_byte, stop_byte)
        except Exception as failure:  # whatever it is, it is raised again outside of FFmpeg
            self.failure = failure
            return b""
        self.bytes_read += len(fetched)
        return fetched


def _too_much(limit_bytes: int) -> RecipeRefused:
    return RecipeRefused(
        "",
        "",
        f"More than {limit_bytes:,} bytes of the video would have to be read. A video with an index (an MP4 "
        "that is not in fragments, an MKV or WebM with cues) and with more key frames needs less.",
    )
