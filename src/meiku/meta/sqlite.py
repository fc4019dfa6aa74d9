"""The embedded store: `Meta` on SQLite, for one machine and any number of processes.

Reads run at once on the event loop, from a snapshot of the log; writes go through the group commit. A store
is opened after the fork, by the process that uses it, and belongs to the loop it was opened on.
"""

import asyncio
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any, ParamSpec, TypeVar

import apsw

from meiku import errors
from meiku.meta.connection import cannot_open, connect, create_file, meaning_of, run
from meiku.meta.group_commit import GroupCommit
from meiku.meta.schema import MIGRATIONS
from meiku.meta.transaction import Transaction, is_long
from meiku.meta.turn import Turn

P = ParamSpec("P")
T = TypeVar("T")
_LONGEST_WAIT_S = 10.0


async def open_sqlite(
    path: Path,
    longest_wait_s: float = _LONGEST_WAIT_S,
    *,
    may_make: bool = True,
    give_up_reserve: Callable[[], None] = lambda: None,
) -> "SqliteMeta":
    """Open the store at a path, bringing up to date what is there, or making what is not.

    Where nothing may be made, nothing is waited for: whoever opens what is in use need not have a turn to
    begin. On a full disk `give_up_reserve` makes room for what is written then.

    Raises StateError when it cannot be opened, or is of a newer schema than this program knows, and Busy when
    another process keeps the turn to write for so many seconds, now as with every write.
    """
    if may_make:
        await asyncio.to_thread(create_file, path)
    opened = await asyncio.to_thread(_open, path, longest_wait_s if may_make else None)
    return SqliteMeta(*opened, asyncio.get_running_loop(), longest_wait_s, give_up_reserve)


def _open(path: Path, longest_wait_s: float | None) -> tuple[apsw.Connection, apsw.Connection, Turn]:
    """Open both connections; None is to find the store as this program wants it, and to change nothing."""
    turn = Turn(path.parent / "write.lock")
    try:
        if longest_wait_s is None:
            writer = connect(path, query_only=False)
            migrate(writer, steps_allowed=False)
        else:
            turn.take_within(longest_wait_s)
            with turn:
                writer = connect(path, query_only=False)
                migrate(writer)
        return connect(path, query_only=True), writer, turn
    except BaseException as error:
        turn.close()
        if isinstance(error, apsw.Error):
            raise cannot_open(path, error) from error
        raise


def migrate(
    connection: apsw.Connection, migrations: tuple[str, ...] = MIGRATIONS, *, steps_allowed: bool = True
) -> None:
    """Take the steps the database has not taken yet, all of them or none; StateError where none may be."""
    with connection:
        version = int(str(connection.pragma("user_version")))
        if version > len(migrations):
            raise errors.StateError(
                f"the database has schema version {version}; this program knows up to {len(migrations)}: "
                "run a newer one"
            )
        if version < len(migrations) and not steps_allowed:
            raise errors.StateError(f"the database has schema version {version}; start the service anew")
        for script in migrations[version:]:
            connection.execute(script).fetchall()
        if version < len(migrations):
            connection.pragma("user_version", len(migrations))


class SqliteMeta:
    """`Meta` on one SQLite file."""

    def __init__(
        self,
        reader: apsw.Connection,
        writer: apsw.Connection,
        turn: Turn,
        loop: asyncio.AbstractEventLoop,
        longest_wait_s: float,
        give_up_reserve: Callable[[], None],
    ) -> None:
        self._reader = reader
        self._cursor = reader.cursor()
        self._commits = GroupCommit(writer, turn, loop, longest_wait_s, give_up_reserve)
        self._data_version: Any = None
        self._settings_version: Any = None

    async def read(self, flow: Callable[P, Transaction[T]], *args: P.args, **kwargs: P.kwargs) -> T:
        """Run a reading transaction in one snapshot; never suspends.

        One statement is a snapshot by itself; a flow that asks a second thing is begun anew inside BEGIN.
        """
        execute = self._cursor.execute
        try:
            first = flow(*args, **kwargs)
            try:
                sql, values = next(first)
                first.send(execute(sql, values).fetchall())
            except StopIteration as done:
                result: T = done.value
                return result
            first.close()
            execute("BEGIN")
            return run(self._cursor, partial(flow, *args, **kwargs))
        except apsw.ReadOnlyError:
            raise  # a flow that writes where it was to read: a mistake of ours, and not the disk's state
        except apsw.Error as error:
            raise meaning_of(error, self._reader) from error
        finally:
            if self._reader.in_transaction:
                execute("COMMIT")

    async def write(self, flow: Callable[P, Transaction[T]], *args: P.args, **kwargs: P.kwargs) -> T:
        """Run a transaction in the next group; durable on return, undone when it raises."""
        return await self._commits.submit(partial(flow, *args, **kwargs), long=is_long(flow))

    def version(self) -> object:
        """Tell the settings version; asks for it only when some commit happened since."""
        [(data_version,)] = self._cursor.execute("PRAGMA data_version").fetchall()
        if data_version != self._data_version:
            [(self._settings_version,)] = self._cursor.execute(
                "SELECT version FROM settings_version"
            ).fetchall()
            self._data_version = data_version
        return self._settings_version

    async def close(self) -> None:
        """Finish the writes that wait, then close the database."""
        await self._commits.close()
        self._reader.close()
