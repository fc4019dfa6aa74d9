"""Steps that change a picture's shape: resize, crop, rotate, index crop, upright. Nothing about colours.

Sizes are computed here from numbers alone (`Box`), so that a resize may also be done while a picture is
decoded; the operations on pixels are libvips'.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace

from meiku.media.facts import Image
from meiku.media.picture import Picture, check_size, decoded_to, with_alpha
from meiku.media.picture_steps import AutoOrient, Crop, IndexCrop, PictureFormat, Resize, ResizeMode, Rotate
from meiku.media.refusal import RecipeRefused
from meiku.media.see_through import flattened, scaled
from meiku.media.steps import WHITE, Gravity

RESULT_SIDE_LIMIT_PX = 16_384
PERCENT_PIXELS_LIMIT = 16_777_216
ROTATED_SIDE_LIMIT_PX = 4_096
# The formats that cannot be seen through.
OPAQUE = (PictureFormat.JPG, PictureFormat.BMP)
CLEAR = (0, 0, 0, 0)
_FIXED_SIDES = (ResizeMode.FILL, ResizeMode.PAD, ResizeMode.STRETCH)

_COLUMN = {Gravity.WEST: 0, Gravity.NORTH_WEST: 0, Gravity.SOUTH_WEST: 0}
_COLUMN |= {Gravity.EAST: 2, Gravity.NORTH_EAST: 2, Gravity.SOUTH_EAST: 2}
_ROW = {Gravity.NORTH: 0, Gravity.NORTH_WEST: 0, Gravity.NORTH_EAST: 0}
_ROW |= {Gravity.SOUTH: 2, Gravity.SOUTH_WEST: 2, Gravity.SOUTH_EAST: 2}


def column_of(gravity: Gravity) -> int:
    """Tell west, middle or east: 0, 1, 2."""
    return _COLUMN.get(gravity, 1)


def row_of(gravity: Gravity) -> int:
    """Tell north, middle or south: 0, 1, 2."""
    return _ROW.get(gravity, 1)


@dataclass(frozen=True, slots=True)
class Box:
    """What a resize comes to: the size the pixels are brought to, and the canvas that is cut or filled."""

    width_px: int
    height_px: int
    canvas_width_px: int
    canvas_height_px: int


def box_of(step: Resize, width_px: int, height_px: int, main_width_px: int | None = None) -> Box:
    """Compute what a resize makes of a picture of this size; the same size where it changes nothing.

    `main_width_px` is the width of the picture that this one is laid on, for percentages of it.
    """
    same = Box(width_px, height_px, width_px, height_px)
    if step.main_percent is not None:
        wanted = max(1, round((main_width_px or width_px) * step.main_percent / 100))
        return _checked(_scaled(wanted / width_px, width_px, height_px), step)
    if step.percent is not None:
        if step.percent > 100 and not step.enlarge:
            return same
        return _checked(_scaled(step.percent / 100, width_px, height_px), step)
    wide, high = _sides(step, width_px, height_px)
    if wide is None or high is None:
        scale = wide / width_px if wide is not None else (high or 1) / height_px
        return same if scale > 1 and not step.enlarge else _checked(_scaled(scale, width_px, height_px), step)
    box = _boxed(step.mode, wide, high, width_px, height_px)
    larger = box.width_px > width_px or box.height_px > height_px
    return same if larger and not step.enlarge else _checked(box, step)


def _sides(step: Resize, width_px: int, height_px: int) -> tuple[int | None, int | None]:
    """Tell the wanted width and height; longest and shortest side mean either.

    Where only one of them is given, a box of fixed sides is a square.
    """
    if step.longest_side_px is None and step.shortest_side_px is None:
        either = step.width_px or step.height_px if step.mode in _FIXED_SIDES else None
        return step.width_px or either, step.height_px or either
    if width_px >= height_px:
        return step.longest_side_px, step.shortest_side_px
    return step.shortest_side_px, step.longest_side_px


def _boxed(mode: ResizeMode, wide: int, high: int, width_px: int, height_px: int) -> Box:
    across, down = wide / width_px, high / height_px
    if mode is ResizeMode.STRETCH:
        return Box(wide, high, wide, high)
    if mode is ResizeMode.AROUND:
        return _scaled(max(across, down), width_px, height_px)
    if mode is ResizeMode.FILL:
        covering = _scaled(max(across, down), width_px, height_px)
        return replace(covering, canvas_width_px=wide, canvas_height_px=high)
    fitting = _scaled(min(across, down), width_px, height_px)
    return (
        replace(fitting, canvas_width_px=wide, canvas_height_px=high) if mode is ResizeMode.PAD else fitting
    )


def _scaled(scale: float, width_px: int, height_px: int) -> Box:
    wide, high = max(1, round(width_px * scale)), max(1, round(height_px * scale))
    return Box(wide, high, wide, high)


def _checked(box: Box, step: Resize) -> Box:
    wide, high = max(box.width_px, box.canvas_width_px), max(box.height_px, box.canvas_height_px)
    limit = PERCENT_PIXELS_LIMIT if step.percent is not None else None
    if max(wide, high) > RESULT_SIDE_LIMIT_PX or (limit is not None and wide * high > limit):
        raise RecipeRefused(
            "resize",
            "",
            f"the result would have {wide} x {high} pixels; each side may have {RESULT_SIDE_LIMIT_PX:,}"
            + (f", and a result by percent {limit:,} in all." if limit else "."),
        )
    check_size(wide, high)
    return box


def resize(picture: Picture, step: Resize, main_width_px: int | None = None) -> Picture:
    """Bring a picture to another size. An animation stands still by percent, and never grows."""
    if picture.frames > 1:
        picture = picture.first_frame() if step.percent is not None else picture
        step = replace(step, enlarge=False) if picture.frames > 1 else step
    box = box_of(step, picture.width_px, picture.height_px, main_width_px)
    return picture.each_frame(lambda image: on_canvas(_to_size(image, box), box, step))


def resize_while_decoding(picture: Picture, step: Resize) -> Picture:
    """Resize a still picture as the first of all steps: large JPEGs and WebPs are decoded smaller at once."""
    box = box_of(step, picture.width_px, picture.height_px)
    if (box.width_px, box.height_px) == (picture.width_px, picture.height_px):
        return replace(picture, image=on_canvas(picture.image, box, step))
    return replace(picture, image=on_canvas(decoded_to(picture, box.width_px, box.height_px), box, step))


def _to_size(image: Image, box: Box) -> Image:
    if (image.width, image.height) == (box.width_px, box.height_px):
        return image
    return scaled(image, box.width_px, box.height_px)


def on_canvas(image: Image, box: Box, step: Resize) -> Image:
    """Cut off evenly what stands over the canvas, or fill what it leaves free."""
    wide, high = box.canvas_width_px, box.canvas_height_px
    if (image.width, image.height) == (wide, high):
        return image
    left, top = (wide - image.width) // 2, (high - image.height) // 2
    if step.mode is ResizeMode.FILL:
        return image.crop(max(0, -left), max(0, -top), min(wide, image.width), min(high, image.height))
    background = [*step.pad_colour, 255][: image.bands]
    return image.embed(left, top, wide, high, extend="background", background=background)


def crop(picture: Picture, step: Crop) -> Picture:
    """Cut out a rectangle; RecipeRefused where it begins beyond the picture."""
    wide = min(step.width_px or picture.width_px, picture.width_px)
    high = min(step.height_px or picture.height_px, picture.height_px)
    left = _origin(column_of(step.gravity), picture.width_px, wide) + step.x_px
    top = _origin(row_of(step.gravity), picture.height_px, high) + step.y_px
    if left >= picture.width_px or top >= picture.height_px:
        parameter, size_px = ("x", picture.width_px) if left >= picture.width_px else ("y", picture.height_px)
        raise RecipeRefused("crop", parameter, f"the rectangle begins beyond the picture's {size_px} pixels.")
    wide, high = min(wide, picture.width_px - left), min(high, picture.height_px - top)
    return picture.each_frame(lambda image: image.crop(left, top, wide, high))


def _origin(third: int, length_px: int, cut_px: int) -> int:
    """Tell where a stretch begins that lies at one end, in the middle or at the other end, as OSS halves."""
    return (0, length_px // 2 - cut_px // 2, length_px - cut_px)[third]


def index_crop(picture: Picture, step: IndexCrop) -> Picture:
    """Keep one slice; the last may be shorter, and beyond it nothing changes."""
    width_px, height_px = picture.width_px, picture.height_px
    if step.slice_height_px is not None:
        top = step.slice_height_px * step.index
        high = min(step.slice_height_px, height_px - top)
        return picture if high <= 0 else picture.each_frame(lambda image: image.crop(0, top, width_px, high))
    slice_px = step.slice_width_px or width_px
    left = slice_px * step.index
    wide = min(slice_px, width_px - left)
    return picture if wide <= 0 else picture.each_frame(lambda image: image.crop(left, 0, wide, height_px))


def rotate(picture: Picture, step: Rotate) -> Picture:
    """Turn clockwise; RecipeRefused where a slanted canvas would be too large."""
    angle = step.angle_degrees
    if angle % 90 == 0:
        return picture if not angle else picture.each_frame(lambda image: image.rot(f"d{angle}"))
    if max(picture.width_px, picture.height_px) > ROTATED_SIDE_LIMIT_PX:
        raise RecipeRefused(
            "rotate", "", f"a side has more than {ROTATED_SIDE_LIMIT_PX:,} pixels: resize it before."
        )
    if step.corners is None and picture.output.format not in OPAQUE:
        return picture.each_frame(lambda image: turned(with_alpha(image), angle, CLEAR))
    corners = list(step.corners or WHITE)
    return picture.each_frame(lambda image: turned(flattened(image, corners), angle, corners))


def turned(image: Image, angle_degrees: float, corners: Sequence[int]) -> Image:
    """Turn clockwise around the centre; the canvas has the fewest whole pixels that hold all of the image.

    libvips' own `rotate` puts the image up to a pixel beside the centre, where a line of it is cut off.
    """
    cos, sin = math.cos(math.radians(angle_degrees)), math.sin(math.radians(angle_degrees))
    wide = _whole(image.width * abs(cos) + image.height * abs(sin))
    high = _whole(image.width * abs(sin) + image.height * abs(cos))
    return image.affine(
        [cos, -sin, sin, cos],
        oarea=[0, 0, wide, high],
        idx=(1 - image.width) / 2,
        idy=(1 - image.height) / 2,
        odx=(wide - 1) / 2,
        ody=(high - 1) / 2,
        background=corners,
    )


def _whole(length_px: float) -> int:
    """Round up, except what only the computation has added."""
    return math.ceil(length_px - 1e-6)


def auto_orient(picture: Picture, step: AutoOrient) -> Picture:
    """Turn a picture as its EXIF Orientation says."""
    return picture.each_frame(lambda image: image.autorot()) if step.upright else picture
