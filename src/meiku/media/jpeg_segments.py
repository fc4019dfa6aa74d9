"""The segments in a JPEG's head, as ITU-T T.81 (annex B) lays them out. Reads bytes only."""

from collections.abc import Iterator

START_OF_SCAN = 0xDA
_MARKER = 0xFF
_SIZE_BYTES = 2


def segments_of(data: bytes) -> Iterator[tuple[int, bytes]]:
    """Yield each segment before the pixels: its marker's second byte, and what stands in it."""
    position = 2
    while position + 4 <= len(data) and data[position] == _MARKER and data[position + 1] != START_OF_SCAN:
        size_bytes = max(int.from_bytes(data[position + 2 : position + 4], "big"), _SIZE_BYTES)
        yield data[position + 1], data[position + 4 : position + 2 + size_bytes]
        position += 2 + size_bytes
