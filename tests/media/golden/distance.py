"""How far two pictures are from each other for an eye: colour differences after a slight blur.

CIEDE2000 (ISO/CIE 11664-6): 1 is about what can just be seen, black and white are 100 apart. The blur takes
away what only the pixels know: how an edge was smoothed, a decoder's noise. Where a picture can be seen
through, it is looked at before black and before white.
"""

from dataclasses import dataclass

import pyvips

_BLUR_SIGMA_PX = 1.0
_GROUNDS = ([0, 0, 0], [255, 255, 255])


@dataclass(frozen=True)
class Distance:
    """Colour differences between two pictures: on average, and where it is largest."""

    mean: float
    worst: float

    def within(self, limit: "Distance") -> bool:
        """Tell whether neither is larger than may be."""
        return self.mean <= limit.mean and self.worst <= limit.worst


# What may lie between what is meant and what is made; `test_distance` shows that faults are over it.
NEAR = Distance(0.6, 8.0)
# What a JPEG and its like leave out, of colours above all.
JPEG = Distance(1.5, 22.0)


def distance(made: pyvips.Image, meant: pyvips.Image) -> Distance:
    """Compare two pictures of one size; the larger distance of those before black and before white."""
    assert (made.width, made.height) == (meant.width, meant.height)
    differences = [_before(made, ground).dE00(_before(meant, ground)) for ground in _GROUNDS]
    return Distance(
        max(float(each.avg()) for each in differences), max(float(each.max()) for each in differences)
    )


def _before(image: pyvips.Image, ground: list[int]) -> pyvips.Image:
    seen = image.flatten(background=ground) if image.hasalpha() else image
    floats = seen.colourspace("srgb").cast("float")
    return floats.gaussblur(_BLUR_SIGMA_PX, precision="float").colourspace("lab")
