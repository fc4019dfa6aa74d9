"""Which formats are read, and who reads them: decided by a file's first bytes, and never by a name."""

from collections.abc import Mapping
from dataclasses import dataclass

from meiku.media.boxes import brands_of, holds
from meiku.media.picture_steps import PictureFormat
from meiku.media.refusal import RecipeRefused


@dataclass(frozen=True, slots=True)
class Kind:
    """A format that is read: its name, and libvips' operation that reads it and nothing else.

    Without such a `loader`, another library reads it. `in_track`: its pictures are kept as a film's.
    """

    format: PictureFormat
    loader: str | None
    animated: bool = False
    in_track: bool = False


JPG = Kind(PictureFormat.JPG, "jpegload_buffer")
PNG = Kind(PictureFormat.PNG, "pngload_buffer")
GIF = Kind(PictureFormat.GIF, "gifload_buffer", animated=True)
WEBP = Kind(PictureFormat.WEBP, "webpload_buffer", animated=True)
TIFF = Kind(PictureFormat.TIFF, "tiffload_buffer")
AVIF = Kind(PictureFormat.AVIF, "heifload_buffer")
HEIC = Kind(PictureFormat.HEIC, None)
BMP = Kind(PictureFormat.BMP, None)
_IN_TRACKS = {
    AVIF: Kind(PictureFormat.AVIF, None, in_track=True),
    HEIC: Kind(PictureFormat.HEIC, None, in_track=True),
}

_BEGINNINGS: Mapping[bytes, Kind] = {
    b"\xff\xd8\xff": JPG,
    b"\x89PNG\r\n\x1a\n": PNG,
    b"GIF87a": GIF,
    b"GIF89a": GIF,
    b"II*\0": TIFF,
    b"MM\0*": TIFF,
    b"II+\0": TIFF,  # with places of 64 bits
    b"MM\0+": TIFF,
    b"BM": BMP,
}
# Of the container that both live in (ISO/IEC 14496-12): the first brand that tells them apart, tells.
_BRANDS: Mapping[bytes, Kind] = {
    **dict.fromkeys([b"avif", b"avis", b"avio", b"MA1A", b"MA1B"], AVIF),
    **dict.fromkeys([b"heic", b"heix", b"heim", b"heis", b"hevc", b"hevx", b"hevm", b"hevs"], HEIC),
}
# Some files say only that they are such a container: then it is told by how their decoder is set up.
_CONTAINER_BRANDS = frozenset({b"mif1", b"mif2", b"miaf", b"msf1"})
_SETTINGS: Mapping[bytes, Kind] = {b"av1C": AVIF, b"hvcC": HEIC}


def kind_of(data: bytes) -> Kind:
    """Tell a picture's format by its first bytes; RecipeRefused when it is none that is read."""
    for beginning, kind in _BEGINNINGS.items():
        if data.startswith(beginning):
            return kind
    if data[:4] == b"RIFF" and data[8:12] == b"WEBP":
        return WEBP
    known = _kind_in_boxes(data)
    if known is not None:
        return known
    raise RecipeRefused(
        "",
        "",
        "This image format is not supported; it is no JPEG, PNG, WebP, GIF, TIFF, BMP, HEIC or AVIF.",
    )


def _kind_in_boxes(data: bytes) -> Kind | None:
    """Tell HEIC from AVIF, and whether there is a picture beside those of a track."""
    brands = brands_of(data)
    kind = next((_BRANDS[brand] for brand in brands if brand in _BRANDS), None)
    if kind is None and not _CONTAINER_BRANDS.isdisjoint(brands):
        places = {data.find(setting): kind for setting, kind in _SETTINGS.items() if setting in data}
        kind = places[min(places)] if places else None
    if kind is not None and holds(data, b"moov") and not holds(data, b"meta"):
        return _IN_TRACKS[kind]
    return kind
