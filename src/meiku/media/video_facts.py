"""Facts about a video as JSON: length, size, codecs, streams (`video/info`). Makes no picture.

Names as Alibaba's media management has them (Duration, VideoStreams, SampleRate, ...), values as JSON's own
numbers: times in seconds, rates in bits or frames per second. What a file does not say is null.
"""

import json
from fractions import Fraction
from typing import Any

import av
from av.audio.stream import AudioStream
from av.stream import Stream
from av.video.stream import VideoStream

from meiku.media.made import Made
from meiku.media.refusal import RecipeRefused
from meiku.media.video_container import OpenVideo
from meiku.media.video_frames import FrameFinder
from meiku.media.video_opening import STILL, open_video
from meiku.media.video_picture import quarter_turns
from meiku.media.video_reading import RangedSource
from meiku.media.video_steps import VideoInfo

_JSON = "application/json"
_QUARTER_DEGREES = 90


def video_info(source: RangedSource, step: VideoInfo | None = None) -> Made:  # noqa: ARG001 it has no values
    """Tell what a video is; RecipeRefused where it is none."""
    with open_video(source) as video:
        # The streams first: finding a frame moves on, and a transport stream shows new ones on the way.
        facts = _facts(video)
        facts["Rotation"] = _rotation(video)
    return Made(json.dumps(facts, ensure_ascii=False, indent=1).encode(), _JSON)


def _facts(video: OpenVideo) -> dict[str, Any]:
    container, stream = video.container, video.stream
    return {
        "FormatName": container.format.name,
        "FormatLongName": container.format.long_name,
        "Size": video.file.size_bytes,
        "Duration": _rounded(video.length_s),
        "StartTime": _rounded(video.start_s),
        "Bitrate": container.bit_rate or None,
        "VideoWidth": stream.codec_context.width,
        "VideoHeight": stream.codec_context.height,
        "FrameRate": _rounded(stream.average_rate or stream.guessed_rate),
        "NumStreams": len(container.streams),
        "VideoStreams": [_video(each) for each in container.streams.video],
        "AudioStreams": [_audio(each) for each in container.streams.audio],
        "Subtitles": [_any(each) for each in container.streams.subtitles],
    }


def _video(stream: VideoStream) -> dict[str, Any]:
    context: Any = stream.codec_context  # None where FFmpeg has no decoder
    rate = None if stream.disposition & STILL else stream.average_rate or stream.guessed_rate
    facts = _any(stream) | {"FrameRate": _rounded(rate), "FrameCount": stream.frames or None}
    if context is None:
        return facts
    pixel = stream.sample_aspect_ratio or None  # the container's word comes before the codec's
    frame = pixel * Fraction(context.width, context.height) if pixel and context.height else None
    return facts | {
        "Width": context.width,
        "Height": context.height,
        "PixelFormat": context.pix_fmt,
        "SampleAspectRatio": _ratio(pixel),
        "DisplayAspectRatio": _ratio(frame),
    }


def _audio(stream: AudioStream) -> dict[str, Any]:
    context: Any = stream.codec_context
    if context is None:
        return _any(stream)
    return _any(stream) | {
        "Channels": context.channels or None,
        "ChannelLayout": context.layout.name if context.channels else None,
        "SampleRate": context.sample_rate or None,
    }


def _any(stream: Stream) -> dict[str, Any]:
    """Tell what every stream has."""
    context: Any = stream.codec_context
    tick_s = stream.time_base or Fraction(1, av.time_base)
    return {
        "Index": stream.index,
        "CodecName": context.codec.canonical_name if context is not None else None,
        "CodecLongName": context.codec.long_name if context is not None else None,
        "Profile": context.profile if context is not None else None,
        "Bitrate": (context.bit_rate or None) if context is not None else None,
        "Duration": _rounded(stream.duration * tick_s) if stream.duration else None,
        "Language": stream.language,
    }


def _rotation(video: OpenVideo) -> int | None:
    """Tell by how many degrees clockwise the video is turned to be shown; a frame is decoded for it."""
    try:
        frame = FrameFinder(video).key(Fraction(0))
    except RecipeRefused:
        return None
    quarters, _ = quarter_turns(frame)
    return quarters * _QUARTER_DEGREES


def _rounded(number: Fraction | None) -> float | None:
    return round(float(number), 6) if number is not None else None


def _ratio(ratio: Fraction | None) -> str | None:
    return f"{ratio.numerator}:{ratio.denominator}" if ratio else None
