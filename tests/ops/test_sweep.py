"""The sweep: what is deleted goes after its grace and not before, and what is in use never goes."""

import asyncio
import os
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass, replace
from pathlib import Path

import msgspec
import pytest

from meiku.blobs.files import FileBlobs, open_files
from meiku.blobs.room import Room
from meiku.config import Settings
from meiku.meta import Meta
from meiku.meta.buckets import add_bucket
from meiku.meta.objects import put_object, remove_object
from meiku.meta.parts import put_part
from meiku.meta.records import Content, KeyRecord, ObjectRecord, PartRecord, UploadRecord, UserRecord
from meiku.meta.released import referenced
from meiku.meta.sqlite import open_sqlite
from meiku.meta.uploads import abort_upload, add_upload, complete_upload, find_completed
from meiku.meta.users import add_key, add_user, find_key
from meiku.ops import sweep as sweep_module
from meiku.ops.ages import Ages
from meiku.ops.sweep import Before, sweep, sweep_forever

GRACE_S, ORPHAN_GRACE_S = 100.0, 1000.0
PIECE = b"p" * 50_000


async def stream() -> AsyncIterator[bytes]:
    yield PIECE


def an_object(blob_id: str, key: bytes = b"k") -> ObjectRecord:
    return ObjectRecord(key, len(PIECE), "e", 0, "me", "STANDARD", Content("blob", blob_id), "", "", "", None)


@dataclass
class House:
    """The two stores, a bucket in them, and a clock that a test sets."""

    folder: Path
    meta: Meta
    blobs: FileBlobs
    bucket_id: int
    now_s: float

    async def put(self, key: bytes = b"k") -> str:
        """Store an object and tell its blob."""
        blob_id = await self.blobs.write(stream())
        record = an_object(blob_id, key)
        await self.meta.write(put_object, self.bucket_id, record, None, None, self.now_ms())
        self.blobs.let_go(blob_id)
        return blob_id

    async def abandon(self) -> str:
        """Write a blob whose writer ends before any row names it."""
        blob_id = await self.blobs.write(stream())
        self.blobs.let_go(blob_id)
        return blob_id

    async def remove(self, key: bytes = b"k") -> None:
        await self.meta.write(remove_object, self.bucket_id, key, None, self.now_ms())

    async def sweep_after(self, seconds: float) -> int:
        now_s = self.now_s + seconds
        return await sweep(self.meta, self.blobs, Before(now_s - GRACE_S, now_s - ORPHAN_GRACE_S), now_s)

    def now_ms(self) -> int:
        return int(self.now_s * 1000)

    def files(self) -> set[str]:
        return {path.name for path in (self.folder / "blobs").rglob("*") if path.is_file()}


def in_a_house(folder: Path, story: Callable[[House], Awaitable[None]]) -> None:
    """Run a test's story on stores of its own."""

    async def run() -> None:
        meta, blobs = await open_sqlite(folder / "meta.sqlite3"), await open_files(folder)
        bucket = await meta.write(add_bucket, "bucket", "me", 0, "here", {})
        await story(House(folder, meta, blobs, bucket.bucket_id, time.time()))
        await meta.close()
        await blobs.close()

    asyncio.run(run())


def test_deleted_bytes_stay_for_the_grace_and_go_after_it(tmp_path: Path) -> None:
    """A blob that was released is there until the grace is over, then removed, once."""

    async def story(house: House) -> None:
        blob_id = await house.put()
        await house.remove()
        assert await house.sweep_after(GRACE_S - 1) == 0
        assert house.files() == {blob_id}
        assert await house.sweep_after(GRACE_S + 1) == 1
        assert house.files() == set()
        assert await house.sweep_after(GRACE_S + 2) == 0

    in_a_house(tmp_path, story)


def test_replaced_bytes_go_and_the_new_ones_stay(tmp_path: Path) -> None:
    """Replacing an object releases the former blob only."""

    async def story(house: House) -> None:
        await house.put()
        second = await house.put()
        assert await house.sweep_after(GRACE_S + 1) == 1
        assert house.files() == {second}

    in_a_house(tmp_path, story)


def test_a_blob_without_a_row_goes_after_its_own_grace(tmp_path: Path) -> None:
    """What a crash left goes; what is younger than its grace may still be waiting for its row, and stays."""

    async def story(house: House) -> None:
        kept = await house.put()
        orphan = await house.abandon()
        assert await house.sweep_after(ORPHAN_GRACE_S - 10) == 0
        assert house.files() == {kept, orphan}
        assert await house.sweep_after(ORPHAN_GRACE_S + 10) == 1
        assert house.files() == {kept}

    in_a_house(tmp_path, story)


def test_a_blob_being_written_is_never_swept(tmp_path: Path) -> None:
    """However late the sweep thinks it is, bytes that are still arriving arrive."""

    async def story(house: House) -> None:
        go_on = asyncio.Event()

        async def slow() -> AsyncIterator[bytes]:
            yield PIECE * 40
            await go_on.wait()
            yield PIECE

        writing = asyncio.ensure_future(house.blobs.write(slow()))
        while not any(path.stat().st_size for path in (tmp_path / "incoming").iterdir()):
            await asyncio.sleep(0.01)
        assert await house.sweep_after(10 * ORPHAN_GRACE_S) == 0
        go_on.set()
        blob_id = await writing
        read = b"".join([piece async for piece in house.blobs.read(blob_id, 0, 41 * len(PIECE))])
        assert read == PIECE * 41

    in_a_house(tmp_path, story)


def test_a_blob_whose_writer_stands_still_is_kept(tmp_path: Path) -> None:
    """However long a commit waits, and whatever the clock says: what its writer holds is nobody's orphan."""

    async def story(house: House) -> None:
        other = FileBlobs(tmp_path, Room(tmp_path))  # as another worker sees them
        waiting = await other.write(stream())
        os.utime(house.folder / "blobs" / waiting[:2] / waiting, (0, 0))
        assert await house.sweep_after(1000 * ORPHAN_GRACE_S) == 0
        record = an_object(waiting)
        await house.meta.write(put_object, house.bucket_id, record, None, None, house.now_ms())
        other.let_go(waiting)
        assert await house.sweep_after(1000 * ORPHAN_GRACE_S) == 0
        assert house.files() == {waiting}
        await other.close()

    in_a_house(tmp_path, story)


def test_no_setting_lets_the_sweep_take_a_blob_that_waits_for_its_row(tmp_path: Path) -> None:
    """With no grace at all for deleted bytes, a blob whose row is not committed yet is still spared."""

    async def story(house: House) -> None:
        released = await house.put(b"gone")
        house.now_s -= 7200
        await house.remove(b"gone")
        waiting, orphan = [await house.abandon() for _ in range(2)]
        os.utime(house.folder / "blobs" / orphan[:2] / orphan, (0, 0))
        settings = replace(Settings(data_folder=tmp_path), blob_grace_s=0.0, sweep_interval_s=1.0)
        # A process that has watched for long, and since when the wall clock has been an hour behind.
        behind = Ages(ORPHAN_GRACE_S, lambda: time.time() - 3600, lambda: 10_000 * time.monotonic())
        sweeping = asyncio.ensure_future(sweep_forever(house.meta, house.blobs, settings, ages=behind))
        while {released, orphan} & house.files():
            await asyncio.sleep(0.01)
        assert house.files() == {waiting}
        await house.meta.write(put_object, house.bucket_id, an_object(waiting), None, None, house.now_ms())
        sweeping.cancel()

    in_a_house(tmp_path, story)


def test_a_sweep_that_fails_is_tried_again(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """One failure does not end the sweeping for good."""
    calls: list[int] = []

    async def failing(*_: object) -> int:
        calls.append(1)
        if len(calls) == 1:
            raise OSError("the disk coughed")
        raise asyncio.CancelledError

    async def story(house: House) -> None:
        settings = replace(Settings(data_folder=tmp_path), sweep_interval_s=1.0)
        with pytest.raises(asyncio.CancelledError):
            await sweep_forever(house.meta, house.blobs, settings)
        assert len(calls) == 2

    monkeypatch.setattr(sweep_module, "sweep", failing)
    in_a_house(tmp_path, story)


def test_a_completed_upload_keeps_its_parts_and_loses_the_others(tmp_path: Path) -> None:
    """Parts that became an object stay, a part that was left out goes; the end is known for a week."""

    async def story(house: House) -> None:
        upload = UploadRecord(
            "u1", house.bucket_id, b"m", 0, "me", "me", "STANDARD", "", "", None, None, None
        )
        await house.meta.write(add_upload, upload)
        blob_ids = [await house.blobs.write(stream()) for _ in range(2)]
        for number, blob_id in enumerate(blob_ids, 1):
            part = PartRecord("u1", number, len(PIECE), f"e{number}", house.now_ms(), "blob", blob_id, "", 0)
            await house.meta.write(put_part, "u1", part, None)
            house.blobs.let_go(blob_id)
        record = msgspec.structs.replace(an_object("", b"m"), content=Content("parts", "u1"))
        await house.meta.write(complete_upload, "u1", record, [(1, "e1", 0)], None, house.now_ms())
        assert await house.sweep_after(ORPHAN_GRACE_S + 10) == 1
        assert house.files() == {blob_ids[0]}
        assert await house.meta.read(find_completed, "u1") is not None
        await house.sweep_after(8 * 24 * 3600)
        assert await house.meta.read(find_completed, "u1") is None
        assert house.files() == {blob_ids[0]}

    in_a_house(tmp_path, story)


def test_an_upload_that_was_given_up_goes_whole_after_the_grace(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """All its parts stay for the grace, however many pages they are, and none is an orphan meanwhile."""

    async def story(house: House) -> None:
        upload = UploadRecord(
            "u1", house.bucket_id, b"m", 0, "me", "me", "STANDARD", "", "", None, None, None
        )
        await house.meta.write(add_upload, upload)
        blob_ids = [await house.blobs.write(stream()) for _ in range(5)]
        for number, blob_id in enumerate(blob_ids, 1):
            part = PartRecord("u1", number, len(PIECE), f"e{number}", house.now_ms(), "blob", blob_id, "", 0)
            await house.meta.write(put_part, "u1", part, None)
            house.blobs.let_go(blob_id)
            os.utime(house.folder / "blobs" / blob_id[:2] / blob_id, (0, 0))
        assert await house.meta.write(abort_upload, "u1", house.now_ms())
        assert await house.sweep_after(GRACE_S - 1) == 0
        assert await house.meta.read(referenced, blob_ids) == house.files() == set(blob_ids)
        assert await house.sweep_after(GRACE_S + 1) == 5
        assert await house.meta.read(referenced, blob_ids) == house.files() == set()

    monkeypatch.setattr(sweep_module, "PARTS_AT_ONCE", 2)
    in_a_house(tmp_path, story)


def test_temporary_keys_that_ended_are_forgotten(tmp_path: Path) -> None:
    """A key pair past its end goes with the sweep; one without an end stays."""

    async def story(house: House) -> None:
        await house.meta.write(add_user, UserRecord("me", "me", "", 0, active=True))
        ended, lasting = int(house.now_s) - 1, None
        for name, end_s in (("ended", ended), ("lasting", lasting)):
            key = KeyRecord(
                name, "secret-secret", "me", 0, active=True, session_token=None, expires_at_s=end_s
            )
            await house.meta.write(add_key, key)
        await house.sweep_after(GRACE_S + 10)
        assert await house.meta.read(find_key, "ended") is None
        assert await house.meta.read(find_key, "lasting") is not None

    in_a_house(tmp_path, story)
