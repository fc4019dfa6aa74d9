"""aws-chunked: how AWS frames a body in signed or unsigned chunks, with checksums behind them.

No I/O here and no hashing on its own account: bytes go in, events come out, and the chain of chunk
signatures is checked over those events. What a trailer's fields mean is decided by `wire.body`.

Format: https://docs.aws.amazon.com/AmazonS3/latest/API/sigv4-streaming.html and sigv4-streaming-trailers.html
"""

import hashlib
import hmac
import re
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Protocol

from meiku import errors

HEADER_LIMIT_BYTES = 8 * 1024
TRAILER_LIMIT_BYTES = 8 * 1024
# AWS refuses chunks under 8 KiB. Small ones are welcome here, but each costs a turn of the loop, so a body
# of nothing but tiny chunks is refused before it can starve its neighbours.
SMALL_CHUNK_BYTES = 1024
SMALL_CHUNKS_LIMIT = 1000

_CHUNK_HEADER = re.compile(rb"([0-9A-Fa-f]{1,16})[ \t]*(?:;[ \t]*chunk-signature=([0-9a-f]{64})[ \t]*|;.*)?")
_TRAILER_FIELD = re.compile(r"([!#$%&'*+.^_`|~0-9A-Za-z-]+):[ \t]*([^\r\n]*?)[ \t]*")
_TRAILER_SIGNATURE = "x-amz-trailer-signature"


@dataclass(frozen=True, slots=True)
class ChunkStart:
    """The line before a chunk's bytes; size 0 is the last chunk."""

    size_bytes: int
    signature: str | None


@dataclass(frozen=True, slots=True)
class Trailer:
    """What came behind the last chunk; field names are lower-case."""

    fields: tuple[tuple[str, str], ...]
    signature: str | None


Event = ChunkStart | bytes | Trailer


class ChunkSigner(Protocol):
    """Computes what a chunk's signature must be; each rests on the one before."""

    @property
    def seed_signature(self) -> str:
        """The signature of the request itself, which the first chunk rests on."""

    def chunk(self, previous_signature: str, chunk_sha256_hex: str, /) -> str:
        """Sign one chunk."""

    def trailer(self, previous_signature: str, trailer_sha256_hex: str, /) -> str:
        """Sign the trailer."""


class ChunkedDecoder:
    """Takes the framing off a body of a known decoded length.

    `feed` gives the events of the bytes so far, in the same order and with the same content however the
    bytes were cut; only `bytes` events may be cut differently.
    """

    def __init__(self, decoded_length_bytes: int) -> None:
        self._remaining_bytes = decoded_length_bytes
        self._chunk_bytes = 0
        self._small_chunks = 0
        self._held = b""
        self._at = 0
        self._step: Callable[[], Event | None] = self._header

    def feed(self, data: bytes) -> list[Event]:
        """Take the next bytes; InvalidRequest for bad framing, IncompleteBody for too much or too little."""
        self._held, self._at = self._held[self._at :] + data, 0
        events: list[Event] = []
        while (event := self._step()) is not None:
            events.append(event)
        return events

    def finish(self) -> Trailer:
        """Take the end of the body and give the trailer; IncompleteBody when the end came too early."""
        block = self._held[self._at :]
        if self._step != self._trailer or not (block == b"\r\n" or block.endswith(b"\n\r\n")):
            raise errors.IncompleteBody("The body ends before its last chunk does.")
        return _trailer_of(block)

    def _header(self) -> Event | None:
        end = self._held.find(b"\r\n", self._at, self._at + HEADER_LIMIT_BYTES)
        if end < 0:
            if len(self._held) - self._at >= HEADER_LIMIT_BYTES:
                raise errors.InvalidRequest("A chunk's header line is longer than 8,192 bytes.")
            return None
        match = _CHUNK_HEADER.fullmatch(self._held, self._at, end)
        if match is None:
            raise errors.InvalidRequest("A chunk's header line is not a size in hexadecimal.")
        self._at = end + 2
        return self._start(int(match[1], 16), match[2])

    def _start(self, size_bytes: int, signature: bytes | None) -> ChunkStart:
        if size_bytes > self._remaining_bytes:
            raise errors.IncompleteBody("The chunks hold more bytes than x-amz-decoded-content-length.")
        if size_bytes == 0 and self._remaining_bytes:
            raise errors.IncompleteBody("The chunks hold fewer bytes than x-amz-decoded-content-length.")
        self._count_small(size_bytes)
        self._remaining_bytes -= size_bytes
        self._chunk_bytes = size_bytes
        self._step = self._data if size_bytes else self._trailer
        return ChunkStart(size_bytes, signature.decode("ascii") if signature else None)

    def _count_small(self, size_bytes: int) -> None:
        self._small_chunks += size_bytes < SMALL_CHUNK_BYTES
        if self._small_chunks > SMALL_CHUNKS_LIMIT:
            raise errors.InvalidRequest("The body has more than 1000 chunks of less than 1,024 bytes.")

    def _data(self) -> Event | None:
        data = self._held[self._at : self._at + self._chunk_bytes]
        self._at += len(data)
        self._chunk_bytes -= len(data)
        if not self._chunk_bytes:
            self._step = self._data_end
        return data or None

    def _data_end(self) -> Event | None:
        line_end = self._held[self._at : self._at + 2]
        if not b"\r\n".startswith(line_end):
            raise errors.IncompleteBody("A chunk is longer than its header line says.")
        if len(line_end) < 2:
            return None
        self._at += 2
        self._step = self._header
        return self._header()

    def _trailer(self) -> Event | None:
        if len(self._held) - self._at > TRAILER_LIMIT_BYTES:
            raise errors.MalformedTrailerError("More than 8,192 bytes follow the last chunk.")
        return None


def _trailer_of(block: bytes) -> Trailer:
    """Read the fields behind the last chunk.

    Blank lines are skipped wherever they are: AWS's own text and widespread clients put one before the
    signature, others do not. Lines end with LF or CRLF.
    """
    try:
        lines = [line.removesuffix("\r") for line in block.decode("ascii").split("\n")]
    except UnicodeDecodeError:
        raise errors.MalformedTrailerError("The trailer is not made of ASCII header fields.") from None
    fields = [_field_of(line) for line in lines if line]
    signatures = [value for name, value in fields if name == _TRAILER_SIGNATURE]
    if len(signatures) > 1:
        raise errors.MalformedTrailerError("The trailer is signed twice.")
    others = tuple(field for field in fields if field[0] != _TRAILER_SIGNATURE)
    return Trailer(others, signatures[0] if signatures else None)


def _field_of(line: str) -> tuple[str, str]:
    match = _TRAILER_FIELD.fullmatch(line)
    if match is None:
        raise errors.MalformedTrailerError("What follows the last chunk is not a header field.")
    return match[1].lower(), match[2]


class ChunkSignatures:
    """Checks the chain of signatures over a decoder's events."""

    def __init__(self, signer: ChunkSigner) -> None:
        self._signer = signer
        self._previous = signer.seed_signature
        self._claimed: str | None = None
        self._sha256 = hashlib.sha256()
        self._number = 0

    def check(self, events: Iterable[Event]) -> None:
        """Take the next events; SignatureDoesNotMatch as soon as a whole chunk was signed otherwise."""
        for event in events:
            if isinstance(event, bytes):
                self._sha256.update(event)
            elif isinstance(event, ChunkStart):
                self._close_chunk()
                self._open_chunk(event)
            else:
                self._close_chunk()
                self._check_trailer(event)

    def _open_chunk(self, start: ChunkStart) -> None:
        self._number += 1
        self._claimed = start.signature
        self._sha256 = hashlib.sha256()

    def _close_chunk(self) -> None:
        if self._number:
            expected = self._signer.chunk(self._previous, self._sha256.hexdigest())
            self._compare(expected, self._claimed, f"chunk {self._number}")

    def _check_trailer(self, trailer: Trailer) -> None:
        if trailer.fields or trailer.signature is not None:
            text = "".join(f"{name}:{value}\n" for name, value in trailer.fields)
            expected = self._signer.trailer(self._previous, hashlib.sha256(text.encode()).hexdigest())
            self._compare(expected, trailer.signature, "the trailer")

    def _compare(self, expected: str, claimed: str | None, what: str) -> None:
        if claimed is None:
            raise errors.SignatureDoesNotMatch(f"The signature of {what} is missing.")
        if not hmac.compare_digest(expected, claimed):
            raise errors.SignatureDoesNotMatch(f"The signature of {what} does not match its bytes.")
        self._previous = expected
