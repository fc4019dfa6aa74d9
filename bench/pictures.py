"""The photographs that pictures are made of, and what is made of them. Asks nobody, measures nothing.

A photograph is made here as nature makes them: equally much to see at every scale, and a little less in the
finest, so that a JPEG of it is as large, and as dear to decode, as a camera's.
"""

from dataclasses import dataclass
from functools import lru_cache
from typing import Any, Literal

WIDTH_PX, HEIGHT_PX = 4000, 3000
PHOTOGRAPHS = 4
# As a camera writes them; what is made of them is written as meiku does.
_PHOTOGRAPH_QUALITY = 90
QUALITY_PERCENT = 80
_COARSEST = 256
_COARSE_SIGMA, _DETAIL_SIGMA, _FINEST_SIGMA, _COLOUR_SIGMA = 30.0, 12.0, 5.0, 8.0
_BUSY_MEAN, _BUSY_SIGMA = 0.6, 0.5
_LARGEST_DIFFERENCE = 8.0


@dataclass(frozen=True, slots=True)
class Thumbnail:
    """A small picture: its sides, and its format; what stands over the sides is cut off evenly."""

    width_px: int
    height_px: int
    format: Literal["webp", "jpg"]

    @property
    def cropped(self) -> bool:
        """Tell whether its sides are in another proportion than the photograph's."""
        return self.width_px * HEIGHT_PX != self.height_px * WIDTH_PX


WEBP_400 = Thumbnail(400, 300, "webp")
FILL_200 = Thumbnail(200, 200, "jpg")


@lru_cache(1)
def photographs() -> tuple[bytes, ...]:
    """Make all photographs, the same each time."""
    return tuple(_photograph(number) for number in range(PHOTOGRAPHS))


def name_of(number: int) -> str:
    """Name a photograph."""
    return f"photograph-{number % PHOTOGRAPHS}.jpg"


def make(photograph: bytes, thumbnail: Thumbnail) -> bytes:
    """Make a thumbnail by one call that decodes and one that encodes: the least that it can cost.

    The quality is meiku's own, and libvips' effort, as meiku leaves it alone, too.
    """
    import pyvips

    scale = max(thumbnail.width_px / WIDTH_PX, thumbnail.height_px / HEIGHT_PX)
    image: Any = pyvips.Image.thumbnail_buffer(
        photograph,
        round(WIDTH_PX * scale),
        height=round(HEIGHT_PX * scale),
        size="force",
        no_rotate=True,
        option_string="[fail_on=error]",
    )
    if thumbnail.cropped:
        left, top = -((thumbnail.width_px - image.width) // 2), -((thumbnail.height_px - image.height) // 2)
        image = image.crop(left, top, thumbnail.width_px, thumbnail.height_px)
    if thumbnail.format == "webp":
        return bytes(image.webpsave_buffer(Q=QUALITY_PERCENT))
    return bytes(image.jpegsave_buffer(Q=QUALITY_PERCENT))


def fault_of(answer: bytes, thumbnail: Thumbnail, expected: bytes) -> str:
    """Say what is wrong with a thumbnail; '' where it is of the right format and size, and looks right."""
    import pyvips

    kind = "webp" if answer[8:12] == b"WEBP" else "jpg" if answer[:2] == b"\xff\xd8" else "something else"
    if kind != thumbnail.format:
        return f"{kind} instead of {thumbnail.format}"
    image, right = (pyvips.Image.new_from_buffer(data, "") for data in (answer, expected))
    if (image.width, image.height) != (thumbnail.width_px, thumbnail.height_px):
        return f"{image.width} x {image.height} pixels"
    # Seen from afar: others sharpen and round as they like.
    difference = float((image[0:3] - right[0:3]).gaussblur(2).abs().avg())
    return f"another picture (by {difference:.1f})" if difference > _LARGEST_DIFFERENCE else ""


def _photograph(number: int) -> bytes:
    """Add detail scale by scale, each twice as fine as the last, much here and little there."""
    scale, seed = _COARSEST, number * 100
    luminance, busy = _noise(scale, _COARSE_SIGMA, seed), _noise(scale, _BUSY_SIGMA, seed + 50)
    while scale > 1:
        scale //= 2
        seed += 1
        luminance, busy = _grown(luminance, scale), _grown(busy, scale)
        detail = _noise(scale, _DETAIL_SIGMA if scale > 1 else _FINEST_SIGMA, seed)
        luminance += detail * (busy + _BUSY_MEAN).abs()
    colours = [_grown(_noise(16, _COLOUR_SIGMA, seed + each), 1) for each in (1, 2)]
    bands = [luminance + 118 + colours[0], luminance + 118, luminance + 118 + colours[1]]
    image = bands[0].bandjoin(bands[1:]).cast("uchar").copy(interpretation="srgb")
    return bytes(image.jpegsave_buffer(Q=_PHOTOGRAPH_QUALITY, subsample_mode="on"))


def _grown(image: Any, scale: int) -> Any:
    wide, high = _sides(scale)
    return image.resize(wide / image.width, vscale=high / image.height, kernel="cubic")


def _noise(scale: int, sigma: float, seed: int) -> Any:
    import pyvips

    wide, high = _sides(scale)
    return pyvips.Image.gaussnoise(wide, high, mean=0, sigma=sigma, seed=seed)


def _sides(scale: int) -> tuple[int, int]:
    return -(-WIDTH_PX // scale), -(-HEIGHT_PX // scale)
