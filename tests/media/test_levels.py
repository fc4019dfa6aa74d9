"""No step makes a picture lighter or darker than it is told to: on one colour, and on average over many."""

import pytest
import pyvips

from media.test_engine import flat, made, name, picture

GREY, COLOUR = (200, 200, 200), (37, 120, 201)
# Half seen through, and hardly to be seen.
GLASS, BREATH = (200, 37, 120, 128), (3, 254, 77, 9)
# All leave a surface of one colour as it is; where its middle is looked at.
STEPS = [
    "resize,w_32",
    "resize,w_33,h_20,m_fixed",
    "resize,w_100,limit_0",
    "blur,r_2,s_1",
    "blur,r_1,s_1",
    "blur,r_50,s_50",
    "blur,r_50,s_20",
    "blur,r_50,s_1",
    "sharpen,50",
    "sharpen,399",
    "bright,0",
    "contrast,0",
    "rotate,33",
    "circle,r_20",
    "rounded-corners,r_20",
    f"watermark,text_{name('x')},t_0",
]
WHITE_MARK = (255, 255, 255, 128)


def noise() -> pyvips.Image:
    """Every level somewhere, always the same."""
    grey = pyvips.Image.gaussnoise(300, 300, sigma=20, mean=120, seed=1).rint().cast("uchar")
    return grey.bandjoin([grey, grey]).copy(interpretation="srgb").copy_memory()


@pytest.mark.parametrize("colour", [GREY, COLOUR, GLASS, BREATH], ids=["grey", "colour", "glass", "breath"])
@pytest.mark.parametrize("step", STEPS)
def test_a_surface_of_one_colour_keeps_it(step: str, colour: tuple[int, ...]) -> None:
    """To half a level, also where it can be seen through."""
    image = picture(f"image/{step}", bytes(flat(64, 48, colour).pngsave_buffer()))
    shown = image(image.width // 2, image.height // 2)
    assert [abs(a - b) <= 0.5 for a, b in zip(shown, colour, strict=False)] == [True] * len(colour)


@pytest.mark.parametrize("step", ["blur,r_2,s_1", "blur,r_5,s_2", "blur,r_50,s_20", "sharpen,100"])
def test_a_picture_keeps_its_mean(step: str) -> None:
    """To half a level."""
    source = noise()
    shown = picture(f"image/{step}", bytes(source.pngsave_buffer()))
    assert abs(shown.avg() - source.avg()) < 0.5


@pytest.mark.parametrize(
    ("step", "level", "meant"),
    [
        ("bright,10", 200, 225.5),
        ("bright,-7", 200, 182.15),
        ("contrast,-40", 37, 73.2),
        ("contrast,33", 200, 235.71),
    ],
)
def test_a_change_is_rounded_and_not_cut_off(step: str, level: int, meant: float) -> None:
    """To the nearest level."""
    shown = picture(f"image/{step}", bytes(flat(8, 8, (level,) * 3).pngsave_buffer()))
    assert abs(shown(3, 3)[0] - meant) <= 0.5


@pytest.mark.parametrize("level", [0, 37, 100, 200, 255])
@pytest.mark.parametrize("opacity", [9, 64, 128, 200, 254])
def test_what_is_laid_over_another_is_rounded(level: int, opacity: int) -> None:
    """A watermark on a picture, and a picture on the white of a format that cannot be seen through."""
    mark = bytes(flat(20, 20, (255, 255, 255, opacity)).pngsave_buffer())
    meant = level + (255 - level) * opacity / 255
    ground = bytes(flat(64, 64, (level,) * 3).pngsave_buffer())
    laid = picture(f"image/watermark,image_{name('mark')},g_center", ground, mark=mark)
    assert abs(laid(32, 32)[0] - meant) <= 0.5
    glass = bytes(flat(64, 64, (level, level, level, 255 - opacity)).pngsave_buffer())
    flattened = picture("image/format,png", made("image/format,bmp", glass).body)
    assert abs(flattened(32, 32)[0] - meant) <= 0.5
