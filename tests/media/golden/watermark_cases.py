"""What watermarks must give: a picture, a text, or both, where the reference puts them.

Text is drawn by another library (FreeType, by way of Pillow) from the same font.
"""

from base64 import urlsafe_b64encode
from collections.abc import Sequence

import pyvips
from noto_cjk import otc_path
from PIL import Image as pillow
from PIL import ImageDraw, ImageFont

from media.golden.case import Case
from media.golden.drawing import BADGE, BLACK, CLEAR, GLASS, GROUND, MOTIF, Drawing, flat, of_image, png

_SHADOW_SHIFT_PX = 2
_SMALL_GROUND = GROUND.stretched(24, 18)
_NAMED = {
    "badge.png": lambda: png(BADGE),
    "glass.png": lambda: png(GLASS),
    "ground.png": lambda: png(_SMALL_GROUND),
}
_PLACES = [
    ("nw", 7, 9),
    ("north", 48, 9),
    ("ne", 89, 9),
    ("west", 7, 37),
    ("center", 48, 37),
    ("east", 89, 37),
    ("sw", 7, 65),
    ("south", 48, 65),
    ("se", 89, 65),
]


def _in_url(text: str) -> str:
    return urlsafe_b64encode(text.encode()).decode().rstrip("=")


def _font(size_px: int) -> ImageFont.FreeTypeFont:
    """Find the face for simplified Chinese in the file of all of them."""
    faces = (ImageFont.truetype(str(otc_path("sans")), size_px, index=index) for index in range(45))
    return next(face for face in faces if face.getname() == ("Noto Sans CJK SC", "Regular"))


def text(words: str, size_px: int = 40, colour: Sequence[int] = BLACK) -> Drawing:
    """Draw a text in the box of its ink."""
    canvas = pillow.new("L", (size_px * (len(words) + 1), size_px * 2))
    ImageDraw.Draw(canvas).text((size_px // 2, 0), words, 255, _font(size_px))
    ink = canvas.crop(canvas.getbbox())
    opacity = pyvips.Image.new_from_memory(ink.tobytes(), ink.width, ink.height, 1, "uchar")
    return of_image((opacity * 0 + list(colour[:3])).bandjoin(opacity))


def _shadowed(words: str, size_px: int, percent: int, colour: Sequence[int]) -> Drawing:
    letters = text(words, size_px, colour)
    wide, high = letters.width_px + _SHADOW_SHIFT_PX, letters.height_px + _SHADOW_SHIFT_PX
    shadow = text(words, size_px, BLACK).faded(percent)
    return flat(wide, high, CLEAR).under(shadow, _SHADOW_SHIFT_PX, _SHADOW_SHIFT_PX).under(letters, 0, 0)


def _in_the_corner(mark: Drawing, ground: Drawing = MOTIF) -> Drawing:
    """Lay a mark where it lies by itself: south-east, 10 pixels from the edges."""
    return ground.under(mark, ground.width_px - mark.width_px - 10, ground.height_px - mark.height_px - 10)


def _in_the_middle(mark: Drawing) -> Drawing:
    return MOTIF.under(mark, (120 - mark.width_px) // 2, (90 - mark.height_px) // 2)


def _tiled(mark: Drawing, gap_x_px: int, gap_y_px: int) -> Drawing:
    picture = MOTIF
    for left in range(0, 120, mark.width_px + gap_x_px):
        for top in range(0, 90, mark.height_px + gap_y_px):
            picture = picture.under(mark, left, top)
    return picture


def _beside(left: Drawing, right: Drawing, gap_px: int, align: str) -> Drawing:
    wide, high = left.width_px + gap_px + right.width_px, max(left.height_px, right.height_px)
    row = flat(wide, high, CLEAR)
    for each, from_left in ((left, 0), (right, left.width_px + gap_px)):
        free_px = high - each.height_px
        row = row.under(each, from_left, {"0": 0, "1": free_px // 2, "2": free_px}[align])
    return row


def _image(options: str, meant: Drawing, key: str = "badge.png") -> Case:
    return Case(f"image/watermark,image_{_in_url(key)}{options}", meant, named=_NAMED)


def _text(words: str, options: str, meant: Drawing) -> Case:
    return Case(f"image/watermark,text_{_in_url(words)}{options}", meant)


_WORD = text("Hg", 30)
_ROW = f",text_{_in_url('Hg')},size_30"
_OVER_GLASS = Case(
    f"image/watermark,image_{_in_url('badge.png')},g_ne,x_2,y_2,t_80",
    GLASS.under(BADGE.faded(80), 94, 2),
    lambda: png(GLASS),
    named=_NAMED,
)
IMAGES = [_image(f",g_{place},x_7,y_9", MOTIF.under(BADGE, x, y)) for place, x, y in _PLACES] + [
    _image("", _in_the_corner(BADGE)),
    _image(",t_40", _in_the_corner(BADGE.faded(40))),
    _image(",g_nw,x_0,y_30", MOTIF.under(BADGE, 0, 30)),
    _image(",g_center,voffset_-20", MOTIF.under(BADGE, 48, 17)),
    _image(",g_east,x_5,voffset_12", MOTIF.under(BADGE, 91, 49)),
    _image(",fill_1", _tiled(BADGE, 0, 0)),
    _image(",fill_1,padx_16,pady_9,t_70", _tiled(BADGE.faded(70), 16, 9)),
    _image(",g_nw,x_100,y_80", MOTIF.under(BADGE, 100, 80)),
    _image(
        "", _in_the_corner(_SMALL_GROUND.stretched(60, 45)), key="ground.png?x-oss-process=image/resize,P_50"
    ),
    _image("", _in_the_corner(GLASS.stretched(30, 22)), key="glass.png?x-oss-process=image/resize,P_25"),
    _image(
        ",g_nw,x_3,y_3",
        MOTIF.under(BADGE.turned(90), 3, 3),
        key="badge.png?x-oss-process=image/rotate,90",
    ),
]
TEXTS = [
    _text("Hg", ",size_30", _in_the_corner(_WORD)),
    _text("Hg", ",size_50,g_nw,x_4,y_4", MOTIF.under(text("Hg", 50), 4, 4)),
    _text("媒库", "", _in_the_corner(text("媒库"))),
    _text("媒库", ",color_FFE060", _in_the_corner(text("媒库", colour=(255, 224, 96)))),
    _text("Hg", ",size_30,rotate_90", _in_the_corner(_WORD.turned(90))),
    _text("Hg", ",size_30,rotate_30,g_center", _in_the_middle(_WORD.turned(30))),
    _text("Hg", ",size_40,shadow_60,color_F0F0F0", _in_the_corner(_shadowed("Hg", 40, 60, (240, 240, 240)))),
    _text("H", ",size_20,fill_1,padx_9,pady_5", _tiled(text("H", 20), 9, 5)),
    _text("<&", ",size_30,g_nw,x_4,y_4", MOTIF.under(text("<&", 30), 4, 4)),
]
BOTH = [
    _image(f"{_ROW}", _in_the_corner(_beside(BADGE, _WORD, 0, "2"))),
    _image(f"{_ROW},order_1,interval_5", _in_the_corner(_beside(_WORD, BADGE, 5, "2"))),
    _image(f"{_ROW},align_0", _in_the_corner(_beside(BADGE, _WORD, 0, "0"))),
    _image(f"{_ROW},align_1,interval_8", _in_the_corner(_beside(BADGE, _WORD, 8, "1"))),
]
CASES = [_OVER_GLASS, *IMAGES, *TEXTS, *BOTH]
