"""Facts about a picture as JSON: size, format, EXIF (`image/info`), and its average colour. No pixels change.

Shapes: the reference, media-processing: `{"ImageWidth": {"value": "4000"}, ...}`, every value a string.
"""

import json
import re
from collections.abc import Iterator

from meiku.media.colour import average_hue
from meiku.media.facts import Image
from meiku.media.made import Made
from meiku.media.picture import Head, Picture

_EXIF = "exif-ifd"
_TOLD = re.compile(r"(.*), [\w ]+, \d+ components?, \d+ bytes?\)", re.DOTALL)
_JSON = "application/json"
# Camera makers put kilobytes of their own into it.
_VALUE_LIMIT = 1_000


def information(head: Head, source: bytes) -> Made:
    """Tell a picture's file size, format, size in pixels, frames, and whatever its EXIF holds."""
    facts = {
        "FileSize": str(len(source)),
        "Format": str(head.kind.format),
        "FrameCount": str(head.frames),
        "ImageHeight": str(head.image.height),
        "ImageWidth": str(head.image.width),
    }
    facts = {**dict(_exif(head.image)), **facts}
    return _json({name: {"value": facts[name]} for name in sorted(facts)})


def average(picture: Picture) -> Made:
    """Tell a picture's average colour."""
    red, green, blue = average_hue(picture)
    return _json({"RGB": f"0x{red:02x}{green:02x}{blue:02x}"})


def _exif(image: Image) -> Iterator[tuple[str, str]]:
    """Yield EXIF names and values."""
    for field in image.get_fields():
        if field.startswith(_EXIF):
            yield field.split("-", 2)[2], _value(str(image.get(field)))[:_VALUE_LIMIT]


def _value(text: str) -> str:
    """Take the value out of `value (value again or its meaning, type, n components, n bytes)`."""
    told = _TOLD.fullmatch(text)
    if told is None:
        return text
    twice = told[1]
    half = twice[: (len(twice) - 2) // 2]
    return half if twice == f"{half} ({half}" else twice.partition(" (")[0]


def _json(document: object) -> Made:
    return Made(json.dumps(document, ensure_ascii=False, indent=1).encode(), _JSON)
