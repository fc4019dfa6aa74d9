"""What steps that are about the written file must give: its format, its quality, what else is in it."""

from collections.abc import Callable
from io import BytesIO

import pyvips
from PIL import Image as pillow

from media.golden.case import Case, shown
from media.golden.distance import JPEG
from media.golden.drawing import GLASS, MOTIF, WHITE, Drawing, flat, opaque, png
from meiku.media.made import Made

_CONTENT_TYPES = {
    "jpg": ("image/jpeg", "JPEG"),
    "png": ("image/png", "PNG"),
    "webp": ("image/webp", "WEBP"),
    "bmp": ("image/bmp", "BMP"),
    "gif": ("image/gif", "GIF"),
    "tiff": ("image/tiff", "TIFF"),
    "avif": ("image/avif", "AVIF"),
}
_LARGE = MOTIF.stretched(480, 360)
_PROGRESSIVE, _BASELINE = b"\xff\xc2", b"\xff\xc0"


def _is(wanted: str) -> Callable[[Made], bool]:
    """Have another library say what a file is."""
    content_type, name = _CONTENT_TYPES[wanted]

    def judged(made: Made) -> bool:
        with pillow.open(BytesIO(made.body)) as file:
            return made.content_type == content_type and file.format == name

    return judged


def _jpeg(drawing: Drawing, **options: object) -> bytes:
    """Write a JPEG, by another library than the engine's."""
    image, file = opaque(drawing), BytesIO()
    frame = pillow.frombytes("RGB", (image.width, image.height), image.write_to_memory())
    frame.save(file, "JPEG", **options)
    return file.getvalue()


def _with_facts() -> bytes:
    exif = pillow.Exif()
    exif[pillow.ExifTags.Base.Make] = "meiku"
    return _jpeg(_LARGE, quality=97, subsampling=0, exif=exif)


def _made_by(maker: str | None) -> Callable[[Made], bool]:
    def judged(made: Made) -> bool:
        with pillow.open(BytesIO(made.body)) as file:
            return file.getexif().get(pillow.ExifTags.Base.Make) == maker

    return judged


def _photo(percent: int) -> Callable[[], bytes]:
    return lambda: _jpeg(MOTIF, quality=percent)


def _coarse(percent: int, source: bytes) -> pyvips.Image:
    """Show what is left of a picture at a quality."""
    file = BytesIO()
    pillow.open(BytesIO(source)).save(file, "JPEG", quality=percent)
    return shown(pillow.open(file))


def _no_finer_than(percent: int) -> Callable[[Made], bool]:
    """Compare the first quantisation table with that of libjpeg's own at a quality."""

    def judged(made: Made) -> bool:
        with pillow.open(BytesIO(made.body)) as file, pillow.open(BytesIO(_photo(percent)())) as other:
            return list(file.quantization[0]) == list(other.quantization[0])

    return judged


_SOURCE_BYTES = len(png(MOTIF))
FORMATS = [
    Case("image/format,heic", MOTIF, file=lambda made: made.content_type == "image/heic", limit=JPEG),
    *(Case(f"image/format,{each}", MOTIF, file=_is(each), limit=JPEG) for each in _CONTENT_TYPES),
    *(
        Case(f"image/format,{each}", GLASS, lambda: png(GLASS), file=_is(each), limit=JPEG)
        for each in ("png", "webp", "tiff", "avif")
    ),
    *(
        Case(
            f"image/format,{each}",
            flat(120, 90, WHITE).under(GLASS, 0, 0),
            lambda: png(GLASS),
            file=_is(each),
            limit=JPEG,
        )
        for each in ("jpg", "bmp")
    ),
]
QUALITIES = [
    Case("image/quality,Q_5", _coarse(5, _photo(97)()), _photo(97)),
    Case("image/quality,Q_30", _coarse(30, _photo(97)()), _photo(97)),
    Case("image/quality,Q_90", _coarse(20, _photo(20)()), _photo(20), file=_no_finer_than(20)),
    Case("image/quality,q_80,Q_50", _coarse(50, _photo(97)()), _photo(97), file=_no_finer_than(50)),
    Case("image/quality,q_10", _coarse(5, _photo(50)()), _photo(50)),
    Case("image/quality,q_100", _coarse(50, _photo(50)()), _photo(50)),
]
OTHERS = [
    Case("image/interlace,1", MOTIF, _photo(97), file=lambda made: _PROGRESSIVE in made.body, limit=JPEG),
    Case("image/interlace,0", MOTIF, _photo(97), file=lambda made: _BASELINE in made.body, limit=JPEG),
    Case("image/resize,w_300", MOTIF.stretched(300, 225), _with_facts, file=_made_by("meiku"), limit=JPEG),
    Case("image/resize,w_60", MOTIF.stretched(60, 45), _with_facts, file=_made_by(None), limit=JPEG),
    Case("image/strip", _LARGE, _with_facts, file=_made_by(None), limit=JPEG),
    Case(
        "image/info",
        {
            "FileSize": {"value": str(_SOURCE_BYTES)},
            "Format": {"value": "png"},
            "FrameCount": {"value": "1"},
            "ImageHeight": {"value": "90"},
            "ImageWidth": {"value": "120"},
        },
    ),
]
CASES = [*FORMATS, *QUALITIES, *OTHERS]
