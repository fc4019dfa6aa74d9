"""What an open video is, and how its container tells the time: FFmpeg's readers do it in different ways.

Facts only; nothing is read or decoded here.
"""

import math
from dataclasses import dataclass
from enum import StrEnum
from fractions import Fraction

import av
from av.container import InputContainer
from av.video.stream import VideoStream

from meiku.media.video_reading import RangedFile

# Times are asked for in whole milliseconds, and the frames of 30 a second lie between them.
HALF_MS = Fraction(1, 2_000)
# Pixels that are so much wider than high, or higher than wide, are a mistake.
_PIXEL_RATIO_LIMIT = 10


class Demuxer(StrEnum):
    """The containers that are read, by the name of FFmpeg's reader."""

    MP4 = "mov"  # and MOV
    MKV = "matroska"  # and WebM
    FLV = "flv"
    AVI = "avi"
    TS = "mpegts"


@dataclass(frozen=True, slots=True)
class OpenVideo:
    """An open container and the one of its streams that is the video."""

    container: InputContainer
    stream: VideoStream
    file: RangedFile

    @property
    def demuxer(self) -> Demuxer:
        """Tell which container it is."""
        return Demuxer(self.container.format.name)

    @property
    def start_s(self) -> Fraction:
        """The time stamp of the first stream to begin, sound or picture."""
        return Fraction(self.container.start_time or 0, av.time_base)

    @property
    def length_s(self) -> Fraction | None:
        """How long the file says it is; None when it does not, as recordings of browsers do not."""
        duration = self.container.duration
        if duration is None or duration <= 0:
            return None
        return max(Fraction(duration, av.time_base), self._counted_s)

    @property
    def picture_length_s(self) -> Fraction | None:
        """How long the file says its pictures last, where it says so of them alone."""
        if not self.stream.duration:
            return None
        return max(self.stream.duration * self.tick_s, self._counted_s)

    @property
    def _counted_s(self) -> Fraction:
        """How long an AVI's pictures are by their number; of one that broke off FFmpeg tells a share."""
        return self.stream.frames * self.usual_duration * self.tick_s if self.counts_frames else Fraction(0)

    @property
    def tick_s(self) -> Fraction:
        """How long one unit of the video's time stamps is."""
        tick_s = self.stream.time_base
        return tick_s if tick_s is not None and tick_s > 0 else Fraction(1, av.time_base)

    @property
    def usual_duration(self) -> int:
        """How long a frame is seen, in ticks, where it does not say itself."""
        rate = self.stream.average_rate
        return max(1, int(1 / (rate * self.tick_s))) if rate else 1

    @property
    def begins_at_byte_0(self) -> bool:
        """Tell whether its beginning is a place and not a time, as there is no index of times."""
        return self.demuxer in (Demuxer.TS, Demuxer.FLV)

    @property
    def counts_frames(self) -> bool:
        """Tell whether its time stamps are only the numbers of frames, in the order they are decoded."""
        return self.demuxer is Demuxer.AVI

    @property
    def length_is_of_decoding(self) -> bool:
        """Tell whether FFmpeg takes its length from decoding times, which reordered frames outlast."""
        return self.demuxer in (Demuxer.MP4, Demuxer.FLV)

    @property
    def decoding_is_guessed(self) -> bool:
        """Tell whether FFmpeg guesses when packets are decoded: earlier frames may come after later ones."""
        return self.demuxer is Demuxer.MKV

    @property
    def pixel_ratio(self) -> Fraction:
        """How many times as wide as high a pixel is shown."""
        ratio = self.stream.sample_aspect_ratio
        return ratio if ratio and 1 <= ratio * _PIXEL_RATIO_LIMIT <= _PIXEL_RATIO_LIMIT**2 else Fraction(1)


def milliseconds(time_s: Fraction) -> int:
    """Write a time as it is written in a recipe, rounded up, so that the end is not before the end."""
    return math.ceil(time_s * 1_000)
