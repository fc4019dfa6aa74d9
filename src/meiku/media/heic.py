"""HEIC: pictures of HEVC, which the libvips that comes with pyvips neither decodes nor writes.

Read and written by libheif with an HEVC codec, as pillow-heif brings it. Import this only for those who have
HEIC: it is memory that no other picture needs. No limits and no refusals.

Which way is up, a file says outside of its EXIF (ISO/IEC 23008-12, 6.5.10), and libheif turns it as it
decodes: so what comes from here is upright and says nothing else, and what is written here has to be.
"""

import zlib
from io import BytesIO

import pillow_heif
import pyvips

from meiku.media.boxes import with_known_beginning
from meiku.media.code_points import in_boxes
from meiku.media.facts import Image, with_facts_of
from meiku.media.jpeg_segments import segments_of
from meiku.media.light import is_beyond_srgb

_QUALITY_PERCENT = 50  # as far from the source as a JPEG of 80 %, in two thirds of its bytes
# One core for each worker, and a fifth of the time of finer ways, for a quarter more bytes.
_ENCODER = {"preset": "ultrafast", "x265:pools": "none", "x265:frame-threads": "1"}
# Larger pictures are written in tiles, as telephones do: the encoder takes sixteen bytes for each pixel, and
# refuses what is long and very narrow. What can be seen through has no tiles.
_WHOLE_SIDE_LIMIT_PX = 4_096
_TILE_SIDE_PX = 512
_EXIF_SEGMENT = 0xE1
_EXIF_BEGINNING = b"Exif\0\0"
_PNG_HEAD_BYTES = 33  # its signature and first chunk
_BANDS = {
    "L": (1, "uchar", "b-w"),
    "I;16": (1, "ushort", "grey16"),
    "RGB": (3, "uchar", "srgb"),
    "RGB;16": (3, "ushort", "rgb16"),
    "RGBA;16": (4, "ushort", "rgb16"),
    "RGBa;16": (4, "ushort", "rgb16"),
    "RGBA": (4, "uchar", "srgb"),
    "RGBa": (4, "uchar", "srgb"),
}

pillow_heif.options.DECODE_THREADS = 1
pillow_heif.options.THUMBNAILS = False
pillow_heif.options.DEPTH_IMAGES = False
pillow_heif.options.AUX_IMAGES = False


class Undecodable(Exception):
    """The picture is not what its head says."""


def head(data: bytes) -> Image:
    """Read the primary picture's head: an empty image of its size; raises whatever its damage leads to."""
    picture = pillow_heif.open_heif(with_known_beginning(data))
    return _with_facts(pyvips.Image.black(*picture.size), picture)


def decoded(data: bytes) -> Image:
    """Decode the primary picture; raises whatever its damage leads to."""
    # HDR has its shadows in the lowest of its ten bits.
    points = in_boxes(data)
    deep = points is not None and is_beyond_srgb(points.transfer, points.primaries)
    picture = pillow_heif.open_heif(with_known_beginning(data), convert_hdr_to_8bit=not deep)
    size, pixels = picture.size, picture.data
    if picture.size != size:
        raise Undecodable
    bands, band_format, interpretation = _BANDS[picture.mode]
    image = pyvips.Image.new_from_memory(pixels, *size, bands, band_format)
    image = image.copy(interpretation=interpretation)
    if picture.premultiplied_alpha:
        highest = 255 if band_format == "uchar" else 65_535
        image = image.unpremultiply(max_alpha=highest).rint().cast(band_format)
        image = image.copy(interpretation=interpretation)
    return _with_facts(image, picture)


def encoded(image: Image, quality_percent: int | None, *, stripped: bool) -> bytes:
    """Write an upright picture of three or four bands; RuntimeError where the encoder does not take it."""
    file = BytesIO()
    pillow_heif.encode(
        "RGBA" if image.hasalpha() else "RGB",
        (image.width, image.height),
        image.write_to_memory(),
        file,
        quality=quality_percent or _QUALITY_PERCENT,
        enc_params=_ENCODER,
        tile_size=_TILE_SIDE_PX if max(image.width, image.height) > _WHOLE_SIDE_LIMIT_PX else 0,
        icc_profile=_field(image, "icc-profile-data"),
        **({} if stripped else _facts(image)),
    )
    return file.getvalue()


def _with_facts(image: Image, picture: pillow_heif.HeifFile) -> Image:
    """Give an image the EXIF, colour profile and XMP of a file, but not what they say of its way up."""
    pillow_heif.set_orientation(picture.info)
    exif = picture.info["exif"]
    told = with_facts_of(image, _told_by(exif)) if exif else image.copy()
    for name, key in (("icc-profile-data", "icc_profile"), ("xmp-data", "xmp")):
        if picture.info.get(key):
            told.set_type(pyvips.GValue.blob_type, name, picture.info[key])
    return told


def _told_by(exif: bytes) -> Image:
    """Have libvips read EXIF, out of a PNG of one pixel."""
    png = pyvips.Image.black(1, 1).pngsave_buffer(keep="none")
    chunk = b"eXIf" + exif.removeprefix(_EXIF_BEGINNING)
    chunk = (len(chunk) - 4).to_bytes(4, "big") + chunk + zlib.crc32(chunk).to_bytes(4, "big")
    return pyvips.Image.pngload_buffer(png[:_PNG_HEAD_BYTES] + chunk + png[_PNG_HEAD_BYTES:])


def _facts(image: Image) -> dict[str, bytes | None]:
    """Give EXIF and XMP for the encoder, who would turn the picture by what they say of its way up."""
    facts = {"exif": _exif(image), "xmp": _field(image, "xmp-data")}
    pillow_heif.set_orientation(facts)
    return facts


def _exif(image: Image) -> bytes | None:
    """Have libvips write EXIF as it does for this image, into the head of an empty JPEG."""
    empty = with_facts_of(pyvips.Image.black(image.width, image.height), image)
    segments = segments_of(empty.jpegsave_buffer())
    return next((body for marker, body in segments if marker == _EXIF_SEGMENT), None)


def _field(image: Image, name: str) -> bytes | None:
    return bytes(image.get(name)) if image.get_typeof(name) else None
