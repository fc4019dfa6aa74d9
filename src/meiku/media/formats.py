"""Which formats are read, and who reads them: decided by a file's first bytes, and never by a name."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from meiku.media.picture_steps import PictureFormat
from meiku.media.refusal import RecipeRefused


@dataclass(frozen=True, slots=True)
class Kind:
    """A format that is read: its name, and libvips' operation that reads it and nothing else.

    Without such a `loader`, another library reads it.
    """

    format: PictureFormat
    loader: str | None
    animated: bool = False


JPG = Kind(PictureFormat.JPG, "jpegload_buffer")
PNG = Kind(PictureFormat.PNG, "pngload_buffer")
GIF = Kind(PictureFormat.GIF, "gifload_buffer", animated=True)
WEBP = Kind(PictureFormat.WEBP, "webpload_buffer", animated=True)
TIFF = Kind(PictureFormat.TIFF, "tiffload_buffer")
AVIF = Kind(PictureFormat.AVIF, "heifload_buffer")
HEIC = Kind(PictureFormat.HEIC, None)
BMP = Kind(PictureFormat.BMP, None)

_BEGINNINGS: Mapping[bytes, Kind] = {
    b"\xff\xd8\xff": JPG,
    b"\x89PNG\r\n\x1a\n": PNG,
    b"GIF87a": GIF,
    b"GIF89a": GIF,
    b"II*\0": TIFF,
    b"MM\0*": TIFF,
    b"BM": BMP,
}
# Of the container that both live in (ISO/IEC 14496-12): the first brand that tells them apart, tells.
_BRANDS: Mapping[bytes, Kind] = {
    **dict.fromkeys([b"avif", b"avis"], AVIF),
    **dict.fromkeys([b"heic", b"heix", b"heim", b"heis", b"hevc", b"hevx", b"hevm", b"hevs"], HEIC),
}
_BRANDS_LIMIT_BYTES = 256


def kind_of(data: bytes) -> Kind:
    """Tell a picture's format by its first bytes; RecipeRefused when it is none that is read."""
    for beginning, kind in _BEGINNINGS.items():
        if data.startswith(beginning):
            return kind
    if data[:4] == b"RIFF" and data[8:12] == b"WEBP":
        return WEBP
    known = next((_BRANDS[brand] for brand in _brands(data) if brand in _BRANDS), None)
    if known is not None:
        return known
    raise RecipeRefused(
        "",
        "",
        "This image format is not supported; it is no JPEG, PNG, WebP, GIF, TIFF, BMP, HEIC or AVIF.",
    )


def _brands(data: bytes) -> Iterator[bytes]:
    """Yield what a container says it is: its major brand, then those it is compatible with."""
    if data[4:8] == b"ftyp":
        size_bytes = min(int.from_bytes(data[:4], "big"), _BRANDS_LIMIT_BYTES)
        yield from (data[start : start + 4] for start in (8, *range(16, size_bytes, 4)))
