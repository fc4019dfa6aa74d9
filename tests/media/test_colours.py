"""What a source's codes mean is heeded, by profile or numbers, where a result cannot say it or mixes it."""

import json
import struct
import zlib
from collections.abc import Callable
from io import BytesIO
from typing import Any

import pillow_heif
import pytest
import pyvips
from PIL import Image as pillow

from media.filming import Shade, film
from media.golden.distance import Distance, distance
from media.golden.drawing import MOTIF, flat, opaque, png
from media.working import made as made_by_worker
from media.writing import encoded
from meiku.media import read_recipe
from meiku.media.code_points import in_boxes
from meiku.media.engine import follow
from meiku.media.made import Made

P3 = bytes(pyvips.Image.profile_load("p3"))
RED = (220, 40, 30)
FORMATS = ["jpg", "png", "webp", "gif", "bmp", "tiff", "avif", "heic"]
HOLD_PROFILES = [each for each in FORMATS if each not in ("gif", "bmp")]
# A GIF has few colours; and what is compressed to little and brought to sRGB, some noise.
NEAR, ROUGH = Distance(1.0, 4.0), Distance(3.0, 25.0)
# As ITU-T H.273 numbers them.
BT709, BT2020, P3_PRIMARIES, SRGB_CURVE, PQ, HLG = 1, 9, 12, 13, 16, 18


def in_p3(image: pyvips.Image) -> pyvips.Image:
    """Write the same colours in the codes of Display P3, without saying so."""
    coded = image.icc_transform("p3", input_profile="srgb").copy()
    coded.remove("icc-profile-data")
    return coded


def profiled(image: pyvips.Image, profile: bytes = P3) -> pyvips.Image:
    said = image.copy()
    said.set_type(pyvips.GValue.blob_type, "icc-profile-data", profile)
    return said


def p3_png(image: pyvips.Image) -> bytes:
    return bytes(profiled(in_p3(image)).pngsave_buffer())


def made(recipe: str, source: bytes, **named: bytes) -> Made:
    return follow(read_recipe(f"image/{recipe}"), source, named.__getitem__)


def seen(body: bytes) -> pyvips.Image:
    """Look at a picture as a program does that knows profiles: in sRGB."""
    with pillow.open(BytesIO(body)) as file:
        if file.format in ("BMP", "HEIF"):
            frame = file.convert("RGB")
            image = pyvips.Image.new_from_memory(frame.tobytes(), *frame.size, 3, "uchar")
            image = image.copy(interpretation="srgb")
            profile = file.info.get("icc_profile")
            image = profiled(image, profile) if profile else image
        else:
            image = pyvips.Image.new_from_buffer(body, "")
    return image.icc_transform("srgb", embedded=True) if image.get_typeof("icc-profile-data") else image


def colour(body: bytes, x: int, y: int) -> list[int]:
    return [round(level) for level in seen(body)(x, y)[:3]]


def close(one: list[int], other: tuple[int, ...], within: int = 3) -> bool:
    return all(abs(a - b) <= within for a, b in zip(one, other, strict=True))


def average(source: bytes) -> tuple[int, ...]:
    return tuple(bytes.fromhex(json.loads(made("average-hue", source).body)["RGB"][2:]))


pillow_heif.register_heif_opener()


@pytest.mark.parametrize("recipe", ["", "resize,w_60/", "rotate,90/", "resize,w_60,m_pad,h_60/"])
@pytest.mark.parametrize("wanted", FORMATS)
def test_a_result_has_the_colours_of_its_source(wanted: str, recipe: str) -> None:
    """By its profile where it can hold one, and otherwise in sRGB."""
    source = p3_png(opaque(MOTIF))
    body = made(f"{recipe}format,{wanted}", source).body
    meant = made(f"{recipe}format,png", png(MOTIF)).body
    shown, expected = seen(body), pyvips.Image.new_from_buffer(meant, "")
    if wanted in ("jpg", "bmp"):
        expected = expected.flatten(background=[255] * 3) if expected.hasalpha() else expected
    assert distance(shown, expected).within(ROUGH)


@pytest.mark.parametrize("wanted", HOLD_PROFILES)
def test_a_profile_stays_where_it_can(wanted: str) -> None:
    """With it go colours that sRGB does not have."""
    body = made(f"format,{wanted}", p3_png(opaque(MOTIF))).body
    with pillow.open(BytesIO(body)) as file:
        assert file.info["icc_profile"] == P3


def test_an_average_is_told_in_srgb() -> None:
    """As a page's style sheet takes it."""
    source = p3_png(opaque(flat(40, 30, (*RED, 255))))
    assert close(list(average(source)), RED)


@pytest.mark.parametrize("wanted", FORMATS)
@pytest.mark.parametrize(
    ("recipe", "x", "y"),
    [
        ("watermark,text_4paI,size_60,color_DC281E,g_center,x_0,y_0", 100, 75),
        (f"watermark,image_{encoded('logo')},g_nw,x_0,y_0", 10, 10),
        (f"watermark,image_{encoded('p3')},g_nw,x_0,y_0", 10, 10),
        ("resize,w_200,h_200,m_pad,color_DC281E,limit_0", 100, 8),
        ("rotate,45,color_DC281E", 5, 5),
    ],
)
def test_what_is_laid_on_keeps_its_colour_and_so_does_the_ground(
    recipe: str, x: int, y: int, wanted: str
) -> None:
    """The text's, the logo's, that of what a picture leaves free; whatever profile either has."""
    ground = (40, 60, 200)
    logo = opaque(flat(60, 40, (*RED, 255)))
    source = p3_png(opaque(flat(200, 150, (*ground, 255))))
    named = {"logo": bytes(logo.pngsave_buffer()), "p3": p3_png(logo)}
    body = made(f"{recipe}/format,{wanted}", source, **named).body
    assert close(colour(body, x, y), RED, 6)
    image = seen(body)
    assert close(
        colour(body, image.width // 2 + (70 if "text" in recipe else 0), image.height // 2 + 40), ground, 6
    )


def test_white_and_black_cost_no_colours() -> None:
    """They are the same under every profile, which then stays."""
    for recipe in ("resize,w_100,h_100,m_pad", "rotate,45,color_000000", "rotate,45"):
        with pillow.open(BytesIO(made(f"{recipe}/format,jpg", p3_png(opaque(MOTIF))).body)) as file:
            assert file.info["icc_profile"] == P3


def grey_profile(gamma: float) -> bytes:
    """Write the least profile for grey (ICC.1)."""
    white = b"XYZ \0\0\0\0" + struct.pack(">3i", 63_190, 65_536, 54_061)
    curve = b"curv\0\0\0\0" + struct.pack(">IH", 1, round(gamma * 256)) + b"\0\0"
    tags = ((b"wtpt", white), (b"kTRC", curve))
    places, body, start = b"", b"", 128 + 4 + 12 * len(tags)
    for name, tag in tags:
        places += name + struct.pack(">II", start + len(body), len(tag))
        body += tag
    head = struct.pack(">I4sI4s4s4s", start + len(body), b"lcms", 0x02_40_00_00, b"mntr", b"GRAY", b"XYZ ")
    head = (head + bytes(12) + b"acsp").ljust(68, b"\0") + struct.pack(">3i", 63_190, 65_536, 54_061)
    return head.ljust(128, b"\0") + struct.pack(">I", len(tags)) + places + body


@pytest.mark.parametrize("wanted", FORMATS)
@pytest.mark.parametrize("source_format", ["png", "jpeg", "tiff"])
def test_a_grey_picture_with_a_grey_profile(source_format: str, wanted: str) -> None:
    """A code of half in a profile of linear light is 188 in sRGB."""
    grey = profiled(
        (pyvips.Image.black(60, 40) + 128).cast("uchar").copy(interpretation="b-w"), grey_profile(1.0)
    )
    source = bytes(grey.write_to_buffer(f".{source_format}"))
    for recipe in ("", "resize,w_30/"):
        body = made(f"{recipe}format,{wanted}", source).body
        assert close(colour(body, 10, 10), (188, 188, 188))
    assert average(source) == (188, 188, 188)


def test_a_grey_picture_with_a_profile_of_colours() -> None:
    """Programs write that, too: its codes are taken for three that are the same."""
    grey = profiled((pyvips.Image.black(60, 40) + 128).cast("uchar").copy(interpretation="b-w"))
    for wanted in FORMATS:
        assert close(colour(made(f"format,{wanted}", bytes(grey.tiffsave_buffer())).body, 10, 10), (128,) * 3)


@pytest.mark.parametrize("wanted", FORMATS)
@pytest.mark.parametrize("profile", [grey_profile(1.0), P3[:300], P3[:20], b"junk" * 40])
def test_a_profile_that_does_not_fit_is_left_out(profile: bytes, wanted: str) -> None:
    """The picture is not damaged by it."""
    source = bytes(profiled(opaque(flat(40, 30, (*RED, 255))), profile).tiffsave_buffer())
    for recipe in ("", "resize,w_20/", "rotate,90/"):
        assert close(colour(made(f"{recipe}format,{wanted}", source).body, 5, 5), RED, 5)


def boxed(kind: str, image: pyvips.Image, primaries: int, transfer: int) -> bytes:
    """Write HEIC or AVIF whose head says its colours in numbers."""
    file, pixels = BytesIO(), image.write_to_memory()
    if kind == "heic":
        mode = "RGB;16" if image.format == "ushort" else "RGB"
        pillow_heif.encode(mode, (image.width, image.height), pixels, file, quality=100, chroma=444)
        data = file.getvalue()
    else:
        pillow.frombytes("RGB", (image.width, image.height), bytes(pixels)).save(file, "AVIF", quality=100)
        data = file.getvalue()
    place = data.index(b"colrnclx") + 8
    return data[:place] + struct.pack(">HH", primaries, transfer) + data[place + 4 :]


def chunked(image: pyvips.Image, primaries: int, transfer: int) -> bytes:
    """Write a PNG that says its colours in numbers."""
    data, body = bytes(image.pngsave_buffer(keep="none")), b"cICP" + bytes([primaries, transfer, 0, 1])
    chunk = struct.pack(">I", 4) + body + struct.pack(">I", zlib.crc32(body))
    return data[:33] + chunk + data[33:]


WRITERS: dict[str, Callable[[pyvips.Image, int, int], bytes]] = {
    "avif": lambda *given: boxed("avif", *given),
    "heic": lambda *given: boxed("heic", *given),
    "png": chunked,
}


@pytest.mark.parametrize("wanted", FORMATS)
@pytest.mark.parametrize("kind", WRITERS)
def test_p3_in_numbers_is_p3(kind: str, wanted: str) -> None:
    """As with a profile: in the result where it holds one, else in sRGB."""
    source = WRITERS[kind](in_p3(opaque(MOTIF)), P3_PRIMARIES, SRGB_CURVE)
    for recipe in ("", "resize,w_60/"):
        body = made(f"{recipe}format,{wanted}", source).body
        meant = MOTIF.stretched(60, 45) if recipe else MOTIF
        assert distance(seen(body), meant.drawn()).within(ROUGH)
        with pillow.open(BytesIO(body)) as file:
            assert (file.info.get("icc_profile") == P3) is (wanted in HOLD_PROFILES)


@pytest.mark.parametrize("kind", WRITERS)
@pytest.mark.parametrize(
    ("transfer", "code", "least", "most"),
    [
        (PQ, 0, 0, 2),
        (PQ, 64, 40, 50),  # 5 cd/m², a shadow
        (PQ, 130, 170, 200),  # 100 cd/m²
        (PQ, 148, 215, 245),  # 203 cd/m², the white of a page
        (PQ, 192, 254, 255),  # 1,000 cd/m²
        (HLG, 64, 50, 75),
        (HLG, 191, 215, 245),  # the white of a page
        (HLG, 255, 254, 255),
    ],
)
def test_hdr_in_numbers_is_brought_to_what_a_page_shows(
    transfer: int, code: int, least: int, most: int, kind: str
) -> None:
    """The same as of a film's frame."""
    for primaries in (BT2020, P3_PRIMARIES):
        source = WRITERS[kind](opaque(flat(40, 30, (code, code, code, 255))), primaries, transfer)
        for recipe in ("format,png", "resize,w_20/format,jpg", "format,bmp"):
            body = made(recipe, source).body
            assert all(least <= level <= most for level in colour(body, 5, 5)), colour(body, 5, 5)
            with pillow.open(BytesIO(body)) as file:
                assert "icc_profile" not in file.info


@pytest.mark.parametrize("kind", WRITERS)
def test_wide_colours_in_numbers_are_found_again(kind: str) -> None:
    """The red of sRGB has other codes in BT.2020 (BT.2087)."""
    source = WRITERS[kind](opaque(flat(40, 30, (207, 74, 34, 255))), BT2020, 14)
    assert close(colour(made("format,png", source).body, 5, 5), (255, 0, 0), 14)
    plain = WRITERS[kind](opaque(flat(40, 30, (*RED, 255))), BT709, SRGB_CURVE)
    assert close(colour(made("format,png", plain).body, 5, 5), RED)


@pytest.mark.parametrize("frames", [1, 3])
@pytest.mark.parametrize(("transfer", "code", "least", "most"), [(PQ, 148, 215, 245), (HLG, 191, 215, 245)])
def test_an_avif_of_ten_bits_is_brought_down(
    transfer: int, code: int, least: int, most: int, frames: int
) -> None:
    """As cameras write HDR, and also where it moves."""
    shade = Shade((code, code, code), 9, transfer=transfer, primaries=BT2020)
    source = film("avif", "libsvtav1", frames=frames, shade=shade, pixels="yuv420p10le")
    for recipe in ("format,png", "resize,w_20/format,jpg"):
        assert all(least <= level <= most for level in colour(made(recipe, source).body, 5, 5))


def test_of_several_pictures_in_a_file_the_colours_of_the_one_that_is_shown_count() -> None:
    """Others beside it, such as a map to more light, have their own."""
    source = boxed("avif", opaque(flat(40, 30, (*RED, 255))), BT709, SRGB_CURVE)
    place = source.index(b"ipco") - 4
    other = struct.pack(">I", 19) + b"colrnclx" + struct.pack(">HHHB", BT2020, PQ, 9, 128)
    with_other = bytearray(source[: place + 8] + other + source[place + 8 :])
    for box in (b"meta", b"iprp", b"ipco"):
        start = with_other.index(box) - 4
        size_bytes = int.from_bytes(with_other[start : start + 4], "big") + len(other)
        with_other[start : start + 4] = size_bytes.to_bytes(4, "big")
    # Behind their count stand the numbers of the boxes that describe the picture: all are one more now.
    numbers = with_other.index(b"ipma") + 15
    for at in range(numbers, numbers + with_other[numbers - 1]):
        with_other[at] += 1
    assert with_other.index(struct.pack(">HH", BT2020, PQ)) < with_other.index(b"colrnclx\0\x01")
    assert in_boxes(source) == in_boxes(bytes(with_other)) == (BT709, SRGB_CURVE)


def test_opacity_stays_beside_colours_that_are_brought_down() -> None:
    """It is light of no kind."""
    image = opaque(flat(40, 30, (148, 148, 148, 255)))
    half = image.bandjoin((pyvips.Image.black(40, 30) + 100).cast("uchar"))
    shown = pyvips.Image.new_from_buffer(made("format,png", chunked(half, BT2020, PQ)).body, "")
    assert shown.bands == 4 and shown(5, 5)[3] == 100 and 215 <= shown(5, 5)[0] <= 245


def test_deep_hdr_keeps_its_steps() -> None:
    """Of ten bits none is thrown away before its light is known."""
    ramp = (
        pyvips.Image.identity(ushort=True, size=65_536).subsample(128, 1).embed(0, 0, 512, 64, extend="copy")
    ) * 0.4
    deep = ramp.cast("ushort").bandjoin([ramp.cast("ushort")] * 2).copy(interpretation="rgb16")
    body = made("format,png", boxed("heic", deep, BT2020, PQ)).body
    row = pyvips.Image.new_from_buffer(body, "").extract_band(1).crop(0, 30, 512, 1)
    assert len(set(bytes(row.write_to_memory()))) > 100


def tiff(image: pyvips.Image, **options: Any) -> bytes:
    return bytes(image.tiffsave_buffer(**options))


@pytest.mark.parametrize(
    "recipe", ["format,png", "resize,w_120/format,png", "rotate,180/rotate,180/format,png"]
)
def test_a_tiff_of_large_places_and_of_numbers_is_read(recipe: str) -> None:
    """BigTIFF; grey as shares of white or as codes, in floats or whole numbers of 32 bits."""
    image = opaque(MOTIF)
    grey = image.colourspace("b-w")
    meant = {
        tiff(image, bigtiff=True): image,
        tiff((grey / 255).copy(interpretation="b-w")): grey,
        tiff((grey * 1.0).copy(interpretation="b-w")): grey,
        tiff((grey * 257.0).copy(interpretation="b-w")): grey,
        tiff((grey * 16_843_009.0).cast("uint").copy(interpretation="b-w")): grey,
    }
    for source, expected in meant.items():
        shown = pyvips.Image.new_from_buffer(made(recipe, source).body, "")
        assert distance(shown, expected.colourspace("srgb")).within(NEAR)
    told = json.loads(made("info", next(iter(meant))).body)
    assert told["Format"]["value"] == "tiff"


def test_the_worker_does_the_same() -> None:
    """With all that it has given up."""
    hdr = boxed("heic", opaque(flat(40, 30, (148, 148, 148, 255))), BT2020, PQ)
    for source in (p3_png(opaque(MOTIF)), hdr):
        result = made_by_worker("image/format,bmp", source)
        assert isinstance(result, Made) and result.body == made("format,bmp", source).body


def test_a_film_in_p3_shows_its_colours() -> None:
    """Its frames are pictures without a profile."""
    codes = [round(level) for level in in_p3(opaque(flat(8, 8, (*RED, 255))))(4, 4)]
    shade = Shade((codes[0], codes[1], codes[2]), 1, transfer=SRGB_CURVE, primaries=P3_PRIMARIES)
    result = made_by_worker("video/snapshot,t_0,f_png", film("mp4", frames=2, shade=shade))
    assert isinstance(result, Made) and close(colour(result.body, 20, 20), RED, 8)
