"""Finds key frames in an FLV by halving the file, as FFmpeg would read one from its beginning.

An FLV is a chain of tags, each with its time and, behind it, its length: so one can begin anywhere, look for
the next whole tag, and go back from tag to tag. Source: Adobe's Flash Video file format, version 10.1, and
Enhanced RTMP for H.265, VP9 and AV1. Decodes nothing.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass

from meiku.media.video_reading import PIECE_BYTES, RangedFile

_HEAD_BYTES, _LENGTH_BYTES = 11, 4
_SOUND, _VIDEO, _SCRIPT = 8, 9, 18
# A kind, a length, a time, and the stream's number, which is always 0.
_LIKELY_HEAD = re.compile(rb"(?s)(?=[\x08\x09\x12].{7}\0\0\0)")
# The largest key frames there are; a tag may have 16 MiB, but then it is not found and FFmpeg is asked.
_LOOKED_THROUGH_BYTES = 4 * 1024 * 1024
_NEAR_BYTES = 8 * PIECE_BYTES
_KEY_FRAME, _WITH_SEQUENCE_HEADERS = 1, 7  # kinds of frame; H.264 as a codec of the older notation
_ENHANCED = 0x80
_FRAMES_ENHANCED = frozenset({1, 3})  # CodedFrames, CodedFramesX


@dataclass(frozen=True, slots=True)
class _Tag:
    """One tag: where it begins, how long its contents are, their time of decoding, and their first bytes."""

    place_byte: int
    kind: int
    size_bytes: int
    time_ms: int
    begins: bytes

    @property
    def next_byte(self) -> int:
        """Where the next tag begins."""
        return self.place_byte + _HEAD_BYTES + self.size_bytes + _LENGTH_BYTES

    @property
    def is_key_frame(self) -> bool:
        """Tell whether decoding can begin here."""
        if self.kind != _VIDEO or len(self.begins) < 2:
            return False
        first, second = self.begins
        if (first & ~_ENHANCED) >> 4 != _KEY_FRAME:
            return False
        if first & _ENHANCED:
            return first & 15 in _FRAMES_ENHANCED
        return first & 15 != _WITH_SEQUENCE_HEADERS or second == 1


def key_frame_before(file: RangedFile, time_ms: int) -> tuple[int | None, bool]:
    """Tell where the last key frame begins that is decoded at or before a time, None where there is none.

    And tell whether the file goes on after that time: if not, it may be one that breaks off.
    """
    first_byte = int.from_bytes(file.peek(5, 9), "big") + _LENGTH_BYTES
    low_byte, high_byte, goes_on = first_byte, file.size_bytes, False
    while high_byte - low_byte > _NEAR_BYTES:
        middle_byte = (low_byte + high_byte) // 2
        tag = _timed_tag_after(file, middle_byte, high_byte)
        if tag is not None and tag.time_ms <= time_ms:
            low_byte = tag.place_byte
        else:
            high_byte, goes_on = middle_byte, goes_on or tag is not None
    near = list(_onwards(file, low_byte, high_byte))
    goes_on = goes_on or any(tag.time_ms > time_ms for tag in near)
    keys = [tag.place_byte for tag in near if tag.is_key_frame and tag.time_ms <= time_ms]
    if keys:
        return keys[-1], goes_on
    earlier = (tag.place_byte for tag in _backwards(file, low_byte, first_byte) if tag.is_key_frame)
    return next(earlier, None), goes_on


def _timed_tag_after(file: RangedFile, start_byte: int, stop_byte: int) -> _Tag | None:
    """Find the next tag of sound or video that begins before a byte; others may have no time."""
    stop_byte = min(stop_byte, start_byte + _LOOKED_THROUGH_BYTES)
    for window_byte in range(start_byte, stop_byte, PIECE_BYTES):
        window = file.peek(window_byte, window_byte + PIECE_BYTES + _HEAD_BYTES - 1)
        for likely in _LIKELY_HEAD.finditer(window):
            tag = _tag_at(file, window_byte + likely.start())
            if tag is not None and tag.kind != _SCRIPT and tag.place_byte < stop_byte:
                return tag
    return None


def _tag_at(file: RangedFile, place_byte: int) -> _Tag | None:
    """Read a tag; None where none begins, which the length behind it tells."""
    head = file.peek(place_byte, place_byte + _HEAD_BYTES + 2)
    if len(head) < _HEAD_BYTES or head[0] not in (_SOUND, _VIDEO, _SCRIPT):
        return None
    size_bytes = int.from_bytes(head[1:4], "big")
    behind = place_byte + _HEAD_BYTES + size_bytes
    if int.from_bytes(file.peek(behind, behind + _LENGTH_BYTES), "big") != _HEAD_BYTES + size_bytes:
        return None
    time_ms = int.from_bytes(head[7:8] + head[4:7], "big")
    return _Tag(place_byte, head[0], size_bytes, time_ms, head[_HEAD_BYTES:])


def _onwards(file: RangedFile, start_byte: int, stop_byte: int) -> Iterator[_Tag]:
    """Go from a tag to the next, up to a byte."""
    while start_byte < stop_byte and (tag := _tag_at(file, start_byte)) is not None:
        yield tag
        start_byte = tag.next_byte


def _backwards(file: RangedFile, stop_byte: int, first_byte: int) -> Iterator[_Tag]:
    """Go from a tag to the one before, back to the first."""
    while stop_byte > first_byte:
        length = int.from_bytes(file.peek(stop_byte - _LENGTH_BYTES, stop_byte), "big")
        tag = _tag_at(file, stop_byte - _LENGTH_BYTES - length)
        if tag is None or tag.next_byte != stop_byte:
            return
        yield tag
        stop_byte = tag.place_byte
