"""What all steps share, and the two that are about no picture: a style's name, and where a result is kept.

A step is one operation with its values, read and checked: plain frozen data that the engine follows. Defaults
are those of OSS; what another dialect takes for granted is written out when its text is read. Nothing here
reads or writes text, and nothing imports an image library.
"""

from dataclasses import dataclass
from enum import StrEnum
from typing import NamedTuple, Self


class Colour(NamedTuple):
    """A colour without transparency; each part 0 to 255."""

    red: int
    green: int
    blue: int


BLACK = Colour(0, 0, 0)
WHITE = Colour(255, 255, 255)


class Gravity(StrEnum):
    """One of the nine places of a picture, as on a map: north is the top."""

    NORTH_WEST = "nw"
    NORTH = "north"
    NORTH_EAST = "ne"
    WEST = "west"
    CENTER = "center"
    EAST = "east"
    SOUTH_WEST = "sw"
    SOUTH = "south"
    SOUTH_EAST = "se"


@dataclass(frozen=True, slots=True)
class Step:
    """One operation of a recipe."""

    def settled(self) -> Self:
        """Answer the same step without what has no effect, so that equal meaning is equal data.

        Raises Unfit where the values cannot stand together.
        """
        return self


@dataclass(frozen=True, slots=True)
class StyleReference(Step):
    """The recipe that the bucket keeps under this name; `styles.expand` puts it in place."""

    name: str


@dataclass(frozen=True, slots=True)
class SaveAs(Step):
    """Keep the result as an object; without a bucket, in the source's own."""

    key: str
    bucket: str | None = None
