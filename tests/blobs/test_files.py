"""What only the files engine promises: durability in order, no leftovers, room that ends, files closed."""

import asyncio
import errno
import os
import resource
import stat
import subprocess
import sys
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from meiku import errors
from meiku.blobs.copying import BlobCopies
from meiku.blobs.files import FileBlobs, open_files

PIECE = b"p" * 300_000


async def stream(count: int = 1) -> AsyncIterator[bytes]:
    for _ in range(count):
        yield PIECE


def files_in(folder: Path) -> list[Path]:
    return [path for path in folder.rglob("*") if path.is_file()]


def open_files_of_this_process(folder: Path) -> int:
    links = Path("/proc/self/fd").iterdir()
    return sum(str(folder) in os.path.realpath(link) for link in links if link.is_symlink())


def test_a_blob_lies_under_its_first_two_digits_for_its_owner_only(tmp_path: Path) -> None:
    """The path follows from the id, the file is 0600 and the folders are 0700."""

    async def story() -> None:
        blobs = await open_files(tmp_path / "data")
        blob_id = await blobs.write(stream())
        path = tmp_path / "data" / "blobs" / blob_id[:2] / blob_id
        assert path.read_bytes() == PIECE
        assert stat.S_IMODE(path.stat().st_mode) == 0o600
        folders = [tmp_path / "data", path.parent, path.parent.parent, tmp_path / "data" / "incoming"]
        assert {stat.S_IMODE(folder.stat().st_mode) for folder in folders} == {0o700}
        await blobs.close()

    asyncio.run(story())


def test_bytes_are_on_disk_before_the_name_and_the_name_before_the_answer(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The order is fdatasync, rename, fsync of the folder; any other order loses data in a power cut."""
    steps: list[str] = []
    fdatasync, rename, fsync = os.fdatasync, Path.rename, os.fsync

    def note_fdatasync(file: int) -> None:
        steps.append("fdatasync")
        fdatasync(file)

    def note_fsync(file: int) -> None:
        steps.append("fsync")
        fsync(file)

    def note_rename(path: Path, target: Path) -> Path:
        steps.append("rename")
        return rename(path, target)

    async def story() -> None:
        blobs = await open_files(tmp_path)
        monkeypatch.setattr(os, "fdatasync", note_fdatasync)
        monkeypatch.setattr(Path, "rename", note_rename)
        monkeypatch.setattr(os, "fsync", note_fsync)
        await blobs.write(stream(5))
        steps.append("answer")
        await blobs.close()

    asyncio.run(story())
    assert steps == ["fdatasync", "rename", "fsync", "answer"]


@pytest.mark.parametrize("call", ["fdatasync", "fsync"])
def test_a_failing_sync_fails_the_write_and_leaves_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, call: str
) -> None:
    """An I/O error of either sync is raised, never swallowed, and no file stays."""

    def fail(_: int) -> None:
        raise OSError(errno.EIO, "disk on fire")

    async def story() -> None:
        blobs = await open_files(tmp_path)
        monkeypatch.setattr(os, call, fail)
        with pytest.raises(OSError, match="disk on fire"):
            await blobs.write(stream(5))
        await blobs.close()

    asyncio.run(story())
    assert files_in(tmp_path) == []


@pytest.mark.parametrize("code", [errno.ENOSPC, errno.EDQUOT])
def test_no_room_is_full_and_leaves_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, code: int
) -> None:
    """A full disk and a used-up quota both raise Full, and what was written of the blob is removed."""

    def fail(file: int, block: memoryview) -> int:
        raise OSError(code, "no room")

    async def story() -> None:
        blobs = await open_files(tmp_path)
        kept = await blobs.write(stream())
        monkeypatch.setattr(os, "write", fail)
        with pytest.raises(errors.Full):
            await blobs.write(stream(8))
        assert [path.name for path in files_in(tmp_path)] == [kept]
        await blobs.close()

    asyncio.run(story())


def test_a_real_limit_is_full(tmp_path: Path) -> None:
    """Writing beyond what the kernel allows raises Full in a real process; a smaller blob still fits."""
    script = (
        "import asyncio, resource, pathlib, sys\n"
        "from meiku import errors\n"
        "from meiku.blobs.files import open_files\n"
        "resource.setrlimit(resource.RLIMIT_FSIZE, (2_000_000, 2_000_000))\n"
        "async def stream(count):\n"
        "    for _ in range(count): yield b'x' * 500_000\n"
        "async def main():\n"
        "    blobs = await open_files(pathlib.Path(sys.argv[1]))\n"
        "    try: await blobs.write(stream(6))\n"
        "    except errors.Full: print('full')\n"
        "    print(len(await blobs.write(stream(3))))\n"
        "    await blobs.close()\n"
        "asyncio.run(main())\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", script, str(tmp_path)], capture_output=True, text=True, timeout=60, check=True
    )
    assert done.stdout.split() == ["full", "32"]
    assert [path.stat().st_size for path in files_in(tmp_path)] == [1_500_000]


def test_a_write_in_pieces_survives_short_writes(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The kernel may take less than it is given: nothing is lost or doubled."""
    write = os.write

    def short(file: int, block: memoryview) -> int:
        return write(file, block[:100_001])

    async def story() -> None:
        blobs = await open_files(tmp_path)
        monkeypatch.setattr(os, "write", short)
        blob_id = await blobs.write(stream(7))
        assert (tmp_path / "blobs" / blob_id[:2] / blob_id).read_bytes() == PIECE * 7
        await blobs.close()

    asyncio.run(story())


def test_a_read_left_early_closes_its_file(tmp_path: Path) -> None:
    """A client that goes away costs no file descriptor, whether the read was begun, ended or abandoned."""

    async def story() -> None:
        blobs = await open_files(tmp_path)
        blob_id = await blobs.write(stream(10))
        before = open_files_of_this_process(tmp_path)
        for _ in range(3):
            reading = blobs.read(blob_id, 0, 3_000_000)
            await anext(reading)
            assert open_files_of_this_process(tmp_path) == before + 1
            await reading.aclose()
            assert open_files_of_this_process(tmp_path) == before
        await blobs.close()

    asyncio.run(story())


def test_a_read_cancelled_while_opening_closes_its_file(tmp_path: Path) -> None:
    """A cancellation that overtakes the opening thread leaks no descriptor."""

    async def story() -> None:
        blobs = await open_files(tmp_path)
        blob_ids = [await blobs.write(stream()) for _ in range(30)]
        for blob_id in blob_ids:
            task = asyncio.create_task(_first(blobs, blob_id))
            await asyncio.sleep(0)
            task.cancel()
            await asyncio.gather(task, return_exceptions=True)
        await blobs.close()
        assert open_files_of_this_process(tmp_path) == 0

    asyncio.run(story())


async def _first(blobs: FileBlobs, blob_id: str) -> bytes:
    return await anext(blobs.read(blob_id, 0, 10))


def test_reads_go_on_where_the_kernel_cannot_peek(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Without reading-without-waiting, and for what is not in memory, a thread reads the same bytes."""
    reasons = iter([BlockingIOError(errno.EAGAIN, "cold"), OSError(errno.EOPNOTSUPP, "unknown")])
    asked: list[int] = []

    def refuse(file: int, buffers: list[bytearray], position: int, flags: int) -> int:
        asked.append(position)
        raise next(reasons)

    async def story() -> None:
        blobs = await open_files(tmp_path)
        blob_id = await blobs.write(stream(8))
        monkeypatch.setattr(os, "preadv", refuse)
        assert b"".join([piece async for piece in blobs.read(blob_id, 0, 2_400_000)]) == PIECE * 8
        assert len(asked) == 2
        await blobs.close()

    asyncio.run(story())


def test_opening_removes_only_what_nobody_writes(tmp_path: Path) -> None:
    """What a killed process left goes when the store opens; what another process is writing stays."""

    async def story() -> None:
        writing = await open_files(tmp_path)
        go_on = asyncio.Event()

        async def slow() -> AsyncIterator[bytes]:
            async for piece in stream(8):
                yield piece
            await go_on.wait()

        blob = asyncio.ensure_future(writing.write(slow()))
        while not any(path.stat().st_size for path in files_in(tmp_path)):
            await asyncio.sleep(0.01)
        growing = files_in(tmp_path)
        (tmp_path / "incoming" / ("a" * 32)).write_bytes(b"half")
        await (await open_files(tmp_path)).close()
        assert files_in(tmp_path) == growing
        go_on.set()
        blob_id = await blob
        assert [path.name for path in files_in(tmp_path / "blobs")] == [blob_id]
        await writing.close()

    asyncio.run(story())


def test_memory_stays_flat_while_a_large_blob_passes(tmp_path: Path) -> None:
    """Writing and reading 200 MB holds a few pieces in memory, not the blob."""

    async def story() -> None:
        blobs = await open_files(tmp_path)
        blob_id = await blobs.write(stream(20))
        before_kib = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
        blob_id = await blobs.write(stream(700))
        async for _ in blobs.read(blob_id, 0, 210_000_000):
            pass
        assert resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before_kib < 30_000
        await blobs.close()

    asyncio.run(story())


def test_a_blob_is_held_until_it_is_let_go(tmp_path: Path) -> None:
    """A written blob is locked against every other process; letting go leaves no file open."""

    async def story() -> None:
        blobs, other = await open_files(tmp_path), await open_files(tmp_path)
        blob_id = await blobs.write(stream())
        assert not await other.try_hold(blob_id)
        assert not await blobs.try_hold(blob_id)
        blobs.let_go(blob_id)
        assert await other.try_hold(blob_id)
        other.let_go(blob_id)
        other.let_go(blob_id)
        assert not await other.try_hold("0" * 32)
        assert open_files_of_this_process(tmp_path) == 0
        await blobs.close()
        await other.close()

    asyncio.run(story())


def test_a_copy_leaves_no_file_open(tmp_path: Path) -> None:
    """However many blobs are copied, none of them stays open, or locked."""

    async def story() -> None:
        blobs = await open_files(tmp_path / "data")
        blob_ids = [await blobs.write(stream()) for _ in range(3)]
        for blob_id in blob_ids:
            blobs.let_go(blob_id)
        copies = BlobCopies(tmp_path / "data", tmp_path / "backup", link=False)
        assert [copies.copy(blob_id, lambda _: None) for blob_id in blob_ids] == [False] * 3
        assert open_files_of_this_process(tmp_path) == 0
        await blobs.close()

    asyncio.run(story())
