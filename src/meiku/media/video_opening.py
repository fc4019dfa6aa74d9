"""Opens an untrusted file as a video: a short list of containers and decoders, and nothing beside the file.

Which container it is, its first bytes say, never a name and never FFmpeg's guess: formats that only name
other files (playlists, concat scripts, image lists) cannot be opened. What the file says of its size is held
against the limits before a frame is decoded. Looks for no frame, makes no picture.
"""

import math
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from fractions import Fraction
from io import BytesIO
from typing import Any

import av
from av.container import InputContainer
from av.error import FFmpegError
from av.stream import Disposition
from av.video.stream import VideoStream

from meiku.media.picture import PIXELS_LIMIT, SIDE_LIMIT_PX
from meiku.media.refusal import RecipeRefused
from meiku.media.video_reading import RangedFile, RangedSource

# FFmpeg brings decoders for hundreds of formats, many of them old and seldom read by anybody: these few are
# what people upload. Names of decoders, as its `codec_whitelist` has them.
VIDEO_DECODERS = frozenset(
    {"h264", "hevc", "libdav1d", "av1", "vp8", "vp9", "libvpx", "libvpx-vp9", "mpeg4", "mpeg1video"}
    | {"mpeg2video", "mjpeg", "h263", "flv", "prores"}
)
# Never decoded; FFmpeg looks into them for channels and sample rates where the container does not say.
_AUDIO_DECODERS = frozenset(
    {"aac", "mp3float", "mp3", "ac3", "eac3", "opus", "vorbis", "flac", "alac", "mp2"}
)
_BUFFER_BYTES = 64 * 1024
_BEGINNING_BYTES = 1_024
_TS_PACKETS_BYTES = (188, 192, 204)
_MOV_BOXES = frozenset({b"ftyp", b"moov", b"mdat", b"free", b"skip", b"wide", b"pnot", b"styp", b"uuid"})
# HEIC and AVIF are boxes as well, and FFmpeg would read them: they are pictures.
_PICTURE_BRANDS = frozenset({b"heic", b"heix", b"heim", b"heis", b"mif1", b"msf1", b"avif", b"avis"})
_OPTIONS = {
    "protocol_whitelist": "none",
    "enable_drefs": "0",
    "use_absolute_path": "0",
    "codec_whitelist": ",".join(sorted(VIDEO_DECODERS | _AUDIO_DECODERS)),
    "max_pixels": str(PIXELS_LIMIT),
    "max_streams": "64",
    "threads": "1",
}


@dataclass(frozen=True, slots=True)
class OpenVideo:
    """An open container and the one of its streams that is the video."""

    container: InputContainer
    stream: VideoStream
    size_bytes: int

    @property
    def start_s(self) -> Fraction:
        """The time stamp of the first stream to begin, sound or picture."""
        return Fraction(self.container.start_time or 0, av.time_base)

    @property
    def length_s(self) -> Fraction | None:
        """How long the file says it is; None when it does not, as recordings of browsers do not."""
        duration = self.container.duration
        return Fraction(duration, av.time_base) if duration is not None and duration > 0 else None

    @property
    def is_transport_stream(self) -> bool:
        """Tell whether it is one; they are entered anywhere."""
        return self.container.format.name == "mpegts"

    @property
    def tick_s(self) -> Fraction:
        """How long one unit of the video's time stamps is."""
        tick_s = self.stream.time_base
        return tick_s if tick_s is not None and tick_s > 0 else Fraction(1, av.time_base)


@contextmanager
def open_video(source: RangedSource) -> Iterator[OpenVideo]:
    """Open a video; RecipeRefused where it is none, or where FFmpeg fails on it inside of the block."""
    file = RangedFile(source)
    try:
        with _container(file) as container:
            yield OpenVideo(container, _video_stream(container), source.size_bytes)
    except (FFmpegError, RecipeRefused) as error:
        raise file.failure or _refusal(error) from None
    if file.failure is not None:  # FFmpeg took it for the end of the file, so what was found may be wrong
        raise file.failure


def demuxer_of(beginning: bytes) -> str:
    """Name FFmpeg's reader for a file by its first bytes; RecipeRefused when it is no video that is read."""
    if beginning[4:8] in _MOV_BOXES and beginning[8:12] not in _PICTURE_BRANDS:
        return "mov"
    if beginning.startswith(b"\x1a\x45\xdf\xa3"):
        return "matroska"
    if beginning.startswith(b"FLV\x01"):
        return "flv"
    if beginning.startswith(b"RIFF") and beginning[8:11] == b"AVI":
        return "avi"
    if _is_transport_stream(beginning):
        return "mpegts"
    raise RecipeRefused("", "", "This is no video that is read here: MP4, MOV, MKV, WebM, FLV, TS or AVI.")


def check_frame_size(width_px: int, height_px: int) -> None:
    """Refuse frames that are too large."""
    if max(width_px, height_px) > SIDE_LIMIT_PX or width_px * height_px > PIXELS_LIMIT:
        raise RecipeRefused(
            "",
            "",
            f"The frame is too large: {width_px} x {height_px} pixels; each side may have "
            f"{SIDE_LIMIT_PX:,}, and a frame {PIXELS_LIMIT:,}.",
        )


def damaged() -> RecipeRefused:
    """Say that a video cannot be decoded; what FFmpeg said may speak of its memory, so it is not repeated."""
    return RecipeRefused("", "", "The video is damaged or not complete: it cannot be decoded there.")


def milliseconds(time_s: Fraction) -> int:
    """Write a time as it is written in a recipe, rounded up, so that the end is not before the end."""
    return math.ceil(time_s * 1_000)


def _is_transport_stream(beginning: bytes) -> bool:
    """Look for the byte that begins every packet; Blu-ray puts a time stamp of four bytes before it."""
    return any(
        all(beginning[first + size * number : first + size * number + 1] == b"\x47" for number in range(3))
        for size in _TS_PACKETS_BYTES
        for first in (0, 4)
    )


def _container(file: RangedFile) -> InputContainer:
    demuxer = demuxer_of(file.read(_BEGINNING_BYTES))
    file.seek(0)
    return av.open(
        file,
        "r",
        format=demuxer,
        options=_OPTIONS,
        metadata_errors="replace",
        buffer_size=_BUFFER_BYTES,
        io_open=_nothing,
    )


def _nothing(_url: str, _flags: int, _options: dict[str, Any]) -> BytesIO:
    """Stand for whatever other file a video may name; raising here would be remembered in PyAV for later."""
    return BytesIO()


def _video_stream(container: InputContainer) -> VideoStream:
    """Answer the first stream that moves, told to decode in this thread only; the others are not read."""
    streams = [each for each in container.streams.video if not each.disposition & Disposition.attached_pic]
    if not streams:
        raise RecipeRefused("", "", "The file holds no video, only sound or other things.")
    chosen = streams[0]
    _check_decoder(chosen)
    for each in container.streams:
        each.discard = av.stream.Discard.default if each.index == chosen.index else av.stream.Discard.all
    chosen.codec_context.thread_count = 1
    chosen.codec_context.options = {"max_pixels": str(PIXELS_LIMIT)}
    return chosen


def _check_decoder(stream: VideoStream) -> None:
    """Refuse what is not decoded here, and frames that say they are too large."""
    # The annotation says it is always there; it is not where FFmpeg has no decoder.
    context: Any = stream.codec_context
    if context is None or context.codec.name not in VIDEO_DECODERS:
        raise RecipeRefused("", "", "The video's codec is not read here; H.264, H.265, VP9 and AV1 are.")
    check_frame_size(context.width, context.height)


def _refusal(error: FFmpegError | RecipeRefused) -> RecipeRefused:
    if isinstance(error, RecipeRefused):
        return error
    if isinstance(error, MemoryError):
        return RecipeRefused("", "", "The video needs more memory to decode than there is for one picture.")
    return damaged()
