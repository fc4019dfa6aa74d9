"""HEIC and AVIF under all their brands, and whatever else stands in their beginning: a picture."""

import json
from collections.abc import Callable
from functools import cache
from io import BytesIO

import pytest
import pyvips
from PIL import Image as pillow

from media.filming import film
from media.golden.distance import JPEG, distance
from media.golden.drawing import MOTIF
from media.photographing import frame_of
from media.test_heic import heic
from media.working import made as made_by_worker
from media.writing import encoded
from meiku.media import RecipeRefused, read_recipe
from meiku.media.engine import follow
from meiku.media.made import Made

STEPS = ["image/resize,w_60/format,png", "image/format,png", "image/rotate,90/resize,w_45/format,png"]
# Major brands as AVIF's specification names them, and what stands for neither it nor HEIC.
AVIF_BRANDS = [b"avif", b"avis", b"avio", b"MA1A", b"MA1B"]
HEIC_BRANDS = [b"heic", b"heix", b"heim", b"heis", b"hevc", b"hevx", b"hevm", b"hevs"]
NEITHER = [b"mif1", b"mif2", b"miaf"]


@cache
def avif() -> bytes:
    file = BytesIO()
    frame_of(MOTIF).save(file, "AVIF", quality=90)
    return file.getvalue()


@cache
def moving_avif() -> bytes:
    """A still picture and a track, of which both have the same first picture."""
    file = BytesIO()
    others = [frame_of(MOTIF.mirrored()), frame_of(MOTIF.turned(180))]
    frame_of(MOTIF).save(file, "AVIF", quality=90, save_all=True, append_images=others)
    return file.getvalue()


def box(kind: bytes, body: bytes) -> bytes:
    return (8 + len(body)).to_bytes(4, "big") + kind + body


def beginning_with(data: bytes, beginning: bytes) -> bytes:
    """Put other boxes in the place of the first; what comes after stays where it was."""
    first_bytes = int.from_bytes(data[:4], "big")
    left_bytes = first_bytes - len(beginning)
    assert left_bytes == 0 or left_bytes >= 8
    filling = box(b"free", bytes(left_bytes - 8)) if left_bytes else b""
    return beginning + filling + data[first_bytes:]


def said(*brands: bytes) -> bytes:
    """Write the box that says what a file is: its major brand, and those it is compatible with."""
    return box(b"ftyp", brands[0] + bytes(4) + b"".join(brands[1:]))


def without_still_picture(data: bytes) -> bytes:
    start = data.index(b"meta") - 4
    size_bytes = int.from_bytes(data[start : start + 4], "big")
    return data[:start] + box(b"free", bytes(size_bytes - 8)) + data[start + size_bytes :]


def made(recipe: str, data: bytes) -> Made:
    return follow(read_recipe(recipe), data, {"other": data}.__getitem__)


def shows_the_motif(data: bytes) -> bool:
    """Follow all steps, and have it as a watermark."""
    laid = made(f"image/resize,w_60/watermark,image_{encoded('other')},g_nw,x_0,y_0/format,png", data)
    results = [made(recipe, data) for recipe in STEPS]
    meant = [MOTIF.stretched(60, 45), MOTIF, MOTIF.turned(90).stretched(45, 60)]
    shown = [pyvips.Image.new_from_buffer(each.body, "") for each in results]
    return len(laid.body) > 0 and all(
        distance(one, other.drawn()).within(JPEG) for one, other in zip(shown, meant, strict=True)
    )


def told(data: bytes) -> dict[str, str]:
    facts = json.loads(made("image/info", data).body)
    return {name: fact["value"] for name, fact in facts.items()}


@pytest.mark.parametrize("source", [avif, moving_avif])
@pytest.mark.parametrize("brand", [*AVIF_BRANDS, *NEITHER])
def test_every_brand_of_avif_is_read(brand: bytes, source: Callable[[], bytes]) -> None:
    """As the only one, or first; a file that moves shows its first picture."""
    for beginning in (said(brand, brand), said(brand, b"miaf")):
        data = beginning_with(source(), beginning)
        assert shows_the_motif(data), beginning
        facts = told(data)
        assert (facts["Format"], facts["ImageWidth"], facts["ImageHeight"]) == ("avif", "120", "90")


@pytest.mark.parametrize("brand", [*HEIC_BRANDS, *NEITHER])
def test_every_brand_of_heic_is_read(brand: bytes) -> None:
    """As the only one, or first."""
    for beginning in (said(brand, brand), said(brand, b"miaf")):
        data = beginning_with(heic(), beginning)
        assert shows_the_motif(data), beginning
        assert told(data)["Format"] == "heic"


@pytest.mark.parametrize("source", [avif, heic])
@pytest.mark.parametrize("kind", [b"free", b"skip", b"wide", b"uuid"])
def test_a_box_that_means_nothing_may_come_first(kind: bytes, source: Callable[[], bytes]) -> None:
    """Programs reserve room there."""
    data = source()
    first_bytes, brand = int.from_bytes(data[:4], "big"), data[8:12]
    known = [brand] * ((first_bytes - 24) // 4)
    assert shows_the_motif(beginning_with(data, box(kind, b"") + said(brand, *known)))


@pytest.mark.parametrize("recipe", STEPS)
def test_the_worker_reads_them(recipe: str) -> None:
    """With all that it has given up."""
    for data in (moving_avif(), beginning_with(moving_avif(), said(b"avio", b"avio")), track_of_avif()):
        assert isinstance(made_by_worker(recipe, data), Made)


def track_of_avif() -> bytes:
    return beginning_with(without_still_picture(moving_avif()), said(b"avis", b"avis"))


@cache
def track_of_heic(rotation_degrees: int = 0) -> bytes:
    body = film("mp4", "libx265", frames=3, rotation_degrees=rotation_degrees)
    return beginning_with(body, said(b"hevc", b"msf1"))


def test_an_avif_may_have_its_pictures_only_in_a_track() -> None:
    """It shows the first."""
    assert shows_the_motif(track_of_avif())
    assert told(track_of_avif())["ImageWidth"] == "120"


def test_a_heic_may_have_its_pictures_only_in_a_track() -> None:
    """It is the same as a film's first frame, and upright."""
    shown = pillow.open(BytesIO(made("image/format,png", track_of_heic()).body))
    told_size = (int(told(track_of_heic())["ImageWidth"]), int(told(track_of_heic())["ImageHeight"]))
    assert shown.size == told_size
    turned = pillow.open(BytesIO(made("image/format,png", track_of_heic(90)).body))
    assert turned.size == (shown.height, shown.width)


@pytest.mark.parametrize(
    ("source", "share"),
    [
        (avif, 0.3),
        (avif, 0.6),
        (avif, 0.9),
        (track_of_heic, 0.05),
        (track_of_heic, 0.9),
        (track_of_avif, 0.4),
    ],
)
def test_what_is_cut_is_refused(source: Callable[[], bytes], share: float) -> None:
    """Of a track, where its first picture is not there whole."""
    data = source()
    with pytest.raises(RecipeRefused, match=r"damaged|not supported"):
        made("image/resize,w_60", data[: int(len(data) * share)])


def test_other_files_of_boxes_are_no_pictures() -> None:
    """A film stays one, and brands that nobody knows say nothing."""
    for data in (film("mp4", "libx264", frames=2), beginning_with(avif(), said(b"crx ", b"crx "))):
        with pytest.raises(RecipeRefused, match="not supported"):
            made("image/resize,w_60", data)
