"""Small real videos for tests, and a way to tell which of their frames came back.

Every frame carries its number as eight stripes, white for 1 and black for 0, the highest on the left: they
survive every codec and every size. Encoded by PyAV, so whatever it decodes it wrote itself.
"""

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from fractions import Fraction
from io import BytesIO
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import av
import pyvips
from av.stream import Disposition
from av.video.frame import VideoFrame
from av.video.reformatter import ColorRange, Colorspace

STRIPES = 8
WIDTH_PX, HEIGHT_PX = 320, 192
_BLACK, _WHITE, _GREY = 16, 235, 128
CODEC_OPTIONS = {
    "libx264": {"preset": "veryfast", "sc_threshold": "0"},
    "libx265": {"preset": "ultrafast", "x265-params": "log-level=none:scenecut=0:pools=1:frame-threads=1"},
    "libvpx-vp9": {"cpu-used": "8", "deadline": "realtime"},
    "libsvtav1": {"preset": "12"},
}


# All that FFmpeg writes and players read: AV1 and VP9 have no place in a TS, nor H.265 in an AVI.
PAIRS = [
    *[(container, "libx264") for container in ("mp4", "mov", "matroska", "flv", "mpegts", "avi")],
    *[(container, "libx265") for container in ("mp4", "mov", "matroska", "flv", "mpegts")],
    *[(container, "libvpx-vp9") for container in ("mp4", "matroska", "webm", "flv", "avi")],
    *[(container, "libsvtav1") for container in ("mp4", "matroska", "webm", "flv", "avi")],
]


@dataclass(frozen=True)
class Shade:
    """One colour all over, as codes of a matrix; untagged, a player has to guess the matrix."""

    rgb: tuple[int, int, int]
    matrix: int = 1
    full_range: bool = False
    tagged: bool = True
    transfer: int | None = None
    primaries: int | None = None


# FFmpeg numbers the matrices of files, and swscale numbers them again.
_MATRICES = {
    1: Colorspace.ITU709,
    5: Colorspace.ITU601,
    6: Colorspace.SMPTE170M,
    9: Colorspace.BT2020,
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
    rotation_degrees: int = 0  # anticlockwise, as FFmpeg counts
    mirrored: bool = False
    sound_s: float = 0
    options: dict[str, str] = field(default_factory=dict)
    muxing: dict[str, str] = field(default_factory=dict)
    pixels: str = "yuv420p"
    paint: Callable[[int, int, int], bytes] | None = None
    times: tuple[int, ...] = ()
    pixel_ratio: Fraction | None = None
    shade: "Shade | None" = None

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
        self._describe(stream)
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

    def _describe(self, stream: Any) -> None:
        stream.width, stream.height, stream.pix_fmt = self.width_px, self.height_px, self.pixels
        stream.codec_context.gop_size = self.key_every
        stream.codec_context.thread_count = 1
        if self.rotation_degrees or self.mirrored:
            stream.set_display_rotation(self.rotation_degrees, hflip=self.mirrored)
        if self.pixel_ratio is not None:
            stream.codec_context.sample_aspect_ratio = self.pixel_ratio
        if self.shade is not None and self.shade.tagged:
            stream.codec_context.colorspace = self.shade.matrix
            stream.codec_context.color_range = ColorRange.JPEG if self.shade.full_range else ColorRange.MPEG
            stream.codec_context.color_trc = self.shade.transfer or self.shade.matrix
            stream.codec_context.color_primaries = self.shade.primaries or self.shade.matrix

    def _frame(self, number: int) -> VideoFrame:
        if self.shade is not None:
            return self._shaded(self.shade)
        frame = VideoFrame(self.width_px, self.height_px, "yuv420p")
        luma = (self.paint or striped)(number, self.width_px, self.height_px)
        fill(frame, 0, luma, self.width_px)
        for plane in frame.planes[1:]:
            plane.update(bytes([_GREY]) * plane.buffer_size)
        return frame if self.pixels == "yuv420p" else frame.reformat(format=self.pixels)

    def _shaded(self, shade: Shade) -> VideoFrame:
        frame = VideoFrame(self.width_px, self.height_px, "rgb24")
        fill(frame, 0, bytes(shade.rgb) * self.width_px * self.height_px, 3 * self.width_px)
        return frame.reformat(
            format=self.pixels,
            dst_colorspace=_MATRICES[shade.matrix],
            src_color_range=ColorRange.JPEG,
            dst_color_range=ColorRange.JPEG if shade.full_range else ColorRange.MPEG,
        )


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


_MADE: dict[str, bytes] = {}


def film(container: str = "mp4", codec: str = "libx264", **how: Any) -> bytes:
    """Make a video, once for all tests."""
    key = repr((container, codec, sorted(how.items())))
    if key not in _MADE:
        _MADE[key] = Film(container, codec, **how).made()
    return _MADE[key]


def sounds_only(container: str = "mp4") -> bytes:
    """Make a file of sound."""
    return several_streams(container, sound=True)


def several_streams(
    container: str, *films: bytes, usual: int | None = None, cover: bool = False, sound: bool = False
) -> bytes:
    """Put several films into one file, as they are; with a cover picture and with sound, if asked for."""
    file = BytesIO()
    with av.open(file, "w", format=container) as output:
        inputs = [av.open(BytesIO(body)) for body in films]
        streams: list[Any] = [output.add_stream_from_template(each.streams.video[0]) for each in inputs]
        for number, stream in enumerate(streams):
            stream.disposition = Disposition.default if number == usual else Disposition(0)
        drawn: Any = None
        if cover and container == "matroska":
            output.add_attachment("cover.jpg", "image/jpeg", pyvips.Image.black(64, 64).jpegsave_buffer())
        elif cover:
            drawn = output.add_stream("mjpeg", rate=1)
            drawn.width, drawn.height, drawn.pix_fmt = 64, 64, "yuvj420p"
            drawn.disposition = Disposition.attached_pic
        heard: Any = output.add_stream("aac", rate=48_000) if sound else None
        if drawn is not None:
            output.mux(drawn.encode(VideoFrame(64, 64, "yuvj420p")))
            output.mux(drawn.encode(None))
        for opened, stream in zip(inputs, streams, strict=True):
            for packet in opened.demux(opened.streams.video[0]):
                if packet.dts is not None:
                    packet.stream = stream
                    output.mux(packet)
            opened.close()
        if heard is not None:
            output.mux(packet for frame in silence(1) for packet in heard.encode(frame))
            output.mux(heard.encode(None))
    return file.getvalue()


def shifted(body: bytes, container: str, by_s: Fraction) -> bytes:
    """Write a film's packets again at other times: those before 0 are there and not shown, as after a cut."""
    file = BytesIO()
    options = {"avoid_negative_ts": "disabled"}
    with av.open(BytesIO(body)) as opened, av.open(file, "w", format=container, options=options) as output:
        stream: Any = output.add_stream_from_template(opened.streams.video[0])
        for packet in opened.demux(opened.streams.video[0]):
            if packet.dts is not None and packet.pts is not None:
                ticks = int(by_s / packet.time_base)
                packet.dts, packet.pts = packet.dts + ticks, packet.pts + ticks
                packet.stream = stream
                output.mux(packet)
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
