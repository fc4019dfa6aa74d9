"""All operations that a recipe can be made of, in one table: name, step, parameters, ranges.

The ranges are those of OSS, whose syntax every other name copies; what ZOS does differently stands in
`dialects`. Defaults are the steps' own. To add an operation: a step, a line here, and its place in the
engine. Source: media-processing.md of the reference. `rotate color`, `video/info` and `video/animation` as
they stand here are ours.
"""

from collections.abc import Mapping
from dataclasses import MISSING, dataclass, fields
from types import MappingProxyType

from meiku.media import picture_steps, video_steps, watermark_steps
from meiku.media.parameters import (
    ColourCode,
    EncodedText,
    FontName,
    Fraction,
    Kind,
    PictureReference,
    WholeNumber,
    Words,
    switch,
    words_of,
)
from meiku.media.picture_steps import PictureFormat, ResizeMode
from meiku.media.sizes import SIDE_LIMIT_PX
from meiku.media.steps import Gravity, SaveAs, Step
from meiku.media.video_steps import AnimationFormat, FrameTurn, SnapshotFormat
from meiku.media.watermark_steps import WatermarkAlign, WatermarkOrder

RESIZE_LIMIT_PX = 16_384
TIME_LIMIT_MS = 100 * 3_600_000
ANIMATION_LIMIT_PX = 2_048
KEY_LIMIT_BYTES = 1_023
# What base64 makes 64 characters of, which is how OSS measures it.
WATERMARK_TEXT_LIMIT_BYTES = 48
# A key and a short recipe for it.
REFERENCE_LIMIT_BYTES = 2_048


class _FromStep:
    """No default but the step's own."""


FROM_STEP = _FromStep()


@dataclass(frozen=True, slots=True)
class Parameter:
    """One parameter: its name in the text ('' is a value without a name), the step's field, and its kind.

    `default` is a dialect's own where it differs from the step's. `within_watermark`: only known in the
    recipe for a watermark's picture.
    """

    name: str
    field: str
    kind: Kind
    default: object = FROM_STEP
    required: bool = False
    within_watermark: bool = False


@dataclass(frozen=True, slots=True)
class Operation:
    """One operation: the family that its text begins with, its name there, its step and its parameters."""

    family: str
    name: str
    step: type[Step]
    parameters: tuple[Parameter, ...] = ()

    def parameter(self, name: str) -> Parameter | None:
        """Find a parameter by its name in the text."""
        return next((each for each in self.parameters if each.name == name), None)

    def default_of(self, parameter: Parameter) -> object:
        """Answer what a parameter means when it is not given; MISSING when it must be given."""
        if parameter.required:
            return MISSING
        if parameter.default is not FROM_STEP:
            return parameter.default
        return next(field.default for field in fields(self.step) if field.name == parameter.field)


_SIDE = WholeNumber(1, RESIZE_LIMIT_PX)
_SOURCE_SIDE = WholeNumber(1, SIDE_LIMIT_PX)
_SOURCE_OFFSET = WholeNumber(0, SIDE_LIMIT_PX)
_RADIUS = WholeNumber(1, 4_096)
_BLUR = WholeNumber(1, 50)
_DISTANCE = WholeNumber(0, 4_096)
_CHANGE = WholeNumber(-100, 100)
_PERCENT = WholeNumber(1, 100)
_PERCENT_OR_NONE = WholeNumber(0, 100)
_TURN = WholeNumber(0, 360)
_FRAME_SIDE = WholeNumber(0, RESIZE_LIMIT_PX)
_ANIMATION_SIDE = WholeNumber(0, ANIMATION_LIMIT_PX)
_TIME = WholeNumber(0, TIME_LIMIT_MS)
_GRAVITY = words_of(Gravity)
_COLOUR = ColourCode()

_RESIZE = (
    Parameter("w", "width_px", _SIDE),
    Parameter("h", "height_px", _SIDE),
    Parameter("l", "longest_side_px", _SIDE),
    Parameter("s", "shortest_side_px", _SIDE),
    Parameter("p", "percent", WholeNumber(1, 1_000)),
    Parameter("P", "main_percent", _PERCENT, within_watermark=True),
    Parameter("m", "mode", words_of(ResizeMode)),
    Parameter("limit", "enlarge", switch(off="1", on="0")),
    Parameter("color", "pad_colour", _COLOUR),
)
_CROP = (
    Parameter("w", "width_px", _SOURCE_OFFSET),
    Parameter("h", "height_px", _SOURCE_OFFSET),
    Parameter("x", "x_px", _SOURCE_OFFSET),
    Parameter("y", "y_px", _SOURCE_OFFSET),
    Parameter("g", "gravity", _GRAVITY),
)
_INDEX_CROP = (
    Parameter("x", "slice_width_px", _SOURCE_SIDE),
    Parameter("y", "slice_height_px", _SOURCE_SIDE),
    Parameter("i", "index", _SOURCE_OFFSET),
)
_WATERMARK = (
    Parameter("image", "image", PictureReference("a key in the same bucket", REFERENCE_LIMIT_BYTES)),
    Parameter("text", "text", EncodedText("the text", WATERMARK_TEXT_LIMIT_BYTES)),
    Parameter("t", "opacity_percent", _PERCENT_OR_NONE),
    Parameter("g", "gravity", _GRAVITY),
    Parameter("x", "x_px", _DISTANCE),
    Parameter("y", "y_px", _DISTANCE),
    Parameter("voffset", "middle_offset_px", WholeNumber(-1_000, 1_000)),
    Parameter("fill", "tiled", switch()),
    Parameter("padx", "tile_gap_x_px", _DISTANCE),
    Parameter("pady", "tile_gap_y_px", _DISTANCE),
    Parameter("type", "font", FontName()),
    Parameter("color", "text_colour", _COLOUR),
    Parameter("size", "text_size_px", WholeNumber(1, 1_000)),
    Parameter("shadow", "shadow_percent", _PERCENT_OR_NONE),
    Parameter("rotate", "text_angle_degrees", _TURN),
    Parameter("order", "order", words_of(WatermarkOrder)),
    Parameter("align", "align", words_of(WatermarkAlign)),
    Parameter("interval", "interval_px", WholeNumber(0, 1_000)),
)
_SNAPSHOT = (
    Parameter("t", "time_ms", _TIME),
    Parameter("w", "width_px", _FRAME_SIDE),
    Parameter("h", "height_px", _FRAME_SIDE),
    Parameter("m", "key_frame", Words({"fast": True})),
    Parameter("f", "format", words_of(SnapshotFormat, jpeg=SnapshotFormat.JPG)),
    Parameter("ar", "turn", words_of(FrameTurn)),
)
_ANIMATION = (
    Parameter("ss", "start_ms", _TIME),
    Parameter("num", "frame_count", WholeNumber(2, 100)),
    Parameter("inter", "interval_ms", WholeNumber(1, TIME_LIMIT_MS)),
    Parameter("fps", "frames_per_second", Fraction(0.1, 30)),
    Parameter("w", "width_px", _ANIMATION_SIDE),
    Parameter("h", "height_px", _ANIMATION_SIDE),
    Parameter("f", "format", words_of(AnimationFormat)),
)
_SAVE_AS = (
    Parameter("o", "key", EncodedText("an object's key", KEY_LIMIT_BYTES)),
    Parameter("b", "bucket", EncodedText("a bucket's name", 63, minimum_bytes=3)),
)

OPERATIONS: tuple[Operation, ...] = (
    Operation("image", "resize", picture_steps.Resize, _RESIZE),
    Operation("image", "crop", picture_steps.Crop, _CROP),
    Operation(
        "image",
        "rotate",
        picture_steps.Rotate,
        (Parameter("", "angle_degrees", _TURN), Parameter("color", "corners", _COLOUR)),
    ),
    Operation("image", "indexcrop", picture_steps.IndexCrop, _INDEX_CROP),
    Operation("image", "circle", picture_steps.Circle, (Parameter("r", "radius_px", _RADIUS),)),
    Operation(
        "image", "rounded-corners", picture_steps.RoundedCorners, (Parameter("r", "radius_px", _RADIUS),)
    ),
    Operation(
        "image",
        "format",
        picture_steps.Format,
        (Parameter("", "format", words_of(PictureFormat, jpeg=PictureFormat.JPG)),),
    ),
    Operation(
        "image",
        "quality",
        picture_steps.Quality,
        (Parameter("q", "relative_percent", _PERCENT), Parameter("Q", "absolute_percent", _PERCENT)),
    ),
    Operation("image", "interlace", picture_steps.Interlace, (Parameter("", "progressive", switch()),)),
    Operation("image", "strip", picture_steps.Strip),
    Operation("image", "auto-orient", picture_steps.AutoOrient, (Parameter("", "upright", switch()),)),
    Operation("image", "bright", picture_steps.Bright, (Parameter("", "change_percent", _CHANGE),)),
    Operation("image", "contrast", picture_steps.Contrast, (Parameter("", "change_percent", _CHANGE),)),
    Operation(
        "image",
        "sharpen",
        picture_steps.Sharpen,
        (Parameter("", "strength_percent", WholeNumber(50, 399)),),
    ),
    Operation(
        "image",
        "blur",
        picture_steps.Blur,
        (Parameter("r", "radius_px", _BLUR), Parameter("s", "sigma_px", _BLUR)),
    ),
    Operation("image", "watermark", watermark_steps.Watermark, _WATERMARK),
    Operation("image", "info", picture_steps.Info),
    Operation("image", "average-hue", picture_steps.AverageHue),
    Operation("video", "snapshot", video_steps.Snapshot, _SNAPSHOT),
    Operation("video", "info", video_steps.VideoInfo),
    Operation("video", "animation", video_steps.VideoAnimate, _ANIMATION),
    Operation("sys", "saveas", SaveAs, _SAVE_AS),
)
# What may be done to a watermark's own picture before it is laid on: no watermark in a watermark, nothing
# that is about the written file, and nothing that answers JSON.
PREPARING = frozenset(
    {"resize", "crop", "rotate", "indexcrop", "circle", "rounded-corners", "auto-orient"}
    | {"bright", "contrast", "sharpen", "blur"}
)
BY_STEP: Mapping[type[Step], Operation] = MappingProxyType({each.step: each for each in OPERATIONS})
