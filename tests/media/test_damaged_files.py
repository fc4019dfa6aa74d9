"""Real files with damage of every kind, given to the real worker: a picture or a refusal in words, no third.

A worker may die of one; the next picture is made. `MEIKU_FUZZ_ROUNDS` says how many of each format; a failure
names the seed and the file's damage, by which it comes again.
"""

import json
import os
import random
from collections.abc import Awaitable, Callable
from functools import cache
from io import BytesIO

import pillow_heif
import pytest
import pyvips
from PIL import Image as pillow

from media.filming import film
from media.golden.drawing import GLASS, MOTIF, Drawing, opaque
from media.test_brands import track_of_avif
from media.working import Follow, in_a_workshop
from meiku.media import RecipeRefused
from meiku.media.limits import Limits
from meiku.media.made import Made

ROUNDS = int(os.environ.get("MEIKU_FUZZ_ROUNDS", "200"))
SEED = int(os.environ.get("MEIKU_FUZZ_SEED", "20240607"))
# Much longer than any of these pictures takes: what is given up for its time hung.
LIMITS = Limits(timeout_s=20)
RECIPES = [
    "image/resize,w_40/format,jpg",
    "image/rotate,30/format,png",
    "image/crop,w_50,h_50,g_center/auto-orient,1/format,webp",
    "image/info",
    "image/average-hue",
    "image/quality,q_70",
]
VIDEO_RECIPES = [
    "video/snapshot,t_300",
    "video/snapshot,t_100,m_fast",
    "video/info",
    "video/animation,num_3,w_64",
]


def _file(drawing: Drawing, wanted: str, **options: object) -> bytes:
    image, file = opaque(drawing), BytesIO()
    mode = "RGBA" if image.hasalpha() else "RGB"
    frame = pillow.frombytes(mode, (image.width, image.height), image.write_to_memory())
    frame.save(file, wanted, **options)
    return file.getvalue()


def _heic(drawing: Drawing, **options: object) -> bytes:
    image, file = opaque(drawing), BytesIO()
    mode = "RGBA" if image.hasalpha() else "RGB"
    pillow_heif.encode(mode, (image.width, image.height), image.write_to_memory(), file, **options)
    return file.getvalue()


def _numbers() -> bytes:
    grey = (opaque(MOTIF).colourspace("b-w") / 255).copy(interpretation="b-w")
    return bytes(grey.tiffsave_buffer(bigtiff=True))


def _facts() -> dict[str, bytes]:
    exif = pillow.Exif()
    exif[pillow.ExifTags.Base.Orientation], exif[pillow.ExifTags.Base.Make] = 6, "meiku"
    return {"exif": exif.tobytes(), "icc_profile": bytes(pyvips.Image.profile_load("p3"))}


def _frames() -> list[pillow.Image]:
    return [pillow.open(BytesIO(_file(drawing, "PNG"))) for drawing in (MOTIF.mirrored(), MOTIF.turned(180))]


SOURCES: dict[str, Callable[[], bytes]] = {
    "jpg": lambda: _file(MOTIF, "JPEG", **_facts()),
    "jpg progressive": lambda: _file(MOTIF, "JPEG", progressive=True),
    "jpg without its end": lambda: _file(MOTIF, "JPEG")[:-2],
    "png": lambda: _file(GLASS, "PNG", **_facts()),
    "webp": lambda: _file(GLASS, "WEBP", **_facts()),
    "webp lossless": lambda: _file(GLASS, "WEBP", lossless=True),
    "webp moving": lambda: _file(MOTIF, "WEBP", save_all=True, append_images=_frames()),
    "gif moving": lambda: _file(MOTIF, "GIF", save_all=True, append_images=_frames()),
    "tiff": lambda: _file(GLASS, "TIFF", compression="tiff_lzw"),
    "tiff plain": lambda: _file(MOTIF.stretched(40, 30), "TIFF"),
    "tiff jpeg": lambda: _file(MOTIF, "TIFF", compression="jpeg"),
    "tiff of numbers": lambda: _numbers(),
    "bmp": lambda: _file(MOTIF.stretched(40, 30), "BMP"),
    "avif": lambda: _file(GLASS, "AVIF", **_facts()),
    "avif in a track": track_of_avif,
    "heic": lambda: _heic(GLASS, **_facts()),
    "heic tiles": lambda: _heic(MOTIF, tile_size=64),
    "mp4": lambda: film("mp4", "libx264", frames=12),
    "mkv vp9": lambda: film("matroska", "libvpx-vp9", frames=12),
}
pillow_heif.register_heif_opener()
source_of = cache(lambda name: SOURCES[name]())


def damaged(data: bytes, chance: random.Random) -> bytes:
    """Damage a file in one to four places: bits, numbers, pieces that are missing, strange, or repeated."""
    file = bytearray(data)
    for _ in range(chance.randint(1, 4)):
        if len(file) < 16:
            break
        # Heads are short, and most of what can be said wrongly stands there.
        reach = chance.choice([64, 512, len(file)])
        at = chance.randrange(min(reach, len(file) - 8))
        size_bytes = chance.choice([1, 2, 4, 16, 100])
        match chance.randrange(7):
            case 0:
                file[at] ^= 1 << chance.randrange(8)
            case 1:
                file[at] = chance.choice([0, 1, 0x7F, 0x80, 0xFF])
            case 2:
                width = chance.choice([2, 4])
                number = chance.choice([0, 1, 0x7FFF, 0x8000, 0xFFFF, 0x7FFFFFFF, 0xFFFFFFFF])
                order = chance.choice(["big", "little"])
                file[at : at + width] = (number & (256**width - 1)).to_bytes(width, order)
            case 3:
                file[at:at] = chance.randbytes(size_bytes)
            case 4:
                del file[at : at + size_bytes]
            case 5:
                file[at:at] = file[at : at + size_bytes]
            case _:
                del file[chance.randrange(len(file)) :]
    return bytes(file)


async def judge(follow: Follow, recipe: str, data: bytes) -> None:
    """Accept a picture that can be shown, facts, or a refusal in words that is about this file."""
    result = await follow(recipe, data)
    if isinstance(result, Made):
        if result.content_type == "application/json":
            assert json.loads(result.body)
            return
        with pillow.open(BytesIO(result.body)) as shown:
            shown.load()
        return
    assert isinstance(result, RecipeRefused)
    assert "longer than" not in result.message, "it hangs"
    assert len(result.message) > 20 and result.message.isascii()


def rounds(name: str) -> Callable[[Follow], Awaitable[None]]:
    """Follow recipes on damaged forms of one source, and now and then on the source itself."""

    async def use(follow: Follow) -> None:
        source = source_of(name)
        recipes = VIDEO_RECIPES if name.startswith("m") else RECIPES
        for number in range(ROUNDS):
            chance = random.Random(f"{SEED} {name} {number}")
            recipe = recipes[number % len(recipes)]
            try:
                await judge(follow, recipe, damaged(source, chance))
            except AssertionError as error:
                raise AssertionError(f"MEIKU_FUZZ_SEED={SEED}, {name}, round {number}: {recipe}") from error
        for recipe in recipes:
            assert isinstance(await follow(recipe, source), Made), recipe

    return use


@pytest.mark.parametrize("name", SOURCES)
def test_damage_of_every_kind_is_borne(name: str) -> None:
    """Whatever came before, the whole file is worked on in the end."""
    in_a_workshop(rounds(name), LIMITS)
