"""One SQLite connection: how it is opened, how it runs a transaction, what its errors mean.

Knows the engine and nothing of the house's nouns. The database file is never opened but through SQLite:
closing any other descriptor of it would drop the locks that SQLite holds in this process.
"""

import errno
import os
from collections.abc import Callable
from pathlib import Path
from typing import TypeVar
from urllib.parse import quote

import apsw

from meiku import errors
from meiku.folders import is_read_only, make_folder, sync_folder
from meiku.meta.transaction import Transaction

T = TypeVar("T")
_NO_ROOM = frozenset({errno.ENOSPC, errno.EDQUOT, errno.EFBIG})
LOCKED = "another program holds the database's own lock"
_BUSY_TIMEOUT_MS = 10_000
# Measured against 8 and 16 KiB: a random key dirties one page, so small pages make the shortest log.
_PAGE_SIZE_BYTES = 4096
_CHECKPOINT_PAGES = 2000
_LOG_LIMIT_BYTES = 64 << 20
_CACHE_KIB = 32 << 10


def create_file(path: Path) -> None:
    """Create the database file so that only its owner can read it; leaves an existing one alone."""
    if path.exists():
        return
    make_folder(path.parent)
    try:
        os.close(os.open(path, os.O_CREAT | os.O_EXCL | os.O_RDWR, 0o600))
    except FileExistsError:
        return
    sync_folder(path.parent)


def connect(path: Path, *, query_only: bool) -> apsw.Connection:
    """Open a connection on which a commit is on disk when it returns; on a read-only disk, one that reads."""
    try:
        return _connect(str(path), apsw.SQLITE_OPEN_READWRITE, query_only=query_only)
    except apsw.CantOpenError:
        if not _may_be_read_as_it_is(path):
            raise
        name = f"file:{quote(str(path.absolute()))}?immutable=1"
        return _connect(name, apsw.SQLITE_OPEN_READONLY | apsw.SQLITE_OPEN_URI, query_only=query_only)


def _may_be_read_as_it_is(path: Path) -> bool:
    """Tell whether nobody can change a database, and no log holds what is not in it yet."""
    log = path.with_name(f"{path.name}-wal")
    return is_read_only(path.parent) and path.exists() and not (log.exists() and log.stat().st_size)


def cannot_open(path: Path, error: apsw.Error) -> errors.StateError:
    """Say why a database cannot be opened, by what its disk says, else in the engine's words."""
    disk, why = os.statvfs(path.parent), str(error)
    if not path.exists():
        why = "it is not there"
    elif is_read_only(path.parent):
        why = "its disk is read-only, and must be writable once: a log or an older form waits to be worked in"
    elif disk.f_files and not disk.f_favail:
        why = "its disk has no inode left for another file"
    elif not disk.f_bavail:
        why = "its disk is full"
    return errors.StateError(f"{path} cannot be opened: {why}")


def _connect(name: str, flags: int, *, query_only: bool) -> apsw.Connection:
    connection = apsw.Connection(name, flags=flags, statementcachesize=128)
    connection.set_busy_timeout(_BUSY_TIMEOUT_MS)
    # Without this the engine plans a join anew for every value bound: a lookup takes three times as long.
    connection.config(apsw.SQLITE_DBCONFIG_ENABLE_QPSG, 1)
    for pragma in (
        f"page_size = {_PAGE_SIZE_BYTES}",
        "journal_mode = WAL",
        "synchronous = FULL",
        "foreign_keys = OFF",
        "trusted_schema = OFF",
        "temp_store = MEMORY",
        f"cache_size = -{_CACHE_KIB}",
        f"wal_autocheckpoint = {_CHECKPOINT_PAGES}",
        f"journal_size_limit = {_LOG_LIMIT_BYTES}",
        f"query_only = {int(query_only)}",
    ):
        connection.execute(f"PRAGMA {pragma}").fetchall()
    return connection


def run(cursor: apsw.Cursor, flow: Callable[[], Transaction[T]]) -> T:
    """Run a transaction's statements one after another; tells what it returns, raises what it raises."""
    transaction = flow()
    execute = cursor.execute
    try:
        statement = next(transaction)
        send = transaction.send
        while True:
            statement = send(execute(statement[0], statement[1]).fetchall())
    except StopIteration as stop:
        result: T = stop.value
        return result


def meaning_of(error: BaseException, connection: apsw.Connection) -> BaseException:
    """Tell what an engine's error means to the house: Conflict, Full, ReadOnly, Busy, Damaged, or itself."""
    known: errors.StateError
    if isinstance(error, apsw.ConstraintError):
        known = errors.Conflict(str(error))
    elif isinstance(error, apsw.FullError):
        known = errors.Full("no room is left on the disk")
    elif isinstance(error, apsw.IOError | apsw.CantOpenError) and connection.system_errno in _NO_ROOM:
        known = errors.Full(os.strerror(connection.system_errno))
    elif isinstance(error, apsw.ReadOnlyError):
        known = errors.ReadOnly(str(error))
    elif isinstance(error, apsw.BusyError):
        known = errors.Busy(LOCKED)
    elif isinstance(error, apsw.CorruptError | apsw.NotADBError):
        known = errors.Damaged(str(error))
    else:
        return error
    known.__cause__ = error
    return known
