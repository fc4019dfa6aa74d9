"""Writes a picture in a format: which settings suit it, and what becomes of what it has no room for.

The one place that knows how pictures are written. No step, and no limits but those of the formats.
"""

from collections.abc import Callable, Mapping
from dataclasses import replace

from meiku.media.facts import SMALL_SIDE_PX, Image, lies_on_its_side, publishable, upright
from meiku.media.geometry import OPAQUE
from meiku.media.made import Made
from meiku.media.picture import Output, Picture
from meiku.media.picture_steps import PictureFormat
from meiku.media.refusal import RecipeRefused
from meiku.media.see_through import flattened
from meiku.media.srgb import SRGB_BANDS

_QUALITY_PERCENT = 80
_AVIF_EFFORT = 3  # of 9: half the time of the library's own choice, a few percent larger
_WHITE = [255] * SRGB_BANDS
# In the others codes are taken for those of sRGB.
HOLD_PROFILES = frozenset(PictureFormat) - {PictureFormat.GIF, PictureFormat.BMP}
# HEIC and AVIF have a word for it, but outside of EXIF, and readers that heed both turn a picture twice.
_SAYS_NO_WAY_UP = (PictureFormat.GIF, PictureFormat.BMP, PictureFormat.HEIC, PictureFormat.AVIF)
# The others have room for whatever may come in.
_SIDE_LIMITS_PX = {PictureFormat.WEBP: 16_383, PictureFormat.AVIF: 16_384, PictureFormat.HEIC: 16_384}
CONTENT_TYPES: Mapping[PictureFormat, str] = {
    PictureFormat.JPG: "image/jpeg",
    PictureFormat.PNG: "image/png",
    PictureFormat.WEBP: "image/webp",
    PictureFormat.BMP: "image/bmp",
    PictureFormat.GIF: "image/gif",
    PictureFormat.TIFF: "image/tiff",
    PictureFormat.AVIF: "image/avif",
    PictureFormat.HEIC: "image/heic",
}


def encode(picture: Picture) -> Made:
    """Decode, follow the steps and write, all in one pass; RecipeRefused where the format cannot hold it."""
    output, limit_px = picture.output, _SIDE_LIMITS_PX.get(picture.output.format)
    if limit_px is not None and max(picture.width_px, picture.height_px) > limit_px:
        raise RecipeRefused(
            "format",
            "",
            f"a side of {output.format.upper()} has at most {limit_px:,} pixels: resize it before.",
        )
    if output.format in OPAQUE:
        picture = picture.each_frame(lambda image: flattened(image, _WHITE))
    picture = _told(picture)
    return Made(_WRITERS[output.format](picture.image, picture.output), CONTENT_TYPES[output.format])


def _told(picture: Picture) -> Picture:
    """Leave out what the result shall not carry; the way up, if nothing says it then, the pixels do."""
    output = picture.output
    if lies_on_its_side(picture.image) and (output.stripped or output.format in _SAYS_NO_WAY_UP):
        picture = picture.each_frame(upright)
    is_small = max(picture.width_px, picture.height_px) <= SMALL_SIDE_PX
    image = publishable(picture.image, keeps_places=output.keeps_places, is_small=is_small)
    stripped = output.stripped or (is_small and not lies_on_its_side(image))
    return replace(picture, image=image, output=replace(output, stripped=stripped))


def _keep(output: Output) -> str:
    """Leave metadata out where that is asked; a colour profile is part of how a picture looks."""
    return "icc" if output.stripped else "all"


def _jpg(image: Image, output: Output) -> bytes:
    quality = output.quality_percent or _QUALITY_PERCENT
    return bytes(image.jpegsave_buffer(Q=quality, interlace=output.progressive, keep=_keep(output)))


def _webp(image: Image, output: Output) -> bytes:
    return bytes(image.webpsave_buffer(Q=output.quality_percent or _QUALITY_PERCENT, keep=_keep(output)))


def _png(image: Image, output: Output) -> bytes:
    return bytes(image.pngsave_buffer(keep=_keep(output)))


def _gif(image: Image, output: Output) -> bytes:
    return bytes(image.gifsave_buffer(keep=_keep(output)))


def _tiff(image: Image, output: Output) -> bytes:
    return bytes(image.tiffsave_buffer(compression="deflate", predictor="horizontal", keep=_keep(output)))


def _avif(image: Image, output: Output) -> bytes:
    quality = output.quality_percent or 60
    return bytes(image.heifsave_buffer(Q=quality, compression="av1", effort=_AVIF_EFFORT, keep=_keep(output)))


def _heic(image: Image, output: Output) -> bytes:
    # Loaded for those who want HEIC.
    from meiku.media import heic

    try:
        return heic.encoded(image, output.quality_percent, stripped=output.stripped)
    except RuntimeError:
        raise RecipeRefused(
            "format",
            "",
            f"{image.width} x {image.height} pixels cannot be written as HEIC: resize it before.",
        ) from None


def _bmp(image: Image, _: Output) -> bytes:
    # Loaded for those who want BMP.
    from meiku.media import bitmap

    return bitmap.encoded(image)


_WRITERS: Mapping[PictureFormat, Callable[[Image, Output], bytes]] = {
    PictureFormat.JPG: _jpg,
    PictureFormat.PNG: _png,
    PictureFormat.WEBP: _webp,
    PictureFormat.GIF: _gif,
    PictureFormat.TIFF: _tiff,
    PictureFormat.AVIF: _avif,
    PictureFormat.HEIC: _heic,
    PictureFormat.BMP: _bmp,
}
