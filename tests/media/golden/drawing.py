"""Pictures as functions of place, drawn at any size: what a step must give, from its description alone.

Nothing of the engine is used. A place is in pixels from the top left corner of the picture, a colour is red,
green, blue and opacity from 0 to 255, and a picture is drawn by averaging sixteen places in each pixel.
"""

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from functools import cache
from typing import Any

import pyvips

# An image of numbers: one band for places, four for colours. libvips' arithmetic on them is all that is used.
Numbers = Any
CLEAR, WHITE, BLACK = (255, 255, 255, 0), (255, 255, 255, 255), (0, 0, 0, 255)
_PLACES = 4


@dataclass(frozen=True)
class Drawing:
    """A picture of a size; `at` gives the colours of places, also of those outside of it."""

    width_px: int
    height_px: int
    at: Callable[[Numbers, Numbers], Numbers]

    @cache  # noqa: B019
    def drawn(self) -> pyvips.Image:
        """Draw it, with opacity."""
        place = (pyvips.Image.xyz(self.width_px * _PLACES, self.height_px * _PLACES) + 0.5) / _PLACES
        colours = self.at(place[0], place[1])
        opacity = colours[3]
        seen = (colours.extract_band(0, n=3) * (opacity / 255)).bandjoin(opacity).shrink(_PLACES, _PLACES)
        shown = (seen[3] > 0).ifthenelse(seen.extract_band(0, n=3) * 255 / seen[3], 255)
        return shown.bandjoin(seen[3]).rint().cast("uchar").copy(interpretation="srgb").copy_memory()

    def stretched(self, width_px: int, height_px: int) -> "Drawing":
        """Bring it to a size."""
        across, down = self.width_px / width_px, self.height_px / height_px
        return Drawing(width_px, height_px, lambda x, y: self.at(x * across, y * down))

    def cut(self, left: float, top: float, width_px: int, height_px: int) -> "Drawing":
        """Take a rectangle of it, or more than it: what is outside is as `at` has it."""
        return Drawing(width_px, height_px, lambda x, y: self.at(x + left, y + top))

    def on(self, colour: Sequence[float]) -> "Drawing":
        """Have one colour outside of it."""

        def at(x: Numbers, y: Numbers) -> Numbers:
            inside = (x >= 0) & (x < self.width_px) & (y >= 0) & (y < self.height_px)
            return inside.ifthenelse(self.at(x, y), list(colour))

        return replace(self, at=at)

    def turned(self, degrees: float, corners: Sequence[float] = CLEAR) -> "Drawing":
        """Turn it clockwise around its centre; the canvas grows to what is needed."""
        cos, sin = math.cos(math.radians(degrees)), math.sin(math.radians(degrees))
        wide = math.ceil(self.width_px * abs(cos) + self.height_px * abs(sin) - 1e-6)
        high = math.ceil(self.width_px * abs(sin) + self.height_px * abs(cos) - 1e-6)
        source = self.on(corners)

        def at(x: Numbers, y: Numbers) -> Numbers:
            right, down = x - wide / 2, y - high / 2
            return source.at(
                right * cos + down * sin + self.width_px / 2, down * cos - right * sin + self.height_px / 2
            )

        return Drawing(wide, high, at)

    def mirrored(self) -> "Drawing":
        """Swap left and right."""
        return replace(self, at=lambda x, y: self.at(self.width_px - x, y))

    def coloured(self, change: Callable[[Numbers], Numbers]) -> "Drawing":
        """Change red, green and blue, each by the same rule; they stay between 0 and 255."""

        def at(x: Numbers, y: Numbers) -> Numbers:
            colours = self.at(x, y)
            changed = change(colours.extract_band(0, n=3))
            return limited(changed).bandjoin(colours[3])

        return replace(self, at=at)

    def faded(self, percent: float) -> "Drawing":
        """Leave this share of its opacity."""
        return replace(self, at=lambda x, y: self.at(x, y) * [1, 1, 1, percent / 100])

    def kept_where(self, inside: Callable[[Numbers, Numbers], Numbers]) -> "Drawing":
        """Make it clear wherever this is not so."""

        def at(x: Numbers, y: Numbers) -> Numbers:
            colours = self.at(x, y)
            kept = inside(x, y).ifthenelse(colours[3], 0)
            return colours.extract_band(0, n=3).bandjoin(kept)

        return replace(self, at=at)

    def under(self, mark: "Drawing", left: float, top: float) -> "Drawing":
        """Lay another drawing on it, its corner at this place."""
        mark = mark.on(CLEAR)

        def at(x: Numbers, y: Numbers) -> Numbers:
            # Kept, because every number of them is asked for several times.
            return _over(mark.at(x - left, y - top).copy_memory(), self.at(x, y).copy_memory())

        return replace(self, at=at)


def limited(colours: Numbers) -> Numbers:
    """Keep numbers between 0 and 255."""
    colours = (colours < 0).ifthenelse(0, colours)
    return (colours > 255).ifthenelse(255, colours)


def flat(width_px: int, height_px: int, colour: Sequence[float]) -> Drawing:
    """One colour, of three or four numbers."""
    whole = [*colour, 255][:4]
    return Drawing(width_px, height_px, lambda x, y: x * [0, 0, 0, 0] + whole)


def of_image(image: pyvips.Image) -> Drawing:
    """Take pixels that were made elsewhere, with opacity, as they are."""
    floats = image.cast("float")

    def at(x: Numbers, y: Numbers) -> Numbers:
        # Beside it nothing is asked for that anybody looks at.
        edged = floats.embed(1, 1, image.width + 2, image.height + 2, extend="copy")
        column = _between(x.floor() + 1, image.width + 1)
        row = _between(y.floor() + 1, image.height + 1)
        return edged.mapim(column.bandjoin(row), interpolate=pyvips.Interpolate.new("nearest"))

    return Drawing(image.width, image.height, at)


def _between(numbers: Numbers, most: float) -> Numbers:
    numbers = (numbers < 0).ifthenelse(0, numbers)
    return (numbers > most).ifthenelse(most, numbers)


def _over(upper: Numbers, lower: Numbers) -> Numbers:
    """Lay colours on colours (Porter and Duff, over)."""
    above, below = upper[3] / 255, lower[3] / 255
    both = above + below * (1 - above)
    shares = upper.extract_band(0, n=3) * above + lower.extract_band(0, n=3) * (below * (1 - above))
    return (both > 0).ifthenelse(shares / both, 0).bandjoin(both * 255)


def _ground(x: Numbers, y: Numbers) -> Numbers:
    return (x * 1.1 + 60).bandjoin([y * 1.4 + 60, x * -0.6 - y * 0.6 + 220, x * 0 + 255])


def _motif(x: Numbers, y: Numbers) -> Numbers:
    ground = _ground(x, y)
    ring = (x - 32) ** 2 + (y - 26) ** 2 < 17**2
    core = (x - 36) ** 2 + (y - 22) ** 2 < 6**2
    bar = (x > 62) & (x < 112) & (y > 60) & (y < 76)
    corner = x + y < 12
    colours = ring.ifthenelse([40, 30, 90, 255], ground)
    colours = core.ifthenelse([250, 220, 90, 255], colours)
    colours = bar.ifthenelse([255, 245, 235, 255], colours)
    return corner.ifthenelse([200, 30, 30, 255], colours)


# Nothing in it looks the same when it is turned, mirrored or shifted.
MOTIF = Drawing(120, 90, _motif)
# Its ground without anything on it: without edges, it looks the same however it was enlarged.
GROUND = Drawing(120, 90, _ground)
# The same, seen through at its right.
GLASS = MOTIF.kept_where(lambda x, y: (x < 84) | ((x - 96) ** 2 + (y - 45) ** 2 < 18**2))
# A small one, for watermarks.
BADGE = Drawing(
    24,
    16,
    lambda x, y: ((x < 8) & (y < 8)).ifthenelse(
        [255, 255, 0, 255], (x * 6 + 100).bandjoin([x * 0 + 20, y * 8 + 90, x * 0 + 255])
    ),
)


@cache
def png(drawing: Drawing) -> bytes:
    """Write a drawing so that nothing is lost."""
    return bytes(opaque(drawing).pngsave_buffer(keep="none"))


def opaque(drawing: Drawing) -> pyvips.Image:
    """Draw it, without opacity where all of it can be seen."""
    image = drawing.drawn()
    return image if image[3].min() < 255 else image.extract_band(0, n=3).copy(interpretation="srgb")
