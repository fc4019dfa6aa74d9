"""Finds the frames of an open video by their time: the one that is seen then, or the key frame before.

Decodes what `PacketReader` has read, and judges what comes out: whether it is early enough, and whether the
file holds a frame for that time at all. Counts the frames. Seeks nothing itself, and makes no picture.
"""

from collections import deque
from collections.abc import Iterator
from fractions import Fraction

from av.error import FFmpegError
from av.packet import Packet
from av.video.frame import VideoFrame
from av.video.stream import VideoStream

from meiku.media.refusal import RecipeRefused
from meiku.media.video_container import HALF_MS, OpenVideo
from meiku.media.video_opening import check_frame_size, damaged
from meiku.media.video_packets import PacketReader

FRAMES_DECODED_LIMIT = 5_000
# How much of the end of a whole file may be without a word about it: neither picture nor sound.
_SILENT_END_S = Fraction(1, 2)
_FIRST_STEP_BACK_S = Fraction(1)
# Decoders that can be told from packet to packet to leave out what no other frame needs.
_PASS_BY = frozenset({"h264", "hevc", "mpeg4", "mpeg2video"})
# Decoders that hold back one frame, until the next comes that others need.
_HOLD_ONE = frozenset({"mpeg4", "mpeg1video", "mpeg2video", "h263", "flv"})


class PastTheEnd(Exception):
    """The video is shorter than the time that was asked for."""

    def __init__(self, length_s: Fraction) -> None:
        """Keep how long it is."""
        super().__init__(length_s)
        self.length_s = length_s


class FrameFinder:
    """Gives the frames that are seen at one time, or at several that ascend."""

    def __init__(self, video: OpenVideo) -> None:
        """Find out where the video's time begins."""
        self._video = video
        self._stream = video.stream
        self._packets = PacketReader(video)
        self._frames: deque[VideoFrame] = deque()  # decoded and not yet given
        self._stamps: deque[int] = deque()  # of frames not yet decoded, where packets have no other time
        self._within: set[int] = set()  # the stamps of frames that are still in the decoder
        self._last: VideoFrame | None = None
        self._shown_stamp: int | None = None  # of the frame that is looked for, where packets tell
        self._frames_decoded = self._frames_decoded_anew = 0

    def exact(self, time_s: Fraction) -> VideoFrame:
        """Answer the frame that is seen at a time: the last one that is not after it."""
        wanted_s = self._checked(time_s)
        last = self._last
        if last is None or not self._packets.is_near(self._time_of(last), wanted_s):
            return self._reached(wanted_s, hurried=False)
        if self._time_of(last) < wanted_s and self._packets.read_to(wanted_s):
            self._begin_anew()
        end_s, frame = self._packets.end_s, None
        if end_s is None or wanted_s <= end_s + HALF_MS:
            frame = self._seen_at(wanted_s)
        if frame is None or self._time_of(frame) > wanted_s + HALF_MS:
            return self._reached(wanted_s, hurried=False)
        return frame

    def key(self, time_s: Fraction) -> VideoFrame:
        """Answer the nearest key frame at or before a time; the first frame, where the video begins later."""
        return self._reached(self._checked(time_s), hurried=True)

    def length_s(self) -> Fraction:
        """Tell how long the video is; where the file does not say, by reading it to its end."""
        if self._video.length_s is not None:
            return self._video.length_s
        return self._packets.last_end_s() - self._packets.start_s

    def _checked(self, time_s: Fraction) -> Fraction:
        """Answer the time stamp of a time; PastTheEnd where the file's word on that can be trusted."""
        length_s = self._video.length_s
        if length_s is not None and time_s > length_s + HALF_MS and not self._video.length_is_of_decoding:
            raise PastTheEnd(length_s)
        return self._packets.start_s + time_s

    def _reached(self, wanted_s: Fraction, *, hurried: bool) -> VideoFrame:
        """Answer a frame from the last key frame that leads to one; of damaged ones nothing comes.

        Nor does it, for a while, where pictures are refreshed in stripes and no frame is a key to all.
        """
        latest_s, step_back_s = wanted_s, Fraction(0)
        while True:
            self._enter(latest_s, wanted_s, hurried=hurried)
            waiting = self._packets.waiting
            entered_s = self._packets.time_of(waiting[0]) if waiting else self._packets.start_s
            frame = self._alone(wanted_s) if hurried else self._seen_at(wanted_s)
            at_start = entered_s <= self._packets.start_s or entered_s > latest_s + HALF_MS
            if frame is not None and (at_start or self._time_of(frame) <= wanted_s + HALF_MS):
                return frame
            if at_start:
                raise damaged()
            latest_s = entered_s - max(self._video.tick_s, 2 * HALF_MS, step_back_s)
            step_back_s = max(_FIRST_STEP_BACK_S, 2 * step_back_s)

    def _enter(self, latest_s: Fraction, wanted_s: Fraction, *, hurried: bool) -> None:
        """Have read what leads to a time, and refuse a time for which the file holds nothing."""
        length_s, start_s = self._video.length_s, self._packets.start_s
        is_within = length_s is None or wanted_s <= start_s + length_s + HALF_MS
        if self._packets.enter(latest_s, wanted_s, hurried=hurried and is_within):
            self._begin_anew()
        end_s = self._packets.end_s
        if end_s is None or wanted_s <= end_s + HALF_MS:
            return
        if length_s is None or not is_within:
            raise PastTheEnd(max(end_s - start_s, length_s or Fraction(0)))
        if self._packets.is_broken_off:
            raise damaged()
        if start_s + (self._video.picture_length_s or length_s) > end_s + _SILENT_END_S:
            # The file says that it is so long: if nothing is heard there either, its end is missing.
            if not self._packets.is_heard(wanted_s):
                raise damaged()
            self._packets.enter(latest_s, wanted_s, hurried=hurried)
            self._begin_anew()

    def _begin_anew(self) -> None:
        """Drop what was decoded so far: what comes needs nothing of it."""
        self._frames.clear()
        self._stamps.clear()
        self._within.clear()
        self._last = self._shown_stamp = None
        self._frames_decoded_anew = 0
        self._stream.codec_context.flush_buffers()

    def _seen_at(self, wanted_s: Fraction) -> VideoFrame | None:
        """Decode up to the frame that is seen at a time; None where nothing comes out."""
        came_out = [frame.pts for frame in (self._last, *self._frames) if frame is not None]
        shown = self._packets.stamp_shown_at(wanted_s, [*self._within, *came_out])
        self._shown_stamp = shown
        for frame in self._following():
            if self._last is not None and self._time_of(frame) > wanted_s + HALF_MS:
                self._frames.appendleft(frame)
                return self._last
            self._last = frame
            if shown is not None and frame.pts == shown and not self._video.decoding_is_guessed:
                break
        return self._last

    def _alone(self, wanted_s: Fraction) -> VideoFrame | None:
        """Decode a key frame alone, and ask the decoder at once for it: nothing else need be read."""
        waiting = self._packets.waiting
        if waiting and not waiting[0].is_discard and not self._counts_held_frames():
            alone = self._decoded(waiting[0]) + self._decoded(None)
            if alone:
                return alone[0]
            self._packets.enter(self._packets.time_of(waiting[0]), wanted_s, hurried=True)
            self._begin_anew()
        return next(self._following(), None)

    def _following(self) -> Iterator[VideoFrame]:
        """Decode on: what is already decoded, what is already read, then what is still unread."""
        while True:
            while self._frames:
                yield self._frames.popleft()
            packet = self._packets.one_more()
            if packet is None:
                return
            self._frames.extend(self._decoded(packet))

    def _decoded(self, packet: "Packet[VideoStream] | None") -> list[VideoFrame]:
        """Decode a packet, or with None all that the decoder still holds; [] where it is damaged."""
        self._note_stamps(packet)
        try:
            frames = self._stream.decode(packet)
        except FFmpegError as error:
            if isinstance(error, MemoryError):
                raise
            return []
        if frames and not self._frames_decoded_anew:
            self._leave_out_lost(at_end=packet is None or not packet.size)
        self._frames_decoded += len(frames)
        self._frames_decoded_anew += len(frames)
        if self._frames_decoded > FRAMES_DECODED_LIMIT:
            raise _too_many()
        for frame in frames:
            check_frame_size(frame.width, frame.height)
            if self._video.counts_frames and self._stamps:
                # Frames come out in the order in which they are shown, one after the other.
                frame.pts = self._stamps.popleft()
            if frame.pts is not None:
                self._within.discard(frame.pts)
        return frames

    def _leave_out_lost(self, *, at_end: bool) -> None:
        """Forget the times of frames that come behind the first key frame and are shown before it.

        What they need was not decoded, so they do not come out; frames that are counted would be too early.
        """
        if self._counts_held_frames():
            for _ in range(len(self._stamps) - (1 if at_end else 2)):
                self._stamps.popleft()

    def _counts_held_frames(self) -> bool:
        """Tell whether only what comes out shows how many frames are shown before a key frame."""
        return self._video.counts_frames and self._stream.codec_context.name in _HOLD_ONE

    def _note_stamps(self, packet: "Packet[VideoStream] | None") -> None:
        """Keep the times of what is about to be decoded, and have it left out where nobody needs it."""
        is_passed_by = self._is_passed_by(packet)
        if self._stream.codec_context.name in _PASS_BY:
            self._stream.codec_context.skip_frame = "NONREF" if is_passed_by else "DEFAULT"
        if packet is None or not packet.size:
            return
        if packet.dts is not None:
            self._stamps.append(packet.dts)
        if packet.pts is not None and not is_passed_by and not packet.is_discard:
            self._within.add(packet.pts)

    def _is_passed_by(self, packet: "Packet[VideoStream] | None") -> bool:
        """Tell whether a packet's frame is before the one looked for: decoded only if others need it."""
        shown = self._shown_stamp
        return shown is not None and packet is not None and packet.pts is not None and packet.pts < shown

    def _time_of(self, frame: VideoFrame) -> Fraction:
        """Tell when a frame is shown; the start, where nobody says."""
        stamp = frame.pts if frame.pts is not None else frame.dts
        return stamp * self._video.tick_s if stamp is not None else self._video.start_s


def _too_many() -> RecipeRefused:
    return RecipeRefused(
        "",
        "",
        f"More than {FRAMES_DECODED_LIMIT:,} frames would have to be decoded: the key frame before lies too "
        "far away. For a snapshot, m_fast takes the key frame itself.",
    )
