"""Steps that change a picture's pixels and leave its shape: bright, contrast, sharpen, blur, and its average.

Opacity is never changed here, and colours that cannot be seen do not bleed into those that can. How strong a
percentage is follows no published formula of the vendors; each function says what it does.
"""

import math
from collections.abc import Callable

import pyvips

from meiku.media.facts import Image
from meiku.media.picture import Picture
from meiku.media.picture_steps import Blur, Bright, Contrast, Sharpen
from meiku.media.see_through import flattened
from meiku.media.srgb import SRGB_BANDS

_MIDDLE = 127.5
_UNSHARP_SIGMA_PX = 1.0
# The greatest of a blur's weights, which are whole numbers: that is fifteen times as fast as fractions. As
# large as libvips can take them over without rounding.
_MIDDLE_WEIGHT_LIMIT = 63


def bright(picture: Picture, step: Bright) -> Picture:
    """Add a share of the full range: 100 makes everything white, -100 black."""
    return _colours(picture, 1.0, 255 * step.change_percent / 100)


def contrast(picture: Picture, step: Contrast) -> Picture:
    """Spread colours from the middle, or draw them to it: -100 makes everything grey."""
    percent = step.change_percent
    factor = 1 + percent / 100 if percent < 0 else 100 / max(100 - percent, 0.5)
    return _colours(picture, factor, _MIDDLE * (1 - factor))


def sharpen(picture: Picture, step: Sharpen) -> Picture:
    """Add this share of the difference to a slightly blurred picture (unsharp mask)."""
    share = step.strength_percent / 100

    def change(image: Image) -> Image:
        return (image * (1 + share) - image.gaussblur(_UNSHARP_SIGMA_PX) * share).rint().cast("uchar")

    return picture.each_frame(lambda image: _beside_alpha(image, change))


def blur(picture: Picture, step: Blur) -> Picture:
    """Blur by a Gaussian of this deviation, cut off beyond the radius."""
    weights = _weights(step)

    def change(image: Image) -> Image:
        if not image.hasalpha():
            return image.convsep(weights, precision="integer")
        return image.premultiply().convsep(weights, precision="integer").unpremultiply().rint().cast("uchar")

    return picture.each_frame(change)


def average_hue(picture: Picture) -> tuple[int, int, int]:
    """Average red, green and blue over what can be seen of the first frame."""
    image = picture.first_frame().image
    image = flattened(image, [255] * SRGB_BANDS)
    # All in one pass, for the picture may be read only once: a row for each band, the fifth column its mean.
    means = image.stats().crop(4, 1, 1, SRGB_BANDS)
    red, green, blue = (round(means(0, band)[0]) for band in range(SRGB_BANDS))
    return red, green, blue


def _weights(step: Blur) -> Image:
    """Make the row of weights by which a pixel and its neighbours on one line are averaged.

    Their sum is a power of two, and is divided by: so libvips works with just these numbers, and a surface of
    one colour keeps it.
    """
    shares = [math.exp(-(offset**2) / (2 * step.sigma_px**2)) for offset in range(1, step.radius_px + 1)]
    middle = 1 / (1 + 2 * sum(shares))
    total = 2 ** math.floor(math.log2(_MIDDLE_WEIGHT_LIMIT / middle))
    side = [math.floor(total * middle * share) for share in shares]
    # What rounding down has left goes to where it took most, on both sides, and the rest into the middle.
    pairs_left = (total - round(total * middle) - 2 * sum(side)) // 2
    taken = sorted(range(len(side)), key=lambda place: side[place] - total * middle * shares[place])
    for place in taken[: max(0, pairs_left)]:
        side[place] += 1
    row = [*reversed(side), total - 2 * sum(side), *side]
    return pyvips.Image.new_from_array([row], scale=total)


def _colours(picture: Picture, factor: float, offset: float) -> Picture:
    def change(image: Image) -> Image:
        # Fractions are cut off.
        return image.linear(factor, offset + 0.5, uchar=True)

    return picture.each_frame(lambda image: _beside_alpha(image, change))


def _beside_alpha(image: Image, change: Callable[[Image], Image]) -> Image:
    """Change the colours and put the opacity back."""
    if not image.hasalpha():
        return change(image)
    return change(image.extract_band(0, n=SRGB_BANDS)).bandjoin(image.extract_band(SRGB_BANDS))
