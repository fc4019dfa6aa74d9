"""Writes a picture in a format: which settings suit it, and what becomes of opacity where there is none.

The one place that knows how pictures are written. No step, no limits.
"""

from collections.abc import Callable, Mapping

import pyvips

from meiku.media.geometry import OPAQUE
from meiku.media.made import Made
from meiku.media.memory import check_memory
from meiku.media.picture import SRGB_BANDS, Image, Output, Picture
from meiku.media.picture_steps import PictureFormat
from meiku.media.refusal import RecipeRefused

_QUALITY_PERCENT = 80
_AVIF_EFFORT = 3  # of 9: half the time of the library's own choice, a few percent larger
_WHITE = [255] * SRGB_BANDS
CONTENT_TYPES: Mapping[PictureFormat, str] = {
    PictureFormat.JPG: "image/jpeg",
    PictureFormat.PNG: "image/png",
    PictureFormat.WEBP: "image/webp",
    PictureFormat.BMP: "image/bmp",
    PictureFormat.GIF: "image/gif",
    PictureFormat.TIFF: "image/tiff",
    PictureFormat.AVIF: "image/avif",
}


def encode(picture: Picture) -> Made:
    """Decode, follow the steps and write, all in one pass; RecipeRefused where the bytes are damaged.

    MemoryError where it takes more than there is.
    """
    output = picture.output
    writer = _WRITERS.get(output.format)
    if writer is None:
        raise RecipeRefused(
            "format", "", f"{output.format} is not written here: jpg, png, webp, avif and others are."
        )
    image = picture.image
    if output.format in OPAQUE and image.hasalpha():
        image = image.flatten(background=_WHITE)
    try:
        return Made(writer(image, output), CONTENT_TYPES[output.format])
    except pyvips.Error as error:
        check_memory(error)
        raise RecipeRefused("", "", "The image is damaged: it cannot be decoded to its end.") from None


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


def _bmp(image: Image, _: Output) -> bytes:
    """Write 24-bit rows from the bottom up, each filled to four bytes (BITMAPINFOHEADER)."""
    swapped = image.extract_band(2).bandjoin([image.extract_band(1), image.extract_band(0)]).flipver()
    row_bytes = image.width * 3
    filler = bytes(-row_bytes % 4)
    pixels = swapped.write_to_memory()
    rows = b"".join(pixels[top : top + row_bytes] + filler for top in range(0, len(pixels), row_bytes))
    numbers = [(40, 4), (image.width, 4), (image.height, 4), (1, 2), (24, 2), (0, 4), (len(rows), 4)]
    numbers += [(2835, 4), (2835, 4), (0, 4), (0, 4)]  # 72 dots per inch; no palette
    header = b"".join(number.to_bytes(size_bytes, "little") for number, size_bytes in numbers)
    file = b"BM" + (54 + len(rows)).to_bytes(4, "little") + bytes(4) + (54).to_bytes(4, "little")
    return file + header + rows


_WRITERS: Mapping[PictureFormat, Callable[[Image, Output], bytes]] = {
    PictureFormat.JPG: _jpg,
    PictureFormat.PNG: _png,
    PictureFormat.WEBP: _webp,
    PictureFormat.GIF: _gif,
    PictureFormat.TIFF: _tiff,
    PictureFormat.AVIF: _avif,
    PictureFormat.BMP: _bmp,
}
