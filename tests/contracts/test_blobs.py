"""The contract of `Blobs`, held against every engine. An engine passes all of it or is none."""

import asyncio
import os
from collections.abc import AsyncIterator, Awaitable, Callable
from pathlib import Path

import pytest

from meiku import errors
from meiku.blobs import Blobs
from meiku.blobs.files import open_files
from meiku.blobs.memory import MemoryBlobs

Story = Callable[[Blobs], Awaitable[None]]
Engine = Callable[[Story], None]
BIG = bytes(range(256)) * 12_000  # 3 MB: several pieces of reading and of writing


@pytest.fixture(params=["memory", "files"])
def engine(request: pytest.FixtureRequest, tmp_path: Path) -> Engine:
    """Give a way to tell a story to a fresh engine."""

    async def tell(story: Story) -> None:
        blobs: Blobs = MemoryBlobs() if request.param == "memory" else await open_files(tmp_path)
        try:
            await story(blobs)
        finally:
            await blobs.close()

    return lambda story: asyncio.run(tell(story))


async def stream(*pieces: bytes) -> AsyncIterator[bytes]:
    for piece in pieces:
        await asyncio.sleep(0)
        yield piece


async def read(blobs: Blobs, blob_id: str, start: int, stop: int) -> bytes:
    return b"".join([piece async for piece in blobs.read(blob_id, start, stop)])


async def ids(blobs: Blobs) -> set[str]:
    return {blob_id async for blob_id, _ in blobs.ids()}


@pytest.mark.parametrize("pieces", [[], [b"x"], [b"ab", b"", b"c"], [BIG], [b"1234567"] * 5_000])
def test_what_was_written_is_read(engine: Engine, pieces: list[bytes]) -> None:
    """Any stream comes back byte for byte, however it was cut."""

    async def story(blobs: Blobs) -> None:
        whole = b"".join(pieces)
        blob_id = await blobs.write(stream(*pieces))
        assert await read(blobs, blob_id, 0, len(whole)) == whole

    engine(story)


@pytest.mark.parametrize(
    ("start", "stop"),
    [(0, 1), (5, 5), (1_000, 2_000), (0, len(BIG)), (524_287, 1_048_577), (2_999_999, 3_072_000)],
)
def test_a_range_is_read_exactly(engine: Engine, start: int, stop: int) -> None:
    """A range starts at its first byte, ends before its last, and comes in pieces of at most 1 MiB."""

    async def story(blobs: Blobs) -> None:
        blob_id = await blobs.write(stream(BIG))
        pieces = [piece async for piece in blobs.read(blob_id, start, stop)]
        assert b"".join(pieces) == BIG[start:stop]
        assert all(0 < len(piece) <= 1 << 20 for piece in pieces)

    engine(story)


def test_a_blob_that_is_not_there_is_missing(engine: Engine) -> None:
    """Reading what never was, or was deleted, raises Missing at the first step; a path is no id."""

    async def story(blobs: Blobs) -> None:
        gone = await blobs.write(stream(b"x"))
        await blobs.delete(gone)
        for blob_id in (gone, "0" * 32, "../../etc/passwd", ""):
            with pytest.raises(errors.Missing):
                await anext(blobs.read(blob_id, 0, 1))

    engine(story)


def test_a_blob_shorter_than_asked_for_is_missing_its_end(engine: Engine) -> None:
    """A read beyond the end yields what there is and then raises, instead of ending short in silence."""

    async def story(blobs: Blobs) -> None:
        blob_id = await blobs.write(stream(b"abc"))
        reading = blobs.read(blob_id, 0, 10)
        assert await anext(reading) == b"abc"
        with pytest.raises(errors.Missing):
            await anext(reading)

    engine(story)


@pytest.mark.parametrize("whole", [b"", b"x", BIG])
def test_a_blob_opened_as_a_file_is_whole_and_survives_deletion(engine: Engine, whole: bytes) -> None:
    """Another process may read it at any place, also when the blob is deleted meanwhile; what is not there
    is Missing.
    """

    async def story(blobs: Blobs) -> None:
        blob_id = await blobs.write(stream(whole))
        file = await blobs.open(blob_id)
        await blobs.delete(blob_id)
        try:
            assert os.fstat(file).st_size == len(whole)
            assert os.pread(file, len(whole) + 1, 0) == whole
            assert os.pread(file, 10, 2_000_000) == whole[2_000_000:2_000_010]
        finally:
            os.close(file)
        for unknown in (blob_id, "../../etc/passwd"):
            with pytest.raises(errors.Missing):
                os.close(await blobs.open(unknown))

    engine(story)


def test_deleting_twice_is_no_error(engine: Engine) -> None:
    """Delete is idempotent."""

    async def story(blobs: Blobs) -> None:
        blob_id = await blobs.write(stream(b"x"))
        await blobs.delete(blob_id)
        await blobs.delete(blob_id)
        assert await ids(blobs) == set()

    engine(story)


def test_a_running_read_survives_deletion(engine: Engine) -> None:
    """A download that has begun gets all its bytes although the blob is deleted meanwhile."""

    async def story(blobs: Blobs) -> None:
        blob_id = await blobs.write(stream(BIG))
        reading = blobs.read(blob_id, 0, len(BIG))
        first = await anext(reading)
        await blobs.delete(blob_id)
        assert first + b"".join([piece async for piece in reading]) == BIG

    engine(story)


@pytest.mark.parametrize("before", [b"", b"x", BIG])
def test_a_stream_that_raises_leaves_nothing(engine: Engine, before: bytes) -> None:
    """The stream's own exception comes out, and no blob stays behind, at whatever byte it broke off."""

    async def broken() -> AsyncIterator[bytes]:
        yield before
        raise RuntimeError("the client is gone")

    async def story(blobs: Blobs) -> None:
        with pytest.raises(RuntimeError, match="the client is gone"):
            await blobs.write(broken())
        assert await ids(blobs) == set()

    engine(story)


def test_a_cancelled_write_leaves_nothing(engine: Engine) -> None:
    """A write whose caller goes away in the middle leaves no blob behind."""

    async def endless() -> AsyncIterator[bytes]:
        while True:
            await asyncio.sleep(0)
            yield BIG

    async def story(blobs: Blobs) -> None:
        writing = asyncio.create_task(_write(blobs, endless()))
        await asyncio.sleep(0.05)
        writing.cancel()
        with pytest.raises(asyncio.CancelledError):
            await writing
        assert await ids(blobs) == set()

    engine(story)


async def _write(blobs: Blobs, pieces: AsyncIterator[bytes]) -> str:
    return await blobs.write(pieces)


def test_ids_names_every_blob_once(engine: Engine) -> None:
    """ids() yields each blob once, with a time of writing that lies in the recent past."""

    async def story(blobs: Blobs) -> None:
        written = {await blobs.write(stream(bytes([number]))) for number in range(40)}
        listed = [pair async for pair in blobs.ids()]
        assert len(listed) == len(written) == 40
        assert {blob_id for blob_id, _ in listed} == written
        first = listed[0][1]
        assert all(abs(written_at_s - first) < 60 for _, written_at_s in listed) and first > 1_700_000_000

    engine(story)


def test_writes_at_once_do_not_mix(engine: Engine) -> None:
    """Streams written at the same time keep their bytes to themselves."""

    async def story(blobs: Blobs) -> None:
        wholes = [bytes([number]) * 1_500_000 for number in range(12)]
        blob_ids = await asyncio.gather(*[blobs.write(stream(w[:700_000], w[700_000:])) for w in wholes])
        for blob_id, whole in zip(blob_ids, wholes, strict=True):
            assert await read(blobs, blob_id, 0, len(whole)) == whole

    engine(story)
