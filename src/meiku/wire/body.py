"""The body of one request without its framing, plain or aws-chunked, checked against its headers.

Knows which headers speak about a body and what must be true at its end. How bytes are received, hashed and
compared is `wire.verified`; the framing itself is `wire.aws_chunked`.
"""

from collections.abc import Callable, Mapping
from functools import partial
from typing import TYPE_CHECKING

from meiku import errors
from meiku.checksums import ALGORITHMS, BY_HEADER
from meiku.wire.aws_chunked import ChunkedDecoder, ChunkSignatures, Event, Trailer
from meiku.wire.verified import (
    Announced,
    BodyLimits,
    Incoming,
    VerifiedStream,
    refuse_unknown_checksums,
    too_large,
)

if TYPE_CHECKING:
    from meiku.auth import Payload
    from meiku.wire.request import Receive

__all__ = ["Body", "BodyLimits"]

DEFAULT_LIMITS = BodyLimits()
_LENGTH_DIGITS = 18


class Body(VerifiedStream):
    """The decoded payload of one request; iterating to the end proves that it is what was announced.

    What the headers alone prove wrong is raised at once, before a byte is asked for. With
    `checksum_headers` off, Content-MD5 and x-amz-checksum-* are not about this body and are left alone:
    CompleteMultipartUpload sends those of the object.
    """

    def __init__(
        self,
        receive: "Receive",
        headers: Mapping[str, str],
        payload: "Payload",
        *,
        limits: BodyLimits = DEFAULT_LIMITS,
        checksum_headers: bool = True,
    ) -> None:
        """Take lower-case headers; InvalidRequest, InvalidDigest, MissingContentLength or EntityTooLarge."""
        sent_bytes = _length(headers, "content-length")
        announced = _announced(headers, payload, checksum_headers)
        super().__init__(Incoming(receive, sent_bytes, limits.idle_s), announced, limits.max_bytes)
        self.size_bytes = (
            _length(headers, "x-amz-decoded-content-length") if payload.streaming else sent_bytes
        )
        if self.size_bytes is not None and self.size_bytes > limits.max_bytes:
            raise too_large(self.size_bytes, limits.max_bytes)
        self._frames = _Frames(payload, self.size_bytes, announced) if payload.streaming else None

    async def read_all(self, limit_bytes: int, take: Callable[[int], None] = lambda _: None) -> bytes:
        """Read a whole document; MaxMessageLengthExceeded when it is longer than the limit.

        `take` is told how many bytes each piece has, and may refuse to hold them.
        """
        pieces: list[bytes] = []
        size_bytes = self.size_bytes or 0
        while size_bytes <= limit_bytes:
            piece = await anext(self, b"")
            if not piece:
                return b"".join(pieces)
            take(len(piece))
            pieces.append(piece)
            size_bytes = self.received_bytes
        raise errors.MaxMessageLengthExceeded(MaxMessageLengthBytes=str(limit_bytes))

    async def _next(self) -> bytes:
        if self._frames is None:
            return await self._incoming.next()
        while sent := await self._incoming.next():
            if data := self._frames.take(sent):
                return data
        self._frames.end()
        return b""

    def _hash(self, piece: bytes) -> Callable[[], None]:
        hash_piece = super()._hash(piece)
        if self._frames is None:
            return hash_piece
        check_signatures = self._frames.signature_check()

        def hash_and_check() -> None:
            hash_piece()
            check_signatures()

        return hash_and_check

    def _check_end(self) -> None:
        if self._frames is not None:
            self._frames.signature_check()()


class _Frames:
    """The aws-chunked framing of one body, and what its trailer brings."""

    def __init__(self, payload: "Payload", size_bytes: int | None, announced: Announced) -> None:
        if size_bytes is None:
            raise errors.MissingContentLength("The header x-amz-decoded-content-length is missing.")
        self._decoder = ChunkedDecoder(size_bytes)
        self._signatures = ChunkSignatures(payload.chunk_signer) if payload.chunk_signer else None
        self._unchecked: list[Event] = []
        self._announced = announced

    def take(self, sent: bytes) -> bytes:
        """Give the payload that is in these bytes."""
        events = self._decoder.feed(sent)
        self._leave_unchecked(events)
        return b"".join(event for event in events if isinstance(event, bytes))

    def end(self) -> None:
        """Take the end of the body; its trailer must hold what was announced, no more and no less."""
        trailer = self._decoder.finish()
        self._leave_unchecked([trailer])
        self._take_trailer(trailer)

    def signature_check(self) -> Callable[[], None]:
        """Give the work of checking the signatures so far; it may run in a thread."""
        events, self._unchecked = self._unchecked, []
        return partial(self._signatures.check, events) if self._signatures else lambda: None

    def _leave_unchecked(self, events: list[Event]) -> None:
        if self._signatures is not None:
            self._unchecked += events

    def _take_trailer(self, trailer: Trailer) -> None:
        algorithm = None if self._announced.checksum else self._announced.algorithm
        if [name for name, _ in trailer.fields] != ([algorithm.header] if algorithm else []):
            raise errors.MalformedTrailerError(
                "The trailer does not hold what the header x-amz-trailer announced."
            )
        for _, value in trailer.fields:
            self._announced.take_checksum(value)


def _announced(headers: Mapping[str, str], payload: "Payload", checksum_headers: bool) -> Announced:
    refuse_unknown_checksums(headers)
    announced = Announced.by(headers) if checksum_headers else Announced()
    announced.sha256_hex = payload.sha256
    _announce_trailer(announced, headers.get("x-amz-trailer", ""), payload)
    if checksum_headers:
        _check_named(announced, headers.get("x-amz-sdk-checksum-algorithm"))
    return announced


def _announce_trailer(announced: Announced, names: str, payload: "Payload") -> None:
    for name in filter(None, (name.strip().lower() for name in names.split(","))):
        if not payload.trailer:
            raise errors.InvalidRequest(
                "x-amz-trailer is sent, but x-amz-content-sha256 promises no trailer."
            )
        if name not in BY_HEADER:
            raise errors.InvalidRequest("The value specified in the x-amz-trailer header is not supported.")
        announced.choose(BY_HEADER[name])


def _check_named(announced: Announced, name: str | None) -> None:
    if name is None:
        return
    algorithm = ALGORITHMS.get(name.strip().upper())
    if algorithm is None or (announced.algorithm is not None and announced.algorithm is not algorithm):
        raise errors.InvalidRequest("Value for x-amz-sdk-checksum-algorithm header is invalid.")
    if announced.algorithm is None:
        raise errors.InvalidRequest(
            "x-amz-sdk-checksum-algorithm specified, but no corresponding x-amz-checksum-* or x-amz-trailer "
            "headers were found."
        )


def _length(headers: Mapping[str, str], name: str) -> int | None:
    value = headers.get(name)
    if value is None:
        return None
    if not (value.isascii() and value.isdigit() and len(value) <= _LENGTH_DIGITS):
        raise errors.InvalidArgument(
            f"{name} is not a number of bytes.", ArgumentName=name, ArgumentValue=value
        )
    return int(value)
