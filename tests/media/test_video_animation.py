"""Several frames as a moving picture: which ones, how fast, how large, and when it is too much."""

from fractions import Fraction

import pytest
import pyvips

from media.asking import InMemory, made, refusal
from media.filming import film, number_of
from meiku.media import read_recipe
from meiku.media.refusal import RecipeRefused
from meiku.media.video import follow_video

FILM = film("mp4", "libx264", frames=100, key_every=25)


def moving(body: bytes, recipe: str) -> pyvips.Image:
    """Follow a recipe, and open all pictures of what comes."""
    return pyvips.Image.new_from_buffer(made(body, recipe).body, "n=-1")


def numbers(image: pyvips.Image) -> list[int]:
    """Tell which frames they are."""
    height_px = image.get_page_height()
    return [
        number_of(image.crop(0, top_px, image.width, height_px))
        for top_px in range(0, image.height, height_px)
    ]


@pytest.mark.parametrize(("kind", "content_type"), [("webp", "image/webp"), ("gif", "image/gif")])
@pytest.mark.parametrize("container", ["mp4", "matroska", "flv", "mpegts", "avi"])
def test_frames_lie_evenly(kind: str, content_type: str, container: str) -> None:
    """From the start, and the last one an interval before the end; it repeats for ever."""
    body = film(container, "libx264", frames=100, key_every=25, options={"bf": "0"})
    answer = made(body, f"video/animation,num_5,f_{kind}")
    image = pyvips.Image.new_from_buffer(answer.body, "n=-1")
    assert answer.content_type == content_type
    assert numbers(image) == [0, 20, 40, 60, 80]
    assert (image.width, image.get_page_height(), image.get("loop")) == (320, 192, 0)
    assert image.get("delay") == [500] * 5


def test_start_and_interval() -> None:
    """`ss` is where it begins, `inter` how far apart its frames lie, `fps` how fast they are shown."""
    assert numbers(moving(FILM, "video/animation,ss_1000,num_3,f_gif")) == [25, 50, 75]
    image = moving(FILM, "video/animation,ss_400,num_4,inter_80,fps_10,f_gif")
    assert (numbers(image), image.get("delay")) == ([10, 12, 14, 16], [100] * 4)
    assert moving(FILM, "video/animation,num_2,fps_0.1,f_gif").get("delay") == [10_000] * 2


def test_fewer_frames_where_the_film_ends() -> None:
    """What lies past the end is left out; where even the first does, it is refused."""
    assert numbers(moving(FILM, "video/animation,ss_3000,num_10,inter_400,f_gif")) == [75, 85, 95]
    said = refusal(FILM, "video/animation,ss_4100,num_2")
    assert "parameter ss: 4100 is past the end; the video is 4000 ms long" in said


def test_a_recording_that_does_not_say_how_long_it_is() -> None:
    """It is read to its end first."""
    body = film("webm", "libvpx-vp9", frames=100, key_every=25, muxing={"live": "1"})
    assert numbers(moving(body, "video/animation,num_4,f_gif")) == [0, 25, 50, 75]


@pytest.mark.parametrize("frames_apart", [1, 2, 3, 5, 7, 12, 49, 150])
@pytest.mark.parametrize("container", ["mp4", "matroska", "mpegts", "avi"])
def test_near_and_far_frames(frames_apart: int, container: str) -> None:
    """Whether the next one is reached by reading on or by a seek, it is right, also where reordered."""
    options = {"preset": "ultrafast", "x264-params": "bframes=7:b-pyramid=normal:b-adapt=0:scenecut=0"}
    body = film(container, "libx264", frames=250, key_every=50, options=options)
    for first in (0, 3):
        wanted = list(range(first, 250, frames_apart))[:6]
        recipe = f"video/animation,ss_{first * 40},num_{len(wanted)},inter_{frames_apart * 40},f_gif"
        assert numbers(moving(body, recipe)) == wanted


@pytest.mark.parametrize(
    ("size", "shape"),
    [("w_100", (100, 167)), ("h_100", (60, 100)), ("w_50,h_50", (50, 50)), ("w_0,h_0", (192, 320))],
)
def test_sizes(size: str, shape: tuple[int, int]) -> None:
    """They are those of the film as players show it: it is turned as it says."""
    body = film("mp4", frames=50, rotation_degrees=90)
    image = moving(body, f"video/animation,num_2,f_gif,{size}")
    assert (image.width, image.get_page_height()) == shape


def test_pixels_that_are_not_square() -> None:
    """As in a snapshot."""
    image = moving(film("mp4", frames=50, pixel_ratio=Fraction(2)), "video/animation,num_2,f_gif")
    assert (image.width, image.get_page_height()) == (640, 192)


@pytest.mark.parametrize(
    ("recipe", "limit"),
    [
        ("video/animation,num_100,w_1001,h_1000,f_webp", "100,000,000"),
        ("video/animation,num_100,w_501,h_500,f_gif", "25,000,000"),
        ("video/animation,num_7,w_2000,h_2000,f_gif", "25,000,000"),
    ],
)
def test_too_much_is_refused_at_the_first_frame(recipe: str, limit: str) -> None:
    """All frames together have a limit; the message names it, and what would help."""
    source = InMemory(film("mp4", "libx264", frames=100, key_every=25))
    with pytest.raises(RecipeRefused) as refused:
        follow_video(read_recipe(recipe), source)
    assert limit in refused.value.message and "Give w or h, or a smaller num." in refused.value.message


def test_a_film_of_one_frame() -> None:
    """It moves as much as it can."""
    assert numbers(moving(film("mp4", frames=1), "video/animation,num_5,f_gif")) == [0]
