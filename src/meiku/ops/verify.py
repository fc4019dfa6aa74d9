"""Verify: stored bytes are read again and compared with the size and the CRC64NVME on record.

One content at a time, wherever its bytes are kept. It says what is wrong and changes nothing; whether the
record was replaced meanwhile is for the caller to find out.
"""

from collections.abc import AsyncGenerator, Sequence
from contextlib import aclosing
from dataclasses import dataclass

from meiku import checksums, errors
from meiku.blobs import Blobs
from meiku.meta import Meta
from meiku.meta.objects import read_inline
from meiku.meta.parts import list_parts
from meiku.meta.records import Content, PartRecord
from meiku.meta.stored import StoredObject
from meiku.ops.addressed import PART_NUMBER_LIMIT
from meiku.ops.findings import Flaw
from meiku.ops.intact import CRC, crc_on_record
from meiku.ops.pace import Pace


@dataclass(slots=True)
class Tally:
    """What has been looked at so far; a progress bar reads it."""

    contents: int = 0
    size_bytes: int = 0


class Verifier:
    """Reads contents again, at a pace."""

    def __init__(self, meta: Meta, blobs: Blobs, pace: Pace, tally: Tally) -> None:
        self._meta = meta
        self._blobs = blobs
        self._pace = pace
        self._tally = tally

    async def verify_object(self, stored: StoredObject) -> Flaw | None:
        """Tell what is wrong with an object's bytes, None when nothing is."""
        self._tally.contents += 1
        if stored.content.kind == "parts":
            return await self._verify_parts(stored)
        return await self._verify(stored.content, stored.size_bytes, stored.checksums)

    async def verify_part(self, part: PartRecord) -> Flaw | None:
        """Tell what is wrong with the bytes of a part of an unfinished upload."""
        self._tally.contents += 1
        return await self._verify(
            Content(part.content_kind, part.content_id), part.size_bytes, part.checksums
        )

    async def _verify_parts(self, stored: StoredObject) -> Flaw | None:
        parts = await self._meta.read(list_parts, stored.content.id or "", 0, PART_NUMBER_LIMIT)
        offset_bytes = 0
        for part in parts:
            if part.offset_bytes != offset_bytes:
                return Flaw("parts", f"part {part.part_number} is not where the part in front of it ends")
            offset_bytes += part.size_bytes
        if offset_bytes != stored.size_bytes:
            return Flaw("parts", f"its parts have {offset_bytes} of its {stored.size_bytes} bytes")
        for part in parts:
            content = Content(part.content_kind, part.content_id)
            flaw = await self._verify(content, part.size_bytes, part.checksums)
            if flaw is not None:
                return Flaw(flaw.kind, f"part {part.part_number}: {flaw.sentence}")
        return _compare_whole(stored, parts)

    async def _verify(self, content: Content, size_bytes: int, packed: str) -> Flaw | None:
        expected = crc_on_record(packed)
        digest = CRC.new()
        found_bytes = 0
        try:
            async with aclosing(self._read(content, size_bytes)) as pieces:
                async for piece in pieces:
                    digest.update(piece)
                    found_bytes += len(piece)
                    self._tally.size_bytes += len(piece)
                    await self._pace.spend(len(piece))
        except errors.Missing:
            return Flaw("missing", "its bytes are not there")
        except OSError as error:
            return Flaw("unreadable", f"reading stopped at byte {found_bytes}: {error.strerror or error}")
        if not found_bytes:
            await self._pace.spend(0)
        return _compare(size_bytes, found_bytes, expected, digest.digest())

    async def _read(self, content: Content, size_bytes: int) -> AsyncGenerator[bytes, None]:
        """Yield what is there, and up to one byte more than there should be; Missing when nothing is."""
        if content.kind == "inline":
            yield await self._meta.read(read_inline, content.id or "")
        elif content.kind == "blob":
            async with aclosing(self._blobs.read(content.id or "", 0, 0)) as looking:
                async for _ in looking:
                    pass
            async with aclosing(self._blobs.read(content.id or "", 0, size_bytes + 1)) as pieces:
                try:
                    async for piece in pieces:
                        yield piece
                except errors.Missing:
                    return  # the end, which is where it should be unless it comes too early


def _compare(size_bytes: int, found_bytes: int, expected: bytes | None, found: bytes) -> Flaw | None:
    if found_bytes < size_bytes:
        return Flaw("truncated", f"{found_bytes} of its {size_bytes} bytes are there")
    if found_bytes > size_bytes:
        return Flaw("too-long", f"there are more than its {size_bytes} bytes")
    if expected is None:
        return Flaw("unverifiable", "its record keeps no CRC64NVME")
    if expected != found:
        kept, now = checksums.encode(expected), checksums.encode(found)
        return Flaw("changed", f"its CRC64NVME is {now}, and was {kept}")
    return None


def _compare_whole(stored: StoredObject, parts: Sequence[PartRecord]) -> Flaw | None:
    """Compare the parts' own checksums, which hold, with the whole's: are these the parts it was made of."""
    digests = [(crc_on_record(part.checksums) or b"", part.size_bytes) for part in parts]
    whole = checksums.full_object(CRC, digests)
    return _compare(stored.size_bytes, stored.size_bytes, crc_on_record(stored.checksums), whole)
