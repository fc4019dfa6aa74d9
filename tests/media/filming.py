"""Small real videos for tests, and a way to tell which of their frames came back.

Every frame carries its number as eight stripes, white for 1 and black for 0, the highest on the left: they
survive every codec and every size. Encoded by PyAV, so whatever it decodes it wrote itself.
"""

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from fractions import Fraction
from functools import cache
from io import BytesIO
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import av
import pyvips
from av.video.frame import VideoFrame

STRIPES = 8
WIDTH_PX, HEIGHT_PX = 320, 192
_BLACK, _WHITE, _GREY = 16, 235, 128
CODEC_OPTIONS = {
    "libx264": {"preset": "veryfast", "sc_threshold": "0"},
    "libx265": {"preset": "ultrafast", "x265-params": "log-level=none:scenecut=0:pools=1:frame-threads=1"},
    "libvpx-vp9": {"cpu-used": "8", "deadline": "realtime"},
    "libsvtav1": {"preset": "12"},
}


@dataclass
class Film:
    """How a video is made."""

    container: str = "mp4"
    codec: str = "libx264"
    frames: int = 50
    rate: Fraction = Fraction(25)
    width_px: int = WIDTH_PX
    height_px: int = HEIGHT_PX
    key_every: int = 10
    rotation_degrees: int = 0
    sound_s: float = 0
    options: dict[str, str] = field(default_factory=dict)
    muxing: dict[str, str] = field(default_factory=dict)
    pixels: str = "yuv420p"
    paint: Callable[[int, int, int], bytes] | None = None
    times: tuple[int, ...] = ()

    def made(self) -> bytes:
        """Encode it."""
        with TemporaryDirectory() as folder:
            path = Path(folder) / "film"
            with av.open(str(path), "w", format=self.container, options=self.muxing) as container:
                self._write(container)
            return path.read_bytes()

    def _write(self, container: Any) -> None:
        options = CODEC_OPTIONS.get(self.codec, {}) | self.options
        stream = container.add_stream(self.codec, rate=self.rate, options=options)
        stream.width, stream.height, stream.pix_fmt = self.width_px, self.height_px, self.pixels
        stream.codec_context.gop_size = self.key_every
        stream.codec_context.thread_count = 1
        if self.rotation_degrees:
            stream.set_display_rotation(self.rotation_degrees)
        sound = container.add_stream("aac", rate=48_000) if self.sound_s else None
        for number in range(self.frames):
            frame = self._frame(number)
            frame.time_base = 1 / self.rate
            frame.pts = self.times[number] if self.times else number
            container.mux(stream.encode(frame))
        container.mux(stream.encode(None))
        if sound is not None:
            container.mux(packet for frame in silence(self.sound_s) for packet in sound.encode(frame))
            container.mux(sound.encode(None))

    def _frame(self, number: int) -> VideoFrame:
        frame = VideoFrame(self.width_px, self.height_px, self.pixels)
        luma = (self.paint or striped)(number, self.width_px, self.height_px)
        fill(frame, 0, luma, self.width_px)
        for plane in frame.planes[1:]:
            plane.update(bytes([_GREY]) * plane.buffer_size)
        return frame


def striped(number: int, width_px: int, height_px: int) -> bytes:
    """Paint a frame's number."""
    bits = [number >> (STRIPES - 1 - place) & 1 for place in range(STRIPES)]
    row = bytes(_WHITE if bits[x * STRIPES // width_px] else _BLACK for x in range(width_px))
    return row * height_px


def fill(frame: VideoFrame, plane: int, pixels: bytes, width_px: int) -> None:
    """Give a plane its pixels, each line filled up to the length that FFmpeg chose."""
    line_bytes = frame.planes[plane].line_size
    filler = bytes(line_bytes - width_px)
    rows = (pixels[top : top + width_px] + filler for top in range(0, len(pixels), width_px))
    frame.planes[plane].update(b"".join(rows))


def silence(length_s: float) -> Iterable[Any]:
    """Give frames of sound that nobody hears."""
    for number in range(int(length_s * 48_000) // 1_024):
        frame = av.AudioFrame(format="fltp", layout="stereo", samples=1_024)
        for plane in frame.planes:
            plane.update(bytes(plane.buffer_size))
        frame.sample_rate, frame.pts = 48_000, number * 1_024
        yield frame


@cache
def film(container: str = "mp4", codec: str = "libx264", **how: Any) -> bytes:
    """Make a video, once for all tests."""
    return Film(container, codec, **how).made()


def sounds_only(container: str = "mp4") -> bytes:
    """Make a file of sound."""
    file = BytesIO()
    with av.open(file, "w", format=container) as output:
        stream = output.add_stream("aac", rate=48_000)
        output.mux(packet for frame in silence(1) for packet in stream.encode(frame))
        output.mux(stream.encode(None))
    return file.getvalue()


def number_of(picture: bytes | pyvips.Image) -> int:
    """Read a frame's number from its picture, of whatever size."""
    image = pyvips.Image.new_from_buffer(picture, "") if isinstance(picture, bytes) else picture
    grey = image.colourspace("b-w")
    y_px, number = grey.height // 2, 0
    for place in range(STRIPES):
        x_px = int((place + 0.5) * grey.width / STRIPES)
        number = number << 1 | (grey(x_px, y_px)[0] > 128)
    return number
