"""Finds frames of an open video by their time: seeks to the key frame before, and decodes from there on.

Some containers have no index, that of others leads by decoding time, and a transport stream is entered
anywhere: so where a seek has led is always looked at, and if it was too late the next one goes back further.
Everything is counted, so that no file keeps it busy for ever. Makes no picture of a frame.
"""

from collections import deque
from collections.abc import Iterator
from fractions import Fraction
from itertools import islice

from av.error import FFmpegError
from av.packet import Packet
from av.stream import Discard, Stream
from av.video.frame import VideoFrame
from av.video.stream import VideoStream

from meiku.media.refusal import RecipeRefused
from meiku.media.video_opening import OpenVideo, check_frame_size, damaged

FRAMES_DECODED_LIMIT = 5_000
PACKETS_READ_LIMIT = 200_000
# Times are asked for in whole milliseconds, and the frames of 30 a second lie between them.
_HALF_MS = Fraction(1, 2_000)
_FIRST_STEP_BACK_S = Fraction(1)
# So near to the last frame, reading on costs less than another seek.
_NEAR_S = Fraction(5)
# Sound begins up to so much before the picture only because of how it is coded: the picture counts then.
_CODING_DELAY_S = Fraction(1, 2)
# How long after the last frame's own time the file may go on without a word about it.
_SILENT_END_S = Fraction(2)
_STAMP_LIMIT = 2**62


class PastTheEnd(Exception):
    """The video is shorter than the time that was asked for."""

    def __init__(self, length_s: Fraction) -> None:
        """Keep how long it is."""
        super().__init__(length_s)
        self.length_s = length_s


class FrameFinder:
    """Gives the frames that are seen at one time, or at several that ascend."""

    def __init__(self, video: OpenVideo) -> None:
        """Read the first packet, whose time is where the video's own time begins."""
        self._video = video
        self._stream = video.stream
        self._packets: deque[Packet[VideoStream]] = deque()  # read and not yet decoded
        self._frames: deque[VideoFrame] = deque()  # decoded and not yet given
        self._last: VideoFrame | None = None
        self._packets_read = 0
        self._frames_decoded = 0
        self._unread: Iterator[Packet[VideoStream]] = video.container.demux(video.stream)
        self._start_s = self._found_start()

    def exact(self, time_s: Fraction) -> VideoFrame:
        """Answer the frame that is seen at a time: the last one that is not after it."""
        wanted_s = self._checked(time_s)
        if self._last is None or not self._is_near(self._last, wanted_s):
            self._enter(wanted_s, hurried=False)
        elif self._time_of(self._last) < wanted_s:
            self._read_to(wanted_s, entered=True)
        for frame in self._following():
            if self._last is not None and self._time_of(frame) > wanted_s + _HALF_MS:
                self._frames.appendleft(frame)
                return self._last
            self._last = frame
        return self._at_the_end(wanted_s)

    def key(self, time_s: Fraction) -> VideoFrame:
        """Answer the nearest key frame at or before a time; the first frame, where the video begins later."""
        wanted_s = self._checked(time_s)
        self._enter(wanted_s, hurried=True)
        if self._packets and not self._packets[0].is_discard:
            # Decoded alone, and the decoder asked at once for what it has: no other frame need be read.
            alone = self._decoded(self._packets[0]) + self._decoded(None)
            if alone:
                return alone[0]
            self._enter(wanted_s, hurried=True)
        frame = next(self._following(), None)
        if frame is None:
            raise damaged()
        return frame

    def length_s(self) -> Fraction:
        """Tell how long the video is; where the file does not say, by reading it to its end."""
        if self._video.length_s is not None:
            return self._video.length_s
        end_s = self._start_s
        for packet in self._counted():
            if packet.pts is not None:
                end_s = max(end_s, (packet.pts + (packet.duration or 0)) * self._video.tick_s)
        self._seek(self._start_s)
        return end_s - self._start_s

    def _found_start(self) -> Fraction:
        """Tell which time stamp counts as the start: that of the first stream to begin, as in players."""
        start_s = self._video.start_s
        first = next(self._counted(), None)
        if first is None:
            return start_s
        self._packets.append(first)
        delay_s = self._time_of(first) - start_s if first.pts is not None else 0
        return start_s + delay_s if 0 <= delay_s <= _CODING_DELAY_S else start_s

    def _checked(self, time_s: Fraction) -> Fraction:
        """Answer the time stamp of a time, which must not be past the end as far as that is known."""
        length_s = self._video.length_s
        if length_s is not None and time_s > length_s + _HALF_MS:
            raise PastTheEnd(length_s)
        return self._start_s + time_s

    def _is_near(self, frame: VideoFrame, wanted_s: Fraction) -> bool:
        """Tell whether reading on from a frame is better than a seek, which would lead before it or close."""
        at_s = self._time_of(frame)
        index = self._stream.index_entries
        place = index.search_timestamp(self._stamp(wanted_s))
        return wanted_s - at_s < _NEAR_S or (place >= 0 and index[place].timestamp <= self._stamp(at_s))

    def _at_the_end(self, wanted_s: Fraction) -> VideoFrame:
        """Answer the last frame for a time at which it is still seen, or where only sound is left."""
        last = self._last
        if last is None:
            raise damaged()
        end_s = self._time_of(last) + max(1, last.duration or 0) * self._video.tick_s
        if self._video.length_s is None and wanted_s > end_s + _HALF_MS:
            raise PastTheEnd(end_s - self._start_s)
        # The file says that it is so long: if nothing is heard there either, its end is missing.
        if wanted_s > end_s + _SILENT_END_S and not self._is_heard(wanted_s):
            raise damaged()
        return last

    def _is_heard(self, wanted_s: Fraction) -> bool:
        """Tell whether there is sound at a time; what was found of the picture is forgotten."""
        sounds: list[Stream] = [*self._video.container.streams.audio]
        for each in sounds:
            each.discard = Discard.default
        if not sounds or not self._seek(wanted_s):
            return False
        packets = islice(self._video.container.demux(sounds), PACKETS_READ_LIMIT)
        enough_s = wanted_s - _SILENT_END_S
        return any(each.dts is not None and each.dts * each.time_base > enough_s for each in packets)

    def _enter(self, wanted_s: Fraction, *, hurried: bool) -> None:
        """Seek, further and further back, until what is read begins with a key frame that is early enough."""
        start_s, back_s = self._start_s, Fraction(0)
        while True:
            target_s = max(wanted_s - back_s, start_s)
            at_start = not self._seek(target_s) or target_s == start_s
            self._read_to(wanted_s, entered=at_start, hurried=hurried and not back_s)
            if self._packets or at_start:
                return
            back_s = max(_FIRST_STEP_BACK_S, back_s * 2)

    def _seek(self, target_s: Fraction) -> bool:
        """Seek; False where the container cannot, so that reading goes on from where it is."""
        try:
            if self._video.is_transport_stream and target_s == self._start_s:
                # It has no index: its beginning is a place and not a time.
                self._video.container.seek(0, unsupported_byte_offset=True)
            else:
                self._video.container.seek(self._stamp(target_s + _HALF_MS), stream=self._stream)
        except FFmpegError:
            return False
        self._unread = self._video.container.demux(self._stream)
        self._packets.clear()
        self._frames.clear()
        self._last = None
        return True

    def _read_to(self, wanted_s: Fraction, *, entered: bool, hurried: bool = False) -> None:
        """Collect packets up to a time, from the last key frame that is early enough on; decode none.

        `entered` says that decoding may also go on with the very next packet. In a hurry the first key frame
        is enough, if the container's index goes on past the time: then no other one is nearer.
        """
        enough = hurried and self._index_covers(wanted_s)
        for packet in self._counted():
            if packet.is_keyframe and self._time_of(packet) <= wanted_s + _HALF_MS:
                self._begin_anew()
                entered = True
            if entered:
                self._packets.append(packet)
            if self._is_past(packet, wanted_s) or (enough and self._packets):
                return

    def _begin_anew(self) -> None:
        """Drop what was read and decoded so far: a key frame comes that needs nothing of it."""
        self._packets.clear()
        self._frames.clear()
        self._stream.codec_context.flush_buffers()

    def _is_past(self, packet: "Packet[VideoStream]", wanted_s: Fraction) -> bool:
        """Tell whether no later packet can be shown at or before a time: packets come in decoding order."""
        decoded_at = packet.dts if packet.dts is not None else packet.pts
        return decoded_at is not None and decoded_at * self._video.tick_s > wanted_s + _HALF_MS

    def _index_covers(self, wanted_s: Fraction) -> bool:
        """Tell whether the container's index knows of anything after a time."""
        later = self._stamp(wanted_s) + 1
        return self._stream.index_entries.search_timestamp(later, backward=False, any_frame=True) >= 0

    def _following(self) -> Iterator[VideoFrame]:
        """Decode on: what is already decoded, what is already read, then what is still unread."""
        packets = self._counted()
        while True:
            while self._frames:
                yield self._frames.popleft()
            packet = self._packets.popleft() if self._packets else next(packets, None)
            if packet is None:
                return
            self._frames.extend(self._decoded(packet))

    def _counted(self) -> "Iterator[Packet[VideoStream]]":
        """Read packets, but not without end."""
        for packet in self._unread:
            self._packets_read += 1
            if self._packets_read > PACKETS_READ_LIMIT:
                reason = f"More than {PACKETS_READ_LIMIT:,} packets would have to be read."
                raise RecipeRefused("", "", reason)
            yield packet

    def _decoded(self, packet: "Packet[VideoStream] | None") -> list[VideoFrame]:
        """Decode a packet, or with None all that the decoder still holds; [] where it is damaged."""
        try:
            frames = self._stream.decode(packet)
        except FFmpegError as error:
            if isinstance(error, MemoryError):
                raise
            return []
        self._frames_decoded += len(frames)
        if self._frames_decoded > FRAMES_DECODED_LIMIT:
            raise _too_many()
        for frame in frames:
            check_frame_size(frame.width, frame.height)
        return frames

    def _time_of(self, timed: "Packet[VideoStream] | VideoFrame") -> Fraction:
        """Tell when something is shown; the start, where nobody says."""
        stamp = timed.pts if timed.pts is not None else timed.dts
        return stamp * self._video.tick_s if stamp is not None else self._video.start_s

    def _stamp(self, time_s: Fraction) -> int:
        """Write a time in the video's own unit, which a damaged file may have made very small."""
        return max(-_STAMP_LIMIT, min(_STAMP_LIMIT, int(time_s // self._video.tick_s)))


def _too_many() -> RecipeRefused:
    return RecipeRefused(
        "",
        "",
        f"More than {FRAMES_DECODED_LIMIT:,} frames would have to be decoded: the key frame before lies too "
        "far away. For a snapshot, m_fast takes the key frame itself.",
    )
