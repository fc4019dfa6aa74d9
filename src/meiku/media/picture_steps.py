"""The steps that work on one picture, except watermarks. Data and its meaning; no text and no pixels.

Every field carries its unit. Ranges belong to the declarations in `operations`.
"""

from dataclasses import dataclass, replace
from enum import StrEnum
from typing import Self

from meiku.media.refusal import Unfit
from meiku.media.steps import WHITE, Colour, Gravity, Step


class ResizeMode(StrEnum):
    """How a picture of one shape goes into a box of another."""

    INSIDE = "lfit"  # as large as fits into the box
    AROUND = "mfit"  # as small as covers the box
    FILL = "fill"  # covers the box; what stands over is cut off evenly
    PAD = "pad"  # fits into the box; the rest of the box is filled with a colour
    STRETCH = "fixed"  # exactly the box; the shape is not kept


class PictureFormat(StrEnum):
    """What a picture can be written as."""

    JPG = "jpg"
    PNG = "png"
    WEBP = "webp"
    BMP = "bmp"
    GIF = "gif"
    TIFF = "tiff"
    HEIC = "heic"
    AVIF = "avif"


@dataclass(frozen=True, slots=True)
class Resize(Step):
    """Change the size: to a box of width and height, by longest and shortest side, or by percent.

    `main_percent` stands only in a watermark's own steps: the width, in percent of the main picture's.
    `enlarge`: may become larger than the source; otherwise such a step changes nothing.
    `pad_colour` fills what the mode PAD leaves free. In the modes FILL, PAD and STRETCH a width alone, or a
    height alone, means a square.
    """

    width_px: int | None = None
    height_px: int | None = None
    longest_side_px: int | None = None
    shortest_side_px: int | None = None
    percent: int | None = None
    main_percent: int | None = None
    mode: ResizeMode = ResizeMode.INSIDE
    enlarge: bool = False
    pad_colour: Colour = WHITE

    def settled(self) -> Self:
        """Let width and height win over sides, sides over percent; drop what then has no effect."""
        box = self.width_px is not None or self.height_px is not None
        sides = self.longest_side_px is not None or self.shortest_side_px is not None
        percent = self.percent is not None or self.main_percent is not None
        if not (box or sides or percent):
            raise Unfit("it needs a size: w, h, l, s or p, as in resize,w_200.")
        if self.percent is not None and self.main_percent is not None:
            raise Unfit("p and P cannot stand together; take one.", "P")
        step = replace(self, longest_side_px=None, shortest_side_px=None) if box else self
        if not (box or sides):
            return replace(step, mode=ResizeMode.INSIDE, pad_colour=WHITE)
        pad_colour = self.pad_colour if self.mode is ResizeMode.PAD else WHITE
        return replace(step, percent=None, main_percent=None, pad_colour=pad_colour)


@dataclass(frozen=True, slots=True)
class Crop(Step):
    """Cut out a rectangle, which lies where gravity says and is then moved by x and y.

    Without width or height, or with 0, it is as wide or high as the picture. What stands over the edge is not
    part of the result.
    """

    width_px: int | None = None
    height_px: int | None = None
    x_px: int = 0
    y_px: int = 0
    gravity: Gravity = Gravity.NORTH_WEST

    def settled(self) -> Self:
        """No pixels wide or high means nothing."""
        return replace(self, width_px=self.width_px or None, height_px=self.height_px or None)


@dataclass(frozen=True, slots=True)
class Rotate(Step):
    """Turn clockwise; other angles than multiples of 90 enlarge the canvas.

    `corners` is the colour of what the picture does not cover; None is transparent, and white where the
    output format knows no transparency.
    """

    angle_degrees: int = 0
    corners: Colour | None = None

    def settled(self) -> Self:
        """A whole turn is none, and right angles leave no corners."""
        angle = self.angle_degrees % 360
        return replace(self, angle_degrees=angle, corners=self.corners if angle % 90 else None)


@dataclass(frozen=True, slots=True)
class IndexCrop(Step):
    """Slice along one side and keep the slice of this index, from 0; beyond the last, nothing changes."""

    slice_width_px: int | None = None
    slice_height_px: int | None = None
    index: int = 0

    def settled(self) -> Self:
        """Slice in one direction only; y wins."""
        if self.slice_width_px is None and self.slice_height_px is None:
            raise Unfit("it needs the length of a slice: x or y, as in indexcrop,x_100,i_0.")
        return replace(self, slice_width_px=None) if self.slice_height_px is not None else self


@dataclass(frozen=True, slots=True)
class Circle(Step):
    """Keep the circle around the centre; at most half the shorter side. The canvas becomes its box."""

    radius_px: int


@dataclass(frozen=True, slots=True)
class RoundedCorners(Step):
    """Round the four corners; at most by half the shorter side."""

    radius_px: int


@dataclass(frozen=True, slots=True)
class Format(Step):
    """Write the result in this format."""

    format: PictureFormat


@dataclass(frozen=True, slots=True)
class Quality(Step):
    """The quality of JPG and WebP output in percent: relative to the source's, or absolute. One is set.

    No quality is higher than that of a JPG or WebP source: what is lost does not come back.
    """

    relative_percent: int | None = None
    absolute_percent: int | None = None

    def settled(self) -> Self:
        """One of the two is meant; the absolute one wins."""
        if self.relative_percent is None and self.absolute_percent is None:
            raise Unfit("it needs either q (relative) or Q (absolute), as in quality,q_80.")
        return self if self.absolute_percent is None else replace(self, relative_percent=None)


@dataclass(frozen=True, slots=True)
class Interlace(Step):
    """Write JPG progressively (shown coarse first) or not."""

    progressive: bool


@dataclass(frozen=True, slots=True)
class Strip(Step):
    """Leave EXIF and other metadata out of the result."""


@dataclass(frozen=True, slots=True)
class AutoOrient(Step):
    """Turn the picture upright as its EXIF Orientation says, or leave it as it is stored."""

    upright: bool = False


@dataclass(frozen=True, slots=True)
class Bright(Step):
    """Make it brighter or darker; percent from -100 to 100, 0 changes nothing."""

    change_percent: int


@dataclass(frozen=True, slots=True)
class Contrast(Step):
    """Raise or lower contrast; percent from -100 to 100, 0 changes nothing."""

    change_percent: int


@dataclass(frozen=True, slots=True)
class Sharpen(Step):
    """Sharpen; percent from 50 to 399, 100 is advised."""

    strength_percent: int


@dataclass(frozen=True, slots=True)
class Blur(Step):
    """Blur by Gauss: how far it looks in pixels, and the standard deviation in pixels."""

    radius_px: int
    sigma_px: int


@dataclass(frozen=True, slots=True)
class Info(Step):
    """Answer the picture's size, format and EXIF as JSON."""


@dataclass(frozen=True, slots=True)
class AverageHue(Step):
    """Answer the picture's average colour as JSON."""
