"""The steps that make a picture, a moving preview or facts out of a video. Data only; nothing is decoded."""

from dataclasses import dataclass
from enum import StrEnum

from meiku.media.steps import Step


class SnapshotFormat(StrEnum):
    """What one frame can be written as."""

    JPG = "jpg"
    PNG = "png"


class AnimationFormat(StrEnum):
    """What several frames can be written as."""

    WEBP = "webp"
    GIF = "gif"


class FrameTurn(StrEnum):
    """How a frame is turned before it is shown."""

    METADATA = "auto"  # as the video's own metadata says
    LANDSCAPE = "w"
    PORTRAIT = "h"


@dataclass(frozen=True, slots=True)
class Snapshot(Step):
    """One frame as a picture.

    `time_ms` counts from the start. A side of 0 px follows from the other; both 0 is the video's own size.
    `key_frame` takes the nearest earlier key frame, which is quicker than the exact frame.
    `turn` None leaves the frame as it is stored.
    """

    time_ms: int
    width_px: int = 0
    height_px: int = 0
    key_frame: bool = False
    format: SnapshotFormat = SnapshotFormat.JPG
    turn: FrameTurn | None = None


@dataclass(frozen=True, slots=True)
class VideoInfo(Step):
    """Answer the video's length, size, codecs and streams as JSON."""


@dataclass(frozen=True, slots=True)
class VideoAnimate(Step):
    """Several frames as an animated picture that repeats for ever.

    `start_ms` counts from the video's start; `interval_ms` lies between two frames in the video, and None
    spreads the frames evenly over what is left of it. Fewer frames come when the video ends before.
    `frames_per_second` is how fast they are shown. A side of 0 px follows from the other; both 0 is the
    video's own size.
    """

    start_ms: int = 0
    frame_count: int = 10
    interval_ms: int | None = None
    frames_per_second: float = 2.0
    width_px: int = 0
    height_px: int = 0
    format: AnimationFormat = AnimationFormat.WEBP
