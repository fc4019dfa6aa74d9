"""Finds files of which some pixels are not there, where decoders would show the others and not say so.

That is in the last lines of a JPEG, between the frames of a GIF that moves, and among tiles. Refuses nothing.
"""

from collections.abc import Iterator

import pyvips

from meiku.media.boxes import has_cut_tiles
from meiku.media.facts import Image
from meiku.media.formats import AVIF, GIF, HEIC, JPG, Kind
from meiku.media.jpeg_segments import END, lacks_only_its_end

# How many lines libvips has a JPEG's decoder make at once; it heeds warnings when it goes on to more.
_LINES_AT_ONCE = 8
# What a JPEG's pixels may go on with, as different as can be; behind the end its decoder takes zeros.
_CONTINUATIONS = (b"", b"\xff\0" * 64, b"\xa6" * 64)
# GIF89a, 18 to 24: what stands before the first block, and which kinds of blocks there are.
_GIF_HEAD_BYTES, _GIF_COLOURS_AT = 13, 10
_IMAGE, _EXTENSION = 0x2C, 0x21
_IMAGE_HEAD_BYTES, _IMAGE_COLOURS_AT = 10, 9


def lacks_pixels(kind: Kind, data: bytes, image: Image, *, is_moving: bool) -> bool:
    """Tell whether a file is cut so that a part of the picture would be shown; `image` is its head."""
    if kind is JPG and lacks_only_its_end(data):
        return _depends_on_more(data, image.width, image.height)
    if kind is GIF and is_moving:
        return _is_cut_in_a_frame(data)
    return kind in (AVIF, HEIC) and has_cut_tiles(data)


def _depends_on_more(data: bytes, width_px: int, height_px: int) -> bool:
    """Tell whether a JPEG's last lines depend on what follows its bytes: then some of them is missing."""
    top, data = max(0, height_px - _LINES_AT_ONCE), data.removesuffix(END[:1])
    files = (data + more + END for more in _CONTINUATIONS)
    decoded = (pyvips.Image.jpegload_buffer(file, fail_on="error", access="sequential") for file in files)
    lines = (image.crop(0, top, width_px, height_px - top).write_to_memory() for image in decoded)
    return len({bytes(each) for each in lines}) > 1


def _is_cut_in_a_frame(data: bytes) -> bool:
    """Tell whether a GIF ends within a frame's pixels."""
    at = _GIF_HEAD_BYTES + _colours_bytes(data, _GIF_COLOURS_AT)
    while at < len(data) and data[at] in (_IMAGE, _EXTENSION):
        is_image = data[at] == _IMAGE
        at += _IMAGE_HEAD_BYTES + _colours_bytes(data, at + _IMAGE_COLOURS_AT) + 1 if is_image else 2
        for size_bytes in _parts(data, at):
            at += 1 + size_bytes
        if at >= len(data):
            return is_image
        at += 1
    return False


def _parts(data: bytes, at: int) -> Iterator[int]:
    """Yield the sizes of the parts of a block; the last is followed by a zero."""
    while at < len(data) and data[at]:
        yield data[at]
        at += 1 + data[at]


def _colours_bytes(data: bytes, at: int) -> int:
    """Tell the size of a table of colours, which flags announce."""
    flags = data[at] if at < len(data) else 0
    return 3 << (flags & 7) + 1 if flags & 0x80 else 0
