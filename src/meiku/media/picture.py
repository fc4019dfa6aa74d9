"""A picture while steps are done on it: its pixels, and how it will be written. Opened from untrusted bytes.

Which formats are read is decided here, by their first bytes and never by a name; what a header claims is held
against the limits before a pixel is decoded. No step, no output. Limits: the reference, media-processing.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from typing import Any, Self

import pyvips

from meiku.media.picture_steps import PictureFormat
from meiku.media.refusal import RecipeRefused

# libvips has no types; what is known of an image here is that libvips made it.
Image = Any

SIDE_LIMIT_PX = 30_000
PIXELS_LIMIT = 250_000_000
SRGB_BANDS = 3


@dataclass(frozen=True, slots=True)
class Kind:
    """A format that is read: its name, and libvips' operation that reads it and nothing else."""

    format: PictureFormat
    loader: str
    animated: bool = False


_JPG = Kind(PictureFormat.JPG, "jpegload_buffer")
_PNG = Kind(PictureFormat.PNG, "pngload_buffer")
_GIF = Kind(PictureFormat.GIF, "gifload_buffer", animated=True)
_WEBP = Kind(PictureFormat.WEBP, "webpload_buffer", animated=True)
_TIFF = Kind(PictureFormat.TIFF, "tiffload_buffer")
_AVIF = Kind(PictureFormat.AVIF, "heifload_buffer")

_BEGINNINGS: Mapping[bytes, Kind] = {
    b"\xff\xd8\xff": _JPG,
    b"\x89PNG\r\n\x1a\n": _PNG,
    b"GIF87a": _GIF,
    b"GIF89a": _GIF,
    b"II*\0": _TIFF,
    b"MM\0*": _TIFF,
}


@dataclass(frozen=True, slots=True)
class Output:
    """How the picture will be written; None is what suits the format best."""

    format: PictureFormat
    quality_percent: int | None = None
    progressive: bool = False
    stripped: bool = False


@dataclass(frozen=True, slots=True)
class Picture:
    """Frames of one size below each other, as libvips keeps an animation; mostly just one."""

    image: Image
    output: Output
    source_bytes: bytes
    frames: int = 1

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
        changed = [change(self.image.crop(0, top, width_px, height_px)) for top in tops]
        joined = pyvips.Image.arrayjoin(changed, across=1).copy()
        joined.set_type(pyvips.GValue.gint_type, "page-height", changed[0].height)
        return replace(self, image=joined)

    def first_frame(self) -> Self:
        """Stand still."""
        if self.frames == 1:
            return self
        return replace(self, image=self.image.crop(0, 0, self.width_px, self.height_px), frames=1)

    def written_as(self, **changes: Any) -> Self:
        """Change how it will be written."""
        return replace(self, output=replace(self.output, **changes))


def kind_of(data: bytes) -> Kind:
    """Tell a picture's format by its first bytes; RecipeRefused when it is none that is read."""
    for beginning, kind in _BEGINNINGS.items():
        if data.startswith(beginning):
            return kind
    if data[:4] == b"RIFF" and data[8:12] == b"WEBP":
        return _WEBP
    if data[4:12] in (b"ftypavif", b"ftypavis"):
        return _AVIF
    raise RecipeRefused(
        "", "", "This image format is not supported; it is no JPEG, PNG, WebP, GIF, TIFF or AVIF."
    )


def open_picture(data: bytes, wanted: PictureFormat | None = None, *, sequential: bool = False) -> Picture:
    """Open a picture lazily, moving only where the wanted format can move; its limits are checked."""
    kind = kind_of(data)
    still = _load(kind, data)
    frames = int(still.get("n-pages")) if kind.animated and still.get_typeof("n-pages") else 1
    check_size(still.width, still.height, frames)
    moving = frames > 1 and (wanted or kind.format) in (PictureFormat.GIF, PictureFormat.WEBP)
    options = {"n": -1} if moving else {}
    access = "sequential" if sequential and not moving else "random"
    image = _load(kind, data, access=access, **options)
    return Picture(_in_srgb(image), Output(wanted or kind.format), data, frames if moving else 1)


def check_size(width_px: int, height_px: int, frames: int = 1) -> None:
    """Refuse a picture that is too large, before it is decoded."""
    if max(width_px, height_px) > SIDE_LIMIT_PX or width_px * height_px * frames > PIXELS_LIMIT:
        raise RecipeRefused(
            "",
            "",
            f"The image is too large: {width_px} x {height_px} pixels in {frames} frame(s); each side "
            f"may have {SIDE_LIMIT_PX:,}, and all frames together {PIXELS_LIMIT:,}.",
        )


def decoded_to(data: bytes, width_px: int, height_px: int) -> Image:
    """Decode a still picture to a size, by a format's own means where it has some (a JPEG's eighths)."""
    kind_of(data)  # libvips chooses a loader by itself here: only the bytes of known formats reach it
    # Given as a loader's option: `fail_on` of the operation itself lets truncated files pass.
    image = pyvips.Image.thumbnail_buffer(
        data, width_px, height=height_px, size="force", no_rotate=True, option_string="[fail_on=error]"
    )
    return _in_srgb(image)


def with_alpha(image: Image) -> Image:
    """Give an image a channel of opacity if it has none."""
    return image if image.hasalpha() else image.addalpha()


def _load(kind: Kind, data: bytes, **options: Any) -> Image:
    try:
        return getattr(pyvips.Image, kind.loader)(data, fail_on="error", **options)
    except pyvips.Error:
        raise broken(kind.format) from None


def broken(picture_format: PictureFormat) -> RecipeRefused:
    """Say that a picture cannot be decoded; what the decoder said may speak of its memory, so it is not."""
    return RecipeRefused(
        "", "", f"The image is damaged: it begins as {picture_format.upper()} and cannot be decoded."
    )


def _in_srgb(image: Image) -> Image:
    """Bring CMYK, grey and 16 bits to three or four bands of 8 bits, which all steps work on."""
    if image.interpretation == "srgb" and image.format == "uchar" and image.bands in (3, 4):
        return image
    if image.interpretation == "cmyk":
        image = image.icc_transform("srgb") if image.get_typeof("icc-profile-data") else image
    return image.colourspace("srgb").cast("uchar")
