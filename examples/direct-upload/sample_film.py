"""The sample film, drawn: five seconds in which the balloon crosses the lake, and every frame shows its time.

A key frame a second, so that the nearest one can be told from the exact one. Where it is kept is `samples`'.
"""

import math
from fractions import Fraction
from io import BytesIO

import av
from av.video.frame import VideoFrame

from landscape import BALLOON_WIDTH_PX, Image, balloon, landscape
from sample_photo import letters

LENGTH_S = 5
FRAMES_PER_S = 20
WIDTH_PX, HEIGHT_PX = 640, 360
_LANDSCAPE_SCALE, _BALLOON_SCALE = WIDTH_PX / 960, 0.55
_SKY_CUT_PX = 34
_CODE_SIZE_PX, _CODE_LEFT_PX, _CODE_TOP_PX = 34, 24, 310
_WHITE = (255, 255, 255)


def film() -> bytes:
    """Draw and encode the film: H.264 in an MP4."""
    background = (
        landscape(_LANDSCAPE_SCALE).crop(0, _SKY_CUT_PX, WIDTH_PX, HEIGHT_PX).addalpha().copy_memory()
    )
    shape = balloon(_BALLOON_SCALE)
    file = BytesIO()
    with av.open(file, "w", format="mp4") as container:
        stream = container.add_stream(
            "libx264", rate=FRAMES_PER_S, options={"preset": "veryfast", "crf": "24", "sc_threshold": "0"}
        )
        stream.width, stream.height, stream.pix_fmt = WIDTH_PX, HEIGHT_PX, "yuv420p"
        stream.codec_context.gop_size = FRAMES_PER_S
        for number in range(LENGTH_S * FRAMES_PER_S):
            pixels = bytes(_picture(number, background, shape).write_to_memory())
            frame = VideoFrame.from_bytes(pixels, WIDTH_PX, HEIGHT_PX, "rgba")
            frame.pts, frame.time_base = number, Fraction(1, FRAMES_PER_S)
            container.mux(stream.encode(frame))
        container.mux(stream.encode(None))
    return file.getvalue()


def _picture(number: int, background: Image, shape: Image) -> Image:
    """Draw one frame: the balloon on its way from left to right, a little up and down, and the time."""
    way = number / (LENGTH_S * FRAMES_PER_S - 1)
    left = round(way * (WIDTH_PX - BALLOON_WIDTH_PX * _BALLOON_SCALE))
    top = round(44 + 22 * math.sin(2 * math.pi * way))
    code = letters(time_code(number), _CODE_SIZE_PX, _WHITE)
    places = {"x": [left, _CODE_LEFT_PX], "y": [top, _CODE_TOP_PX]}
    return background.composite([shape, code], ["over", "over"], **places).cast("uchar")


def time_code(number: int) -> str:
    """Write a frame's time as seconds and hundredths: 03.40."""
    hundredths = number * 100 // FRAMES_PER_S
    return f"{hundredths // 100:02}.{hundredths % 100:02} s"
