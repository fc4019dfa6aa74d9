"""Videos of four gigabytes that are nowhere: sources that make up what is asked for, and count it.

A container with an index is padded with a stretch that players skip. One without an index is long: the same
film over and over, its clock going on.
"""

import random
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from functools import lru_cache

from media.filming import film, striped

FRAMES, KEY_EVERY, FRAME_MS = 250, 25, 40
LENGTH_MS = FRAMES * FRAME_MS
SIZE_BYTES = 4_000_000_000
_TS_PACKET_BYTES = 188
_TICKS_A_SECOND = 90_000
_GRAINS = random.Random(1).randbytes(320 * 192)


def grainy(number: int, width_px: int, height_px: int) -> bytes:
    """Paint a number in grains that no codec can make small."""
    stripes = striped(number, width_px, height_px)
    turned = _GRAINS[number:] + _GRAINS[:number]
    return bytes(
        light - 12 + grain % 32 if light > 100 else light + grain % 32
        for light, grain in zip(stripes, turned, strict=True)
    )


def large(container: str) -> bytes:
    """Make a film of four megabytes."""
    options = (
        {"preset": "ultrafast", "bf": "2", "crf": "8"} if container != "webm" else {"b": "40M", "crf": "4"}
    )
    codec = "libvpx-vp9" if container == "webm" else "libx264"
    return film(container, codec, frames=FRAMES, key_every=KEY_EVERY, paint=grainy, options=options)


@dataclass
class Padded:
    """A film with four gigabytes of zeros at one place."""

    before: bytes
    behind: bytes = b""
    read_bytes: int = 0

    @property
    def size_bytes(self) -> int:
        return len(self.before) + SIZE_BYTES + len(self.behind)

    def read(self, start_byte: int, stop_byte: int) -> bytes:
        self.read_bytes += stop_byte - start_byte
        first = self.before[start_byte:stop_byte]
        skipped = len(self.before) + SIZE_BYTES
        last = self.behind[max(0, start_byte - skipped) : max(0, stop_byte - skipped)]
        return first + bytes(stop_byte - start_byte - len(first) - len(last)) + last


def padded(container: str, body: bytes) -> Padded:
    """Put the zeros behind everything else, where a reader is told to skip them."""
    if container == "avi":
        return Padded(body + b"JUNK" + SIZE_BYTES.to_bytes(4, "little"))
    if container in ("mp4", "mov"):
        return Padded(body + SIZE_BYTES.to_bytes(4, "big") + b"free")
    return Padded(body + b"\xec\x01" + SIZE_BYTES.to_bytes(7, "big"))


@dataclass
class Long:
    """A film that is repeated: a head once, and then a part that is written anew for each round."""

    head: bytes
    part: bytes
    at_round: Callable[[int], bytes]
    rounds: int = field(init=False)
    read_bytes: int = 0

    def __post_init__(self) -> None:
        self.rounds = SIZE_BYTES // len(self.part)
        self.at_round = lru_cache(maxsize=4)(self.at_round)

    @property
    def size_bytes(self) -> int:
        return len(self.head) + self.rounds * len(self.part)

    def read(self, start_byte: int, stop_byte: int) -> bytes:
        self.read_bytes += stop_byte - start_byte
        taken = bytearray(self.head[start_byte:stop_byte])
        while len(taken) < stop_byte - start_byte:
            place = start_byte + len(taken) - len(self.head)
            number, offset = divmod(place, len(self.part))
            taken += self.at_round(number)[offset : offset + stop_byte - start_byte - len(taken)]
        return bytes(taken)


def long_flv(body: bytes, length_ms: int) -> Long:
    """Repeat an FLV's frames; what comes before them, a player needs once."""
    tags = list(_flv_tags(body))
    first = next(place for place in tags if body[place] == 9 and body[place + 12] == 1)
    part = body[first : tags[-1]]  # without the mark of its end
    places = [place - first for place in tags if first <= place < tags[-1]]

    def at_round(number: int) -> bytes:
        changed = bytearray(part)
        for place in places:
            time = changed[place + 7 : place + 8] + changed[place + 4 : place + 7]
            later = (int.from_bytes(time, "big") + number * length_ms).to_bytes(4, "big")
            changed[place + 4 : place + 8] = later[1:] + later[:1]
        return bytes(changed)

    # A length in its head would be that of one round.
    return Long(body[:first].replace(b"duration", b"durating"), part, at_round)


def _flv_tags(body: bytes) -> Iterator[int]:
    place = 13
    while place < len(body):
        yield place
        place += 15 + int.from_bytes(body[place + 1 : place + 4], "big")


def long_fragments(minutes: int) -> Long:
    """Go on with an MP4 in fragments of two seconds and no index, as cameras and live streams leave them."""
    flags = "frag_keyframe+empty_moov+default_base_moof+skip_trailer"
    options = {"preset": "ultrafast", "bf": "2", "crf": "8"}
    body = film("mp4", frames=FRAMES, key_every=50, paint=grainy, options=options, muxing={"movflags": flags})
    first = body.index(b"moof") - 4
    part = body[first:]
    ticks = LENGTH_MS * 12_800 // 1_000
    times = [(place + 8, 8 if part[place + 4] else 4) for place in _places(part, b"tfdt")]

    def at_round(number: int) -> bytes:
        changed = bytearray(part)
        for place, width in times:
            later = int.from_bytes(part[place : place + width], "big") + number * ticks
            changed[place : place + width] = later.to_bytes(width, "big")
        return bytes(changed)

    source = Long(body[:first], part, at_round)
    source.rounds = minutes * 60_000 // LENGTH_MS
    return source


def _places(body: bytes, kind: bytes) -> Iterator[int]:
    place = -1
    while (place := body.find(kind, place + 1)) >= 0:
        yield place


def long_avi(body: bytes) -> Long:
    """Repeat the frames of an AVI that was never given an index."""
    first = body.index(b"movi") + 4
    part = body[first : first + int.from_bytes(body[first - 8 : first - 4], "little") - 4]
    if b"ix00" in part:
        part = part[: part.index(b"ix00")]
    head = bytearray(body[:first].replace(b"indx", b"JUNK"))
    head[-8:-4] = bytes(4)  # nor the length of what follows
    for kind, offset in ((b"avih", 24), (b"strh", 40)):
        place = head.index(kind) + offset
        frames = int.from_bytes(head[place : place + 4], "little") * (SIZE_BYTES // len(part))
        head[place : place + 4] = frames.to_bytes(4, "little")
    return Long(bytes(head), part, lambda _: part)


def long_ts(body: bytes, length_s: int) -> Long:
    """Repeat a transport stream, with all three of its clocks."""
    clocks, stamps = _ts_clocks(body)

    def at_round(number: int) -> bytes:
        changed, later = bytearray(body), number * length_s * _TICKS_A_SECOND
        for place in clocks:
            base = (int.from_bytes(body[place : place + 5], "big") >> 7) + later
            low = int.from_bytes(body[place : place + 5], "big") & 0x7F
            changed[place : place + 5] = (base << 7 | low).to_bytes(5, "big")
        for place in stamps:
            stamp = _read_stamp(body[place : place + 5]) + later
            changed[place : place + 5] = _written_stamp(body[place] >> 4, stamp)
        return bytes(changed)

    return Long(b"", body, at_round)


def _ts_clocks(body: bytes) -> tuple[list[int], list[int]]:
    """Find where a transport stream says what time it is: for its own clock, and for its frames."""
    clocks, stamps = [], []
    for place in range(0, len(body), _TS_PACKET_BYTES):
        begins, has_more = body[place + 1] & 0x40, body[place + 3] & 0x20
        load = place + 4 + (1 + body[place + 4] if has_more else 0)
        if has_more and body[place + 4] and body[place + 5] & 0x10:
            clocks.append(place + 6)
        if begins and body[load : load + 3] == b"\0\0\1":
            stamps += [load + 9 + 5 * number for number in range((body[load + 7] >> 6) - 1)]
    return clocks, stamps


def _read_stamp(five: bytes) -> int:
    return (five[0] >> 1 & 7) << 30 | five[1] << 22 | five[2] >> 1 << 15 | five[3] << 7 | five[4] >> 1


def _written_stamp(mark: int, stamp: int) -> bytes:
    return bytes(
        (
            mark << 4 | stamp >> 29 & 14 | 1,
            stamp >> 22 & 255,
            stamp >> 14 & 254 | 1,
            stamp >> 7 & 255,
            stamp << 1 & 254 | 1,
        )
    )
