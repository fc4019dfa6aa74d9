"""One picture in every form that files have: whatever it comes as, a step makes the same of it.

Most are written by Pillow. Small ones are decoded whole, a large JPEG by its own means of decoding small.
"""

from collections.abc import Callable
from functools import partial
from io import BytesIO
from typing import Any

import pillow_heif
from PIL import Image as pillow

from media.golden.case import Case
from media.golden.distance import JPEG, Distance
from media.golden.drawing import GLASS, MOTIF, Drawing, opaque
from meiku.media.made import Made

_LARGE = MOTIF.stretched(480, 360)
_STEPS = "image/resize,w_60/format,png"
# A palette without dithering, and one band of grey, have their own colours.
_FEW_COLOURS = Distance(2.0, 14.0)
# Without a profile nobody knows which inks were meant.
_SOME_INKS = Distance(12.0, 24.0)
# Compressed twice, with few colours or with large blocks.
_TWICE = Distance(2.0, 25.0)
_DURATION_MS = 140
_MOVING = [MOTIF, MOTIF.turned(180), MOTIF.mirrored()]


def _frame(drawing: Drawing) -> pillow.Image:
    image = opaque(drawing)
    mode = "RGBA" if image.hasalpha() else "RGB"
    return pillow.frombytes(mode, (image.width, image.height), image.write_to_memory())


def _file(drawing: Drawing, wanted: str, mode: str | None = None, **options: Any) -> bytes:
    file, frame = BytesIO(), _frame(drawing)
    (frame.convert(mode) if mode else frame).save(file, wanted, **options)
    return file.getvalue()


def _form(drawing: Drawing, wanted: str, mode: str | None = None, **options: Any) -> Callable[[], bytes]:
    return partial(_file, drawing, wanted, mode, **options)


def _deep_png() -> bytes:
    return bytes(opaque(MOTIF).colourspace("rgb16").pngsave_buffer(bitdepth=16))


def _heic(drawing: Drawing) -> bytes:
    image, file = opaque(drawing), BytesIO()
    mode = "RGBA" if image.hasalpha() else "RGB"
    pillow_heif.encode(mode, (image.width, image.height), image.write_to_memory(), file, quality=90)
    return file.getvalue()


def _animation(wanted: str, **options: Any) -> Callable[[], bytes]:
    first, *others = (_frame(drawing) for drawing in _MOVING)

    def written() -> bytes:
        file = BytesIO()
        first.save(file, wanted, save_all=True, append_images=others, duration=_DURATION_MS, **options)
        return file.getvalue()

    return written


def _goes_on(made: Made) -> bool:
    """Tell whether each frame is shown as long as in the source; a still picture needs not."""
    with pillow.open(BytesIO(made.body)) as file:
        file.load()
        return file.format == "PNG" or file.info["duration"] == _DURATION_MS


_GOOD = {"quality": 97, "subsampling": 0}
_FORMS: list[tuple[Callable[[], bytes], Drawing, Distance]] = [
    (_form(MOTIF, "JPEG", **_GOOD), MOTIF, JPEG),
    (_form(MOTIF, "JPEG", progressive=True, **_GOOD), MOTIF, JPEG),
    (_form(MOTIF, "JPEG", "CMYK", **_GOOD), MOTIF, _SOME_INKS),
    (_form(_LARGE, "JPEG", **_GOOD), MOTIF, JPEG),
    (_form(_LARGE, "WEBP", lossless=True), MOTIF, JPEG),
    (_form(MOTIF, "PNG"), MOTIF, JPEG),
    (_form(GLASS, "PNG"), GLASS, JPEG),
    (_form(MOTIF, "PNG", "P"), MOTIF, _FEW_COLOURS),
    (_deep_png, MOTIF, JPEG),
    (_form(MOTIF, "WEBP", quality=95), MOTIF, JPEG),
    (_form(GLASS, "WEBP", lossless=True), GLASS, JPEG),
    (_form(MOTIF, "GIF"), MOTIF, _FEW_COLOURS),
    (_form(MOTIF, "TIFF"), MOTIF, JPEG),
    (_form(GLASS, "TIFF", compression="tiff_lzw"), GLASS, JPEG),
    (_form(MOTIF, "TIFF", "CMYK"), MOTIF, _SOME_INKS),
    (_form(MOTIF, "BMP"), MOTIF, JPEG),
    (_form(MOTIF, "BMP", "P"), MOTIF, _FEW_COLOURS),
    (_form(MOTIF, "AVIF", quality=90), MOTIF, JPEG),
    (_form(GLASS, "AVIF", quality=90), GLASS, JPEG),
    (lambda: _heic(MOTIF), MOTIF, JPEG),
    (lambda: _heic(GLASS), GLASS, JPEG),
]
STILL = [Case(_STEPS, meant.stretched(60, 45), source, limit=limit) for source, meant, limit in _FORMS]
_SMALL = [drawing.stretched(60, 45) for drawing in _MOVING]
MOVING = [
    Case(f"image/{step}", meant, _animation(wanted, **options), file=_goes_on, limit=_TWICE)
    for wanted, options in (("GIF", {}), ("WEBP", {"quality": 95}))
    for step, meant in [
        ("resize,w_60", _SMALL),
        ("resize,w_60/format,png", _SMALL[:1]),
        ("crop,w_50,h_40,g_center", [drawing.cut(35, 25, 50, 40) for drawing in _MOVING]),
        ("rotate,90", [drawing.turned(90) for drawing in _MOVING]),
        ("indexcrop,x_40,i_2", [drawing.cut(80, 0, 40, 90) for drawing in _MOVING]),
        ("bright,20", [drawing.coloured(lambda colours: colours + 51) for drawing in _MOVING]),
    ]
]
CASES = [*STILL, *MOVING]
