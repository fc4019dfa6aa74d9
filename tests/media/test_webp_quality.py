"""A WebP's quality is told from its bytes, near enough that a result is not made finer than its source."""

from io import BytesIO

import pytest
from PIL import Image as pillow

from media.golden.drawing import MOTIF, opaque
from media.test_engine import made
from media.test_levels import noise
from meiku.media.webp_quality import quality_of


def webp(percent: int, *, grain: bool, **options: object) -> bytes:
    """Write a WebP, smooth or with the grain of a photograph."""
    image = opaque(MOTIF.stretched(300, 300))
    if grain:
        image = (image.cast("float") + (noise() - 120) / 2).cast("uchar")
    file = BytesIO()
    frame = pillow.frombytes("RGB", (300, 300), image.write_to_memory())
    frame.save(file, "WEBP", quality=percent, **options)
    return file.getvalue()


@pytest.mark.parametrize("method", [0, 4, 6])
@pytest.mark.parametrize("grain", [True, False])
@pytest.mark.parametrize("percent", [10, 40, 60, 75, 90])
def test_the_quality_is_told_from_the_quantisers(percent: int, grain: bool, method: int) -> None:
    """Within eight percent, for files do not say it."""
    assert abs(quality_of(webp(percent, grain=grain, method=method)) - percent) <= 8


def test_what_is_without_loss_has_all_of_it() -> None:
    """And of what is no whole file, nothing is known."""
    assert quality_of(webp(100, grain=True, lossless=True)) == 100
    assert quality_of(webp(60, grain=True)[:20]) == 80


@pytest.mark.parametrize("step", ["Q_90", "Q_100"])
def test_a_result_is_not_finer_than_its_source(step: str) -> None:
    """What is lost does not come back, and the file would only grow."""
    source = webp(60, grain=True)
    assert len(made(f"image/quality,{step}", source).body) < 1.2 * len(source)
    assert len(made(f"image/quality,{step}", webp(95, grain=True)).body) > 1.5 * len(source)
