"""Every step does to real pixels what its name says, and what cannot be done is refused in words."""

import json
from base64 import urlsafe_b64encode
from functools import cache

import pytest
import pyvips

from meiku.media.engine import follow
from meiku.media.made import Made
from meiku.media.recipe import read_recipe
from meiku.media.refusal import RecipeRefused

RED, GREEN, BLUE, YELLOW = (220, 40, 30), (30, 180, 60), (40, 60, 200), (230, 210, 40)


def flat(width_px: int, height_px: int, colour: tuple[int, ...]) -> pyvips.Image:
    image = pyvips.Image.black(width_px, height_px) + list(colour)
    return image.cast("uchar").copy(interpretation="srgb")


@cache
def quarters(suffix: str = ".png", width_px: int = 600, height_px: int = 400, **options: object) -> bytes:
    """A picture of four colours: red, green / blue, yellow."""
    half = (width_px // 2, height_px // 2)
    tiles = [flat(*half, colour) for colour in (RED, GREEN, BLUE, YELLOW)]
    image = pyvips.Image.arrayjoin(tiles, across=2)
    if suffix in (".heic", ".bmp"):  # libvips does not write them
        return made(f"image/format,{suffix[1:]}", bytes(image.pngsave_buffer())).body
    return bytes(image.write_to_buffer(suffix, **options))


@cache
def moving(suffix: str = ".gif", frames: int = 3) -> bytes:
    image = pyvips.Image.arrayjoin([flat(120, 80, c) for c in (RED, GREEN, BLUE)[:frames]], across=1).copy()
    image.set_type(pyvips.GValue.gint_type, "page-height", 80)
    image.set_type(pyvips.GValue.array_int_type, "delay", [100] * frames)
    return bytes(image.write_to_buffer(suffix))


def made(text: str, source: bytes | None = None, **objects: bytes) -> Made:
    return follow(read_recipe(text), source or quarters(), objects.__getitem__)


def picture(text: str, source: bytes | None = None, **objects: bytes) -> pyvips.Image:
    return pyvips.Image.new_from_buffer(made(text, source, **objects).body, "")


def near(image: pyvips.Image, x: int, y: int, colour: tuple[int, ...], within: int = 24) -> bool:
    return all(abs(a - b) <= within for a, b in zip(image(x, y)[:3], colour, strict=False))


def name(text: str) -> str:
    return urlsafe_b64encode(text.encode()).decode().rstrip("=")


@pytest.mark.parametrize(
    ("recipe", "size"),
    [
        ("w_300", (300, 200)),
        ("h_100", (150, 100)),
        ("w_300,h_300", (300, 200)),
        ("w_300,h_300,m_mfit", (450, 300)),
        ("w_300,h_300,m_fill", (300, 300)),
        ("w_300,h_300,m_pad", (300, 300)),
        ("w_300,h_300,m_fixed", (300, 300)),
        ("h_100,m_fixed", (100, 100)),
        ("w_100,m_fill", (100, 100)),
        ("w_100,m_pad", (100, 100)),
        ("w_500,m_pad", (500, 500)),
        ("l_300", (300, 200)),
        ("s_100", (150, 100)),
        ("l_300,s_50", (75, 50)),
        ("p_50", (300, 200)),
        ("w_1200", (600, 400)),
        ("w_1200,limit_0", (1200, 800)),
        ("w_1,h_1,m_fixed", (1, 1)),
        ("w_300,p_10", (300, 200)),
        ("w_700,h_100,m_fill", (600, 400)),
        ("p_200", (600, 400)),
    ],
)
@pytest.mark.parametrize("suffix", [".png", ".jpg", ".webp"])
def test_every_way_of_resizing_gives_its_size(recipe: str, size: tuple[int, int], suffix: str) -> None:
    image = picture(f"image/resize,{recipe}", quarters(suffix))
    assert (image.width, image.height) == size


def test_pad_fills_with_its_colour_and_fill_cuts_evenly() -> None:
    padded = picture("image/resize,w_300,h_300,m_pad,color_0000FF")
    assert near(padded, 150, 10, (0, 0, 255)) and near(padded, 20, 60, RED) and near(padded, 280, 240, YELLOW)
    filled = picture("image/resize,w_300,h_300,m_fill")
    assert near(filled, 2, 2, RED) and near(filled, 297, 297, YELLOW)


def test_a_crop_lies_where_gravity_says_and_is_clipped() -> None:
    east = picture("image/crop,w_300,h_50,g_se")
    assert (east.width, east.height) == (300, 50) and near(east, 5, 25, YELLOW)
    moved = picture("image/crop,w_300,h_50,g_se,x_100")
    assert (moved.width, moved.height) == (200, 50)
    assert near(picture("image/crop,x_300,y_0,w_10,h_10"), 5, 5, GREEN)
    with pytest.raises(RecipeRefused, match=r"crop, parameter x: .* 600 pixels"):
        picture("image/crop,x_600")


def test_rotation_is_clockwise_and_slanted_corners_are_seen_through() -> None:
    turned = picture("image/rotate,90")
    assert (turned.width, turned.height) == (400, 600) and near(turned, 10, 10, BLUE)
    slanted = picture("image/rotate,45")
    assert slanted.hasalpha() and slanted(0, 0)[3] == 0
    assert near(picture("image/rotate,45/format,jpg"), 1, 1, (255, 255, 255))


@pytest.mark.parametrize("suffix", [".jpg", ".png", ".webp", ".tiff"])
@pytest.mark.parametrize(
    ("step", "corner"),
    [
        ("rotate,90", BLUE),
        ("rotate,180", YELLOW),
        ("rotate,270", GREEN),
        ("rotate,300,color_000000", (0, 0, 0)),
        ("crop,w_200,h_100,g_se", YELLOW),
        ("crop,w_200,h_100,g_sw", BLUE),
        ("bright,0/rotate,180", YELLOW),
        ("crop,x_1200/resize,w_300/rotate,180", YELLOW),
    ],
)
def test_a_large_picture_is_resized_and_then_turned(suffix: str, step: str, corner: tuple[int, ...]) -> None:
    """What is decoded from top to bottom, as it is resized, is then read in any other order."""
    source = quarters(suffix, 3000, 2400)
    assert near(picture(f"image/resize,w_1500/{step}/format,png", source), 5, 5, corner)
    assert near(picture(f"image/{step}/format,png", source), 5, 5, corner)


def test_an_index_crop_keeps_one_slice_and_beyond_the_last_all() -> None:
    last = picture("image/indexcrop,x_250,i_2")
    assert (last.width, last.height) == (100, 400) and near(last, 50, 50, GREEN)
    assert picture("image/indexcrop,y_100,i_9").height == 400


def test_a_circle_is_round_and_its_box_is_the_canvas() -> None:
    image = picture("image/circle,r_4096")
    assert (image.width, image.height) == (400, 400)
    assert image(0, 0)[3] == 0 and image(200, 0)[3] > 100 and image(200, 200)[3] == 255
    assert near(picture("image/circle,r_100/format,jpg"), 1, 1, (255, 255, 255))


def test_rounded_corners_leave_the_rest() -> None:
    image = picture("image/rounded-corners,r_50")
    assert (image.width, image.height) == (600, 400)
    assert image(0, 0)[3] == 0 and image(15, 15)[3] == 255 and image(300, 0)[3] == 255


@pytest.mark.parametrize(
    ("recipe", "colour"),
    [
        ("bright,100", (255, 255, 255)),
        ("bright,-100", (0, 0, 0)),
        ("bright,0", RED),
        ("contrast,-100", (127, 127, 127)),
        ("contrast,100", (255, 0, 0)),
        ("sharpen,100", RED),
        ("blur,r_10,s_5", RED),
    ],
)
def test_colours_change_as_they_are_told(recipe: str, colour: tuple[int, ...]) -> None:
    assert near(picture(f"image/{recipe}"), 100, 100, colour, within=2)


def test_blur_mixes_neighbours_and_sharpen_parts_them() -> None:
    blurred = picture("image/blur,r_50,s_20")
    assert 90 < blurred(300, 100)[0] < 160
    sharp = picture("image/sharpen,300")
    assert sharp(299, 100)[0] > RED[0]


@pytest.mark.parametrize(
    ("wanted", "begins", "content_type"),
    [
        ("jpg", b"\xff\xd8\xff", "image/jpeg"),
        ("png", b"\x89PNG", "image/png"),
        ("webp", b"RIFF", "image/webp"),
        ("gif", b"GIF8", "image/gif"),
        ("tiff", b"II*\0", "image/tiff"),
        ("avif", b"\0\0\0", "image/avif"),
        ("bmp", b"BM", "image/bmp"),
        ("heic", b"\0\0\0", "image/heic"),
    ],
)
@pytest.mark.parametrize("suffix", [".png", ".jpg", ".webp", ".gif", ".tiff", ".avif", ".heic", ".bmp"])
def test_every_format_becomes_every_other(suffix: str, wanted: str, begins: bytes, content_type: str) -> None:
    result = made(f"image/resize,w_60/format,{wanted}", quarters(suffix))
    assert result.content_type == content_type and result.body.startswith(begins)
    assert near(picture("image/format,png", result.body), 10, 10, RED, within=40)


@pytest.mark.parametrize("suffix", [".png", ".jpg"])
@pytest.mark.parametrize("wanted", ["jpg", "png", "webp", "bmp", "gif", "tiff"])
def test_a_picture_that_is_not_in_memory_whole_is_written(wanted: str, suffix: str) -> None:
    """Sources are read from top to bottom once; a format that is written from the bottom up does, too."""
    result = made(f"image/format,{wanted}", quarters(suffix, 2400, 1600))
    if wanted == "bmp":
        rows, row_bytes = result.body[54:], 2400 * 3
        assert len(rows) == 1600 * row_bytes
        places_bytes = (len(rows) - row_bytes, len(rows) - 3, 0, row_bytes - 3)
        corners = [rows[place : place + 3][::-1] for place in places_bytes]
    else:
        image = pyvips.Image.new_from_buffer(result.body, "")
        places = ((0, 0), (2399, 0), (0, 1599), (2399, 1599))
        corners = [bytes(int(part) for part in image(*place)[:3]) for place in places]
    for corner, colour in zip(corners, (RED, GREEN, BLUE, YELLOW), strict=True):
        assert all(abs(a - b) <= 24 for a, b in zip(corner, colour, strict=True)), (corner, colour)


def test_quality_is_of_the_source_or_absolute() -> None:
    source = quarters(".jpg", Q=90)
    sizes = [len(made(f"image/quality,{q}", source).body) for q in ("q_10", "q_50", "q_100")]
    assert sizes == sorted(sizes) and sizes[0] < sizes[2]
    assert len(made("image/quality,Q_10", source).body) < len(made("image/quality,Q_95", source).body)


def test_interlace_makes_a_progressive_jpeg() -> None:
    assert b"\xff\xc2" in made("image/interlace,1", quarters(".jpg")).body
    assert b"\xff\xc2" not in made("image/interlace,0", quarters(".jpg")).body


def test_animations_move_on_frame_by_frame_and_stand_still_where_they_must() -> None:
    smaller = pyvips.Image.new_from_buffer(made("image/resize,w_60", moving()).body, "", n=-1)
    assert (smaller.width, smaller.get("page-height"), smaller.get("n-pages")) == (60, 40, 3)
    webp = pyvips.Image.new_from_buffer(made("image/format,webp/circle,r_40", moving()).body, "", n=-1)
    assert (webp.width, webp.get("n-pages")) == (80, 3)
    assert picture("image/resize,w_60/format,png", moving()).height == 40
    assert picture("image/resize,p_50", moving()).get("n-pages") == 1


def test_a_watermark_sits_where_gravity_says() -> None:
    mark = bytes(flat(40, 20, (255, 0, 255)).write_to_buffer(".png"))
    image = picture(f"image/watermark,image_{name('mark')},x_10,y_10", mark=mark)
    assert near(image, 570, 380, (255, 0, 255)) and near(image, 595, 395, YELLOW)
    image = picture(f"image/watermark,image_{name('mark')},g_nw,t_50", mark=mark)
    assert near(image, 20, 20, (237, 20, 142), within=6)
    tiled = picture(f"image/watermark,image_{name('mark')},fill_1,padx_40,pady_20", mark=mark)
    assert (
        near(tiled, 20, 10, (255, 0, 255))
        and near(tiled, 60, 10, RED)
        and near(tiled, 180, 90, (255, 0, 255))
    )
    part = picture(f"image/watermark,image_{name('mark?x-oss-process=image/resize,P_50')},g_nw", mark=mark)
    assert near(part, 300, 150, (255, 0, 255)) and near(part, 320, 100, GREEN)


def test_text_is_drawn_in_its_colour_also_in_chinese() -> None:
    def inked(text: str) -> float:
        plain = f"image/watermark,text_{name(text)},color_FFFFFF,size_60,g_center"
        return float((picture(plain) - picture("image/bright,0")).abs().avg())

    assert inked("meiku") > 0.5 and inked("媒库") > 0.5
    assert inked("媒库") != inked("库媒")


def test_mixed_marks_stand_beside_each_other() -> None:
    mark = bytes(flat(40, 40, (255, 0, 255)).write_to_buffer(".png"))
    text = f"image_{name('mark')},text_{name('x')},order_1,align_1,interval_20,g_center"
    image = picture(f"image/watermark,{text}", mark=mark)
    assert any(near(image, x, 200, (255, 0, 255)) for x in range(300, 360))


def test_info_and_average_hue_are_json() -> None:
    facts = json.loads(made("image/info", quarters(".jpg")).body)
    assert facts["ImageWidth"] == {"value": "600"} and facts["Format"] == {"value": "jpg"}
    assert json.loads(made("image/info", moving()).body)["FrameCount"] == {"value": "3"}
    red = bytes(flat(9, 9, (92, 120, 59)).write_to_buffer(".png"))
    assert json.loads(made("image/average-hue", red).body) == {"RGB": "0x5c783b"}


@pytest.mark.parametrize("bands", [1, 2, 3, 4, 5, 7])
@pytest.mark.parametrize("step", ["resize,w_100", "crop,w_100", "blur,r_3,s_3", "circle,r_9"])
@pytest.mark.parametrize("wanted", ["jpg", "tiff", "png"])
def test_more_bands_than_anybody_sees_are_left_out(bands: int, step: str, wanted: str) -> None:
    """A TIFF has as many as it likes: three are colours, one more is opacity."""
    one, *others = (pyvips.Image.black(300, 200) + level for level in (200, 255, 40, 255, 9, 9, 9)[:bands])
    image = (one.bandjoin(others) if others else one).cast("uchar")
    source = bytes(image.copy(interpretation="srgb" if bands > 2 else "b-w").tiffsave_buffer())
    assert picture(f"image/{step}/format,{wanted}", source).bands in (3, 4)


def test_auto_orient_turns_as_the_camera_was_held_and_strip_forgets_it() -> None:
    image = pyvips.Image.new_from_buffer(quarters(), "").copy()
    image.set_type(pyvips.GValue.gint_type, "orientation", 6)
    source = bytes(image.write_to_buffer(".jpg"))
    assert picture("image/auto-orient,1", source).width == 400
    assert picture("image/auto-orient,0", source).width == 600
    assert picture("image/auto-orient,0", source).get("orientation") == 6
    assert not picture("image/strip", source).get_typeof("orientation")
    large = pyvips.Image.new_from_buffer(quarters(".jpg", 3000, 2400), "").copy()
    large.set_type(pyvips.GValue.gint_type, "orientation", 6)
    upright = picture("image/resize,w_1500/auto-orient,1", bytes(large.jpegsave_buffer()))
    assert upright.width == 1200 and near(upright, 5, 5, BLUE)
    assert json.loads(made("image/info", source).body)["Orientation"]["value"] == "6"


@pytest.mark.parametrize(
    "source",
    [
        b"<svg xmlns='http://www.w3.org/2000/svg'><image href='file:///etc/passwd'/></svg>",
        b"%PDF-1.4",
        b"plain text",
        b"\0",
        b"\xff\xd8\xff" + b"junk" * 50,
        b"\x89PNG\r\n\x1a\n" + b"junk" * 50,
    ],
)
def test_what_is_no_picture_is_refused_in_words(source: bytes) -> None:
    with pytest.raises(RecipeRefused, match="image"):
        made("image/resize,w_100", source)


@pytest.mark.parametrize("suffix", [".png", ".jpg", ".webp", ".tiff", ".gif", ".avif", ".heic", ".bmp"])
@pytest.mark.parametrize("share", [0.2, 0.6, 0.95])
def test_a_truncated_picture_is_refused_and_never_half_shown(suffix: str, share: float) -> None:
    source = quarters(suffix)
    with pytest.raises(RecipeRefused, match="damaged"):
        made("image/resize,w_500", source[: int(len(source) * share)])


def test_a_bomb_is_refused_by_its_header() -> None:
    bomb = bytes(pyvips.Image.black(30_001, 2).write_to_buffer(".png"))
    with pytest.raises(RecipeRefused, match="too large: 30001 x 2"):
        made("image/resize,w_10", bomb)
    bomb = bytes(pyvips.Image.black(16_000, 16_000).write_to_buffer(".png"))
    with pytest.raises(RecipeRefused, match="too large"):
        made("image/resize,w_10", bomb)
