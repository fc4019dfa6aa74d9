"""What steps on videos must give: each frame carries its number as stripes, above a dark half."""

from collections.abc import Callable
from functools import partial
from io import BytesIO

from PIL import Image as pillow

from media.filming import HEIGHT_PX, STRIPES, WIDTH_PX, film, striped
from media.golden.case import Case
from media.golden.distance import JPEG
from media.golden.drawing import Drawing
from meiku.media.made import Made

_DARK = 16


def _half(number: int, width_px: int, height_px: int) -> bytes:
    upper = height_px // 2
    return striped(number, width_px, upper) + bytes([_DARK]) * (width_px * (height_px - upper))


def _frame(number: int) -> Drawing:
    def at(x, y):  # noqa: ANN001, ANN202
        white = x < 0
        for place in range(STRIPES):
            if number >> (STRIPES - 1 - place) & 1:
                left, right = (WIDTH_PX * end / STRIPES for end in (place, place + 1))
                white = white | ((x >= left) & (x < right) & (y < HEIGHT_PX / 2))
        return white.ifthenelse([255, 255, 255, 255], [0, 0, 0, 255])

    return Drawing(WIDTH_PX, HEIGHT_PX, at)


def _source(**how: object) -> Callable[[], bytes]:
    return partial(film, "mp4", "libx264", paint=_half, **how)


def _is(wanted: str) -> Callable[[Made], bool]:
    def judged(made: Made) -> bool:
        with pillow.open(BytesIO(made.body)) as file:
            return made.content_type == f"image/{wanted}" and file.format == wanted.upper()

    return judged


def _shows_each_for(duration_ms: int) -> Callable[[Made], bool]:
    def judged(made: Made) -> bool:
        with pillow.open(BytesIO(made.body)) as file:
            file.load()
            return file.info["duration"] == duration_ms

    return judged


def _snapshot(
    options: str, meant: Drawing, file: Callable[[Made], bool] = lambda made: True, **how: object
) -> Case:
    return Case(f"video/snapshot,{options}", meant, _source(**how), file=file, limit=JPEG)


def _animation(options: str, meant: list[Drawing], file: Callable[[Made], bool] = lambda made: True) -> Case:
    return Case(f"video/animation,{options}", meant, _source(), file=file, limit=JPEG)


def _small(*numbers: int) -> list[Drawing]:
    return [_frame(number).stretched(80, 48) for number in numbers]


SNAPSHOTS = [
    _snapshot("t_0", _frame(0), _is("jpeg")),
    _snapshot("t_680", _frame(17)),
    _snapshot("t_680,m_fast", _frame(10)),
    _snapshot("t_680,w_160", _frame(17).stretched(160, 96)),
    _snapshot("t_680,h_48", _frame(17).stretched(80, 48)),
    _snapshot("t_680,w_100,h_100", _frame(17).stretched(100, 100)),
    _snapshot("t_680,f_png", _frame(17), _is("png")),
    _snapshot("t_680,ar_auto", _frame(17).turned(90), rotation_degrees=-90),
    _snapshot("t_680,ar_h", _frame(17).turned(90)),
    _snapshot("t_680,ar_w", _frame(17), rotation_degrees=-90),
]
ANIMATIONS = [
    _animation("w_80", _small(0, 5, 10, 15, 20, 25, 30, 35, 40, 45), _is("webp")),
    _animation("w_80,ss_1000,num_5", _small(25, 30, 35, 40, 45)),
    _animation("h_48,num_4,inter_200", _small(0, 5, 10, 15)),
    _animation("w_80,num_2,fps_8", _small(0, 25), _shows_each_for(125)),
    _animation("w_80,num_2,f_gif", _small(0, 25), _is("gif")),
]
CASES = [*SNAPSHOTS, *ANIMATIONS]
