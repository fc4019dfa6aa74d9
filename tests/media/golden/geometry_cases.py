"""What steps that change a picture's shape must give. Sizes are worked out by hand from the reference."""

from collections.abc import Callable
from io import BytesIO

from PIL import Image as pillow

from media.golden.case import Case
from media.golden.distance import JPEG
from media.golden.drawing import GLASS, GROUND, MOTIF, WHITE, Drawing, flat, opaque, png

_TALL = MOTIF.turned(90)


def _photo(stored: Drawing, orientation: int) -> Callable[[], bytes]:
    """Write a JPEG as a camera that was held in some way."""

    def written() -> bytes:
        image, file, exif = opaque(stored), BytesIO(), pillow.Exif()
        exif[pillow.ExifTags.Base.Orientation] = orientation
        frame = pillow.frombytes("RGB", (image.width, image.height), image.write_to_memory())
        frame.save(file, "JPEG", quality=97, subsampling=0, exif=exif)
        return file.getvalue()

    return written


def _round_corners(drawing: Drawing, radius_px: float) -> Drawing:
    right, bottom = drawing.width_px - radius_px, drawing.height_px - radius_px

    def is_inside(x: object, y: object) -> object:
        across = (x < radius_px).ifthenelse(radius_px - x, (x > right).ifthenelse(x - right, 0))  # type: ignore
        down = (y < radius_px).ifthenelse(radius_px - y, (y > bottom).ifthenelse(y - bottom, 0))  # type: ignore
        return across**2 + down**2 < radius_px**2

    return drawing.kept_where(is_inside)


def _disc(drawing: Drawing, radius_px: int) -> Drawing:
    """Cut out the circle around the centre."""
    side_px = 2 * radius_px
    left, top = drawing.width_px / 2 - radius_px, drawing.height_px / 2 - radius_px
    box = drawing.cut(left, top, side_px, side_px)
    return box.kept_where(lambda x, y: (x - radius_px) ** 2 + (y - radius_px) ** 2 < radius_px**2)


RESIZED = [
    Case("image/resize,w_60", MOTIF.stretched(60, 45)),
    Case("image/resize,h_30", MOTIF.stretched(40, 30)),
    Case("image/resize,w_60,h_30", MOTIF.stretched(40, 30)),
    Case("image/resize,l_60", MOTIF.stretched(60, 45)),
    Case("image/resize,l_60", _TALL.stretched(45, 60), lambda: png(_TALL)),
    Case("image/resize,s_60", MOTIF.stretched(80, 60)),
    Case("image/resize,s_60", _TALL.stretched(60, 80), lambda: png(_TALL)),
    Case("image/resize,l_60,s_30", MOTIF.stretched(40, 30)),
    Case("image/resize,p_50", MOTIF.stretched(60, 45)),
    Case("image/resize,p_70", GLASS.stretched(84, 63), lambda: png(GLASS)),
    Case("image/resize,w_60,h_60,m_lfit", MOTIF.stretched(60, 45)),
    Case("image/resize,w_60,h_60,m_mfit", MOTIF.stretched(80, 60)),
    Case("image/resize,w_60,h_60,m_fill", MOTIF.stretched(80, 60).cut(10, 0, 60, 60)),
    Case("image/resize,w_60,h_65,m_pad", MOTIF.stretched(60, 45).on(WHITE).cut(0, -10, 60, 65)),
    Case(
        "image/resize,w_60,h_65,m_pad,color_2060C0",
        MOTIF.stretched(60, 45).on((32, 96, 192, 255)).cut(0, -10, 60, 65),
    ),
    Case("image/resize,w_60,h_60,m_fixed", MOTIF.stretched(60, 60)),
    Case("image/resize,h_60,m_fixed", MOTIF.stretched(60, 60)),
    Case("image/resize,w_60,m_fixed", MOTIF.stretched(60, 60)),
    Case("image/resize,h_60,m_fill", MOTIF.stretched(80, 60).cut(10, 0, 60, 60)),
    Case("image/resize,w_60,m_pad", MOTIF.stretched(60, 45).on(WHITE).cut(0, -7, 60, 60)),
    Case("image/resize,h_60,m_mfit", MOTIF.stretched(80, 60)),
    Case("image/resize,l_60,m_fixed", MOTIF.stretched(60, 45)),
    Case("image/resize,w_100,m_fixed", MOTIF),
    Case("image/resize,w_100,m_fixed,limit_0", GROUND.stretched(100, 100), lambda: png(GROUND)),
    Case("image/resize,w_60", GLASS.stretched(60, 45), lambda: png(GLASS)),
    Case("image/resize,w_180", MOTIF),
    Case("image/resize,w_180,limit_0", GROUND.stretched(180, 135), lambda: png(GROUND)),
    Case("image/resize,w_100,h_100,m_fixed,limit_0", GROUND.stretched(100, 100), lambda: png(GROUND)),
    Case("image/resize,w_60/rotate,90", MOTIF.stretched(60, 45).turned(90)),
    Case("image/rotate,90/resize,w_60", MOTIF.turned(90).stretched(60, 80)),
]
CROPPED = [
    Case(f"image/crop,w_30,h_20,g_{place}", MOTIF.cut(left, top, 30, 20))
    for place, left, top in [
        ("nw", 0, 0),
        ("north", 45, 0),
        ("ne", 90, 0),
        ("west", 0, 35),
        ("center", 45, 35),
        ("east", 90, 35),
        ("sw", 0, 70),
        ("south", 45, 70),
        ("se", 90, 70),
    ]
] + [
    Case("image/crop,w_31,h_21,g_center", MOTIF.cut(45, 35, 31, 21)),
    Case("image/crop,w_30,h_20,g_center,x_7,y_9", MOTIF.cut(52, 44, 30, 20)),
    Case("image/crop,w_30,h_20,g_se,x_20,y_5", MOTIF.cut(110, 75, 10, 15)),
    Case("image/crop,w_30,g_se", MOTIF.cut(90, 0, 30, 90)),
    Case("image/crop,h_20,g_center", MOTIF.cut(0, 35, 120, 20)),
    Case("image/crop,w_0,h_0,x_20", MOTIF.cut(20, 0, 100, 90)),
    Case("image/crop,x_20,y_10", MOTIF.cut(20, 10, 100, 80)),
    Case("image/crop,w_50", MOTIF.cut(0, 0, 50, 90)),
    Case("image/crop,h_50", MOTIF.cut(0, 0, 120, 50)),
    Case("image/crop,x_10,y_5,w_300,h_300,g_center", MOTIF.cut(10, 5, 110, 85)),
    Case("image/crop,x_70,w_50", GLASS.cut(70, 0, 50, 90), lambda: png(GLASS)),
]
TURNED = [
    Case("image/rotate,90", MOTIF.turned(90)),
    Case("image/rotate,180", MOTIF.turned(180)),
    Case("image/rotate,270", MOTIF.turned(270)),
    Case("image/rotate,45", MOTIF.turned(45)),
    Case("image/rotate,30", GLASS.turned(30), lambda: png(GLASS)),
    Case("image/rotate,200,color_2060C0", MOTIF.turned(200, (32, 96, 192, 255))),
    Case("image/rotate,30/format,jpg", MOTIF.turned(30, WHITE), limit=JPEG),
]
SLICED = [
    Case("image/indexcrop,x_50,i_1", MOTIF.cut(50, 0, 50, 90)),
    Case("image/indexcrop,x_50,i_2", MOTIF.cut(100, 0, 20, 90)),
    Case("image/indexcrop,x_50,i_3", MOTIF),
    Case("image/indexcrop,x_50,y_30,i_1", MOTIF.cut(0, 30, 120, 30)),
    Case("image/indexcrop,y_30,i_2", MOTIF.cut(0, 60, 120, 30)),
]
SHAPED = [
    Case("image/circle,r_30", _disc(MOTIF, 30)),
    Case("image/circle,r_4096", _disc(MOTIF, 45)),
    Case("image/circle,r_30/format,jpg", flat(60, 60, WHITE).under(_disc(MOTIF, 30), 0, 0), limit=JPEG),
    Case("image/circle,r_40", _disc(GLASS, 40), lambda: png(GLASS)),
    Case("image/rounded-corners,r_20", _round_corners(MOTIF, 20)),
    Case("image/rounded-corners,r_4096", _round_corners(MOTIF, 45)),
    Case("image/rounded-corners,r_30", _round_corners(GLASS, 30), lambda: png(GLASS)),
]
_HELD = [
    MOTIF,
    MOTIF.mirrored(),
    MOTIF.turned(180),
    MOTIF.mirrored().turned(180),
    Drawing(90, 120, lambda x, y: MOTIF.at(y, x)),
    MOTIF.turned(-90),
    Drawing(90, 120, lambda x, y: MOTIF.at(120 - y, 90 - x)),
    MOTIF.turned(90),
]
UPRIGHT = [
    Case("image/auto-orient,1", MOTIF, _photo(stored, orientation), limit=JPEG)
    for orientation, stored in enumerate(_HELD, start=1)
] + [
    Case("image/resize,w_45/auto-orient,1", MOTIF.stretched(60, 45), _photo(_HELD[5], 6), limit=JPEG),
    Case("image/auto-orient,1/resize,w_60", MOTIF.stretched(60, 45), _photo(_HELD[5], 6), limit=JPEG),
]
CASES = [*RESIZED, *CROPPED, *TURNED, *SLICED, *SHAPED, *UPRIGHT]
