"""HEIC goes in and out like every other format: limits, metadata, opacity, and which way is up."""

import json
import subprocess
import sys
from io import BytesIO
from typing import Any

import pillow_heif
import pytest
import pyvips
from PIL import ExifTags
from PIL import Image as pillow

from media.golden.distance import JPEG, distance
from media.golden.drawing import GLASS, MOTIF, Drawing, opaque
from media.golden.hevc import decoded_by_ffmpeg
from meiku.media import RecipeRefused, read_recipe
from meiku.media.engine import follow
from meiku.media.made import Made

PROFILE = bytes(pyvips.Image.profile_load("p3"))
SIDEWAYS = MOTIF.turned(-90)
LARGE = MOTIF.stretched(480, 360)


def heic(drawing: Drawing = MOTIF, mode: str | None = None, **options: Any) -> bytes:
    """Write a drawing by the library itself, without the engine."""
    image, file = opaque(drawing), BytesIO()
    mode = mode or ("RGBA" if image.hasalpha() else "RGB")
    pixels = image.write_to_memory()
    pillow_heif.encode(mode, (image.width, image.height), pixels, file, quality=90, **options)
    return file.getvalue()


def exif(**tags: Any) -> bytes:
    told = pillow.Exif()
    for name, value in tags.items():
        told[ExifTags.Base[name]] = value
    return told.tobytes()


def made(text: str, source: bytes, *, keeps_places: bool = False) -> Made:
    return follow(read_recipe(text), source, {}.__getitem__, keeps_places=keeps_places)


def picture(text: str, source: bytes) -> pyvips.Image:
    return pyvips.Image.new_from_buffer(made(text, source).body, "")


def looks_like(image: pyvips.Image, drawing: Drawing) -> bool:
    return distance(image, drawing.drawn()).within(JPEG)


def facts(source: bytes) -> dict[str, str]:
    told = json.loads(made("image/info", source).body)
    return {name: fact["value"] for name, fact in told.items()}


@pytest.mark.parametrize(
    ("brand", "compatible"),
    [(b"heic", b"mif1heic"), (b"heix", b"mif1heix"), (b"mif1", b"mif1heic"), (b"mif1", b"miafheic")],
)
def test_its_brands_tell_heic_from_avif(brand: bytes, compatible: bytes) -> None:
    """Cameras put either the codec's or the container's brand first."""
    source = heic()
    source = source.replace(b"ftypheic\0\0\0\0mif1heic", b"ftyp" + brand + b"\0\0\0\0" + compatible)
    assert facts(source)["Format"] == "heic"
    assert looks_like(picture("image/format,png", source), MOTIF)


def test_opacity_comes_and_goes() -> None:
    """A picture that can be seen through is read so, also when opacity is multiplied in, and written so."""
    assert looks_like(picture("image/format,png", heic(GLASS)), GLASS)
    premultiplied = opaque(GLASS).premultiply().cast("uchar")
    file = BytesIO()
    pillow_heif.encode("RGBa", (120, 90), premultiplied.write_to_memory(), file, quality=90)
    assert looks_like(picture("image/format,png", file.getvalue()), GLASS)
    written = made("image/format,heic", bytes(opaque(GLASS).pngsave_buffer()))
    assert looks_like(picture("image/format,png", written.body), GLASS)


@pytest.mark.parametrize("mode", ["L", "RGB;16"])
def test_grey_and_deep_colours_are_read(mode: str) -> None:
    """What has one band or ten bits comes out in three bands of eight bits."""
    image, file = opaque(MOTIF), BytesIO()
    image = image.colourspace("b-w" if mode == "L" else "rgb16")
    pillow_heif.encode(mode, (120, 90), image.write_to_memory(), file, quality=95)
    shown = picture("image/format,png", file.getvalue())
    meant = opaque(MOTIF).colourspace("b-w").colourspace("srgb") if mode == "L" else MOTIF.drawn()
    assert shown.bands == 3 and distance(shown, meant).within(JPEG)


def test_tiles_are_joined() -> None:
    """Telephones write a grid of small pictures."""
    assert looks_like(picture("image/format,png", heic(tile_size=64)), MOTIF)


def test_a_large_picture_is_written_in_tiles(monkeypatch: pytest.MonkeyPatch) -> None:
    """Where the encoder would want too much memory for the whole; the picture is the same."""
    from meiku.media import heic as module

    monkeypatch.setattr(module, "_WHOLE_SIDE_LIMIT_PX", 100)
    monkeypatch.setattr(module, "_TILE_SIDE_PX", 64)
    written = made("image/format,heic", bytes(opaque(MOTIF).pngsave_buffer())).body
    assert b"grid" in written
    assert looks_like(picture("image/format,png", written), MOTIF)


@pytest.mark.parametrize("step", ["", "/auto-orient,1", "/auto-orient,0"])
def test_a_picture_that_is_turned_is_turned_once(step: str) -> None:
    """The container turns it; what EXIF and XMP say of it is old and is not followed as well."""
    xmp = b'<x:xmpmeta xmlns:tiff="t" tiff:Orientation="6"/>'
    source = heic(SIDEWAYS, exif=exif(Orientation=6, Make="meiku"), xmp=xmp)
    assert source.find(b"irot") > 0
    assert (facts(source)["ImageWidth"], facts(source)["ImageHeight"]) == ("120", "90")
    assert "Orientation" not in facts(source) or facts(source)["Orientation"] == "1"
    shown = picture(f"image/format,jpg{step}", source)
    assert looks_like(shown, MOTIF)
    assert not shown.get_typeof("orientation") or shown.get("orientation") == 1
    again = made(f"image/format,heic{step}", source).body
    assert looks_like(decoded_by_ffmpeg(again), MOTIF)


@pytest.mark.parametrize("step", ["", "/auto-orient,1"])
def test_a_photo_that_was_held_sideways_is_written_upright(step: str) -> None:
    """A JPEG's EXIF turns it where it is shown; HEIC's does not, so the pixels are turned: once."""
    xmp = b'<x:xmpmeta xmlns:tiff="t" tiff:Orientation="6"/>'
    image, file = opaque(SIDEWAYS), BytesIO()
    frame = pillow.frombytes("RGB", (90, 120), image.write_to_memory())
    frame.save(file, "JPEG", quality=97, exif=exif(Orientation=6), xmp=xmp)
    written = made(f"image/format,heic{step}", file.getvalue()).body
    assert looks_like(decoded_by_ffmpeg(written), MOTIF)
    assert looks_like(picture("image/format,png", written), MOTIF)


def test_what_it_carries_is_kept_or_stripped() -> None:
    """EXIF, XMP and colour profile go in and out; strip leaves the profile, which is part of its looks."""
    source = heic(LARGE, exif=exif(Make="meiku"), xmp=b"<x/>", icc_profile=PROFILE)
    assert facts(source)["Make"] == "meiku"
    jpeg = pyvips.Image.new_from_buffer(made("image/format,jpg", source, keeps_places=True).body, "")
    assert "meiku" in jpeg.get("exif-ifd0-Make") and bytes(jpeg.get("icc-profile-data")) == PROFILE
    assert bytes(jpeg.get("xmp-data")) == b"<x/>"
    kept = pillow_heif.open_heif(made("image/resize,w_300", source, keeps_places=True).body).info
    assert b"meiku" in kept["exif"] and kept["icc_profile"] == PROFILE and kept["xmp"] == b"<x/>"
    stripped = pillow_heif.open_heif(made("image/strip", source).body).info
    assert stripped["exif"] is None and "xmp" not in stripped and stripped["icc_profile"] == PROFILE


def test_exif_speaks_of_the_picture_that_was_written() -> None:
    """Its size is that of the result, as in every format."""
    source = heic(LARGE, exif=exif(Make="meiku"))
    told = facts(made("image/resize,w_300", source).body)
    assert (told["PixelXDimension"], told["PixelYDimension"]) == ("300", "225")


def test_quality_is_followed() -> None:
    """More of it takes more bytes."""
    sizes = [len(made(f"image/quality,Q_{percent}", heic()).body) for percent in (10, 50, 95)]
    assert sizes == sorted(set(sizes))


def test_a_bomb_is_refused_by_its_head() -> None:
    """What the head says counts, before anything is decoded."""
    said = (120).to_bytes(4, "big") + (90).to_bytes(4, "big")
    bomb = heic().replace(b"ispe\0\0\0\0" + said, b"ispe\0\0\0\0" + (30_001).to_bytes(4, "big") * 2)
    with pytest.raises(RecipeRefused, match="too large: 30001 x 30001"):
        made("image/resize,w_9", bomb)


@pytest.mark.parametrize("side_px", [64, 4_000])
def test_a_head_that_lies_is_refused(side_px: int) -> None:
    """A picture that is larger or smaller than its head says is no picture."""
    said = (120).to_bytes(4, "big") + (90).to_bytes(4, "big")
    liar = heic().replace(b"ispe\0\0\0\0" + said, b"ispe\0\0\0\0" + side_px.to_bytes(4, "big") * 2)
    with pytest.raises(RecipeRefused, match="damaged"):
        made("image/resize,w_9", liar)


@pytest.mark.parametrize("share", [0.02, 0.2, 0.6, 0.95, 0.999])
def test_a_truncated_picture_is_refused(share: float) -> None:
    """Never half shown."""
    source = heic()
    with pytest.raises(RecipeRefused, match=r"damaged|not supported"):
        made("image/resize,w_100", source[: int(len(source) * share)])


def test_it_is_loaded_for_those_who_have_it() -> None:
    """Who makes other pictures has none of its memory, nor that of Pillow."""
    code = (
        "import sys, pyvips; from meiku.media.engine import follow; from meiku.media import read_recipe;"
        "source = pyvips.Image.black(9, 9).pngsave_buffer();"
        "follow(read_recipe('image/resize,w_5/format,jpg'), source, None);"
        "print([name for name in ('PIL', 'pillow_heif') if name in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"
