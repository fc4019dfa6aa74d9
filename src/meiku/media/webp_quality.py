"""How strongly a WebP was compressed: its quality in percent, told from its quantisers.

WebP files do not say it; libwebp, which writes nearly all of them, makes its quantisers of it, a little finer
or coarser for parts of a picture that bear less or more (RFC 6386, 9.3 and 9.6, is where they stand). Reads
bytes only.
"""

from dataclasses import dataclass

_UNKNOWN_PERCENT = 80
_LOSSLESS_PERCENT = 100
_CHUNKS_START, _CHUNK_HEAD_BYTES = 12, 8
_FRAME_HEAD_BYTES = 16  # of a frame of an animation, before its own chunks
_START_CODE = b"\x9d\x01\x2a"
_FRAME_TAG_BYTES = 10
_COARSEST = 127


@dataclass(slots=True)
class _Bits:
    """Reads what VP8 writes bit by bit, each with a probability (RFC 6386, 7.3)."""

    data: bytes
    place: int = 2
    value: int = 0
    range: int = 255
    shifted: int = 0

    def flag(self) -> bool:
        """Read one bit, as likely as not."""
        split = 1 + ((self.range - 1) * 128 >> 8)
        is_set = self.value >= split << 8
        self.range, self.value = (
            (self.range - split, self.value - (split << 8)) if is_set else (split, self.value)
        )
        while self.range < 128:
            self.value, self.range, self.shifted = self.value << 1, self.range << 1, self.shifted + 1
            if self.shifted == 8:
                self.value |= self.data[self.place] if self.place < len(self.data) else 0
                self.place, self.shifted = self.place + 1, 0
        return is_set

    def number(self, bits: int) -> int:
        """Read a number, its highest bit first."""
        number = 0
        for _ in range(bits):
            number = 2 * number + self.flag()
        return number

    def signed(self, bits: int) -> int:
        """Read a number that may not be there, and its sign."""
        if not self.flag():
            return 0
        number = self.number(bits)
        return -number if self.flag() else number


def quality_of(data: bytes) -> int:
    """Tell a WebP's quality from 1 to 100; 80 where it cannot be told."""
    kind, body = _first_frame(data)
    if kind == b"VP8L":
        return _LOSSLESS_PERCENT
    if body[3:6] != _START_CODE:
        return _UNKNOWN_PERCENT
    finest, next_finest, *_ = sorted(_quantisers(body[_FRAME_TAG_BYTES:]))
    # The usual parts of a picture have these; libwebp's curve, turned round.
    share = (1 - (finest + next_finest) / 2 / _COARSEST) ** 3
    return min(100, max(1, round(100 * (share * 3 / 2 if share < 1 / 2 else (share + 1) / 2))))


def _first_frame(data: bytes) -> tuple[bytes, bytes]:
    """Find the chunk that holds the first frame's pixels: what it is, and what stands in it."""
    place = _CHUNKS_START
    while place + _CHUNK_HEAD_BYTES <= len(data):
        kind, size_bytes = data[place : place + 4], int.from_bytes(data[place + 4 : place + 8], "little")
        if kind in (b"VP8 ", b"VP8L"):
            return kind, data[place + _CHUNK_HEAD_BYTES : place + _CHUNK_HEAD_BYTES + size_bytes]
        inside = kind == b"ANMF"
        place += _CHUNK_HEAD_BYTES + (_FRAME_HEAD_BYTES if inside else size_bytes + size_bytes % 2)
    return b"", b""


def _quantisers(partition: bytes) -> list[int]:
    """Read the quantisers of a frame's four kinds of parts out of its first partition."""
    bits = _Bits(partition, value=int.from_bytes(partition[:2], "big"))
    bits.number(2)  # colour space, clamping
    parts, is_absolute = [0] * 4, False
    if bits.flag():
        has_map, has_values = bits.flag(), bits.flag()
        if has_values:
            is_absolute = bits.flag()
            parts = [bits.signed(7) for _ in parts]
            for _ in parts:
                bits.signed(6)
        for _ in range(3 if has_map else 0):
            _ = bits.flag() and bits.number(8)
    bits.number(1 + 6 + 3)  # the loop filter
    if bits.flag() and bits.flag():
        for _ in range(8):
            bits.signed(6)
    bits.number(2)  # how many other partitions there are
    usual = 0 if is_absolute else bits.number(7)
    return [usual + part for part in parts]
