"""The segments of a JPEG, as ITU-T T.81 (annex B) lays them out, and whether only its end is missing.

Reads bytes only.
"""

import re
from collections.abc import Iterator

START_OF_SCAN = 0xDA
END = b"\xff\xd9"
_MARKER = 0xFF
_END_OF_IMAGE = 0xD9
_SIZE_BYTES = 2
_COEFFICIENTS = 64
# Begin with the size of the picture: all of 0xC0 to 0xCF but tables and what is reserved.
_FRAMES = frozenset(range(0xC0, 0xD0)) - {0xC4, 0xC8, 0xCC}
# Among the pixels, 0xFF is followed by zero or counts restarts, and may be repeated before a marker.
_NEXT_SEGMENT = re.compile(rb"\xff([^\x00\xff\xd0-\xd7])", re.DOTALL)


def segments_of(data: bytes) -> Iterator[tuple[int, bytes]]:
    """Yield each segment before the pixels: its marker's second byte, and what stands in it."""
    position = 2
    while position + 4 <= len(data) and data[position] == _MARKER and data[position + 1] != START_OF_SCAN:
        size_bytes = max(int.from_bytes(data[position + 2 : position + 4], "big"), _SIZE_BYTES)
        yield data[position + 1], data[position + 4 : position + 2 + size_bytes]
        position += 2 + size_bytes


def lacks_only_its_end(data: bytes) -> bool:
    """Tell whether every scan has begun that the pixels need, and only the marker of the end is missing.

    Whether the last scan goes on to its end, a decoder finds out.
    """
    if data.endswith(END):
        return False
    needed: set[tuple[int, int]] = set()
    for marker, body in _all_segments(data):
        if marker == _END_OF_IMAGE:
            return False
        if marker in _FRAMES:
            needed = {(each, place) for each in body[6::3] for place in range(_COEFFICIENTS)}
        elif marker == START_OF_SCAN:
            needed -= set(_finished_by(body))
    return not needed


def _all_segments(data: bytes) -> Iterator[tuple[int, bytes]]:
    """Yield each segment up to the end, also those between pixels."""
    position = 2
    while found := _NEXT_SEGMENT.search(data, position):
        start, marker = found.end(), found[1][0]
        size_bytes = (
            0 if marker == _END_OF_IMAGE else int.from_bytes(data[start : start + _SIZE_BYTES], "big")
        )
        yield marker, data[start + _SIZE_BYTES : start + size_bytes]
        if marker == _END_OF_IMAGE:
            return
        position = start + size_bytes


def _finished_by(scan: bytes) -> Iterator[tuple[int, int]]:
    """Yield the components' coefficients of which a scan brings the last bit (T.81, B.2.3)."""
    components = scan[1 : 1 + 2 * scan[0] : 2] if scan else b""
    if len(scan) != 4 + 2 * len(components) or scan[-1] & 0x0F:
        return
    for component in components:
        yield from ((component, place) for place in range(scan[-3], scan[-2] + 1))
