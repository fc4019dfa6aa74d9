"""Opens an untrusted file as a video: a short list of containers and decoders, and nothing beside the file.

Which container it is, its first bytes say, never a name and never FFmpeg's guess: formats that only name
other files (playlists, concat scripts, image lists) cannot be opened. What the file says of its size is held
against the limits before a frame is decoded. Looks for no frame, makes no picture.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from io import BytesIO
from typing import Any

import av
from av.container import InputContainer
from av.error import FFmpegError
from av.stream import Disposition
from av.video.stream import VideoStream

from meiku.media.refusal import RecipeRefused
from meiku.media.sizes import PIXELS_LIMIT, SIDE_LIMIT_PX
from meiku.media.video_container import Demuxer, OpenVideo
from meiku.media.video_reading import PIECE_BYTES, RangedFile, RangedSource

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
_BEGINNING_BYTES = 1_024
_TS_PACKETS_BYTES = (188, 192, 204)
_TS_PACKETS = 4
_MOV_BOXES = frozenset({b"ftyp", b"moov", b"mdat", b"free", b"skip", b"wide", b"pnot", b"styp", b"uuid"})
# HEIC and AVIF are boxes as well, and FFmpeg would read them: they are pictures.
_PICTURE_BRANDS = frozenset(
    {b"heic", b"heix", b"heim", b"heis", b"mif1", b"msf1", b"avif", b"avis", b"avio", b"MA1A", b"MA1B"}
)
# What is a picture and no video: a song's cover, or one for each chapter.
STILL = Disposition.attached_pic | Disposition.timed_thumbnails
_STREAMS = 64
OPTIONS = {
    "protocol_whitelist": "none",
    "enable_drefs": "0",
    "use_absolute_path": "0",
    "codec_whitelist": ",".join(sorted(VIDEO_DECODERS | _AUDIO_DECODERS)),
    "max_pixels": str(PIXELS_LIMIT),
    "max_streams": str(_STREAMS),
    "threads": "1",
}


@contextmanager
def open_video(source: RangedSource) -> Iterator[OpenVideo]:
    """Open a video; RecipeRefused where it is none, or where FFmpeg fails on it inside of the block."""
    file = RangedFile(source)
    try:
        with _container(file) as container:
            yield OpenVideo(container, _video_stream(container), file)
    except (FFmpegError, RecipeRefused) as error:
        raise file.failure or _refusal(error) from None
    if file.failure is not None:  # FFmpeg took it for the end of the file, so what was found may be wrong
        raise file.failure


def demuxer_of(beginning: bytes) -> Demuxer:
    """Name FFmpeg's reader for a file by its first bytes; RecipeRefused when it is no video that is read."""
    if beginning[4:8] in _MOV_BOXES and beginning[8:12] not in _PICTURE_BRANDS:
        return Demuxer.MP4
    if beginning.startswith(b"\x1a\x45\xdf\xa3"):
        return Demuxer.MKV
    if beginning.startswith(b"FLV\x01"):
        return Demuxer.FLV
    if beginning.startswith(b"RIFF") and beginning[8:11] == b"AVI":
        return Demuxer.AVI
    if _is_transport_stream(beginning):
        return Demuxer.TS
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


def _is_transport_stream(beginning: bytes) -> bool:
    """Look for the byte that begins every packet; a recording of a broadcast may begin within one."""
    return any(
        all(beginning[first + size * number :][:1] == b"\x47" for number in range(_TS_PACKETS))
        for size in _TS_PACKETS_BYTES
        for first in range(size)
    )


def _container(file: RangedFile) -> InputContainer:
    demuxer = demuxer_of(file.peek(0, _BEGINNING_BYTES))
    return av.open(
        file,
        "r",
        format=demuxer.value,
        options=OPTIONS | {"format_whitelist": demuxer.value},
        metadata_errors="replace",
        buffer_size=PIECE_BYTES,
        io_open=nothing,
    )


def nothing(_url: str, _flags: int, _options: dict[str, Any]) -> BytesIO:
    """Stand for whatever other file a video may name; raising here would be remembered in PyAV for later."""
    return BytesIO()


def _video_stream(container: InputContainer) -> VideoStream:
    """Answer the stream that is the video, told to decode in this thread only; the others are not read.

    Of several it is one that can be decoded, that is marked as the usual one, or that comes first.
    """
    pictures = container.streams.video
    moving = [each for each in pictures if not each.disposition & STILL]
    if not moving:
        what = "only sound and a cover picture" if pictures else "only sound or other things"
        raise RecipeRefused("", "", f"The file holds no video, {what}.")
    chosen = min(moving, key=lambda each: (not _is_decoded(each), not each.disposition & Disposition.default))
    if not _is_decoded(chosen):
        raise RecipeRefused("", "", "The video's codec is not read here; H.264, H.265, VP9 and AV1 are.")
    check_frame_size(chosen.codec_context.width, chosen.codec_context.height)
    for each in container.streams:
        each.discard = av.stream.Discard.default if each.index == chosen.index else av.stream.Discard.all
    chosen.codec_context.thread_count = 1
    chosen.codec_context.options = {"max_pixels": str(PIXELS_LIMIT)}
    return chosen


def _is_decoded(stream: VideoStream) -> bool:
    """Tell whether a stream is decoded here."""
    # The annotation says that it is always there; it is not where FFmpeg has no decoder.
    context: Any = stream.codec_context
    return context is not None and context.codec.name in VIDEO_DECODERS


def _refusal(error: FFmpegError | RecipeRefused) -> RecipeRefused:
    if isinstance(error, RecipeRefused):
        return error
    if isinstance(error, MemoryError):
        # FFmpeg says the same where there are more streams than it was told to take.
        reason = (
            f"The video needs more memory than there is for one picture, or has more than {_STREAMS} streams."
        )
        return RecipeRefused("", "", reason)
    return damaged()
