"""Draws docs/pictures/media: what every recipe of the example's pictures page makes, by meiku's own engine.

python scripts/draw_pictures.py            draws them anew, and removes what no card shows

Each is made as a request would make it, and then made small by one more recipe.
"""

import json
import sys
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import pyvips

ROOT = Path(__file__).parent.parent
sys.path.insert(0, str(ROOT / "examples" / "direct-upload"))

import samples  # noqa: E402
from gallery import CARDS, Card  # noqa: E402
from meiku.media.engine import follow  # noqa: E402
from meiku.media.made import Made  # noqa: E402
from meiku.media.recipe import read_recipe  # noqa: E402
from meiku.media.video import follow_video  # noqa: E402

FOLDER = ROOT / "docs" / "pictures" / "media"
_SMALL = "image/resize,w_240,h_160/quality,Q_55/format,webp/strip"
_SMALL_AND_MOVING = "image/resize,w_120,h_160/quality,Q_30/format,webp/strip"
_SWATCH_PX = (240, 60)
_sample = cache(samples.drawn)


@dataclass(frozen=True, slots=True)
class _Film:
    """The sample film, as a video's reader asks for it."""

    data: bytes

    @property
    def size_bytes(self) -> int:
        return len(self.data)

    def read(self, start_byte: int, stop_byte: int) -> bytes:
        return self.data[start_byte:stop_byte]


def made(card: Card) -> Made:
    """Follow a card's recipe over its sample."""
    recipe, source = read_recipe(card.recipe), _sample(card.sample)
    return follow_video(recipe, _Film(source)) if recipe.kind == "video" else follow(recipe, source, _sample)


def small_picture(card: Card) -> bytes | None:
    """Make a card's picture for the documentation; None where the answer is no picture and no colour."""
    answer = made(card)
    if answer.content_type == "application/json":
        colour = json.loads(answer.body).get("RGB")
        return _swatch(colour) if colour else None
    moves = card.operation == "video/animation"
    body = _as_stored(answer.body) if card.operation == "image/auto-orient" else answer.body
    return follow(read_recipe(_SMALL_AND_MOVING if moves else _SMALL), body, _sample).body


def _as_stored(body: bytes) -> bytes:
    """Show pixels as they are stored; a small picture would stand upright."""
    return bytes(pyvips.Image.new_from_buffer(body, "").pngsave_buffer(keep="icc"))


def file_of(card: Card) -> Path:
    """Say where a card's picture is kept."""
    return FOLDER / f"{card.name}.webp"


def _swatch(colour: str) -> bytes:
    """Draw a colour as `average-hue` writes it: 0x5c783b."""
    flat = pyvips.Image.black(*_SWATCH_PX) + list(bytes.fromhex(colour.removeprefix("0x")))
    return bytes(flat.cast("uchar").copy(interpretation="srgb").webpsave_buffer())


def main() -> int:
    """Draw them all; the exit code is 0."""
    FOLDER.mkdir(parents=True, exist_ok=True)
    pictures = {file_of(card): small_picture(card) for card in CARDS}
    wanted = {path: body for path, body in pictures.items() if body is not None}
    for path in set(FOLDER.glob("*.webp")) - set(wanted):
        path.unlink()
    for path, body in wanted.items():
        path.write_bytes(body)
    print(f"{len(wanted)} pictures, {sum(map(len, wanted.values())):,} bytes")
    return 0


if __name__ == "__main__":
    sys.exit(main())
