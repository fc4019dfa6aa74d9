"""How strongly a JPEG was compressed: its quality in percent, told from its quantisation tables.

JPEG files do not say it; encoders of libjpeg's family scale the standard's table (ITU-T T.81, K.1) by it, and
from the scale it is computed back. Reads bytes only.
"""

from collections.abc import Iterator

from meiku.media.jpeg_segments import segments_of

# The luminance table of the standard, in the zigzag order of files.
_STANDARD = (
    16, 11, 12, 14, 12, 10, 16, 14, 13, 14, 18, 17, 16, 19, 24, 40,
    26, 24, 22, 22, 24, 49, 35, 37, 29, 40, 58, 51, 61, 60, 57, 51,
    56, 55, 64, 72, 92, 78, 64, 68, 87, 69, 55, 56, 80, 109, 81, 87,
    95, 98, 103, 104, 103, 62, 77, 113, 121, 112, 100, 120, 92, 101, 103, 99,
)  # fmt: skip
_DEFINE_TABLES = 0xDB
_UNKNOWN_PERCENT = 80


def quality_of(data: bytes) -> int:
    """Tell a JPEG's quality from 1 to 100; 80 where it cannot be told."""
    table = next((table for table in _tables(data) if table), None)
    if table is None:
        return _UNKNOWN_PERCENT
    scale = sum(table) * 100 / sum(_STANDARD)
    percent = (200 - scale) / 2 if scale <= 100 else 5000 / scale
    return min(100, max(1, round(percent)))


def _tables(data: bytes) -> Iterator[bytes]:
    """Yield the first 8-bit table of each segment that defines some."""
    for marker, body in segments_of(data):
        if marker == _DEFINE_TABLES and body[:1] == b"\0":
            table = body[1 : 1 + len(_STANDARD)]
            yield table if len(table) == len(_STANDARD) else b""
