"""A photograph as a telephone writes it: EXIF with a place, a maker's note and a smaller picture."""

import struct
from collections.abc import Callable
from functools import cache
from io import BytesIO
from typing import Any

import pyvips
from PIL import ExifTags
from PIL import Image as pillow

from media.golden.drawing import MOTIF, Drawing, opaque

PROFILE = bytes(pyvips.Image.profile_load("p3"))
LARGE = MOTIF.stretched(480, 360)
# What must never be found in a result, unless somebody asks for it.
MAKER_NOTE, PLACE_IN_XMP, PLACE_IN_IPTC, COMMENT = b"MAKERS-NOTE", b"31,13.4N", b"SHANGHAI-IPTC", b"AT-HOME"
SECRETS = (MAKER_NOTE, PLACE_IN_XMP, PLACE_IN_IPTC, COMMENT)
_XMP = (
    b'<x:xmpmeta xmlns:x="adobe:ns:meta/"><rdf:RDF xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#">'
    b'<rdf:Description rdf:about="" xmlns:exif="http://ns.adobe.com/exif/1.0/" exif:GPSLatitude="%s"/>'
    b"</rdf:RDF></x:xmpmeta>" % PLACE_IN_XMP
)
_IPTC_CITY = b"\x1c\x02\x5a" + struct.pack(">H", len(PLACE_IN_IPTC)) + PLACE_IN_IPTC
_RESOURCE = (
    b"8BIM\x04\x04\0\0" + struct.pack(">I", len(_IPTC_CITY)) + _IPTC_CITY + b"\0" * (len(_IPTC_CITY) % 2)
)
# How the motif is stored that each orientation brings upright (TIFF 6.0, Orientation).
STORED: list[Callable[[Drawing], Drawing]] = [
    lambda shown: shown,
    lambda shown: shown.mirrored(),
    lambda shown: shown.turned(180),
    lambda shown: shown.mirrored().turned(180),
    lambda shown: shown.turned(90).mirrored(),
    lambda shown: shown.turned(-90),
    lambda shown: shown.turned(-90).mirrored(),
    lambda shown: shown.turned(90),
]


def frame_of(drawing: Drawing) -> pillow.Image:
    """Hand a drawing to the library that writes the sources."""
    image = opaque(drawing)
    mode = "RGBA" if image.hasalpha() else "RGB"
    return pillow.frombytes(mode, (image.width, image.height), image.write_to_memory())


@cache
def smaller_picture() -> bytes:
    """Give the smaller picture that stands in the photograph's EXIF."""
    file = BytesIO()
    frame_of(LARGE.stretched(160, 120)).save(file, "JPEG")
    return file.getvalue()


def exif(orientation: int) -> bytes:
    """Write EXIF with everything in it."""
    told = pillow.Exif()
    told[ExifTags.Base.Make], told[ExifTags.Base.Orientation] = "meiku", orientation
    camera, place = told.get_ifd(ExifTags.IFD.Exif), told.get_ifd(ExifTags.IFD.GPSInfo)
    camera[ExifTags.Base.MakerNote] = MAKER_NOTE * 40
    camera[ExifTags.Base.UserComment] = b"ASCII\0\0\0" + COMMENT
    camera[ExifTags.Base.DateTimeOriginal] = "2024:01:02 03:04:05"
    place[ExifTags.GPS.GPSLatitudeRef], place[ExifTags.GPS.GPSLatitude] = "N", (31.0, 13.0, 24.0)
    place[ExifTags.GPS.GPSLongitudeRef], place[ExifTags.GPS.GPSLongitude] = "E", (121.0, 28.0, 12.0)
    return b"Exif\0\0" + _with_smaller_picture(told.tobytes()[6:])


def _with_smaller_picture(tiff: bytes) -> bytes:
    """Add the second directory, which holds the smaller picture (EXIF 2.3, 4.5.4)."""
    order, picture = "<" if tiff[:2] == b"II" else ">", smaller_picture()
    (first,) = struct.unpack_from(order + "I", tiff, 4)
    (entries,) = struct.unpack_from(order + "H", tiff, first)
    second = len(tiff) + len(tiff) % 2
    file = bytearray(tiff.ljust(second, b"\0"))
    struct.pack_into(order + "I", file, first + 2 + 12 * entries, second)
    file += struct.pack(order + "H", 3) + struct.pack(order + "HHIHH", 0x103, 3, 1, 6, 0)
    file += struct.pack(order + "HHII", 0x201, 4, 1, second + 2 + 36 + 4)
    file += struct.pack(order + "HHIII", 0x202, 4, 1, len(picture), 0)
    return bytes(file) + picture


def photograph(orientation: int = 1, shown: Drawing = LARGE, wanted: str = "JPEG", **options: Any) -> bytes:
    """Write a photograph that shows a drawing when it is held as its EXIF says."""
    file = BytesIO()
    told: dict[str, Any] = {"exif": exif(orientation), "icc_profile": PROFILE, "xmp": _XMP}
    good = {"quality": 97, "subsampling": 0} if wanted == "JPEG" else {}
    frame_of(STORED[orientation - 1](shown)).save(file, wanted, **good, **told, **options)
    data = file.getvalue()
    if wanted != "JPEG":
        return data
    iptc = b"Photoshop 3.0\0" + _RESOURCE
    return data[:2] + b"\xff\xed" + struct.pack(">H", len(iptc) + 2) + iptc + data[2:]
