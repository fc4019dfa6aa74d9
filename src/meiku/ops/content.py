"""An object's bytes: put away, and read back, wherever they are kept.

Small ones go beside the rows, so that one commit makes both durable; larger ones become a blob first and are
made visible by the row that names them; a completed upload's bytes are the parts it was sent in. Only this
file knows that there are three places. It decides nothing about access or names.
"""

import asyncio
import os
from collections.abc import AsyncGenerator, AsyncIterator, Mapping
from contextlib import aclosing, asynccontextmanager
from dataclasses import dataclass
from typing import Protocol

from meiku import errors
from meiku.blobs.nameless import nameless_file
from meiku.checksums import Digests
from meiku.meta.objects import read_inline
from meiku.meta.parts import find_parts
from meiku.meta.records import EMPTY, Content, ObjectRecord, PartRecord
from meiku.ops.call import Call
from meiku.ops.intact import compared, require_intact, require_intact_file

THREAD_BYTES = 64 * 1024
_PARTS_PAGE = 1000

# What a write's transaction may say to mean: it certainly did not happen, so the new bytes belong to nobody.
_REFUSED = (errors.Conflict, errors.Missing, errors.Unmet, errors.Replaced, errors.Busy, errors.ReadOnly)
_CERTAINLY_REFUSED = (*_REFUSED, errors.S3Error)


class Incoming(Protocol):
    """Bytes on their way in; iterating to the end proves them, and raises an S3 error if they are wrong."""

    size_bytes: int | None

    def __aiter__(self) -> AsyncIterator[bytes]: ...

    def also_digest(self, *names: str) -> None:
        """Ask for a further algorithm before the first byte."""

    @property
    def digests(self) -> Mapping[str, bytes]:
        """Every computed digest by algorithm, after the end."""

    @property
    def checksum(self) -> tuple[str, bytes] | None:
        """The client's own algorithm and value, after the end."""


@dataclass(frozen=True, slots=True)
class Stored:
    """Bytes that were put away; `inline` ones become durable with the row that is written next."""

    content: Content
    inline: bytes | None
    size_bytes: int


@asynccontextmanager
async def put_away(call: Call, incoming: Incoming, *, inline: bool = True) -> AsyncIterator[Stored]:
    """Put the bytes away for the `async with` block to commit; take them back if it is certainly refused.

    When it is not certain (no room, a crash, a cancelled client), they are left to the sweep, which removes
    what no row names: deleting what might have been committed is the one mistake not to make.
    """
    stored = await _put_away(call, incoming, call.settings.inline_limit_bytes if inline else 0)
    try:
        # Whoever sent slowly, or whose bytes took long to make, may have lost the right meanwhile.
        await call.still_may()
        yield stored
    except _CERTAINLY_REFUSED:
        if stored.content.kind == "blob" and stored.content.id:
            await call.blobs.delete(stored.content.id)
        raise
    finally:
        # Until here no sweep takes it for nobody's, however long the commit had to wait.
        if stored.content.kind == "blob":
            call.blobs.let_go(stored.content.id or "")


async def _put_away(call: Call, incoming: Incoming, inline_limit_bytes: int) -> Stored:
    stream = aiter(incoming)
    head: list[bytes] = []
    size_bytes = 0
    async for piece in stream:
        head.append(piece)
        size_bytes += len(piece)
        if size_bytes > inline_limit_bytes:
            counted = _Counted(head, stream)
            blob_id = await call.blobs.write(counted)
            return Stored(Content("blob", blob_id), None, counted.size_bytes)
    if not size_bytes:
        return Stored(EMPTY, None, 0)
    return Stored(Content("inline"), b"".join(head), size_bytes)


class _Counted:
    """The pieces already read, then the rest, counted."""

    def __init__(self, head: list[bytes], rest: AsyncIterator[bytes]) -> None:
        self._head = head
        self._rest = rest
        self.size_bytes = 0

    async def __aiter__(self) -> AsyncIterator[bytes]:
        head, self._head = self._head, []
        for piece in head:
            self.size_bytes += len(piece)
            yield piece
        async for piece in self._rest:
            self.size_bytes += len(piece)
            yield piece


async def read(
    call: Call, record: ObjectRecord, start: int, stop: int, inline: bytes | None = None
) -> bytes | AsyncIterator[bytes]:
    """Give the bytes from `start` up to `stop` (exclusive); at once where they are at hand.

    The first piece has been read when this returns: what is lost must be an error, not a 200 that breaks off.
    Raises Missing when the object was replaced since its record was read, or when its bytes are lost. Raises
    Damaged, now or before the last piece, where what is read whole is not what was stored.
    """
    if start >= stop:
        return b""
    if inline is not None:
        require_intact(inline, record.checksums, _name(call, record))
        return inline if (start, stop) == (0, len(inline)) else inline[start:stop]
    content = record.content
    if content.kind == "blob":
        pieces = call.blobs.read(content.id or "", start, stop)
        if (start, stop) == (0, record.size_bytes):
            pieces = compared(pieces, stop, record.checksums, _name(call, record))
        return await _begun(pieces, stop - start)
    if content.kind == "parts":
        parts = await _parts(call, content.id or "", start, stop)
        return await _begun(_read_parts(call, record, parts, start, stop), stop - start)
    data = await call.meta.read(read_inline, content.id or "")
    return require_intact(data, record.checksums, _name(call, record))[start:stop]


def _name(call: Call, record: ObjectRecord) -> str:
    return f"{call.bucket_name}/{record.key.decode()}"


async def open_file(call: Call, record: ObjectRecord, inline: bytes | None = None) -> int:
    """Give all bytes as an open file, for another process to read; who asked closes it. Fails as `read`."""
    if record.content.kind == "blob":
        file = await call.blobs.open(record.content.id or "")
        try:
            await asyncio.to_thread(require_intact_file, file, record.checksums, _name(call, record))
        except BaseException:
            os.close(file)
            raise
        return file
    body = await read(call, record, 0, record.size_bytes, inline)
    return await nameless_file(_once(body) if isinstance(body, bytes) else body)


async def _once(piece: bytes) -> AsyncIterator[bytes]:
    yield piece


async def _begun(pieces: AsyncGenerator[bytes, None], size_bytes: int) -> bytes | AsyncIterator[bytes]:
    """Read the first piece; often it is all there is."""
    first = await anext(pieces)
    if len(first) < size_bytes:
        return _resumed(first, pieces)
    await pieces.aclose()
    return first


async def _resumed(first: bytes, rest: AsyncGenerator[bytes, None]) -> AsyncIterator[bytes]:
    async with aclosing(rest):
        yield first
        async for piece in rest:
            yield piece


async def _parts(call: Call, upload_id: str, start: int, stop: int) -> list[PartRecord]:
    """Find all parts before the first byte is sent: those of a replaced object still lie there.

    A page at a time, as finding 10,000 at once would hold everybody else up for 50 ms.
    """
    parts: list[PartRecord] = []
    while start < stop:
        page = await call.meta.read(find_parts, upload_id, start, stop, _PARTS_PAGE)
        if not page:
            raise errors.Missing("content")
        parts += page
        start = page[-1].offset_bytes + page[-1].size_bytes
        if start < stop:
            await asyncio.sleep(0)
    return parts


async def _read_parts(
    call: Call, record: ObjectRecord, parts: list[PartRecord], start: int, stop: int
) -> AsyncGenerator[bytes, None]:
    for part in parts:
        first = max(start - part.offset_bytes, 0)
        last = min(stop - part.offset_bytes, part.size_bytes)
        pieces = call.blobs.read(part.content_id or "", first, last)
        if (first, last) == (0, part.size_bytes):
            name = f"{_name(call, record)}, part {part.part_number}"
            pieces = compared(pieces, last, part.checksums, name)
        async with aclosing(pieces):
            async for piece in pieces:
                yield piece


class Copied:
    """Stored bytes on their way into another object: hashed anew, as if a client had sent them."""

    def __init__(self, source: bytes | AsyncIterator[bytes], size_bytes: int) -> None:
        self.size_bytes: int | None = size_bytes
        self.checksum: tuple[str, bytes] | None = None
        self._source = source
        self._digests = Digests()

    def also_digest(self, *names: str) -> None:
        """Ask for a further algorithm before the first byte."""
        self._digests = Digests(names)

    @property
    def digests(self) -> Mapping[str, bytes]:
        """Every computed digest by algorithm, after the end."""
        return self._digests.results()

    async def __aiter__(self) -> AsyncIterator[bytes]:
        async for piece in _once(self._source) if isinstance(self._source, bytes) else self._source:
            if len(piece) < THREAD_BYTES:
                self._digests.update(piece)
                yield piece
            else:
                hashing = asyncio.ensure_future(asyncio.to_thread(self._digests.update, piece))
                yield piece
                await hashing
