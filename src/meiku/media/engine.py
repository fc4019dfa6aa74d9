"""Follows a recipe: opens the picture, takes the steps in their order, and writes the result.

Runs in a worker process, blocking. `_STEPS` is the whole list of what can be done to pixels; each step is a
function of its own in the file of its kind. Fetches nothing but by the function it is given.
"""

from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any

import pyvips

from meiku.media import colour, geometry, jpeg_quality, shapes, webp_quality
from meiku.media.encode import HOLD_PROFILES, encode
from meiku.media.facts import Image, upright
from meiku.media.formats import kind_of
from meiku.media.information import average, information
from meiku.media.made import Made
from meiku.media.overlay import watermark
from meiku.media.picture import Picture, failure, head_of, open_picture
from meiku.media.picture_steps import (
    AutoOrient,
    AverageHue,
    Blur,
    Bright,
    Circle,
    Contrast,
    Crop,
    Format,
    IndexCrop,
    Info,
    Interlace,
    PictureFormat,
    Quality,
    Resize,
    ResizeMode,
    Rotate,
    RoundedCorners,
    Sharpen,
    Strip,
)
from meiku.media.recipe import Recipe
from meiku.media.refusal import RecipeRefused
from meiku.media.steps import BLACK, WHITE, Step
from meiku.media.watermark_steps import Watermark, WatermarkImage

Fetch = Callable[[str], bytes]
# These read a picture from top to bottom once, so that it need not be in memory whole.
_IN_ORDER = (Resize, Format, Quality, Interlace, Strip, Bright, Contrast, AverageHue)
# These do not read it from top to bottom; and what is resized while it is decoded comes in no other order.
_WHOLE = (Rotate, AutoOrient)


def _quality(picture: Picture, step: Quality) -> Picture:
    """Set the quality: relative to the source's, or absolute and then not higher than the source's."""
    tell = _QUALITIES.get(kind_of(picture.source_bytes).format)
    of_percent = tell(picture.source_bytes) if tell else 100
    if step.absolute_percent is not None:
        return picture.written_as(quality_percent=min(step.absolute_percent, of_percent))
    return picture.written_as(quality_percent=max(1, of_percent * (step.relative_percent or 100) // 100))


# Which formats' quality can be told, and how.
_QUALITIES: Mapping[PictureFormat, Callable[[bytes], int]] = {
    PictureFormat.JPG: jpeg_quality.quality_of,
    PictureFormat.WEBP: webp_quality.quality_of,
}


_STEPS: Mapping[type[Step], Callable[[Picture, Any], Picture]] = {
    Resize: geometry.resize,
    Crop: geometry.crop,
    Rotate: geometry.rotate,
    IndexCrop: geometry.index_crop,
    AutoOrient: geometry.auto_orient,
    Circle: shapes.circle,
    RoundedCorners: shapes.rounded_corners,
    Bright: colour.bright,
    Contrast: colour.contrast,
    Sharpen: colour.sharpen,
    Blur: colour.blur,
    Format: lambda picture, step: picture.written_as(format=step.format),
    Quality: _quality,
    Interlace: lambda picture, step: picture.written_as(progressive=step.progressive),
    Strip: lambda picture, _: picture.written_as(stripped=True),
}


def follow(recipe: Recipe, source: bytes, fetch: Fetch, *, keeps_places: bool = False) -> Made:
    """Make what a recipe asks for of a picture; RecipeRefused where that cannot be.

    MemoryError where it takes too much of it. `fetch` gives the bytes of another object of the same bucket,
    for watermarks. `keeps_places`: the result may tell where the picture was taken.
    """
    try:
        return _followed(recipe, source, fetch, keeps_places)
    except pyvips.Error as error:
        raise failure(error, kind_of(source).format) from None


def _followed(recipe: Recipe, source: bytes, fetch: Fetch, keeps_places: bool) -> Made:
    if isinstance(recipe.steps[0], Info):
        return information(head_of(source), source)
    picture = _opened(recipe, source).written_as(keeps_places=keeps_places)
    picture = _taken(picture, recipe.steps, fetch)
    return average(picture) if isinstance(recipe.steps[-1], AverageHue) else encode(picture)


def _opened(recipe: Recipe, source: bytes) -> Picture:
    wanted = [step.format for step in recipe.steps if isinstance(step, Format)]
    in_order = all(isinstance(step, _IN_ORDER) for step in recipe.steps)
    output = wanted[-1] if wanted else kind_of(source).format
    return open_picture(
        source,
        output,
        sequential=in_order,
        keeps_profile=output in HOLD_PROFILES and not any(map(_needs_srgb, recipe.steps)),
    )


def _needs_srgb(step: Step) -> bool:
    """Tell whether a step tells a colour, or lays one on; white is white under every profile."""
    if isinstance(step, Resize):
        return step.mode is ResizeMode.PAD and step.pad_colour not in (WHITE, BLACK)
    if isinstance(step, Rotate):
        return step.corners not in (None, WHITE, BLACK)
    return isinstance(step, Watermark | AverageHue)


def _taken(picture: Picture, steps: tuple[Step, ...], fetch: Fetch) -> Picture:
    rest = list(steps)
    if isinstance(first := rest[0], Resize) and picture.frames == 1:
        picture = geometry.resize_while_decoding(picture, first)
        del rest[0]
        if any(isinstance(step, _WHOLE) for step in rest):
            picture = replace(picture, image=picture.image.copy_memory())
    for step in rest:
        if isinstance(step, Watermark):
            picture = watermark(picture, step, _mark_image(picture, step, fetch))
        elif not isinstance(step, AverageHue):
            picture = _STEPS[type(step)](picture, step)
    return picture


def _mark_image(main: Picture, step: Watermark, fetch: Fetch) -> Image | None:
    """Open a watermark's picture and take its own steps."""
    if step.image is None:
        return None
    source = fetch(step.image.key)
    try:
        return _mark_made(main, step.image, source)
    except pyvips.Error as error:
        refused = failure(error, kind_of(source).format)
    except RecipeRefused as error:
        refused = error
    raise RecipeRefused("watermark", "image", f"its own picture cannot be used. {refused.message}")


def _mark_made(main: Picture, image: WatermarkImage, source: bytes) -> Image:
    mark = open_picture(source, PictureFormat.PNG, keeps_profile=False)
    mark = mark.each_frame(upright)  # what says so beside its pixels does not go with them
    for own in image.steps:
        if isinstance(own, Watermark):
            raise RecipeRefused("watermark", "image", "a watermark cannot have a watermark.")
        if isinstance(own, Resize):
            mark = geometry.resize(mark, own, main.width_px)
        else:
            mark = _STEPS[type(own)](mark, own)
    return mark.image.copy_memory()
