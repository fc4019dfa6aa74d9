"""Follows a video's one step: a frame as a picture, several as a moving one, or facts as JSON.

Runs in a worker process, blocking. What the steps ask for is put together here and written; finding frames
and making pictures of them are files of their own. Reads ranges of the source, never all of it.
"""

from collections.abc import Callable, Mapping
from fractions import Fraction
from typing import Any

import pyvips
from av.video.frame import VideoFrame

from meiku.media.facts import Image
from meiku.media.made import Made
from meiku.media.operations import BY_STEP
from meiku.media.picture import raise_want_of_memory
from meiku.media.recipe import Recipe
from meiku.media.refusal import RecipeRefused
from meiku.media.steps import Step
from meiku.media.video_container import milliseconds
from meiku.media.video_facts import video_info
from meiku.media.video_frames import FrameFinder, PastTheEnd
from meiku.media.video_opening import open_video
from meiku.media.video_picture import picture_of
from meiku.media.video_reading import RangedSource
from meiku.media.video_steps import (
    AnimationFormat,
    FrameTurn,
    Snapshot,
    SnapshotFormat,
    VideoAnimate,
    VideoInfo,
)

__all__ = ["RangedSource", "animate", "follow_video", "snapshot", "video_info"]

_SNAPSHOT, _ANIMATION = "snapshot", "animation"
_JPG_QUALITY_PERCENT = 85
_ANIMATION_QUALITY_PERCENT = 75
# Half the time of the library's own choice for WebP and a sixth for GIF; some percent larger.
_ANIMATION_EFFORT = 2
# All frames together: they are in memory side by side, and a GIF's palettes take half a second a megapixel.
_ANIMATION_LIMITS_PX = {AnimationFormat.WEBP: 100_000_000, AnimationFormat.GIF: 25_000_000}


def follow_video(recipe: Recipe, source: RangedSource) -> Made:
    """Make what a recipe asks for of a video; RecipeRefused, which names the step, where that cannot be.

    MemoryError where it takes too much of it.
    """
    step = recipe.steps[0]
    name = BY_STEP[type(step)].name
    try:
        return _MAKERS[type(step)](source, step)
    except RecipeRefused as refused:
        raise refused if refused.step else RecipeRefused(name, "", _within(refused.reason)) from None
    except pyvips.Error as error:
        raise_want_of_memory(error)
        raise RecipeRefused(name, "", "the picture cannot be written.") from None


def snapshot(source: RangedSource, step: Snapshot) -> Made:
    """Make a picture of one frame; RecipeRefused where that cannot be."""
    with open_video(source) as video:
        frame = _frame(FrameFinder(video), step)
        image = picture_of(frame, video.pixel_ratio, step.turn, step.width_px, step.height_px)
        return _written(image, step.format)


def _frame(finder: FrameFinder, step: Snapshot) -> VideoFrame:
    """Find the frame that is seen at a time; past the end the last one stays to be seen."""
    find = finder.key if step.key_frame else finder.exact
    try:
        return find(Fraction(step.time_ms, 1_000))
    except PastTheEnd as past:
        end_s = past.length_s
    try:
        return find(end_s)
    except PastTheEnd as past:  # the file's word on its length was wrong
        raise _past_the_end(_SNAPSHOT, "t", step.time_ms, past) from None


def animate(source: RangedSource, step: VideoAnimate) -> Made:
    """Make a moving picture of several frames, shown as the video is; RecipeRefused where that cannot be."""
    with open_video(source) as video:
        finder = FrameFinder(video)
        pictures: list[Image] = []
        for time_s in _times(finder, step):
            try:
                frame = finder.exact(time_s)
            except PastTheEnd as past:
                if pictures:
                    break
                raise _past_the_end(_ANIMATION, "ss", step.start_ms, past) from None
            pictures.append(_small(frame, video.pixel_ratio, step, pictures))
        return _animated(pictures, step)


def _times(finder: FrameFinder, step: VideoAnimate) -> list[Fraction]:
    """Tell at which times frames are wanted: the last is one interval before the end, not the end."""
    start_s = Fraction(step.start_ms, 1_000)
    if step.interval_ms is not None:
        interval_s = Fraction(step.interval_ms, 1_000)
    else:
        interval_s = max(Fraction(0), finder.length_s() - start_s) / step.frame_count
    return [start_s + number * interval_s for number in range(step.frame_count)]


def _small(frame: VideoFrame, pixel_ratio: Fraction, step: VideoAnimate, earlier: list[Image]) -> Image:
    """Make a frame's picture and keep nothing of the frame; all have the first one's size."""
    width_px, height_px = (
        (earlier[0].width, earlier[0].height) if earlier else (step.width_px, step.height_px)
    )
    image = picture_of(frame, pixel_ratio, FrameTurn.METADATA, width_px, height_px)
    limit_px = _ANIMATION_LIMITS_PX[step.format]
    if image.width * image.height * step.frame_count > limit_px:
        raise RecipeRefused(
            _ANIMATION,
            "",
            f"{step.frame_count} frames of {image.width} x {image.height} pixels are too large for "
            f"{step.format}; all together may have {limit_px:,} pixels. Give w or h, or a smaller num.",
        )
    return image.copy_memory()


def _animated(pictures: list[Image], step: VideoAnimate) -> Made:
    """Put frames below each other, as libvips keeps an animation, and write it."""
    height_px = pictures[0].height
    joined = pyvips.Image.arrayjoin(pictures, across=1).copy()
    joined.set_type(pyvips.GValue.gint_type, "page-height", height_px)
    joined.set_type(pyvips.GValue.gint_type, "loop", 0)
    delay_ms = max(1, round(1_000 / step.frames_per_second))
    joined.set_type(pyvips.GValue.array_int_type, "delay", [delay_ms] * len(pictures))
    return _written(joined, step.format)


def _written(image: Image, picture_format: SnapshotFormat | AnimationFormat) -> Made:
    write, content_type = _WRITERS[picture_format]
    return Made(bytes(write(image)), content_type)


def _past_the_end(step: str, parameter: str, time_ms: int, past: PastTheEnd) -> RecipeRefused:
    length_ms = milliseconds(past.length_s)
    return RecipeRefused(step, parameter, f"{time_ms} is past the end; the video is {length_ms} ms long.")


def _within(reason: str) -> str:
    """Write a sentence as it stands behind a step's name."""
    return reason[:1].lower() + reason[1:]


_WRITERS: Mapping[SnapshotFormat | AnimationFormat, tuple[Callable[[Image], bytes], str]] = {
    SnapshotFormat.JPG: (lambda image: image.jpegsave_buffer(Q=_JPG_QUALITY_PERCENT), "image/jpeg"),
    SnapshotFormat.PNG: (lambda image: image.pngsave_buffer(), "image/png"),
    AnimationFormat.WEBP: (
        lambda image: image.webpsave_buffer(Q=_ANIMATION_QUALITY_PERCENT, effort=_ANIMATION_EFFORT),
        "image/webp",
    ),
    AnimationFormat.GIF: (lambda image: image.gifsave_buffer(effort=_ANIMATION_EFFORT), "image/gif"),
}
_MAKERS: Mapping[type[Step], Callable[[RangedSource, Any], Made]] = {
    Snapshot: snapshot,
    VideoAnimate: animate,
    VideoInfo: video_info,
}
