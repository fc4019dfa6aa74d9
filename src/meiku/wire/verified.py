"""What arrives, and whether it is what the client said it would be.

The one place where a body's bytes are received, gathered, hashed off the event loop and compared with what
was announced. `body` and `forms` say where the bytes come from and what framing they wear; nothing here
knows either. No storage, no signatures.
"""

import asyncio
import types
from abc import ABC, abstractmethod
from collections.abc import Callable, Coroutine, Generator, Mapping, MutableMapping
from copy import copy
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Self, TypeVar

from meiku import checksums, errors
from meiku.checksums import ALGORITHMS, BY_HEADER, Algorithm, Digests

if TYPE_CHECKING:
    from meiku.wire.request import Receive

T = TypeVar("T")
# Twice as much takes 30 MiB more where 64 clients upload at once, and is no quicker.
GATHER_BYTES = 128 * 1024
# Python needs forty bytes to hold two: a client that drips must not fill memory with drops.
GATHER_LIMIT = 1024
# A thread's round trip costs as much as hashing 50 KiB or so: less than this is hashed where it is.
THREAD_BYTES = 64 * 1024


@dataclass(frozen=True, slots=True)
class BodyLimits:
    """How long a client may be silent, and how large one body may be."""

    idle_s: float = 60.0
    max_bytes: int = 5 * 1024**3


class Incoming:
    """The raw bytes of one request, as the connection brings them.

    Raises IncompleteBody when the client goes away or sends another number of bytes than it declared, and
    RequestTimeout when it is silent for too long.
    """

    def __init__(self, receive: "Receive", declared_bytes: int | None, idle_s: float) -> None:
        self.finished = False
        self.received_bytes = 0
        self._receive = receive
        self.declared_bytes = declared_bytes
        self._idle_s = idle_s

    async def next(self) -> bytes:
        """Give the next bytes, or none at the end."""
        while not self.finished:
            message = await self._message()
            if message["type"] == "http.disconnect":
                raise errors.IncompleteBody("The client went away before the whole body had arrived.")
            data: bytes = message.get("body", b"")
            self.finished = not message.get("more_body", False)
            self.received_bytes += len(data)
            self._compare_length()
            if data:
                return data
        return b""

    async def _message(self) -> MutableMapping[str, Any]:
        receiving = self._receive()
        try:
            # A small body has nearly always come with its head: then nothing is waited for, nor timed.
            waits_for = receiving.send(None)
        except StopIteration as at_hand:
            message: MutableMapping[str, Any] = at_hand.value
            return message
        try:
            async with asyncio.timeout(self._idle_s):
                return await _begun(receiving, waits_for)
        except TimeoutError:
            raise errors.RequestTimeout from None

    def _compare_length(self) -> None:
        if self.declared_bytes is None:
            return
        too_many = self.received_bytes > self.declared_bytes
        if too_many or (self.finished and self.received_bytes < self.declared_bytes):
            raise errors.IncompleteBody(NumberBytesExpected=str(self.declared_bytes))


@types.coroutine
def _begun(coroutine: Coroutine[Any, Any, T], waits_for: object) -> Generator[Any, Any, T]:
    """Await the rest of a coroutine that was sent its first None, and gave what it waits for."""
    try:
        yield waits_for
    except BaseException as thrown:
        coroutine.throw(thrown)
    result: T = yield from coroutine
    return result


_CHECKSUM = "x-amz-checksum-"
_ABOUT_CHECKSUMS = {"x-amz-checksum-algorithm", "x-amz-checksum-type", "x-amz-checksum-mode"}


def refuse_unknown_checksums(given: Mapping[str, str]) -> None:
    """Refuse a checksum of an algorithm that S3 does not know: it would pass for one that was compared."""
    named = given.get("x-amz-checksum-algorithm", "")
    if named and named.strip().upper() not in ALGORITHMS:
        raise errors.InvalidRequest(f"The algorithm '{named[:100]}' is not one that S3 knows.")
    for name in given:
        if name.startswith(_CHECKSUM) and name not in BY_HEADER and name not in _ABOUT_CHECKSUMS:
            raise errors.InvalidRequest(f"The algorithm of {name[:100]} is not one that S3 knows.")


@dataclass(slots=True)
class Announced:
    """The checksums that a client says its bytes have, in headers or in form fields.

    `checksum` stays empty while a trailer is still to bring it.
    """

    sha256_hex: str | None = None
    md5: bytes | None = None
    algorithm: Algorithm | None = None
    checksum: bytes = b""

    @classmethod
    def by(cls, names: Mapping[str, str]) -> Self:
        """Read headers or fields of lower-case names; InvalidDigest or InvalidRequest when malformed."""
        announced = cls(md5=_content_md5(names.get("content-md5")))
        for name in names.keys() & BY_HEADER.keys():
            announced.choose(BY_HEADER[name])
            announced.take_checksum(names[name])
        return announced

    def choose(self, algorithm: Algorithm) -> None:
        """Take the one algorithm that the client checks its bytes with; InvalidRequest for a second."""
        if self.algorithm is not None:
            raise errors.InvalidRequest("Expecting a single x-amz-checksum- header. Multiple were sent.")
        self.algorithm = algorithm

    def take_checksum(self, text: str) -> None:
        """Take the value of the chosen algorithm; InvalidRequest when malformed."""
        assert self.algorithm is not None
        try:
            self.checksum = checksums.decode(text.strip(), self.algorithm)
        except ValueError:
            raise errors.InvalidRequest(f"Value for {self.algorithm.header} header is invalid.") from None

    def algorithms(self) -> tuple[str, ...]:
        """Name the algorithms that must be computed to compare."""
        sha256 = ("SHA256",) if self.sha256_hex is not None else ()
        return (*sha256, self.algorithm.name) if self.algorithm else sha256

    def compare(self, computed: Mapping[str, bytes]) -> None:
        """Compare with what arrived; XAmzContentSHA256Mismatch or BadDigest when it is something else."""
        if self.sha256_hex is not None and self.sha256_hex != computed["SHA256"].hex():
            raise errors.XAmzContentSHA256Mismatch(
                ClientComputedContentSHA256=self.sha256_hex,
                S3ComputedContentSHA256=computed["SHA256"].hex(),
            )
        if self.md5 is not None and self.md5 != computed["MD5"]:
            raise _bad_digest("Content-MD5", self.md5, computed["MD5"])
        if self.algorithm is not None and self.checksum != computed[self.algorithm.name]:
            raise _bad_digest(self.algorithm.name, self.checksum, computed[self.algorithm.name])


def _content_md5(text: str | None) -> bytes | None:
    try:
        return None if text is None else checksums.decode(text.strip(), ALGORITHMS["MD5"])
    except ValueError:
        raise errors.InvalidDigest from None


def _bad_digest(name: str, expected: bytes, computed: bytes) -> errors.BadDigest:
    return errors.BadDigest(
        f"The {name} you specified did not match the calculated checksum.",
        ExpectedDigest=checksums.encode(expected),
        CalculatedDigest=checksums.encode(computed),
    )


class VerifiedStream(ABC):
    """The payload of one request, in pieces; iterating to the end proves that it is what was announced.

    A piece is hashed in a thread while the consumer writes it and the next one is gathered, so at most two
    pieces are in memory. Every error is raised before the iteration ends: a consumer that reaches the end
    may commit.
    """

    size_bytes: int | None = None

    def __init__(self, incoming: Incoming, announced: Announced, maximum_bytes: int) -> None:
        self.maximum_bytes = maximum_bytes
        self.received_bytes = 0
        self._incoming = incoming
        self._announced = announced
        self._digests = Digests(announced.algorithms())
        self._hashing: asyncio.Future[None] | None = None
        self._ended = False
        self._verified: dict[str, bytes] | None = None
        self._failure: errors.S3Error | None = None

    @abstractmethod
    async def _next(self) -> bytes:
        """Give the next bytes of the payload, or none at its end; never asked again after that."""

    @abstractmethod
    def _check_end(self) -> None:
        """Check what only this kind of stream knows about its end."""

    def _hash(self, piece: bytes) -> Callable[[], None]:
        """Give the work that hashing this piece is; it runs in a thread, one at a time."""
        return lambda: self._digests.update(piece)

    @property
    def digests(self) -> dict[str, bytes]:
        """Give every checksum by algorithm; only after the last piece."""
        if self._verified is None:
            raise RuntimeError("digests are known only after the last byte")
        return self._verified

    @property
    def checksum(self) -> tuple[str, bytes] | None:
        """Give the client's own algorithm and value; only after the last piece."""
        if self._verified is None:
            raise RuntimeError("the checksum is verified only after the last byte")
        announced = self._announced
        return (announced.algorithm.name, announced.checksum) if announced.algorithm else None

    @property
    def consumed(self) -> bool:
        """Tell whether the whole request has been received, so that its connection can serve another."""
        return self._incoming.finished

    def also_digest(self, *names: str) -> None:
        """Ask for further algorithms, before the first piece."""
        assert not self.received_bytes
        self._digests = Digests((*self._announced.algorithms(), *names))

    def __aiter__(self) -> Self:
        return self

    async def __anext__(self) -> bytes:
        if self._failure is not None:
            raise self._failure
        try:
            piece = await self._advance()
        except BaseException as failure:
            # Bytes may be lost, by a cancellation too: whoever asks again must not get the rest as a whole.
            lost = errors.IncompleteBody("The body was left before its end.")
            # A copy: what was raised holds the frames that it passed, and they would hold it and their bytes.
            self._failure = copy(failure) if isinstance(failure, errors.S3Error) else lost
            raise
        if not piece:
            raise StopAsyncIteration
        return piece

    async def _advance(self) -> bytes:
        piece = await self._gather()
        if self._hashing is not None:
            await self._hashing
            self._hashing = None
        if piece:
            self._start_hashing(piece)
        elif self._verified is None:
            self._verified = self._verify()
        return piece

    async def _gather(self) -> bytes:
        pieces: list[bytes] = []
        size_bytes = 0
        while size_bytes < GATHER_BYTES and len(pieces) < GATHER_LIMIT and not self._ended:
            data = await self._next()
            if data:
                size_bytes += len(data)
                self._admit(len(data))
                pieces.append(data)
            self._ended = not data
        return b"".join(pieces)

    def _admit(self, size_bytes: int) -> None:
        self.received_bytes += size_bytes
        if self.received_bytes > self.maximum_bytes:
            raise too_large(self._proposed_bytes(), self.maximum_bytes)

    def _proposed_bytes(self) -> int:
        """Tell how much is sent: while more is to come, what was declared says it better than what has."""
        declared = self.size_bytes or (None if self._incoming.finished else self._incoming.declared_bytes)
        return max(declared or 0, self.received_bytes)

    def _start_hashing(self, piece: bytes) -> None:
        work = self._hash(piece)
        if len(piece) < THREAD_BYTES:
            work()
        else:
            self._hashing = asyncio.get_running_loop().run_in_executor(None, work)
            # Whoever gives up before the next piece must not leave a complaint about an unread result.
            self._hashing.add_done_callback(lambda done: done.cancelled() or done.exception())

    def _verify(self) -> dict[str, bytes]:
        self._check_end()
        computed = self._digests.results()
        self._announced.compare(computed)
        return computed


def too_large(proposed_bytes: int, maximum_bytes: int) -> errors.EntityTooLarge:
    """Make the error for a body that is larger than it may be."""
    return errors.EntityTooLarge(ProposedSize=str(proposed_bytes), MaxSizeAllowed=str(maximum_bytes))
