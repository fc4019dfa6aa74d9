"""The drawn samples are what the page says of them, and the same whenever they are drawn."""

from io import BytesIO

import av
import pytest
import pyvips

from samples import CONTENT_TYPES, FILM, LOGO, PHOTO, SIDEWAYS, drawn

SAMPLE_LIMIT_BYTES = 300_000


def image(key: str) -> pyvips.Image:
    return pyvips.Image.new_from_buffer(drawn(key), "")


@pytest.mark.parametrize("key", CONTENT_TYPES)
def test_a_sample_is_drawn_the_same_each_time(key: str) -> None:
    """The documentation's pictures are made of it, so it may not change by itself."""
    assert drawn(key) == drawn(key)
    assert len(drawn(key)) < SAMPLE_LIMIT_BYTES


def test_the_photo_looks_different_in_each_quarter() -> None:
    """Whatever is turned, mirrored or cut shows."""
    photo = image(PHOTO)
    assert (photo.width, photo.height, photo.get("orientation")) == (960, 640, 1)
    quarters = [photo.crop(x, y, 480, 320) for x in (0, 480) for y in (0, 320)]
    for number, one in enumerate(quarters):
        assert all((one - other).abs().avg() > 10 for other in quarters[number + 1 :])
    assert (photo - photo.fliphor()).abs().avg() > 10


def test_the_sideways_photo_lies_and_says_so() -> None:
    """Turned as its EXIF says, it is the photo."""
    sideways = image(SIDEWAYS)
    assert (sideways.width, sideways.height, sideways.get("orientation")) == (640, 960, 6)
    assert (sideways.autorot() - image(PHOTO)).abs().avg() < 2


def test_the_logo_is_seen_through_at_its_corners() -> None:
    """As a watermark's picture should be."""
    logo = image(LOGO)
    assert logo(0, 0)[3] == 0 and logo(logo.width / 2, logo.height / 8)[3] == 255


def test_the_film_is_five_seconds_with_a_key_frame_in_each() -> None:
    """So that the nearest key frame is another than the exact frame."""
    with av.open(BytesIO(drawn(FILM))) as film:
        length_s, frames = film.duration / av.time_base, list(film.decode(video=0))
    assert length_s == 5 and len(frames) == 100
    assert [number for number, frame in enumerate(frames) if frame.key_frame] == [0, 20, 40, 60, 80]
