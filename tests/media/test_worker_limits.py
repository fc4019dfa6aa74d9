"""What a picture may take: memory is counted, also where a library would take a file for it."""

from functools import cache

import pytest
import pyvips

from media.working import Follow, in_a_workshop, made
from meiku.media import RecipeRefused
from meiku.media.made import Made
from meiku.media.workshop import Limits

MIB = 1 << 20


@cache
def flat(suffix: str, width_px: int = 10_000, height_px: int = 10_000, **options: object) -> bytes:
    """A large picture in a few kilobytes."""
    red, *others = (pyvips.Image.black(width_px, height_px) + level for level in (200, 30, 40))
    image = red.bandjoin(others).cast("uchar").copy(interpretation="srgb")
    return bytes(image.write_to_buffer(suffix, **options))


def refused(result: Made | RecipeRefused) -> str:
    assert isinstance(result, RecipeRefused)
    return result.message


@pytest.mark.parametrize("suffix", [".png", ".jpg", ".tiff"])
def test_a_picture_that_does_not_fit_is_refused_and_the_next_is_made(suffix: str) -> None:
    """100 megapixels take 300 MB where they are needed whole, and almost nothing where they are not."""
    source = flat(suffix, **({"compression": "deflate"} if suffix == ".tiff" else {}))

    async def use(follow: Follow) -> None:
        for recipe in ("rotate,90", "blur,r_9,s_5", "crop,w_9,h_9,g_se", "format,bmp", "format,heic"):
            assert "more memory" in refused(await follow(f"image/{recipe}", source))
            assert isinstance(await follow("image/resize,w_400", source), Made)
        assert isinstance(await follow("image/average-hue", source), Made)

    in_a_workshop(use, Limits(memory_bytes=256 * MIB))


def test_no_file_is_written_in_the_place_of_memory(monkeypatch: pytest.MonkeyPatch) -> None:
    """With enough of it, and nowhere to write, the same picture is made."""
    monkeypatch.setenv("TMPDIR", "/nowhere")
    assert isinstance(made("image/rotate,90/resize,w_100", flat(".png")), Made)


@pytest.mark.parametrize(
    ("recipe", "says"),
    [
        ("image/rotate,45", "4,096"),
        ("image/resize,w_16384,h_16384,m_fixed,limit_0", "too large"),
        ("image/resize,p_1000,limit_0", "16,384"),
        ("image/format,webp/resize,w_16384,h_99,m_fixed,limit_0", "16,383"),
    ],
)
def test_a_result_that_nobody_can_hold_is_refused(recipe: str, says: str) -> None:
    """250 megapixels in, and a recipe that wants more of them."""
    source = flat(".png", 15_800, 15_800, compression=9)
    assert says in refused(made(recipe, source))


@pytest.mark.parametrize("wanted", ["webp", "avif", "heic"])
def test_a_format_that_is_too_small_says_so(wanted: str) -> None:
    """Not the picture is damaged; it is longer than its new format knows."""
    message = refused(made(f"image/format,{wanted}", flat(".png", 20_000, 20)))
    assert message.startswith("format: ") and "at most 16,38" in message
