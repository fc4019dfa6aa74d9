"""The watermark: a picture, a text, or both beside each other, once or tiled. Only data: no pixels."""

from dataclasses import dataclass, replace
from enum import StrEnum
from typing import Self

from meiku.media.refusal import Unfit
from meiku.media.steps import BLACK, Colour, Gravity, Step

_MIDDLE = (Gravity.WEST, Gravity.CENTER, Gravity.EAST)


class Font(StrEnum):
    """The fonts that the two vendors name; which file stands in for one is the engine's."""

    WQY_ZENHEI = "wqy-zenhei"
    WQY_MICROHEI = "wqy-microhei"
    FANGZHENG_SHUSONG = "fangzhengshusong"
    FANGZHENG_KAITI = "fangzhengkaiti"
    FANGZHENG_HEITI = "fangzhengheiti"
    FANGZHENG_FANGSONG = "fangzhengfangsong"
    DROID_SANS_FALLBACK = "droidsansfallback"
    ARIAL = "Arial"
    HELVETICA = "Helvetica"
    YAHEI = "yahei"
    HEITI = "heiti"
    KAISHU = "kaishu"
    YOUYUAN = "youyuan"


class WatermarkOrder(StrEnum):
    """Which comes first, from left to right, when picture and text stand beside each other."""

    IMAGE_FIRST = "0"
    TEXT_FIRST = "1"


class WatermarkAlign(StrEnum):
    """How picture and text are aligned with each other."""

    TOP = "0"
    MIDDLE = "1"
    BOTTOM = "2"


class WatermarkKind(StrEnum):
    """What a watermark is made of."""

    IMAGE = "image"
    TEXT = "text"
    MIXED = "mixed"


@dataclass(frozen=True, slots=True)
class WatermarkImage:
    """An object of the source's bucket, and what is done to it before it is laid on."""

    key: str
    steps: tuple[Step, ...] = ()


@dataclass(frozen=True, slots=True)
class Watermark(Step):
    """Lay a picture (`image`), a `text` or both onto the picture.

    `x_px`, `y_px` are distances from the edges; `middle_offset_px` shifts down from the middle line, for
    west, center and east. `tiled` repeats it over the whole picture, with `tile_gap_x_px` and `tile_gap_y_px`
    between.
    `shadow_percent` is the opacity of the text's shadow, `text_angle_degrees` turns the text clockwise.
    `order`, `align` and `interval_px` say how picture and text stand beside each other when there are both.
    """

    image: WatermarkImage | None = None
    text: str | None = None
    opacity_percent: int = 100
    gravity: Gravity = Gravity.SOUTH_EAST
    x_px: int = 10
    y_px: int = 10
    middle_offset_px: int = 0
    tiled: bool = False
    tile_gap_x_px: int = 0
    tile_gap_y_px: int = 0
    font: Font = Font.WQY_ZENHEI
    text_colour: Colour = BLACK
    text_size_px: int = 40
    shadow_percent: int = 0
    text_angle_degrees: int = 0
    order: WatermarkOrder = WatermarkOrder.IMAGE_FIRST
    align: WatermarkAlign = WatermarkAlign.BOTTOM
    interval_px: int = 0

    @property
    def kind(self) -> WatermarkKind:
        """Say what it is made of."""
        if self.image is None:
            return WatermarkKind.TEXT
        return WatermarkKind.IMAGE if self.text is None else WatermarkKind.MIXED

    def settled(self) -> Self:
        """Drop what has no effect on this kind of watermark."""
        if self.image is None and self.text is None:
            raise Unfit("it needs a picture or a text: image_<base64 of a key> or text_<base64>.")
        step = replace(self, text_angle_degrees=self.text_angle_degrees % 360)
        step = step if self.text is not None else step._without_text()
        step = step if self.kind is WatermarkKind.MIXED else step._without_neighbour()
        step = step if self.tiled else replace(step, tile_gap_x_px=0, tile_gap_y_px=0)
        return step if self.gravity in _MIDDLE else replace(step, middle_offset_px=0)

    def _without_text(self) -> Self:
        plain = replace(self, font=Font.WQY_ZENHEI, text_colour=BLACK, text_size_px=40)
        return replace(plain, shadow_percent=0, text_angle_degrees=0)

    def _without_neighbour(self) -> Self:
        return replace(self, order=WatermarkOrder.IMAGE_FIRST, align=WatermarkAlign.BOTTOM, interval_px=0)
