"""The sample pictures, drawn: a photo with a camera's EXIF in it, the same stored sideways, and a logo.

Each is bytes, the same whenever it is drawn. Where they are kept is `samples`'.
"""

from pathlib import Path

import pyvips
from noto_cjk import otc_path

from landscape import Image, balloon, landscape

_FONT, _FONT_FILE = "Noto Sans CJK SC", str(otc_path("sans"))
_ICON = Path(__file__).parent / "pages" / "icon.svg"
_ICON_PX, _LOGO_PX = 32, 256
_QUALITY_PERCENT = 90
_GRAIN_SIGMA, _GRAIN_SEED = 4.0, 20
_BALLOON_PLACE_PX = (590, 46)
# The camera was held on its left side: what is up in the picture is to the right in the file.
_SIDEWAYS = 6
_EXIF = {
    "exif-ifd0-Make": "meiku",
    "exif-ifd0-Model": "Landscape 1",
    "exif-ifd0-Artist": "drawn, not taken",
    "exif-ifd0-DateTime": "2026:05:01 06:12:00",
    "exif-ifd2-DateTimeOriginal": "2026:05:01 06:12:00",
    "exif-ifd2-FNumber": "56/10",
    "exif-ifd2-ExposureTime": "1/250",
    "exif-ifd2-FocalLength": "35/1",
}


def photo() -> bytes:
    """Draw the photo, upright."""
    return _as_jpeg(_scene(), orientation=1)


def sideways_photo() -> bytes:
    """Store the same as a camera does that was turned: lying, with a note which way is up."""
    return _as_jpeg(_scene().rot270(), orientation=_SIDEWAYS)


def logo() -> bytes:
    """Draw the pages' own sign, see-through around its corners."""
    icon = pyvips.Image.svgload_buffer(_ICON.read_bytes(), scale=_LOGO_PX / _ICON_PX)
    return bytes(icon.pngsave_buffer())


def letters(text: str, size_px: int, colour: tuple[int, int, int]) -> Image:
    """Write a text on nothing, in the one font that is the same on every machine."""
    opacity = pyvips.Image.text(text, font=f"{_FONT} {size_px}", fontfile=_FONT_FILE, dpi=72)
    flat = opacity.new_from_image(list(colour)).cast("uchar").copy(interpretation="srgb")
    return flat.bandjoin(opacity)


def _scene() -> Image:
    scene = landscape().composite2(balloon(), "over", x=_BALLOON_PLACE_PX[0], y=_BALLOON_PLACE_PX[1])
    for text, size_px, left, top in (("媒库 meiku", 34, 40, 578), ("0123456789", 15, 42, 616)):
        scene = scene.composite2(letters(text, size_px, (247, 236, 206)), "over", x=left, y=top)
    return _with_grain(scene.flatten())


def _with_grain(image: Image) -> Image:
    """Add what every camera adds; without it a quality and a sharpness could hardly be seen."""
    grain = pyvips.Image.gaussnoise(image.width, image.height, sigma=_GRAIN_SIGMA, mean=0, seed=_GRAIN_SEED)
    return (image + grain).cast("uchar").copy(interpretation="srgb").copy_memory()


def _as_jpeg(image: Image, orientation: int) -> bytes:
    """Write a JPEG with EXIF and a thumbnail in it, as cameras do."""
    image = image.copy()
    for name, value in _EXIF.items():
        image.set_type(pyvips.GValue.gstr_type, name, value)
    image.set_type(pyvips.GValue.gint_type, "orientation", orientation)
    thumbnail = bytes(image.thumbnail_image(160, no_rotate=True).jpegsave_buffer(Q=80, keep="none"))
    image.set_type(pyvips.GValue.blob_type, "jpeg-thumbnail-data", thumbnail)
    return bytes(image.jpegsave_buffer(Q=_QUALITY_PERCENT))
