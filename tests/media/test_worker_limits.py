"""What a picture may take: memory is counted, also where a library would take a file for it."""

import json
import struct
import time
from functools import cache

import pytest
import pyvips

from media.working import Follow, in_a_workshop, made
from meiku.media import RecipeRefused
from meiku.media.limits import Limits
from meiku.media.made import Made

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
            assert "given up: on this object it takes more memory" in refused(
                await follow(f"image/{recipe}", source)
            )
            assert isinstance(await follow("image/resize,w_400", source), Made)
        assert isinstance(await follow("image/average-hue", source), Made)

    in_a_workshop(use, Limits(memory_bytes=256 * MIB))


@pytest.mark.parametrize("wanted", ["avif", "heic", "webp"])
@pytest.mark.parametrize("memory_mib", [200, 250, 300])
def test_a_result_whose_writer_wants_more_memory_says_so(wanted: str, memory_mib: int) -> None:
    """It is not called damaged, whatever the writer's library says of it."""

    async def use(follow: Follow) -> None:
        result = await follow(f"image/resize,w_14000,limit_0/format,{wanted}", flat(".jpg", 900, 600))
        assert "given up: on this object it takes more memory" in refused(result)

    in_a_workshop(use, Limits(memory_bytes=memory_mib * MIB))


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


def gif(frames: int, width_px: int, height_px: int) -> bytes:
    """Many frames in few bytes: each changes one pixel."""
    palette = bytes([200, 10, 10, 10, 200, 10])
    head = b"GIF89a" + struct.pack("<HHBBB", width_px, height_px, 0x80, 0, 0) + palette
    control = b"\x21\xf9\x04\x04\x05\x00\x00\x00"
    image = b"\x2c" + struct.pack("<HHHHB", 0, 0, 1, 1, 0) + b"\x02\x02\x44\x01\x00"
    return head + (control + image) * frames + b"\x3b"


def test_frames_are_counted_before_they_are_decoded() -> None:
    """Ten thousand are too many to move, however small; one of them can be had, and their number."""
    source = gif(10_000, 100, 100)

    async def use(follow: Follow) -> None:
        for recipe in ("resize,w_50", "bright,10", "format,webp"):
            began_s = time.monotonic()
            assert "too many frames to move: 10,000" in refused(await follow(f"image/{recipe}", source))
            assert time.monotonic() - began_s < 2
        assert isinstance(await follow("image/format,png", source), Made)
        told = await follow("image/info", source)
        assert isinstance(told, Made) and json.loads(told.body)["FrameCount"] == {"value": "10000"}
        assert "too large: 200 x 200 pixels in 10000" in refused(
            await follow("image/format,png", gif(10_000, 200, 200))
        )

    in_a_workshop(use)


def test_many_frames_take_little_memory() -> None:
    """They are worked on one after another, not all at once."""
    result = made(
        "image/resize,w_50/rotate,45/blur,r_3,s_3/circle,r_20",
        gif(300, 100, 100),
        Limits(memory_bytes=128 * MIB),
    )
    assert isinstance(result, Made)
