"""A file whose last bytes are missing is a picture where all pixels are there, and damaged otherwise."""

from collections.abc import Callable
from io import BytesIO

import pytest
from PIL import Image as pillow

from media.golden.drawing import GLASS, MOTIF
from media.photographing import frame_of, photograph
from media.test_heic import heic
from media.working import made
from media.writing import encoded
from meiku.media import RecipeRefused, read_recipe
from meiku.media.engine import follow
from meiku.media.made import Made

END = b"\xff\xd9"
JPEGS: dict[str, Callable[[], bytes]] = {
    "plain": lambda: jpeg(),
    "grey": lambda: jpeg(mode="L"),
    "progressive": lambda: jpeg(progressive=True),
    "with restarts": lambda: jpeg(restart_marker_rows=1),
    "with a smaller picture in its EXIF": photograph,
}
STEPS = [
    "image/format,png",
    "image/resize,w_40/format,png",
    "image/rotate,90/format,png",
    "image/average-hue",
]


def jpeg(mode: str = "RGB", **options: object) -> bytes:
    file = BytesIO()
    frame_of(MOTIF).convert(mode).save(file, "JPEG", **options)
    return file.getvalue()


def result(recipe: str, data: bytes) -> bytes | None:
    """Follow a recipe; None where it is refused as damaged."""
    try:
        return follow(read_recipe(recipe), data, {"cut": data}.__getitem__).body
    except RecipeRefused as refused:
        assert "damaged" in refused.message
        return None


@pytest.mark.parametrize("name", JPEGS)
def test_a_jpeg_without_its_end_is_the_same_picture(name: str) -> None:
    """For every step, also as a watermark, and by the real worker: the last marker holds no pixel."""
    whole = JPEGS[name]()
    assert whole.endswith(END)
    for recipe in [*STEPS, f"image/watermark,image_{encoded('cut')}/format,png"]:
        meant = result(recipe, whole)
        assert meant is not None
        assert result(recipe, whole[:-1]) == result(recipe, whole[:-2]) == meant, recipe
    by_worker = made(STEPS[0], whole[:-2])
    assert isinstance(by_worker, Made) and by_worker.body == result(STEPS[0], whole)


@pytest.mark.parametrize("name", JPEGS)
def test_a_jpeg_without_some_of_its_pixels_is_refused(name: str) -> None:
    """Wherever it was cut: within a scan, between two, or in its head."""
    whole = JPEGS[name]()
    meant, last = result("image/format,bmp", whole), len(whole) - len(END)
    for left in [*range(3, last, 1 if len(whole) < 3_000 else 997), *range(last - 40, last)]:
        # Bits that only fill up the last byte are no pixels.
        assert result("image/format,bmp", whole[:left]) in (None, meant if left == last - 1 else None), left


def test_what_follows_the_end_says_nothing_of_the_picture() -> None:
    """Telephones put films and other pictures there, whole or cut; others nothing but zeros."""
    whole = jpeg()
    for behind in (bytes(100), b"film", jpeg(progressive=True)[:-2], END[:1]):
        assert result("image/format,png", whole + behind) == result("image/format,png", whole)


@pytest.mark.parametrize(("wanted", "ending_bytes"), [("PNG", 12), ("GIF", 1)])
def test_other_formats_may_lack_what_says_that_they_end(wanted: str, ending_bytes: int) -> None:
    """PNG's last chunk and GIF's last byte hold no pixels."""
    file = BytesIO()
    frame_of(GLASS if wanted == "PNG" else MOTIF).save(file, wanted)
    whole = file.getvalue()
    for missing in range(1, ending_bytes + 1):
        assert result("image/format,png", whole[:-missing]) == result("image/format,png", whole)
    assert result("image/format,png", whole[: -ending_bytes - 8]) is None


@pytest.mark.parametrize("wanted", ["GIF", "WEBP"])
def test_what_moves_is_refused_where_it_ends_within_a_frame(wanted: str) -> None:
    """No frame is half drawn; a frame that is not there at all nobody misses."""
    file, others = BytesIO(), [frame_of(MOTIF.mirrored()), frame_of(MOTIF.turned(180))]
    frame_of(MOTIF).save(file, wanted, save_all=True, append_images=others)
    whole = file.getvalue()
    for left in range(len(whole) // 3, len(whole) - 8, 31):
        cut = result("image/resize,w_20", whole[:left])
        assert cut is None or frames(cut) < frames(whole)
    assert result("image/resize,w_20", whole[:-3]) is None
    assert frames(result("image/resize,w_20", whole)) == 3


def frames(body: bytes | None) -> int:
    assert body is not None
    with pillow.open(BytesIO(body)) as shown:
        return getattr(shown, "n_frames", 1)


@pytest.mark.parametrize("left_out_bytes", [1, 9, 100, 300])
def test_a_picture_of_tiles_is_refused_where_one_is_missing(left_out_bytes: int) -> None:
    """Telephones write HEIC so."""
    whole = heic(tile_size=64)
    assert result("image/format,png", whole) is not None
    assert result("image/format,png", whole[:-left_out_bytes]) is None
    assert result("image/resize,w_30", whole[:-left_out_bytes]) is None
