"""A picture while steps are done on it: its pixels, and how it will be written. Opened from untrusted bytes.

What a head claims is held against the limits before a pixel is decoded. No step, no output. Limits: the
reference, media-processing.
"""

import re
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, replace
from types import ModuleType
from typing import Any, Self

import pyvips

from meiku.media import code_points
from meiku.media.boxes import with_known_beginning
from meiku.media.code_points import CodePoints
from meiku.media.cut_files import lacks_pixels
from meiku.media.facts import Image, with_facts_of
from meiku.media.formats import AVIF, BMP, HEIC, JPG, PNG, WEBP, Kind, kind_of
from meiku.media.jpeg_segments import END, lacks_only_its_end
from meiku.media.picture_steps import PictureFormat
from meiku.media.refusal import RecipeRefused
from meiku.media.see_through import scaled
from meiku.media.sizes import PIXELS_LIMIT, SIDE_LIMIT_PX
from meiku.media.srgb import in_srgb

# Of what shall go on moving: each step takes about a millisecond for a frame, however small.
FRAMES_LIMIT = 2_000
# As libvips, libjpeg, libheif and GLib say it. That a file asks for senseless amounts is said in other words.
# The encoders of WebP and AVIF say no more than that they failed; on pixels that are there, it is for this.
_WANT_OF_MEMORY = re.compile(
    r"out of memory|Insufficient memory|Allocating \d+ bytes failed|Memory allocation error \("
    r"|[Ff]ailed to allocate|picture memory error|creating thread"
    r"|webpsave: unable to encode|Encoder plugin generated an error"
)
# How much larger than wanted a decoder leaves a picture that it makes smaller, for it does so coarsely.
_LEFT_TO_SCALE = 2
# How a decoder is told to make a picture so many times smaller: a JPEG's does so by eighths and so on.
_DECODED_SMALL: Mapping[Kind, Callable[[float], dict[str, float]]] = {
    JPG: lambda times: {"shrink": max(each for each in (1, 2, 4, 8) if each <= times)},
    WEBP: lambda times: {"scale": 1 / times},
}


@dataclass(frozen=True, slots=True)
class Head:
    """What a picture says of itself before it is decoded, within the limits; `image` has no pixels to ask."""

    kind: Kind
    image: Image
    frames: int


@dataclass(frozen=True, slots=True)
class Output:
    """How the picture will be written; None is what suits the format best."""

    format: PictureFormat
    quality_percent: int | None = None
    progressive: bool = False
    stripped: bool = False
    keeps_places: bool = False


@dataclass(frozen=True, slots=True)
class Picture:
    """Frames of one size below each other, as libvips keeps an animation; mostly just one."""

    image: Image
    output: Output
    source_bytes: bytes
    frames: int = 1
    keeps_profile: bool = True

    @property
    def width_px(self) -> int:
        """The width of every frame."""
        return int(self.image.width)

    @property
    def height_px(self) -> int:
        """The height of one frame."""
        return int(self.image.height) // self.frames

    def each_frame(self, change: Callable[[Image], Image]) -> Self:
        """Do the same to every frame."""
        if self.frames == 1:
            return replace(self, image=change(self.image))
        height_px, width_px = self.height_px, self.width_px
        tops = [number * height_px for number in range(self.frames)]
        changed = (change(self.image.crop(0, top, width_px, height_px)) for top in tops)
        return replace(self, image=_below_each_other(changed))

    def first_frame(self) -> Self:
        """Stand still."""
        if self.frames == 1:
            return self
        return replace(self, image=self.image.crop(0, 0, self.width_px, self.height_px), frames=1)

    def written_as(self, **changes: Any) -> Self:
        """Change how it will be written."""
        return replace(self, output=replace(self.output, **changes))


def head_of(data: bytes, *, sequential: bool = False) -> Head:
    """Read a picture's head, and refuse what is too large by it; nothing is decoded."""
    kind = kind_of(data)
    with _decoding(kind):
        image = _load(kind, data, sequential) if kind.loader else _library_for(kind).head(data)
    frames = int(image.get("n-pages")) if kind.animated and image.get_typeof("n-pages") else 1
    check_size(image.width, image.height, frames)
    return Head(kind, image, frames)


def open_picture(
    data: bytes,
    wanted: PictureFormat | None = None,
    *,
    sequential: bool = False,
    keeps_profile: bool = True,
) -> Picture:
    """Open a picture lazily, moving only where the wanted format can move; its limits are checked.

    `keeps_profile`: its codes may be those of its own profile, otherwise they are brought to sRGB's.
    """
    head = head_of(data, sequential=sequential)
    kind, frames, image = head.kind, head.frames, head.image
    moving = _goes_on_moving(head, wanted or kind.format)
    if lacks_pixels(kind, data, image, is_moving=moving):
        raise _damaged(kind.format)
    if moving or not kind.loader:
        del head, image  # some have room for their pixels already
        with _decoding(kind):
            image = _load(kind, data, n=-1) if moving else _library_for(kind).decoded(data)
    image = in_srgb(image, _code_points(kind, data), keeps_profile=keeps_profile)
    output = Output(wanted or kind.format)
    return Picture(image, output, data, frames if moving else 1, keeps_profile)


def _goes_on_moving(head: Head, wanted: PictureFormat) -> bool:
    """Tell whether all frames are wanted; RecipeRefused where they are too many for that."""
    if head.frames == 1 or wanted not in (PictureFormat.GIF, PictureFormat.WEBP):
        return False
    if head.frames > FRAMES_LIMIT:
        raise RecipeRefused(
            "", "", f"The image has too many frames to move: {head.frames:,}; it may have {FRAMES_LIMIT:,}."
        )
    return True


def _code_points(kind: Kind, data: bytes) -> CodePoints | None:
    """Tell which colours a file says that it has, where its format has numbers for them."""
    if kind in (AVIF, HEIC):
        return code_points.in_boxes(data)
    return code_points.in_png(data) if kind is PNG else None


def check_size(width_px: int, height_px: int, frames: int = 1) -> None:
    """Refuse a picture that is too large, before it is decoded."""
    if max(width_px, height_px) > SIDE_LIMIT_PX or width_px * height_px * frames > PIXELS_LIMIT:
        raise RecipeRefused(
            "",
            "",
            f"The image is too large: {width_px} x {height_px} pixels in {frames} frame(s); each side "
            f"may have {SIDE_LIMIT_PX:,}, and all frames together {PIXELS_LIMIT:,}.",
        )


def decoded_to(picture: Picture, width_px: int, height_px: int) -> Image:
    """Decode a still picture to a size, by a format's own means where it has some (a JPEG's eighths)."""
    kind = kind_of(picture.source_bytes)
    if not kind.loader:
        return scaled(picture.image, width_px, height_px)
    times = min(picture.width_px / width_px, picture.height_px / height_px) / _LEFT_TO_SCALE
    small = _DECODED_SMALL[kind](times) if kind in _DECODED_SMALL and times > 1 else {}
    image = _load(kind, picture.source_bytes, sequential=True, **small)
    image = in_srgb(image, _code_points(kind, picture.source_bytes), keeps_profile=picture.keeps_profile)
    return scaled(image, width_px, height_px)


def _below_each_other(frames: Iterator[Image]) -> Image:
    """Join frames of one size; each is made before the next, for all in work at once are much memory."""
    first = next(frames)
    pixels = [first.write_to_memory(), *(frame.write_to_memory() for frame in frames)]
    shape = (first.width, first.height * len(pixels), first.bands, first.format)
    joined = pyvips.Image.new_from_memory(b"".join(pixels), *shape).copy(interpretation=first.interpretation)
    joined = with_facts_of(joined, first)
    joined.set_type(pyvips.GValue.gint_type, "page-height", first.height)
    return joined


def with_alpha(image: Image) -> Image:
    """Give an image a channel of opacity if it has none."""
    return image if image.hasalpha() else image.addalpha()


def _load(kind: Kind, data: bytes, sequential: bool = False, **options: float) -> Image:
    access, fail_on = "sequential" if sequential else "random", "error"
    if kind is JPG and lacks_only_its_end(data):
        data, fail_on = data + END, "warning"  # which the decoder gives where pixels are missing
    if kind is AVIF:
        data = with_known_beginning(data)
    return getattr(pyvips.Image, str(kind.loader))(data, fail_on=fail_on, access=access, **options)


def _library_for(kind: Kind) -> ModuleType:
    """Give what reads a format that libvips does not; loaded for those who have such pictures."""
    if kind.in_track:
        from meiku.media import track

        return track
    if kind is BMP:
        from meiku.media import bitmap

        return bitmap
    from meiku.media import heic

    return heic


@contextmanager
def _decoding(kind: Kind) -> Iterator[None]:
    """Take whatever a decoder stumbles over for the picture's fault, except want of memory."""
    try:
        yield
    except MemoryError:
        raise
    except Exception as error:  # other libraries than libvips raise many kinds
        raise failure(error, kind.format) from None


def failure(error: Exception, picture_format: PictureFormat) -> RecipeRefused:
    """Say that a picture is damaged; not in a library's words, which may speak of its memory."""
    raise_want_of_memory(error)
    return _damaged(picture_format)


def _damaged(picture_format: PictureFormat) -> RecipeRefused:
    return RecipeRefused(
        "",
        "",
        f"The image is damaged: it begins as {picture_format.upper()} and cannot be decoded to its end.",
    )


def raise_want_of_memory(error: Exception) -> None:
    """Raise MemoryError where that is what an error says.

    libvips does not give back all of what it had then: who goes on in the same process has less.
    """
    if _WANT_OF_MEMORY.search(str(error)):
        raise MemoryError from error
