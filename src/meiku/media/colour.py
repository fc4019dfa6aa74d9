"""Steps that change a picture's pixels and leave its shape: bright, contrast, sharpen, blur, and its average.

Opacity is never changed here, and colours that cannot be seen do not bleed into those that can. How strong a
percentage is follows no published formula of the vendors; each function says what it does.
"""

import math
from collections.abc import Callable

from meiku.media.picture import SRGB_BANDS, Image, Picture
from meiku.media.picture_steps import Blur, Bright, Contrast, Sharpen

_MIDDLE = 127.5
_UNSHARP_SIGMA_PX = 1.0
# A kernel keeps what is above this share of its centre; libvips takes neither 0 nor 1.
_KERNEL_SHARES = (0.0001, 0.95)


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
    share = math.exp(-((step.radius_px + 0.5) ** 2) / (2 * step.sigma_px**2))
    least = min(max(share, _KERNEL_SHARES[0]), _KERNEL_SHARES[1])

    def change(image: Image) -> Image:
        if not image.hasalpha():
            return image.gaussblur(step.sigma_px, min_ampl=least)
        return image.premultiply().gaussblur(step.sigma_px, min_ampl=least).unpremultiply().cast("uchar")

    return picture.each_frame(change)


def average_hue(picture: Picture) -> tuple[int, int, int]:
    """Average red, green and blue over what can be seen of the first frame."""
    image = picture.first_frame().image
    image = image.flatten(background=[255] * SRGB_BANDS) if image.hasalpha() else image
    # All in one pass, for the picture may be read only once: a row for each band, the fifth column its mean.
    means = image.stats().crop(4, 1, 1, SRGB_BANDS)
    red, green, blue = (round(means(0, band)[0]) for band in range(SRGB_BANDS))
    return red, green, blue


def _colours(picture: Picture, factor: float, offset: float) -> Picture:
    def change(image: Image) -> Image:
        return image.linear(factor, offset, uchar=True)

    return picture.each_frame(lambda image: _beside_alpha(image, change))


def _beside_alpha(image: Image, change: Callable[[Image], Image]) -> Image:
    """Change the colours and put the opacity back."""
    if not image.hasalpha():
        return change(image)
    return change(image.extract_band(0, n=SRGB_BANDS)).bandjoin(image.extract_band(SRGB_BANDS))
