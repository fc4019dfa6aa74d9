"""A copy of the database while others write: one snapshot of it, on disk when it is said to be.

SQLite's own online backup, pages at a time; the snapshot is held open, so that commits that happen meanwhile
neither show nor make it begin again. Also what such a copy names, for whoever copies the bytes.
"""

# Statements are joined from constants of the house, never from values.
# ruff: noqa: S608

import os
from collections.abc import Callable, Iterable, Iterator
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path

import apsw

from meiku import errors
from meiku.meta.connection import connect, create_file, meaning_of

_PAGES_AT_ONCE = 2000
_BLOBS = (
    "SELECT o.content_id, o.size_bytes, o.checksums, COALESCE(b.name, ''), o.key "
    "FROM objects o LEFT JOIN buckets b ON b.bucket_id = o.bucket_id WHERE o.content_kind = 'blob' "
    "UNION ALL SELECT p.content_id, p.size_bytes, p.checksums, COALESCE(b.name, ''), "
    "COALESCE(o.key, u.key, x'') FROM parts p LEFT JOIN uploads u ON u.upload_id = p.upload_id "
    "LEFT JOIN objects o ON o.content_id = p.upload_id "
    "LEFT JOIN buckets b ON b.bucket_id = COALESCE(o.bucket_id, u.bucket_id) WHERE p.content_kind = 'blob' "
    "AND NOT EXISTS (SELECT 1 FROM released_uploads r WHERE r.upload_id = p.upload_id)"
)
_TOTALS = (
    "SELECT (SELECT COUNT(*) FROM objects), COUNT(*), COALESCE(SUM(size_bytes), 0) "
    f"FROM (SELECT DISTINCT content_id, size_bytes FROM ({_BLOBS}))"
)
_IS_NAMED = (
    "SELECT 1 FROM objects WHERE content_id = $1 UNION ALL SELECT 1 FROM parts p WHERE content_id = $1 "
    "AND NOT EXISTS (SELECT 1 FROM released_uploads r WHERE r.upload_id = p.upload_id) LIMIT 1"
)
# What a copy of an older schema lacks, as it would be there: empty. Nothing is written into the copy.
_LACKING = "CREATE TEMP TABLE released_uploads (upload_id TEXT PRIMARY KEY)"


@dataclass(frozen=True, slots=True)
class NamedBlob:
    """A blob that a row names, and for which object."""

    blob_id: str
    size_bytes: int
    checksums: str
    bucket: str
    key: bytes


def copy_database(source: Path, target: Path, tell: Callable[[int, int], None]) -> None:
    """Copy a database that may be in use; `tell` is told pages done and of how many. Raises Full, Damaged."""
    for path in (target, *sidecars(target)):
        path.unlink(missing_ok=True)
    create_file(target)
    with closing(connect(source, query_only=True)) as reader, closing(apsw.Connection(str(target))) as writer:
        try:
            writer.execute("PRAGMA journal_mode = OFF; PRAGMA synchronous = OFF")
            _copy_pages(reader, writer, tell)
        except apsw.Error as error:
            raise meaning_of(error, writer) from error
    _sync(target)


def _copy_pages(reader: apsw.Connection, writer: apsw.Connection, tell: Callable[[int, int], None]) -> None:
    """Copy the snapshot that the reader holds from its first look on."""
    reader.execute("BEGIN; SELECT version FROM settings_version").fetchall()
    with writer.backup("main", reader, "main") as copying:
        while not copying.done:
            copying.step(_PAGES_AT_ONCE)
            tell(copying.page_count - copying.remaining, copying.page_count)
    reader.execute("COMMIT")


def sidecars(path: Path) -> list[Path]:
    """Name the files that SQLite keeps beside a database that is in use."""
    return [path.with_name(path.name + end) for end in ("-wal", "-shm", "-journal")]


def named_blobs(database: Path) -> Iterator[NamedBlob]:
    """Yield every blob that a copy's rows name; more than once where they do."""
    with closing(_open_copy(database)) as connection:
        for row in connection.execute(_BLOBS):
            yield NamedBlob(*row)


def totals(database: Path) -> tuple[int, int, int]:
    """Count a copy's objects, the blobs that its rows name, and those blobs' bytes."""
    with closing(_open_copy(database)) as connection:
        [row] = connection.execute(_TOTALS).fetchall()
    objects, blobs, size_bytes = (int(str(count)) for count in row)
    return objects, blobs, size_bytes


def unnamed(database: Path, blob_ids: Iterable[str]) -> Iterator[str]:
    """Yield those of these blobs that no row of a copy names."""
    with closing(_open_copy(database)) as connection:
        for blob_id in blob_ids:
            if not connection.execute(_IS_NAMED, (blob_id,)).fetchall():
                yield blob_id


def require_sound(database: Path) -> None:
    """Raise Damaged when a copy contradicts itself."""
    with closing(_open_copy(database)) as connection:
        faults = [row[0] for row in connection.execute("PRAGMA quick_check(3)") if row[0] != "ok"]
    if faults:
        raise errors.Damaged(f"the database contradicts itself: {'; '.join(map(str, faults))}")


def _open_copy(path: Path) -> apsw.Connection:
    """Open a copy that nobody else uses, without leaving a file beside it."""
    address = f"file:{_escaped(path)}?immutable=1"
    connection = apsw.Connection(address, flags=apsw.SQLITE_OPEN_READONLY | apsw.SQLITE_OPEN_URI)
    if not connection.table_exists("main", "released_uploads"):
        connection.execute(_LACKING)
    return connection


def _escaped(path: Path) -> str:
    return str(path.absolute()).replace("%", "%25").replace("?", "%3f").replace("#", "%23")


def _sync(path: Path) -> None:
    file = os.open(path, os.O_RDONLY)
    try:
        os.fsync(file)
    finally:
        os.close(file)
