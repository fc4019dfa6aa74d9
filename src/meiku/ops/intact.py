"""Intact: bytes that are read whole are compared with the CRC64NVME that was kept when they came.

Before the last byte goes out, so that nobody takes damaged bytes for the object, nor makes anything new of
them. A range has no checksum of its own and is not compared. Where bytes are kept is not known here.
"""

import os
from collections.abc import AsyncGenerator
from contextlib import aclosing
from functools import lru_cache
from json import loads

from meiku import checksums, errors
from meiku.checksums import ALGORITHMS

CRC = ALGORITHMS["CRC64NVME"]
_PIECE_BYTES = 1 << 20


@lru_cache(maxsize=8192)
def crc_on_record(packed: str) -> bytes | None:
    """Return the CRC64NVME that a record keeps; None when it keeps none that can be read."""
    try:
        return checksums.decode(loads(packed)[CRC.name], CRC)
    except (ValueError, KeyError, TypeError):
        return None


def require_intact(data: bytes, packed: str, name: str) -> bytes:
    """Return bytes that are those on record; Damaged where they are others."""
    _compare(crc_on_record(packed), checksums.crc64nvme(data), name)
    return data


def require_intact_file(file: int, packed: str, name: str) -> None:
    """Raise Damaged where an open file's bytes are not those on record; reads it from its beginning."""
    found, position = 0, 0
    while piece := os.pread(file, _PIECE_BYTES, position):
        found = checksums.extend_crc64nvme(piece, found)
        position += len(piece)
    _compare(crc_on_record(packed), found.to_bytes(CRC.size_bytes, "big"), name)


async def compared(
    pieces: AsyncGenerator[bytes, None], size_bytes: int, packed: str, name: str
) -> AsyncGenerator[bytes, None]:
    """Yield all pieces of some bytes, the last one only where all of them are those on record."""
    expected = crc_on_record(packed)
    found, left_bytes = 0, size_bytes
    async with aclosing(pieces):
        async for piece in pieces:
            found = checksums.extend_crc64nvme(piece, found)
            left_bytes -= len(piece)
            if left_bytes <= 0:
                _compare(expected, found.to_bytes(CRC.size_bytes, "big"), name)
            yield piece


def _compare(expected: bytes | None, found: bytes, name: str) -> None:
    if expected is not None and expected != found:
        now, kept = checksums.encode(found), checksums.encode(expected)
        raise errors.Damaged(f"{name}: its CRC64NVME is {now}, and was {kept}")
