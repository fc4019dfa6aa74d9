"""What steps that change colours must give. How strong a percentage is, `docs/recipes.md` says."""

import math

import pyvips

from media.golden.case import Case
from media.golden.drawing import GLASS, MOTIF, Drawing, flat, limited, opaque, png

_MIDDLE = 127.5


def _bright(percent: int) -> Drawing:
    return MOTIF.coloured(lambda colours: colours + 2.55 * percent)


def _contrast(factor: float) -> Drawing:
    return MOTIF.coloured(lambda colours: (colours - _MIDDLE) * factor + _MIDDLE)


def _blurred(drawing: Drawing, radius_px: int, sigma_px: float) -> pyvips.Image:
    """Average each pixel with its neighbours by their distance, as Gauss has it, edges going on outside."""
    offsets = range(-radius_px, radius_px + 1)
    weights = [math.exp(-(offset**2) / (2 * sigma_px**2)) for offset in offsets]
    row = pyvips.Image.new_from_array([weights], scale=sum(weights))
    image = opaque(drawing).cast("float")
    seen = image.premultiply() if image.hasalpha() else image
    wide, high = seen.width + 2 * radius_px, seen.height + 2 * radius_px
    edged = seen.embed(radius_px, radius_px, wide, high, extend="copy")
    blurred = edged.conv(row, precision="float").conv(row.rot90(), precision="float")
    blurred = blurred.crop(radius_px, radius_px, seen.width, seen.height)
    blurred = blurred.unpremultiply() if image.hasalpha() else blurred
    return limited(blurred).rint().cast("uchar").copy(interpretation="srgb")


def _sharpened(percent: int) -> pyvips.Image:
    sharp = opaque(MOTIF).cast("float")
    soft = _blurred(MOTIF, 4, 1).cast("float")
    return limited(sharp + (sharp - soft) * (percent / 100)).rint().cast("uchar").copy(interpretation="srgb")


def _average(drawing: Drawing) -> dict[str, str]:
    """Average the colours before white."""
    seen = flat(drawing.width_px, drawing.height_px, (255, 255, 255)).under(drawing, 0, 0).drawn()
    return {"RGB": "0x" + "".join(f"{round(seen[band].avg()):02x}" for band in range(3))}


CASES = [
    Case("image/bright,30", _bright(30)),
    Case("image/bright,-30", _bright(-30)),
    Case("image/bright,0", MOTIF),
    Case("image/bright,20", GLASS.coloured(lambda colours: colours + 51), lambda: png(GLASS)),
    Case("image/contrast,50", _contrast(2)),
    Case("image/contrast,-40", _contrast(0.6)),
    Case("image/contrast,0", MOTIF),
    Case("image/sharpen,50", _sharpened(50)),
    Case("image/sharpen,300", _sharpened(300)),
    Case("image/blur,r_3,s_2", _blurred(MOTIF, 3, 2)),
    Case("image/blur,r_3,s_50", _blurred(MOTIF, 3, 50)),
    Case("image/blur,r_20,s_6", _blurred(MOTIF, 20, 6)),
    Case("image/blur,r_20,s_6", _blurred(GLASS, 20, 6), lambda: png(GLASS)),
    Case("image/average-hue", _average(MOTIF)),
    Case("image/average-hue", _average(GLASS), lambda: png(GLASS)),
    Case("image/crop,w_40,h_40/average-hue", _average(MOTIF.cut(0, 0, 40, 40))),
]
