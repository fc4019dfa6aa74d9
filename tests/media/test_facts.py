"""What a result carries beside its pixels: no place, no smaller picture, and always which way is up."""

from collections.abc import Callable
from io import BytesIO

import pillow_heif
import pytest
from PIL import ExifTags, ImageOps
from PIL import Image as pillow

from media.golden.case import shown
from media.golden.distance import JPEG, Distance, distance
from media.golden.drawing import MOTIF, WHITE, Drawing, flat, png
from media.photographing import (
    LARGE,
    PROFILE,
    SECRETS,
    STORED,
    frame_of,
    photograph,
    smaller_picture,
)
from media.writing import encoded
from meiku.media import read_recipe
from meiku.media.engine import follow
from running_server import Server
from signed_http import SignedHttp

pillow_heif.register_heif_opener()
FORMATS = ["jpg", "png", "webp", "gif", "bmp", "tiff", "avif", "heic"]
# A GIF's few colours, and what is compressed twice.
LIMITS = {"gif": Distance(3.0, 25.0)}
STEPS = [
    "crop,w_300,h_280",
    "blur,r_9,s_5",
    "circle,r_150",
    "rounded-corners,r_40",
    "rotate,90",
    "rotate,30",
    "resize,w_400",
    "indexcrop,x_300,i_0",
    "sharpen,100",
    "bright,10",
    "contrast,10",
    "quality,Q_50",
    "interlace,1",
    "auto-orient,1",
    "watermark,text_YQ",
]


def made(recipe: str, source: bytes, *, keeps_places: bool = False, **named: bytes) -> bytes:
    return follow(read_recipe(f"image/{recipe}"), source, named.__getitem__, keeps_places=keeps_places).body


def opened(body: bytes) -> pillow.Image:
    file = pillow.open(BytesIO(body))
    file.load()
    return file


def looks_like(file: pillow.Image, drawing: Drawing, wanted: str = "jpg") -> bool:
    """Compare what is shown with what is meant, in size and colours."""
    if file.size != (drawing.width_px, drawing.height_px):
        return False
    return distance(shown(file), drawing.drawn()).within(LIMITS.get(wanted, JPEG))


def plain(orientation: int, meant: Drawing = LARGE) -> bytes:
    """A photograph whose numbers are those of sRGB: without a profile."""
    told, file = pillow.Exif(), BytesIO()
    told[ExifTags.Base.Orientation] = orientation
    stored = frame_of(STORED[orientation - 1](meant))
    stored.save(file, "JPEG", quality=97, subsampling=0, exif=told)
    return file.getvalue()


@pytest.mark.parametrize("wanted", FORMATS)
@pytest.mark.parametrize("step", STEPS)
def test_the_smaller_picture_in_exif_is_left_out(step: str, wanted: str) -> None:
    """It shows what the step took away."""
    source = photograph()
    assert smaller_picture()[100:200] in source
    body = made(f"{step}/format,{wanted}", source, keeps_places=True)
    assert smaller_picture()[100:200] not in body
    assert not opened(body).getexif().get_ifd(ExifTags.IFD.IFD1)


@pytest.mark.parametrize("wanted", FORMATS)
@pytest.mark.parametrize("source_format", ["JPEG", "PNG", "WEBP", "AVIF", "HEIF", "TIFF"])
def test_no_place_leaves(source_format: str, wanted: str) -> None:
    """Neither GPS nor what may hold it, of whatever a source can carry."""
    body = made(f"resize,w_400/format,{wanted}", photograph(wanted=source_format))
    told = opened(body).getexif()
    assert not told.get_ifd(ExifTags.IFD.GPSInfo)
    assert [secret for secret in SECRETS if secret in body] == []
    assert b"xmpmeta" not in body and "xmp" not in opened(body).info


@pytest.mark.parametrize("wanted", ["jpg", "png", "webp", "avif", "heic"])
def test_what_tells_no_place_stays(wanted: str) -> None:
    """Of a result that is not small: who made it, when, and its profile."""
    file = opened(made(f"resize,w_400/format,{wanted}", photograph()))
    told = file.getexif()
    assert told[ExifTags.Base.Make] == "meiku"
    assert told.get_ifd(ExifTags.IFD.Exif)[ExifTags.Base.DateTimeOriginal] == "2024:01:02 03:04:05"
    assert file.info["icc_profile"] == PROFILE


@pytest.mark.parametrize("wanted", ["jpg", "png", "webp", "avif", "heic"])
def test_who_asks_for_places_has_them(wanted: str) -> None:
    """GPS and makers' notes, as a setting says."""
    body = made(f"resize,w_400/format,{wanted}", photograph(), keeps_places=True)
    told = opened(body).getexif()
    assert told.get_ifd(ExifTags.IFD.GPSInfo)[ExifTags.GPS.GPSLatitude] == (31.0, 13.0, 24.0)
    assert SECRETS[0] in body


@pytest.mark.parametrize("keeps_places", [True, False])
@pytest.mark.parametrize("orientation", [1, 6])
@pytest.mark.parametrize(("side_px", "is_small"), [(256, True), (257, False)])
def test_a_small_result_carries_its_profile_and_which_way_is_up(
    side_px: int, is_small: bool, orientation: int, keeps_places: bool
) -> None:
    """Facts would be the most of it."""
    source = photograph(orientation)
    body = made(f"resize,l_{side_px}", source, keeps_places=keeps_places)
    file = opened(body)
    assert (ExifTags.Base.Make not in file.getexif()) is is_small
    assert file.getexif().get(ExifTags.Base.Orientation, 1) == orientation
    assert file.info["icc_profile"] == PROFILE
    bare = made(f"resize,l_{side_px}/strip", source)
    assert not is_small or len(body) - len(bare) < 400


@pytest.mark.parametrize("wanted", FORMATS)
@pytest.mark.parametrize("orientation", range(1, 9))
def test_a_result_stands_upright_without_what_says_so(orientation: int, wanted: str) -> None:
    """Stripped, in every format, and whichever way the camera was held."""
    file = opened(made(f"strip/format,{wanted}", plain(orientation)))
    assert file.getexif().get(ExifTags.Base.Orientation, 1) == 1
    assert looks_like(file, LARGE, wanted)


@pytest.mark.parametrize("recipe", ["", "resize,l_200/"])
@pytest.mark.parametrize("wanted", FORMATS)
@pytest.mark.parametrize("orientation", range(1, 9))
def test_a_result_is_shown_upright(orientation: int, wanted: str, recipe: str) -> None:
    """By its EXIF where the format's readers heed it, else by its pixels; small ones, too."""
    meant = LARGE.stretched(200, 150) if recipe else LARGE
    file = opened(made(f"{recipe}format,{wanted}", plain(orientation)))
    # A TIFF is turned by the library that reads it here.
    says_so = wanted in ("jpg", "png", "webp")
    assert file.getexif().get(ExifTags.Base.Orientation, 1) == (orientation if says_so else 1)
    assert looks_like(ImageOps.exif_transpose(file) if says_so else file, meant, wanted)


@pytest.mark.parametrize(
    "steps", ["blur,r_1,s_1/strip", "strip/quality,Q_95", "resize,w_480/strip/interlace,1"]
)
def test_other_steps_make_no_difference(steps: str) -> None:
    """Wherever strip stands, and whether the picture is read from top to bottom or not."""
    assert looks_like(opened(made(f"{steps}/format,png", plain(6))), LARGE)


@pytest.mark.parametrize("orientation", range(1, 9))
def test_a_watermarks_picture_stands_upright(orientation: int) -> None:
    """What its file says beside the pixels does not go with them."""
    ground = flat(200, 150, WHITE)
    recipe = f"watermark,image_{encoded('mark')},g_nw,x_20,y_30/format,png"
    file = opened(made(recipe, png(ground), mark=plain(orientation, MOTIF)))
    assert looks_like(file, ground.under(MOTIF, 20, 30))


def test_a_setting_lets_places_out_and_no_kept_result_is_answered_in_its_stead(
    own_server: Callable[..., Server],
) -> None:
    """Switched on and off again, over one data folder: each time just what is set, also as an object."""
    server = own_server()

    def places() -> list[bool]:
        http = SignedHttp(server.url)
        recipe = {"x-amz-process": "image/resize,w_400"}
        asked = http.send("GET", "facts/p.jpg", **recipe).body
        saved = f"x-oss-process=image/resize,w_400|sys/saveas,o_{encoded('saved.jpg')}".encode()
        assert http.send("POST", "facts/p.jpg", saved, **{"x-oss-process": ""}).status == 200
        kept = http.send("GET", "facts/saved.jpg").body
        return [bool(opened(each).getexif().get_ifd(ExifTags.IFD.GPSInfo)) for each in (asked, kept)]

    http = SignedHttp(server.url)
    assert http.send("PUT", "facts").status == 200
    assert http.send("PUT", "facts/p.jpg", photograph()).status == 200
    assert places() == [False, False]
    for setting, meant in (("true", True), ("false", False)):
        server.stop()
        server.environment["MEIKU_MEDIA_KEEPS_PLACES"] = setting
        server.start()
        assert places() == [meant, meant]
