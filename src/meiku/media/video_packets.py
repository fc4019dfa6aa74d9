"""Reads an open video's packets from a key frame on: seeks, and looks at where that has led.

Some containers have no index, that of others leads by decoding time, and a transport stream is entered
anywhere: so after a seek that was too late comes one further back. Everything is counted, so that no file
keeps it busy for ever. Decodes nothing.
"""

from collections import deque
from collections.abc import Iterable, Iterator
from fractions import Fraction
from itertools import islice

from av.error import FFmpegError
from av.packet import Packet
from av.stream import Discard, Stream
from av.video.stream import VideoStream

from meiku.media.refusal import RecipeRefused
from meiku.media.video_container import HALF_MS, Demuxer, OpenVideo
from meiku.media.video_flv import key_frame_before

PACKETS_READ_LIMIT = 200_000
_FIRST_STEP_BACK_S = Fraction(1)
# So near to the last frame, reading on costs less than another seek.
_NEAR_S = Fraction(5)
# Sound begins up to so much before the picture only because of how it is coded: the picture counts then.
_CODING_DELAY_S = Fraction(1, 2)
# An index that leaves out more than this around a time is one of fragments, and some were not read yet.
_INDEX_GAP_S = Fraction(1)
# How much before a time sound may be the last that is heard at it.
_SOUND_GAP_S = Fraction(2)
_STAMP_LIMIT = 2**62


class PacketReader:
    """Gives the packets that a frame needs, in the order in which they are decoded."""

    def __init__(self, video: OpenVideo) -> None:
        """Read the first packet, whose time is where the video's own time begins."""
        self._video = video
        self._stream = video.stream
        self.waiting: deque[Packet[VideoStream]] = deque()  # read and not yet decoded
        self.end_s: Fraction | None = None  # where the last packet ends, when the file's end has been reached
        self._seen_until_s: Fraction | None = None
        self._last_stamp = -_STAMP_LIMIT
        self._packets_read = 0
        self._unread: Iterator[Packet[VideoStream]] = video.container.demux(video.stream)
        self._first_stamp = 0
        self._is_looked_for = False  # where the last seek has led, for a key frame and not by FFmpeg
        self.start_s = self._found_start()

    def enter(self, latest_s: Fraction, wanted_s: Fraction, *, hurried: bool = False) -> bool:
        """Read up to a wanted time, from the last key frame on that is not after the latest one allowed.

        Seeks further and further back until there is one; from the start on, whatever comes first will do.
        False where neither could be done, and what is read only goes on.
        """
        back_s = Fraction(0)
        while True:
            target_s = max(latest_s - back_s, self.start_s)
            sought = self._seek(target_s)
            at_start = not sought or target_s == self.start_s
            came = self._read_on(wanted_s, latest_s, entered=at_start, hurried=hurried and not back_s)
            if self.waiting or at_start:
                return sought or came
            back_s = max(_FIRST_STEP_BACK_S, back_s * 2)

    def read_to(self, wanted_s: Fraction) -> bool:
        """Read on up to a time; tell whether a key frame came that needs nothing of what was before it."""
        return self._read_on(wanted_s, wanted_s, entered=True)

    def stamp_shown_at(self, wanted_s: Fraction, decoded: Iterable[int | None]) -> int | None:
        """Tell the time stamp of the frame seen at a time, of those read; None where packets do not tell.

        `decoded` are the stamps of those that the decoder has already.
        """
        read = [packet.pts for packet in self.waiting if packet.size and not packet.is_discard]
        stamps = [*read, *decoded]
        if None in stamps or self._video.counts_frames:
            return None
        latest = self._stamp(wanted_s + HALF_MS)
        return max((stamp for stamp in stamps if stamp is not None and stamp <= latest), default=None)

    def one_more(self) -> "Packet[VideoStream] | None":
        """Give the next packet, for frames come out later than they went in; None at the end."""
        return self.waiting.popleft() if self.waiting else next(self._counted(), None)

    def is_near(self, at_s: Fraction, wanted_s: Fraction) -> bool:
        """Tell whether reading on is better than a seek, which would lead before that or close to it."""
        index = self._stream.index_entries
        place = index.search_timestamp(self._stamp(wanted_s))
        return wanted_s - at_s < _NEAR_S or (place >= 0 and index[place].timestamp <= self._stamp(at_s))

    def last_end_s(self) -> Fraction:
        """Read to the end of the file, tell where its last packet ends, and go back to the start."""
        for _ in self._counted():
            pass
        end_s = self._seen_until_s
        self._seek(self.start_s)
        return end_s if end_s is not None else self.start_s

    @property
    def is_broken_off(self) -> bool:
        """Tell, at the end of the file, whether its index knows of frames that were not there."""
        index = self._stream.index_entries
        return len(index) > 0 and index[-1].timestamp > self._last_stamp

    def is_heard(self, wanted_s: Fraction) -> bool:
        """Tell whether there is sound at a time; what was read of the picture is forgotten."""
        sounds: list[Stream] = [*self._video.container.streams.audio]
        for each in sounds:
            each.discard = Discard.default
        if not sounds or not self._seek(wanted_s):
            return False
        packets = islice(self._video.container.demux(sounds), PACKETS_READ_LIMIT)
        enough_s = wanted_s - _SOUND_GAP_S
        return any(each.dts is not None and each.dts * each.time_base > enough_s for each in packets)

    def time_of(self, packet: "Packet[VideoStream]") -> Fraction:
        """Tell when a packet's frame is shown; the start, where nobody says.

        An AVI only says when frames are decoded, and what FFmpeg makes of that is wrong by their reordering.
        """
        stamp = packet.dts if packet.pts is None or self._video.counts_frames else packet.pts
        return stamp * self._video.tick_s if stamp is not None else self._video.start_s

    def _found_start(self) -> Fraction:
        """Tell which time stamp counts as the start: that of the first stream to begin, as in players."""
        start_s = self._video.start_s
        first = next(self._counted(), None)
        if first is None:
            return start_s
        self.waiting.append(first)
        stamps = first.dts, first.pts, self._stamp(start_s)
        self._first_stamp = min(stamp for stamp in stamps if stamp is not None)
        if self._video.counts_frames:
            return Fraction(0)
        delay_s = self.time_of(first) - start_s if first.pts is not None else 0
        return start_s + delay_s if 0 <= delay_s <= _CODING_DELAY_S else start_s

    def _seek(self, target_s: Fraction) -> bool:
        """Seek; False where the container cannot, so that reading goes on from where it is."""
        try:
            self._sought(target_s)
        except FFmpegError:
            return False
        self._unread = self._video.container.demux(self._stream)
        self.waiting.clear()
        self.end_s = self._seen_until_s = None
        return True

    def _sought(self, target_s: Fraction) -> None:
        """Have FFmpeg seek, except where its way is a long one or leads elsewhere: to the byte, then."""
        container, at_start = self._video.container, target_s == self.start_s
        self._is_looked_for = False
        byte = 0 if at_start and self._video.begins_at_byte_0 else None
        if not at_start and self._video.demuxer is Demuxer.FLV:
            byte, self._is_looked_for = key_frame_before(self._video.file, self._stamp(target_s + HALF_MS))
        if byte is not None:
            container.seek(byte, unsupported_byte_offset=True)
        else:
            stamp = self._first_stamp if at_start else self._stamp(target_s + HALF_MS)
            container.seek(stamp, stream=self._stream)

    def _read_on(
        self, wanted_s: Fraction, latest_s: Fraction, *, entered: bool, hurried: bool = False
    ) -> bool:
        """Collect packets up to a time, from the last key frame that is early enough on; tell if one came.

        `entered` says that decoding may also go on with the very next packet. In a hurry the first key frame
        is enough, if the container's index knows of no nearer one.
        """
        came = False
        for packet in self._counted():
            is_key = packet.is_keyframe and self.time_of(packet) <= latest_s + HALF_MS
            if is_key:
                self.waiting.clear()
                entered = came = True
            if entered:
                self.waiting.append(packet)
            if self._is_past(packet, wanted_s) or (hurried and is_key and self._is_nearest(packet, wanted_s)):
                return came
        self.end_s = self._seen_until_s
        return came

    def _is_past(self, packet: "Packet[VideoStream]", wanted_s: Fraction) -> bool:
        """Tell whether no later packet can be shown at or before a time: packets come in decoding order.

        What an edit list cuts off does not tell, it may be the film's end.
        """
        decoded_at = packet.dts if packet.dts is not None else packet.pts
        if decoded_at is None or packet.is_discard:
            return False
        return decoded_at * self._video.tick_s > wanted_s + HALF_MS

    def _is_nearest(self, packet: "Packet[VideoStream]", wanted_s: Fraction) -> bool:
        """Tell whether the container's index shows that no key frame lies between a packet and a time."""
        if self._is_looked_for:
            return True
        index, stamp = self._stream.index_entries, self._stamp(wanted_s)
        key = index.search_timestamp(stamp)
        later = index.search_timestamp(stamp + 1, backward=False, any_frame=True)
        if key < 0 or later < 0 or packet.pts is None or index[key].timestamp > packet.pts:
            return False
        # That of an MP4 in fragments has gaps where none was read yet.
        earlier = index.search_timestamp(stamp, any_frame=True)
        gap = index[later].timestamp - index[earlier].timestamp
        return self._video.demuxer is not Demuxer.MP4 or gap * self._video.tick_s <= _INDEX_GAP_S

    def _counted(self) -> "Iterator[Packet[VideoStream]]":
        """Read packets, but not without end."""
        while (packet := self._next_packet()) is not None:
            self._packets_read += 1
            if self._packets_read > PACKETS_READ_LIMIT:
                reason = f"More than {PACKETS_READ_LIMIT:,} packets would have to be read."
                raise RecipeRefused("", "", reason)
            self._note_time(packet)
            yield packet

    def _note_time(self, packet: "Packet[VideoStream]") -> None:
        """Keep how far reading has come; what an edit list cuts off is not seen, but it is there."""
        stamps = [stamp for stamp in (packet.dts, packet.pts) if stamp is not None]
        if stamps:
            self._last_stamp = max(*stamps, self._last_stamp)
        if stamps and not packet.is_discard:
            length = packet.duration or self._video.usual_duration
            end_s = self.time_of(packet) + length * self._video.tick_s
            self._seen_until_s = max(end_s, self._seen_until_s or end_s)

    def _next_packet(self) -> "Packet[VideoStream] | None":
        try:
            return next(self._unread, None)
        except IndexError:
            # PyAV looks for a stream that FFmpeg found while reading, after all packets were given.
            return None

    def _stamp(self, time_s: Fraction) -> int:
        """Write a time in the video's own unit, which a damaged file may have made very small."""
        return max(-_STAMP_LIMIT, min(_STAMP_LIMIT, int(time_s // self._video.tick_s)))
