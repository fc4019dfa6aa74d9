"""One SQLite connection: how it is opened, how it runs a transaction, what its errors mean.

Knows the engine and nothing of the house's nouns. The database file is never opened but through SQLite:
closing any other descriptor of it would drop the locks that SQLite holds in this process.
"""

import errno
import os
from collections.abc import Callable
from pathlib import Path
from typing import TypeVar

import apsw

from meiku import errors
from meiku.folders import make_folder, sync_folder
from meiku.meta.transaction import Transaction

T = TypeVar("T")
_NO_ROOM = frozenset({errno.ENOSPC, errno.EDQUOT, errno.EFBIG})
_BUSY_TIMEOUT_MS = 10_000
# Measured against 8 and 16 KiB: a random key dirties one page, so small pages make the shortest log.
_PAGE_SIZE_BYTES = 4096
_CHECKPOINT_PAGES = 2000
_LOG_LIMIT_BYTES = 64 << 20
_CACHE_KIB = 32 << 10


def create_file(path: Path) -> None:
    """Create the database file so that only its owner can read it; leaves an existing one alone."""
    make_folder(path.parent)
    try:
        os.close(os.open(path, os.O_CREAT | os.O_EXCL | os.O_RDWR, 0o600))
    except FileExistsError:
        return
    sync_folder(path.parent)


def connect(path: Path, *, query_only: bool) -> apsw.Connection:
    """Open a connection on which a commit is on disk when it returns."""
    connection = apsw.Connection(str(path), flags=apsw.SQLITE_OPEN_READWRITE, statementcachesize=128)
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
        known = errors.Full(str(error))
    elif isinstance(error, apsw.IOError | apsw.CantOpenError) and connection.system_errno in _NO_ROOM:
        known = errors.Full(os.strerror(connection.system_errno))
    elif isinstance(error, apsw.ReadOnlyError):
        known = errors.ReadOnly(str(error))
    elif isinstance(error, apsw.BusyError):
        known = errors.Busy("another program holds the database's own lock")
    elif isinstance(error, apsw.CorruptError | apsw.NotADBError):
        known = errors.Damaged(str(error))
    else:
        return error
    known.__cause__ = error
    return known
