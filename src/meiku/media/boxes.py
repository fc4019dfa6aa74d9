"""The beginning of files made of boxes (ISO/IEC 14496-12), as HEIC and AVIF are: brands, and what is in them.

Decoders read the same files with fewer beginnings than there are; here one is written that they know. Reads
bytes only, and decodes nothing.
"""

from collections.abc import Iterator

_TYPE, _FREE = b"ftyp", b"free"
_HEAD_BYTES = 8
# May stand before anything else, and mean nothing (14496-12, 8.1.2).
_MEANINGLESS = frozenset({_FREE, b"skip", b"wide", b"uuid"})
# Of these any decoder takes a file, and only where it stands among the brands that the major one is
# compatible with.
_KNOWN = b"mif1"
_TAKEN = frozenset({_KNOWN, b"avif", b"heic", b"heix"})
_BRANDS_LIMIT = 64


def brands_of(data: bytes) -> list[bytes]:
    """Tell what a file says it is: its major brand, then those it is compatible with."""
    box = _type_box(data)
    if box is None:
        return []
    start, stop = box
    first = start + _HEAD_BYTES
    places = [first, *range(first + 8, min(stop, first + 8 + 4 * _BRANDS_LIMIT) - 3, 4)]
    return [data[place : place + 4] for place in places]


def with_known_beginning(data: bytes) -> bytes:
    """Have a file begin as decoders expect it, at the same length, for all in it is found by place."""
    box = _type_box(data)
    if box is None or (box[0] == 0 and not _TAKEN.isdisjoint(brands_of(data)[1:])):
        return data
    left_bytes = box[1] - len(_type_of([_KNOWN]))
    if left_bytes < 0:
        return data
    if left_bytes < _HEAD_BYTES:
        return _type_of([_KNOWN] * (1 + left_bytes // 4)) + data[box[1] - left_bytes % 4 :]
    return _type_of([_KNOWN]) + _box(_FREE, bytes(left_bytes - _HEAD_BYTES)) + data[box[1] :]


def holds(data: bytes, box: bytes) -> bool:
    """Tell whether a file has a box among its outermost."""
    return any(kind == box for kind, _, _ in _boxes(data))


def _type_box(data: bytes) -> tuple[int, int] | None:
    """Find the box of brands: where it starts and stops."""
    for kind, start, stop in _boxes(data):
        if kind == _TYPE:
            return start, stop
        if kind not in _MEANINGLESS:
            return None
    return None


def _boxes(data: bytes) -> Iterator[tuple[bytes, int, int]]:
    """Yield the outermost boxes: their kinds, and where they start and stop."""
    start = 0
    while start + _HEAD_BYTES <= len(data):
        size_bytes = int.from_bytes(data[start : start + 4], "big")
        if size_bytes == 1:
            size_bytes = int.from_bytes(data[start + 8 : start + 16], "big")
        stop = start + size_bytes if size_bytes else len(data)
        if stop < start + _HEAD_BYTES:
            return
        yield data[start + 4 : start + 8], start, min(stop, len(data))
        start = stop


def _type_of(compatible: list[bytes]) -> bytes:
    return _box(_TYPE, _KNOWN + bytes(4) + b"".join(compatible))


def _box(kind: bytes, body: bytes) -> bytes:
    return (_HEAD_BYTES + len(body)).to_bytes(4, "big") + kind + body
