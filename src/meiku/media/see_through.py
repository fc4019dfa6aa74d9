"""What is done to images that may be seen through, so that their colours count as much as they can be seen.

Images alone; pictures, formats and recipes are not known here.
"""

from collections.abc import Sequence

from meiku.media.facts import Image


def scaled(image: Image, width_px: int, height_px: int) -> Image:
    """Bring an image to a size."""
    across, down = width_px / image.width, height_px / image.height
    if not image.hasalpha():
        return image.resize(across, vscale=down)
    return image.premultiply().resize(across, vscale=down).unpremultiply().rint().cast("uchar")


def flattened(image: Image, ground: Sequence[int]) -> Image:
    """Lay an image on a colour; libvips alone would cut fractions off, half a level on average."""
    if not image.hasalpha():
        return image
    return image.cast("float").flatten(background=ground).rint().cast("uchar")
