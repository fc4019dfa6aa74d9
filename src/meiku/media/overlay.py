"""The watermark on its picture: drawn text and decoded pictures, put beside each other, tiled, laid on.

Which object a picture is comes as an image; nothing here fetches. All text is drawn with the one font that
comes with the program, Noto Sans CJK: the names in recipes are those of fonts that are not free, so they are
accepted and stand for it, and a picture is the same on every machine.
"""

from html import escape

import pyvips
from noto_cjk import otc_path

from meiku.media.facts import Image
from meiku.media.geometry import CLEAR, column_of, row_of, turned
from meiku.media.picture import Picture, with_alpha
from meiku.media.refusal import RecipeRefused
from meiku.media.steps import BLACK, Colour
from meiku.media.watermark_steps import Watermark, WatermarkAlign, WatermarkOrder

_SHADOW_SHIFT_PX = 2
_FONT = "Noto Sans CJK SC"
_FONT_FILE = str(otc_path("sans"))
# At 72 dots per inch a point is a pixel.
_DOTS_PER_INCH = 72


def watermark(picture: Picture, step: Watermark, image: Image | None) -> Picture:
    """Lay a watermark on every frame; `image` is its picture, ready to be laid on, where it has one."""
    mark = _faded(_mark(step, image), step.opacity_percent)
    if step.tiled:
        mark = _tiled(mark, step, picture.width_px, picture.height_px)
        return picture.each_frame(lambda frame: _laid_on(frame, mark, 0, 0))
    left, top = _place(step, picture.width_px, picture.height_px, mark)
    return picture.each_frame(lambda frame: _laid_on(frame, mark, left, top))


def _mark(step: Watermark, image: Image | None) -> Image:
    if step.text is None:
        assert image is not None
        return with_alpha(image)
    text = _text(step, step.text)
    return text if image is None else _beside(step, with_alpha(image), text)


def _text(step: Watermark, text: str) -> Image:
    """Draw a text with its shadow behind it, and turn it."""
    try:
        opacity = pyvips.Image.text(
            escape(text), font=f"{_FONT} {step.text_size_px}", fontfile=_FONT_FILE, dpi=_DOTS_PER_INCH
        )
    except pyvips.Error:
        raise RecipeRefused("watermark", "text", "it has nothing that can be drawn.") from None
    drawn = _coloured(opacity, step.text_colour)
    if step.shadow_percent:
        wide, high = drawn.width + _SHADOW_SHIFT_PX, drawn.height + _SHADOW_SHIFT_PX
        shadow = _faded(_coloured(opacity, BLACK), step.shadow_percent)
        shadow = shadow.embed(_SHADOW_SHIFT_PX, _SHADOW_SHIFT_PX, wide, high)
        drawn = shadow.cast("float").composite2(drawn.cast("float"), "over").rint().cast("uchar")
    return turned(drawn, step.text_angle_degrees, CLEAR) if step.text_angle_degrees else drawn


def _coloured(opacity: Image, colour: Colour) -> Image:
    flat = opacity.new_from_image(list(colour)).cast("uchar")
    return flat.copy(interpretation="srgb").bandjoin(opacity)


def _beside(step: Watermark, image: Image, text: Image) -> Image:
    """Put picture and text in one row."""
    first, second = (image, text) if step.order is WatermarkOrder.IMAGE_FIRST else (text, image)
    align = {WatermarkAlign.TOP: "low", WatermarkAlign.MIDDLE: "centre", WatermarkAlign.BOTTOM: "high"}
    joined = first.join(
        second, "horizontal", expand=True, shim=step.interval_px, align=align[step.align], background=[0] * 4
    )
    return joined.copy(interpretation="srgb")


def _faded(image: Image, opacity_percent: int) -> Image:
    if opacity_percent == 100:
        return image
    # Fractions are cut off.
    return image.linear([1, 1, 1, opacity_percent / 100], 0.5, uchar=True)


def _tiled(mark: Image, step: Watermark, width_px: int, height_px: int) -> Image:
    """Repeat a watermark until it covers the picture."""
    tile = mark.embed(0, 0, mark.width + step.tile_gap_x_px, mark.height + step.tile_gap_y_px).copy_memory()
    across, down = -(-width_px // tile.width), -(-height_px // tile.height)
    return tile.replicate(across, down).crop(0, 0, width_px, height_px)


def _place(step: Watermark, width_px: int, height_px: int, mark: Image) -> tuple[int, int]:
    """Tell where the watermark's corner comes to lie."""
    left = _along(column_of(step.gravity), width_px, mark.width, step.x_px)
    top = _along(row_of(step.gravity), height_px, mark.height, step.y_px)
    in_middle_row = row_of(step.gravity) == 1
    return left, (height_px - mark.height) // 2 + step.middle_offset_px if in_middle_row else top


def _along(third: int, length_px: int, mark_px: int, distance_px: int) -> int:
    return (distance_px, (length_px - mark_px) // 2, length_px - mark_px - distance_px)[third]


def _laid_on(frame: Image, mark: Image, left: int, top: int) -> Image:
    # As fractions, for libvips would cut them off.
    laid = frame.cast("float").composite2(mark.cast("float"), "over", x=left, y=top).rint().cast("uchar")
    return laid if frame.hasalpha() else laid.extract_band(0, n=frame.bands)
