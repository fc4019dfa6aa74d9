"""Makes a picture of a decoded frame: colours, which way is up, its size. Finds no frame, writes no file."""

import math
import struct
from collections.abc import Mapping
from fractions import Fraction
from typing import Any, cast

import pyvips
from av.sidedata.sidedata import Type
from av.video.frame import VideoFrame
from av.video.reformatter import ColorRange, Colorspace, Interpolation

from meiku.media.facts import Image
from meiku.media.light import is_beyond_srgb, to_srgb
from meiku.media.see_through import scaled
from meiku.media.video_opening import check_frame_size
from meiku.media.video_steps import FrameTurn

_RGB_BANDS = 3
_COLOURSPACE_UNSPECIFIED = 2  # AVCOL_SPC_UNSPECIFIED
# What has more lines than television had before HD is taken to have the colours of HD, as players do.
_STANDARD_LINES = 576
_CAREFULLY = Interpolation.BICUBIC | Interpolation.ACCURATE_RND | Interpolation.FULL_CHR_H_INT
_DISPLAY_MATRIX = struct.Struct("=9i")
_QUARTER_DEGREES = 90


def picture_of(
    frame: VideoFrame, pixel_ratio: Fraction, turn: FrameTurn | None, width_px: int, height_px: int
) -> Image:
    """Make the picture of a frame, turned, in a size; a side of 0 px follows from the other.

    Pixels that are not square become so by stretching the short side: what was seen stays to be seen.
    """
    image = _turned(_in_rgb(frame, *_shown_size(frame, pixel_ratio)), frame, turn)
    width_px, height_px = _size(image, width_px, height_px)
    check_frame_size(width_px, height_px)
    if (width_px, height_px) == (image.width, image.height):
        return image
    return scaled(image, width_px, height_px)


def quarter_turns(frame: VideoFrame) -> tuple[int, bool]:
    """Tell how the video's metadata would show a frame: quarter turns clockwise, after it is mirrored or not.

    The matrix maps a step to the right to (a, b) and one down to (c, d).
    """
    side_data = cast("Mapping[Any, Any]", frame.side_data).get(Type.DISPLAYMATRIX)
    if side_data is None or len(bytes(side_data)) != _DISPLAY_MATRIX.size:
        return 0, False
    a, b, _, c, d, *_ = _DISPLAY_MATRIX.unpack(bytes(side_data))
    mirrored = a * d - b * c < 0
    angle_degrees = math.degrees(math.atan2(-b, -a) if mirrored else math.atan2(b, a))
    return round(angle_degrees / _QUARTER_DEGREES) % 4, mirrored


def _shown_size(frame: VideoFrame, pixel_ratio: Fraction) -> tuple[int, int]:
    """Answer a frame's size in square pixels."""
    width_px = round(frame.width * max(Fraction(1), pixel_ratio))
    height_px = round(frame.height / min(Fraction(1), pixel_ratio))
    check_frame_size(width_px, height_px)
    return width_px, height_px


def _in_rgb(frame: VideoFrame, width_px: int, height_px: int) -> Image:
    """Convert to sRGB of the full range, in a size."""
    unknown = frame.colorspace == _COLOURSPACE_UNSPECIFIED
    beyond = is_beyond_srgb(frame.color_trc, frame.color_primaries)
    flat = frame.reformat(
        width_px,
        height_px,
        format="rgb48le" if beyond else "rgb24",
        src_colorspace=Colorspace.ITU709 if unknown and frame.height > _STANDARD_LINES else None,
        dst_color_range=ColorRange.JPEG,
        interpolation=_CAREFULLY,
        threads=1,
    )
    image = _of_plane(flat, "ushort" if beyond else "uchar", 2 if beyond else 1)
    if beyond:
        return to_srgb(image, frame.color_trc, frame.color_primaries)
    return image.copy(interpretation="srgb")


def _of_plane(flat: VideoFrame, kind: str, sample_bytes: int) -> Image:
    """Take the samples over, and leave out what FFmpeg fills its lines up with."""
    plane, line_bytes = flat.planes[0], flat.width * _RGB_BANDS * sample_bytes
    samples = memoryview(plane)[: plane.line_size * flat.height]
    if plane.line_size != line_bytes:
        filled = pyvips.Image.new_from_memory(samples, plane.line_size, flat.height, 1, "uchar")
        samples = filled.crop(0, 0, line_bytes, flat.height).write_to_memory()
    return pyvips.Image.new_from_memory(samples, flat.width, flat.height, _RGB_BANDS, kind)


def _turned(image: Image, frame: VideoFrame, turn: FrameTurn | None) -> Image:
    """Turn as asked for: as the metadata says where that gives the shape, otherwise as little as can be."""
    if turn is None:
        return image
    quarters, mirrored = quarter_turns(frame)
    upright = _rotated(image.fliphor() if mirrored else image, quarters)
    if turn is FrameTurn.METADATA or _fits(upright, turn):
        return upright
    return image if _fits(image, turn) else _rotated(image, 1)


def _fits(image: Image, turn: FrameTurn) -> bool:
    """Tell whether a picture lies or stands as it shall; a square does both."""
    return bool(image.width >= image.height if turn is FrameTurn.LANDSCAPE else image.height >= image.width)


def _rotated(image: Image, quarters: int) -> Image:
    return [image, image.rot90(), image.rot180(), image.rot270()][quarters]


def _size(image: Image, width_px: int, height_px: int) -> tuple[int, int]:
    """Answer the size that is meant, in the picture's ratio where a side is 0."""
    if not width_px and not height_px:
        return image.width, image.height
    return (
        width_px or max(1, round(image.width * height_px / image.height)),
        height_px or max(1, round(image.height * width_px / image.width)),
    )
