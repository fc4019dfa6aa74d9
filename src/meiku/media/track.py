"""The first picture of a HEIC or AVIF that has pictures only in a track, as films have them.

FFmpeg reads it. Import this only for those who have such files: it is memory that no other picture needs. No
limits and no refusals of its own.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from fractions import Fraction
from io import BytesIO

import av
import pyvips
from av.container import InputContainer
from av.video.frame import VideoFrame
from av.video.stream import VideoStream

from meiku.media.facts import Image
from meiku.media.video_opening import OPTIONS, nothing
from meiku.media.video_picture import picture_of
from meiku.media.video_steps import FrameTurn

_DEMUXER = "mov"
_DECODERS = "hevc,libdav1d,av1"


def head(data: bytes) -> Image:
    """Read the track's head: an empty image of its size; raises whatever its damage leads to."""
    with _track(data) as (_, track):
        return pyvips.Image.black(track.codec_context.width, track.codec_context.height)


def decoded(data: bytes) -> Image:
    """Decode the first picture, upright; raises whatever its damage leads to."""
    with _track(data) as (container, track):
        return picture_of(_first_frame(container, track), Fraction(1), FrameTurn.METADATA, 0, 0).copy_memory()


def _first_frame(container: InputContainer, track: VideoStream) -> VideoFrame:
    for packet in container.demux(track):
        if packet.is_corrupt:  # cut short; FFmpeg would paint over what is missing
            break
        for frame in packet.decode():
            return frame
    raise EOFError


@contextmanager
def _track(data: bytes) -> Iterator[tuple[InputContainer, VideoStream]]:
    options = OPTIONS | {"format_whitelist": _DEMUXER, "codec_whitelist": _DECODERS}
    with av.open(BytesIO(data), "r", format=_DEMUXER, options=options, io_open=nothing) as container:
        track = container.streams.video[0]
        track.codec_context.thread_count = 1
        yield container, track
