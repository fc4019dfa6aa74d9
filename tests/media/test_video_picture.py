"""A frame's picture: the right way up, in the asked size, in square pixels, and in its colours."""

from fractions import Fraction

import pytest
import pyvips

from media.asking import facts, picture, refusal
from media.filming import Shade, film

SNAPSHOT = "video/snapshot,t_0,f_png"
FEW = 10  # with less, x265 may give frames no time
WIDTH_PX, HEIGHT_PX = 320, 192
CORNERS = {"top left": (1, 1), "top right": (7, 1), "bottom left": (1, 7), "bottom right": (7, 7)}
RED, GREEN, BLUE, BROWN, WHITE, GREY = (
    (255, 0, 0),
    (0, 255, 0),
    (0, 0, 255),
    (200, 100, 50),
    (255, 255, 255),
    (128, 128, 128),
)


def cornered(_number: int, width_px: int, height_px: int) -> bytes:
    """Paint black, and the quarter at the top left white."""
    above = bytes([235]) * (width_px // 2) + bytes([16]) * (width_px - width_px // 2)
    return above * (height_px // 2) + bytes([16]) * width_px * (height_px - height_px // 2)


def bright_corner(image: pyvips.Image) -> str:
    """Tell which corner is the white one."""
    grey = image.colourspace("b-w")
    (found,) = [
        name
        for name, (across, down) in CORNERS.items()
        if grey(across * image.width // 8, down * image.height // 8)[0] > 128
    ]
    return found


def middle(image: pyvips.Image) -> tuple[int, ...]:
    """Tell the colour in the middle."""
    return tuple(round(value) for value in image(image.width // 2, image.height // 2))


def assert_close(found: tuple[int, ...], wanted: tuple[int, ...], most: int = 3) -> None:
    assert max(abs(one - other) for one, other in zip(found, wanted, strict=True)) <= most, (found, wanted)


# Degrees clockwise in the metadata, and what `ar` makes of a film whose white corner is stored at the top
# left: shape and place.
LYING, STANDING = (WIDTH_PX, HEIGHT_PX), (HEIGHT_PX, WIDTH_PX)
TURNS = [
    (0, "auto", LYING, "top left"),
    (0, "w", LYING, "top left"),
    (0, "h", STANDING, "top right"),
    (90, "auto", STANDING, "top right"),
    (90, "w", LYING, "top left"),
    (90, "h", STANDING, "top right"),
    (180, "auto", LYING, "bottom right"),
    (180, "w", LYING, "bottom right"),
    (180, "h", STANDING, "top right"),
    (270, "auto", STANDING, "bottom left"),
    (270, "w", LYING, "top left"),
    (270, "h", STANDING, "bottom left"),
]


@pytest.mark.parametrize("container", ["mp4", "mov", "matroska"])
@pytest.mark.parametrize(("degrees", "turn", "shape", "corner"), TURNS)
def test_which_way_is_up(
    container: str, degrees: int, turn: str, shape: tuple[int, int], corner: str
) -> None:
    """`auto` shows it as players do, `w` and `h` make it lie or stand, turned as little as that takes."""
    body = film(container, frames=2, paint=cornered, rotation_degrees=-degrees)
    image = picture(body, f"{SNAPSHOT},ar_{turn}")
    assert ((image.width, image.height), bright_corner(image)) == (shape, corner)
    stored = picture(body, SNAPSHOT)
    assert ((stored.width, stored.height), bright_corner(stored)) == (LYING, "top left")
    assert facts(body)["Rotation"] == degrees


@pytest.mark.parametrize(("degrees", "corner"), [(0, "top right"), (180, "bottom left")])
def test_a_mirrored_film(degrees: int, corner: str) -> None:
    """A front camera's film is shown as its metadata says."""
    body = film("mp4", frames=2, paint=cornered, rotation_degrees=degrees, mirrored=True)
    assert bright_corner(picture(body, f"{SNAPSHOT},ar_auto")) == corner


@pytest.mark.parametrize(
    ("size", "wanted"),
    [
        ("w_100", (100, 167)),
        ("h_100", (60, 100)),
        ("w_100,h_100", (100, 100)),
        ("w_0,h_0", (192, 320)),
        ("w_0,h_100", (60, 100)),
        ("w_100,h_0", (100, 167)),
        ("w_1", (1, 2)),
        ("w_400,h_10", (400, 10)),
    ],
)
def test_sizes(size: str, wanted: tuple[int, int]) -> None:
    """They are those of the picture as it is shown; a side that is not given follows from the other."""
    body = film("mp4", frames=2, paint=cornered, rotation_degrees=90)
    image = picture(body, f"{SNAPSHOT},ar_auto,{size}")
    assert (image.width, image.height) == wanted


def test_a_size_beyond_the_limits() -> None:
    """A picture that is too large is refused before it is made, with both limits."""
    body = film("mp4", frames=2, paint=cornered, rotation_degrees=90)
    for size in ("w_16384", "w_16384,h_16384"):
        said = refusal(body, f"{SNAPSHOT},ar_auto,{size}")
        assert "too large" in said and "30,000" in said and "250,000,000" in said


@pytest.mark.parametrize(
    ("container", "codec"),
    [
        *[(container, "libx264") for container in ("mp4", "mov", "matroska", "flv", "mpegts", "avi")],
        *[("mp4", codec) for codec in ("libx265", "libsvtav1")],
    ],
)
@pytest.mark.parametrize(
    ("ratio", "shape"),
    [
        (Fraction(2), (640, 192)),
        (Fraction(64, 45), (455, 192)),
        (Fraction(1, 2), (320, 384)),
        (Fraction(1, 1000), LYING),
    ],
)
def test_pixels_that_are_not_square(
    container: str, codec: str, ratio: Fraction, shape: tuple[int, int]
) -> None:
    """The picture has the shape that players show; a ratio that cannot be meant is not believed."""
    body = film(container, codec, frames=FEW, paint=cornered, pixel_ratio=ratio)
    image = picture(body, SNAPSHOT)
    assert ((image.width, image.height), bright_corner(image)) == (shape, "top left")
    if ratio == 2:
        (stream,) = facts(body)["VideoStreams"]
        assert (stream["Width"], stream["SampleAspectRatio"], stream["DisplayAspectRatio"]) == (
            320,
            "2:1",
            "10:3",
        )


def test_pixels_that_are_not_square_and_turned() -> None:
    """First they are stretched, then turned; a size counts in what is shown."""
    body = film("mp4", frames=2, paint=cornered, pixel_ratio=Fraction(2), rotation_degrees=90)
    image = picture(body, f"{SNAPSHOT},ar_auto,h_320")
    assert ((image.width, image.height), bright_corner(image)) == ((96, 320), "bottom left")


@pytest.mark.parametrize(("width_px", "height_px"), [(321, 193), (17, 15), (1, 1), (63, 1001)])
def test_odd_sizes(width_px: int, height_px: int) -> None:
    """Sides that no block of a codec divides."""
    image = picture(film("webm", "libvpx-vp9", frames=2, width_px=width_px, height_px=height_px), SNAPSHOT)
    assert (image.width, image.height) == (width_px, height_px)


@pytest.mark.parametrize(
    "pixels",
    [
        "yuv420p",
        "yuvj420p",
        "yuv422p",
        "yuv444p",
        "yuv420p10le",
        "yuv422p10le",
        "yuv444p10le",
        "gray",
        "nv12",
    ],
)
def test_ways_of_storing_pixels(pixels: str) -> None:
    """More bits, less subsampling, the full range, no colour at all: black is black and white is white."""
    image = picture(film("mp4", "libx264", frames=2, pixels=pixels, paint=cornered), SNAPSHOT)
    assert_close(tuple(round(value) for value in image(40, 24)), WHITE)
    assert_close(tuple(round(value) for value in image(280, 170)), (0, 0, 0))


@pytest.mark.parametrize("rgb", [RED, GREEN, BLUE, BROWN, WHITE, GREY], ids=str)
@pytest.mark.parametrize("matrix", [1, 5, 6, 9], ids=["BT.709", "BT.601 PAL", "BT.601 NTSC", "BT.2020"])
@pytest.mark.parametrize("pixels", ["yuv420p", "yuv444p10le"])
def test_colours(rgb: tuple[int, int, int], matrix: int, pixels: str) -> None:
    """A red frame is red, whatever matrix and range its codes are of."""
    for full_range in (False, True):
        shade = Shade(rgb, matrix, full_range, transfer=1, primaries=1)
        body = film("mp4", frames=2, shade=shade, pixels=pixels, options={"crf": "4"})
        assert_close(middle(picture(body, SNAPSHOT)), rgb)


@pytest.mark.parametrize(
    ("container", "codec"),
    [
        ("mp4", "libx265"),
        ("matroska", "libx264"),
        ("webm", "libvpx-vp9"),
        ("mp4", "libsvtav1"),
        ("mpegts", "libx264"),
        ("flv", "libx264"),
    ],
)
def test_colours_of_every_codec(container: str, codec: str) -> None:
    """Each has its own way of naming the matrix."""
    for matrix in (1, 6):
        shade = Shade(BROWN, matrix, transfer=1, primaries=1)
        assert_close(middle(picture(film(container, codec, frames=FEW, shade=shade), SNAPSHOT)), BROWN, 6)


def test_colours_that_nobody_names() -> None:
    """Untagged, what has the lines of television has its colours, and what has more those of HD."""
    small = film("mp4", frames=2, shade=Shade(RED, 6, tagged=False))
    large = film("mp4", frames=2, shade=Shade(RED, 1, tagged=False), width_px=1280, height_px=720)
    assert_close(middle(picture(small, SNAPSHOT)), RED)
    assert_close(middle(picture(large, SNAPSHOT)), RED)


PQ, HLG, SDR = 16, 18, 14


@pytest.mark.parametrize(
    ("transfer", "code", "least", "most"),
    [
        (PQ, 0, 0, 0),
        (PQ, 64, 40, 50),  # 5 cd/m², a shadow
        (PQ, 130, 170, 200),  # 100 cd/m²
        (PQ, 148, 215, 245),  # 203 cd/m², the white of a page
        (PQ, 192, 254, 255),  # 1,000 cd/m²
        (PQ, 255, 255, 255),
        (HLG, 64, 50, 75),
        (HLG, 191, 215, 245),  # the white of a page
        (HLG, 255, 254, 255),
    ],
)
def test_high_dynamic_range_is_brought_down(transfer: int, code: int, least: int, most: int) -> None:
    """Shadows stay dark and a page is nearly white: not the grey haze of the bare codes."""
    shade = Shade((code, code, code), 9, transfer=transfer, primaries=9)
    body = film("mp4", "libx265", frames=FEW, shade=shade, pixels="yuv420p10le")
    red, green, blue = middle(picture(body, SNAPSHOT))
    assert least - 2 <= min(red, green, blue) and max(red, green, blue) <= most + 2


def test_wide_colours_are_brought_in() -> None:
    """BT.2020's red is redder than any of sRGB; sRGB's red has other codes there, and is found again."""
    # sRGB's red in BT.2020 (BT.2087): light 0.6274, 0.0691, 0.0164.
    shade = Shade((207, 74, 34), 9, transfer=SDR, primaries=9)
    body = film("mp4", "libx265", frames=FEW, shade=shade, pixels="yuv420p10le", options={"crf": "4"})
    assert_close(middle(picture(body, SNAPSHOT)), RED, 6)
    grey = film(
        "mp4", "libx265", frames=2, shade=Shade(GREY, 9, transfer=SDR, primaries=9), pixels="yuv420p10le"
    )
    assert_close(middle(picture(grey, SNAPSHOT)), GREY)
