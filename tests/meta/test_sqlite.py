"""What only the SQLite driver promises: one wait for the disk for many, several processes, and no loss."""

import asyncio
import os
import signal
import stat
import subprocess
import sys
import textwrap
import threading
from pathlib import Path

import apsw
import pytest

from meiku import errors
from meiku.meta import buckets, objects, users
from meiku.meta.connection import create_file
from meiku.meta.records import EMPTY, ObjectRecord, UserRecord
from meiku.meta.results import results_bytes
from meiku.meta.schema import MIGRATIONS
from meiku.meta.sqlite import migrate, open_sqlite
from meiku.meta.transaction import Statement, Transaction
from meiku.meta.turn import Turn

PRELUDE = """
import asyncio, pathlib, sys
from meiku import errors
from meiku.meta import buckets, objects, users
from meiku.meta.records import *
from meiku.meta.sqlite import open_sqlite
path, name = pathlib.Path(sys.argv[1]), sys.argv[2]
def record(key): return ObjectRecord(key, 1, "e", 0, "u", "STANDARD", EMPTY)
"""


def record(key: bytes) -> ObjectRecord:
    return ObjectRecord(key, 1, "e", 0, "u", "STANDARD", EMPTY)


def process(script: str, path: Path, name: str = "") -> subprocess.Popen[str]:
    return subprocess.Popen(
        [sys.executable, "-c", PRELUDE + textwrap.dedent(script), str(path), name],
        stdout=subprocess.PIPE,
        text=True,
    )


def keys() -> Transaction[set[bytes]]:
    rows = yield Statement("SELECT key FROM objects")
    return {row[0] for row in rows}


def tables(path: Path) -> list[str]:
    connection = apsw.Connection(str(path))
    names = [
        str(name) for (name,) in connection.execute("SELECT name FROM sqlite_schema WHERE type = 'table'")
    ]
    connection.close()
    return names


def test_many_writers_share_few_commits(tmp_path: Path) -> None:
    """A hundred transactions that wait together cost a handful of waits for the disk, not a hundred."""

    async def story() -> None:
        meta = await open_sqlite(tmp_path / "meta.sqlite")
        bucket = await meta.write(buckets.add_bucket, "b", "u", 0, "", {})
        other = apsw.Connection(str(tmp_path / "meta.sqlite"))
        commits: set[object] = set()

        async def one(number: int) -> None:
            await meta.write(objects.put_object, bucket.bucket_id, record(b"%d" % number), b"x", None, 0)
            commits.add(other.pragma("data_version"))

        await asyncio.gather(*[one(number) for number in range(100)])
        assert len(await meta.read(keys)) == 100
        assert 1 <= len(commits) <= 10
        other.close()
        await meta.close()

    asyncio.run(story())


def test_close_finishes_what_waits(tmp_path: Path) -> None:
    """Writes that were asked for before the store closes are carried out and answered."""

    async def story() -> None:
        meta = await open_sqlite(tmp_path / "meta.sqlite")
        bucket = await meta.write(buckets.add_bucket, "b", "u", 0, "", {})
        waiting = [
            asyncio.create_task(
                _put(meta.write(objects.put_object, bucket.bucket_id, record(b"%d" % n), None, None, 0))
            )
            for n in range(700)
        ]
        await asyncio.sleep(0)
        await meta.close()
        assert len(await asyncio.gather(*waiting)) == 700
        again = await open_sqlite(tmp_path / "meta.sqlite")
        assert len(await again.read(keys)) == 700
        await again.close()

    asyncio.run(story())


async def _put(write: object) -> object:
    return await write  # type: ignore[misc]


def test_a_cancelled_caller_harms_nobody(tmp_path: Path) -> None:
    """Callers that go away while their write waits do not stop the writer or its other answers."""

    async def story() -> None:
        meta = await open_sqlite(tmp_path / "meta.sqlite")
        bucket = await meta.write(buckets.add_bucket, "b", "u", 0, "", {})
        tasks = [
            asyncio.create_task(
                _put(meta.write(objects.put_object, bucket.bucket_id, record(b"%d" % n), None, None, 0))
            )
            for n in range(40)
        ]
        await asyncio.sleep(0)
        for task in tasks[::2]:
            task.cancel()
        answers = await asyncio.gather(*tasks, return_exceptions=True)
        assert all(isinstance(answer, ObjectRecord) for answer in answers[1::2])
        assert all(isinstance(answer, asyncio.CancelledError) for answer in answers[::2])
        await meta.close()

    asyncio.run(story())


def test_one_that_fails_half_done_is_undone_alone(tmp_path: Path) -> None:
    """Of a group that commits together, what failed leaves nothing behind, and the others are all there."""

    def half(bucket_id: int, key: bytes) -> Transaction[None]:
        yield from objects.put_object(bucket_id, record(key), b"x", None, 0)
        raise errors.Unmet(None)

    async def story() -> None:
        meta = await open_sqlite(tmp_path / "meta.sqlite")
        bucket = await meta.write(buckets.add_bucket, "b", "u", 0, "", {})
        writes = [
            meta.write(half, bucket.bucket_id, b"%d" % n)
            if n % 3 == 1
            else meta.write(objects.put_object, bucket.bucket_id, record(b"%d" % n), b"x", None, 0)
            for n in range(9)
        ]
        answers = await asyncio.gather(*writes, return_exceptions=True)
        assert [isinstance(answer, errors.Unmet) for answer in answers] == [n % 3 == 1 for n in range(9)]
        assert await meta.read(keys) == {b"0", b"2", b"3", b"5", b"6", b"8"}
        await meta.close()

    asyncio.run(story())


def test_a_reading_flow_cannot_write(tmp_path: Path) -> None:
    """A statement that writes is refused on the reading side, and the next read works."""

    async def story() -> None:
        meta = await open_sqlite(tmp_path / "meta.sqlite")
        with pytest.raises(apsw.ReadOnlyError):
            await meta.read(users.add_user, UserRecord("u", "n", "", 0, True))
        assert await meta.read(users.list_users) == []
        await meta.close()

    asyncio.run(story())


def test_two_processes_write_at_once(tmp_path: Path) -> None:
    """Writers of two processes interleave: all succeed, none starves, nobody sees a busy database."""
    script = """
    async def main():
        meta = await open_sqlite(path)
        bucket = await meta.read(buckets.find_bucket, "b")
        async def one(number):
            key = f"{name}-{number}".encode()
            await meta.write(objects.put_object, bucket.bucket_id, record(key), b"x", None, 0)
        print("ready", flush=True)
        for start in range(0, 400, 8):
            await asyncio.gather(*[one(number) for number in range(start, start + 8)])
        await meta.close()
    asyncio.run(main())
    """

    async def story() -> None:
        path = tmp_path / "meta.sqlite"
        meta = await open_sqlite(path)
        await meta.write(buckets.add_bucket, "b", "u", 0, "", {})
        writers = [process(script, path, name) for name in ("one", "two")]
        assert [await asyncio.to_thread(writer.wait, 60) for writer in writers] == [0, 0]
        for writer in writers:
            writer.communicate()
        expected = {f"{name}-{number}".encode() for name in ("one", "two") for number in range(400)}
        assert await meta.read(keys) == expected
        await meta.close()

    asyncio.run(story())


def test_a_write_waits_for_its_turn_and_reads_do_not(tmp_path: Path) -> None:
    """While another process has the turn to write, writes wait in line without failing, and reads go on."""

    async def story() -> None:
        meta = await open_sqlite(tmp_path / "meta.sqlite")
        other = Turn(tmp_path / "write.lock")
        with other:
            writing = asyncio.create_task(_put(meta.write(users.add_user, UserRecord("u", "n", "", 0, True))))
            await asyncio.sleep(0.1)
            assert not writing.done()
            assert await meta.read(users.list_users) == []
        await asyncio.wait_for(writing, 10)
        assert len(await meta.read(users.list_users)) == 1
        other.close()
        await meta.close()

    asyncio.run(story())


def test_the_version_sees_other_processes(tmp_path: Path) -> None:
    """A key added by another process moves the version here, before anything else happens here."""
    script = """
    async def main():
        meta = await open_sqlite(path)
        await meta.write(users.add_user, UserRecord("u", "ann", "", 0, True))
        await meta.close()
    asyncio.run(main())
    """

    async def story() -> None:
        path = tmp_path / "meta.sqlite"
        meta = await open_sqlite(path)
        before = meta.version()
        with process(script, path) as other:
            assert await asyncio.to_thread(other.wait, 60) == 0
        assert meta.version() != before
        assert await meta.read(users.find_user, "u") is not None
        await meta.close()

    asyncio.run(story())


@pytest.mark.parametrize("answers_before_the_kill", [1, 200, 900])
def test_a_killed_process_loses_nothing_it_answered(tmp_path: Path, answers_before_the_kill: int) -> None:
    """After SIGKILL in the midst of commits every answered write is there, whole, and writing goes on."""
    script = """
    async def main():
        meta = await open_sqlite(path)
        bucket = await meta.write(buckets.add_bucket, "b", "u", 0, "", {})
        async def keep_writing(writer):
            number = 0
            while True:
                key = f"{writer}-{number}".encode()
                await meta.write(objects.put_object, bucket.bucket_id, record(key), key * 100, None, 0)
                print(key.decode(), flush=True)
                number += 1
        await asyncio.gather(*[keep_writing(writer) for writer in range(8)])
    asyncio.run(main())
    """
    path = tmp_path / "meta.sqlite"
    answered: list[str] = []
    with process(script, path) as victim:
        assert victim.stdout is not None
        while len(answered) < answers_before_the_kill:
            answered.append(victim.stdout.readline().strip())
        os.kill(victim.pid, signal.SIGKILL)
        # Not communicate(): it would pass over what the line reader has taken already, and cut a line in two.
        rest = victim.stdout.read()
        answered += [line for line in rest.splitlines(keepends=True) if line.endswith("\n")]

    async def story() -> None:
        meta = await open_sqlite(path)
        bucket = await meta.read(buckets.find_bucket, "b")
        assert bucket is not None
        for line in answered:
            key = line.strip().encode()
            found = await meta.read(objects.find_object_with_bytes, bucket.bucket_id, key)
            assert found is not None, key
            assert found[1] == key * 100
        await meta.write(objects.put_object, bucket.bucket_id, record(b"after"), b"x", None, 0)
        await meta.close()

    asyncio.run(story())


def test_no_room_is_full_and_reads_go_on(tmp_path: Path) -> None:
    """When the disk takes no more, writes raise Full, what was stored is read, and room helps at once."""
    script = """
    import resource
    async def main():
        meta = await open_sqlite(path)
        bucket = await meta.write(buckets.add_bucket, "b", "u", 0, "", {})
        await meta.write(objects.put_object, bucket.bucket_id, record(b"kept"), b"kept", None, 0)
        resource.setrlimit(resource.RLIMIT_FSIZE, (600_000, resource.RLIM_INFINITY))
        answers = await asyncio.gather(
            *[meta.write(objects.put_object, bucket.bucket_id, record(b"%d" % n), bytes(200_000), None, 0)
              for n in range(5)], return_exceptions=True)
        assert any(isinstance(answer, errors.Full) for answer in answers), answers
        assert all(isinstance(answer, (errors.Full, ObjectRecord)) for answer in answers), answers
        found = await meta.read(objects.find_object_with_bytes, bucket.bucket_id, b"kept")
        assert found[1] == b"kept"
        for n, answer in enumerate(answers):
            stored = await meta.read(objects.find_object, bucket.bucket_id, b"%d" % n)
            assert (stored is not None) == isinstance(answer, ObjectRecord)
        resource.setrlimit(resource.RLIMIT_FSIZE, (resource.RLIM_INFINITY, resource.RLIM_INFINITY))
        await meta.write(objects.put_object, bucket.bucket_id, record(b"late"), bytes(200_000), None, 0)
        await meta.close()
        print("done")
    asyncio.run(main())
    """
    with process(script, tmp_path / "meta.sqlite") as done:
        output, _ = done.communicate(timeout=60)
    assert output.strip() == "done" and done.returncode == 0


def test_the_database_is_for_its_owner_only(tmp_path: Path) -> None:
    """The database, its log and the lock are 0600, and a folder made for them is 0700: secrets lie there."""

    async def story() -> None:
        meta = await open_sqlite(tmp_path / "data" / "meta.sqlite")
        await meta.write(users.add_user, UserRecord("u", "n", "", 0, True))
        files = list((tmp_path / "data").iterdir())
        assert {file.name for file in files} >= {"meta.sqlite", "meta.sqlite-wal", "write.lock"}
        assert {stat.S_IMODE(file.stat().st_mode) for file in files} == {0o600}
        assert stat.S_IMODE((tmp_path / "data").stat().st_mode) == 0o700
        await meta.close()

    umask = os.umask(0)
    try:
        asyncio.run(story())
    finally:
        os.umask(umask)


def test_a_newer_schema_is_refused(tmp_path: Path) -> None:
    """A database from a newer program is not touched, and the error says what to do."""
    path = tmp_path / "meta.sqlite"

    async def story() -> None:
        await (await open_sqlite(path)).close()
        connection = apsw.Connection(str(path))
        connection.pragma("user_version", len(MIGRATIONS) + 1)
        connection.close()
        with pytest.raises(errors.StateError, match="newer"):
            await open_sqlite(path)

    asyncio.run(story())


def test_a_migration_happens_whole_or_not_at_all(tmp_path: Path) -> None:
    """A step that fails takes back the steps before it; once it is mended, all are taken once."""
    path = tmp_path / "meta.sqlite"
    steps = ("CREATE TABLE one (x) ; INSERT INTO one VALUES (1)", "CREATE TABLE two (x) ; SELECT nonsense")
    connection = apsw.Connection(str(path))
    with pytest.raises(apsw.SQLError):
        migrate(connection, steps)
    assert tables(path) == [] and connection.pragma("user_version") == 0
    mended = (steps[0], "CREATE TABLE two (x)")
    for _ in range(2):
        migrate(connection, mended)
    assert sorted(tables(path)) == ["one", "two"] and connection.pragma("user_version") == 2
    assert connection.execute("SELECT COUNT(*) FROM one").fetchall() == [(1,)]
    connection.close()


def test_a_data_folder_of_before_is_counted(tmp_path: Path) -> None:
    """A database whose objects and results were never counted is opened, and the counts are what it holds."""
    path = tmp_path / "meta.sqlite"
    create_file(path)
    connection = apsw.Connection(str(path))
    migrate(connection, MIGRATIONS[:4])
    for bucket_id in (1, 2):
        connection.execute("INSERT INTO buckets VALUES (?, 'b' || ?, 'u', 1, '')", (bucket_id, bucket_id))
    for number in range(3):
        connection.execute(
            "INSERT INTO results VALUES (?, 1, x'6b', 'e', 1, 'image/png', 70, 1, NULL, x'00')",
            (str(number),),
        )
        connection.execute(
            "INSERT INTO objects VALUES (1, ?, 100, 'e', 1, 'u', '', 'empty', NULL, NULL, '', '', '', NULL)",
            (b"%d" % number,),
        )
    connection.close()

    async def story() -> None:
        for objects_held in (3, 4):
            meta = await open_sqlite(path)
            assert await meta.read(results_bytes) == 210
            assert await meta.read(buckets.bucket_usage, 1) == (objects_held, 300)
            assert await meta.read(buckets.bucket_usage, 2) == (0, 0)
            empty = ObjectRecord(b"new", 0, "e", 1, "u", "", EMPTY)
            await meta.write(objects.put_object, 1, empty, None, None, 0)
            await meta.close()

    asyncio.run(story())


HEAVY = "WITH RECURSIVE n(x) AS (SELECT 1 UNION ALL SELECT x + 1 FROM n WHERE x < 1000000) "


@pytest.mark.parametrize(
    "heavy",
    [
        HEAVY + "SELECT COUNT(*) FROM n",
        HEAVY + "INSERT INTO released_inline SELECT x, 1 FROM n WHERE x > 999990",
    ],
)
def test_what_turns_out_to_be_long_leaves_the_loop(tmp_path: Path, heavy: str) -> None:
    """A transaction that is long, which nobody said, is undone on the loop and done in the thread, once."""
    ran_in: list[int] = []

    def turns_out_long() -> Transaction[None]:
        ran_in.append(threading.get_ident())
        yield Statement("INSERT INTO released_blobs VALUES ('first', 1)")
        yield Statement(heavy)

    def short() -> Transaction[None]:
        yield Statement("INSERT INTO released_blobs VALUES ('short', 1)")

    async def story() -> None:
        meta = await open_sqlite(tmp_path / "meta.sqlite")
        await asyncio.gather(meta.write(short), meta.write(turns_out_long))
        assert len(ran_in) == 2
        assert ran_in[0] == threading.get_ident() != ran_in[1]
        assert await meta.read(released_blobs) == ["first", "short"]
        await meta.close()

    asyncio.run(story())


def released_blobs() -> Transaction[list[str]]:
    rows = yield Statement("SELECT blob_id FROM released_blobs ORDER BY blob_id")
    return [row[0] for row in rows]
