"""The beginning of files made of boxes (ISO/IEC 14496-12), as HEIC and AVIF are: brands, and what is in them.

Decoders read the same files with fewer beginnings than there are; here one is written that they know. Reads
bytes only, and decodes nothing.
"""

import struct
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
_VERSION_BYTES = 4  # with flags, in some boxes


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


def has_cut_tiles(data: bytes) -> bool:
    """Tell whether a picture is put together of several, and the file ends within these."""
    boxes = [*_boxes(data)]
    is_cut = any(kind == b"mdat" and start + _size_bytes(data, start) > len(data) for kind, start, _ in boxes)
    return is_cut and any(
        kind == b"meta" and data.find(b"grid", start, stop) > 0 for kind, start, stop in boxes
    )


def primary_properties(data: bytes) -> list[tuple[bytes, bytes]]:
    """Give the kinds and bodies of the boxes that describe the picture that is shown (23008-12, 9.3).

    A file may have others beside it: smaller ones, opacity, a map to more light, each with its own.
    """
    try:
        meta = _inside(data, b"meta", 0, len(data), _VERSION_BYTES)
        wanted = _primary_item(data, _inside(data, b"pitm", *meta))
        properties = _inside(data, b"iprp", *meta)
        listed = [*_boxes(data, *_inside(data, b"ipco", *properties))]
        places = dict(_described(data, _inside(data, b"ipma", *properties)))[wanted]
    except (LookupError, struct.error):
        return []
    shown = (listed[place - 1] for place in places if 0 < place <= len(listed))
    return [(kind, data[start + _HEAD_BYTES : stop]) for kind, start, stop in shown]


def _inside(data: bytes, wanted: bytes, start: int, end: int, more_bytes: int = 0) -> tuple[int, int]:
    """Find where the inside of a box starts and stops; LookupError where there is no such box."""
    for kind, at, stop in _boxes(data, start, end):
        if kind == wanted:
            return at + _HEAD_BYTES + more_bytes, stop
    raise LookupError(wanted)


def _primary_item(data: bytes, inside: tuple[int, int]) -> int:
    version = data[inside[0]]
    return int(struct.unpack_from(">I" if version else ">H", data, inside[0] + _VERSION_BYTES)[0])


def _described(data: bytes, inside: tuple[int, int]) -> Iterator[tuple[int, list[int]]]:
    """Yield each item with the numbers of the boxes that describe it, from 1."""
    version, has_large_numbers = data[inside[0]], data[inside[0] + 3] & 1
    (entries,) = struct.unpack_from(">I", data, inside[0] + _VERSION_BYTES)
    at, item, number = inside[0] + 2 * _VERSION_BYTES, struct.Struct(">I" if version else ">H"), "BH"
    for _ in range(entries):
        if at >= inside[1]:
            return
        item_id, count = item.unpack_from(data, at)[0], data[at + item.size]
        numbers = struct.Struct(f">{count}{number[has_large_numbers]}")
        given = numbers.unpack_from(data, at + item.size + 1)
        # The highest bit says that a reader has to know the box.
        yield item_id, [each & (0x7FFF if has_large_numbers else 0x7F) for each in given]
        at += item.size + 1 + numbers.size


def _type_box(data: bytes) -> tuple[int, int] | None:
    """Find the box of brands: where it starts and stops."""
    for kind, start, stop in _boxes(data):
        if kind == _TYPE:
            return start, stop
        if kind not in _MEANINGLESS:
            return None
    return None


def _boxes(data: bytes, start: int = 0, end: int | None = None) -> Iterator[tuple[bytes, int, int]]:
    """Yield the boxes of a stretch, or the outermost: their kinds, and where they start and stop."""
    end = len(data) if end is None else end
    while start + _HEAD_BYTES <= end:
        size_bytes = _size_bytes(data, start)
        stop = start + size_bytes if size_bytes else end
        if stop < start + _HEAD_BYTES:
            return
        yield data[start + 4 : start + 8], start, min(stop, end)
        start = stop


def _size_bytes(data: bytes, start: int) -> int:
    """Tell how long a box says it is; 0 where it reaches to the end."""
    size_bytes = int.from_bytes(data[start : start + 4], "big")
    return size_bytes if size_bytes != 1 else int.from_bytes(data[start + 8 : start + 16], "big")


def _type_of(compatible: list[bytes]) -> bytes:
    return _box(_TYPE, _KNOWN + bytes(4) + b"".join(compatible))


def _box(kind: bytes, body: bytes) -> bytes:
    return (_HEAD_BYTES + len(body)).to_bytes(4, "big") + kind + body
