"""Which colours a file says that its codes mean, in numbers instead of a profile. Reads bytes only."""

import struct
from typing import NamedTuple

from meiku.media.boxes import primary_properties

_COLOURS, _IN_NUMBERS = b"colr", b"nclx"  # ISO/IEC 14496-12, 12.1.5
_IN_PNG, _PNG_PIXELS = b"\0\0\0\x04cICP", b"IDAT"  # PNG, third edition, 11.3.2.6


class CodePoints(NamedTuple):
    """Primaries and transfer as ITU-T H.273 numbers them, and FFmpeg after it."""

    primaries: int
    transfer: int


def in_boxes(data: bytes) -> CodePoints | None:
    """Tell those of the picture that a HEIC or AVIF shows."""
    bodies = (body for kind, body in primary_properties(data) if kind == _COLOURS)
    found = next((body for body in bodies if body.startswith(_IN_NUMBERS)), b"")
    return _read(">HH", found, 0 if found else -1, _IN_NUMBERS)


def in_png(data: bytes) -> CodePoints | None:
    """Tell those of a PNG, which stand before its pixels."""
    return _read("BB", data, data.find(_IN_PNG, 0, max(0, data.find(_PNG_PIXELS))), _IN_PNG)


def _read(form: str, data: bytes, start: int, name: bytes) -> CodePoints | None:
    start += len(name)
    if start < len(name) or start + struct.calcsize(form) > len(data):
        return None
    return CodePoints(*struct.unpack_from(form, data, start))
