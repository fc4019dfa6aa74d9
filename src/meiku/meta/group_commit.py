"""Group commit: the one writer of a process. Many transactions, one wait for the disk.

A thread takes all transactions that wait, runs each in a savepoint, commits once, and answers them all.
Between processes the turn to write is a file lock, so that nobody polls. Knows no nouns.
"""

import asyncio
import fcntl
import os
import threading
from collections.abc import Callable
from pathlib import Path
from queue import SimpleQueue
from types import TracebackType
from typing import Any, NamedTuple, TypeVar

import apsw

from meiku.meta.connection import meaning_of, run
from meiku.meta.transaction import Transaction

T = TypeVar("T")
_GROUP_LIMIT = 512


class Waiting(NamedTuple):
    """A transaction to run, and who waits for it."""

    flow: Callable[[], Transaction[Any]]
    answer: "asyncio.Future[Any]"


class Outcome(NamedTuple):
    """What became of one transaction."""

    answer: "asyncio.Future[Any]"
    result: Any
    error: BaseException | None


class Turn:
    """The turn to write, among all processes on one data folder."""

    def __init__(self, path: Path) -> None:
        self._file = os.open(path, os.O_CREAT | os.O_RDWR | os.O_CLOEXEC, 0o600)

    def __enter__(self) -> None:
        fcntl.flock(self._file, fcntl.LOCK_EX)

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        fcntl.flock(self._file, fcntl.LOCK_UN)

    def close(self) -> None:
        """Let go of the lock file."""
        os.close(self._file)


class GroupCommit:
    """The writer thread and the queue before it."""

    def __init__(self, connection: apsw.Connection, turn: Turn, loop: asyncio.AbstractEventLoop) -> None:
        self._connection = connection
        self._cursor = connection.cursor()
        self._turn = turn
        self._loop = loop
        self._queue: SimpleQueue[Waiting | None] = SimpleQueue()
        self._thread = threading.Thread(target=self._work, name="meiku-writer", daemon=True)
        self._thread.start()

    def submit(self, flow: Callable[[], Transaction[T]]) -> "asyncio.Future[T]":
        """Queue a transaction; the answer comes once it is durable or undone."""
        answer: asyncio.Future[T] = self._loop.create_future()
        self._queue.put(Waiting(flow, answer))
        return answer

    def close(self) -> None:
        """Finish what waits, then end the thread; blocks."""
        self._queue.put(None)
        self._thread.join()
        self._connection.close()
        self._turn.close()

    def _work(self) -> None:
        while group := self._take():
            outcomes = self._commit(group)
            try:
                self._loop.call_soon_threadsafe(_tell, outcomes)
            except RuntimeError:  # The loop has ended, and with it everybody who waited.
                return

    def _take(self) -> list[Waiting]:
        """Wait for one transaction, and take what has gathered behind it; nothing means the end."""
        first = self._queue.get()
        if first is None:
            return []
        group = [first]
        while len(group) < _GROUP_LIMIT and not self._queue.empty():
            waiting = self._queue.get()
            if waiting is None:
                self._queue.put(None)
                break
            group.append(waiting)
        return group

    def _commit(self, group: list[Waiting]) -> list[Outcome]:
        """Run a group and commit it once; when that fails it fails for all."""
        try:
            with self._turn:
                try:
                    self._cursor.execute("BEGIN IMMEDIATE")
                    outcomes = [self._attempt(waiting) for waiting in group]
                    self._cursor.execute("COMMIT")
                finally:
                    if self._connection.in_transaction:
                        self._cursor.execute("ROLLBACK")
        except BaseException as error:
            failure = meaning_of(error, self._connection)
            return [Outcome(waiting.answer, None, failure) for waiting in group]
        return outcomes

    def _attempt(self, waiting: Waiting) -> Outcome:
        """Run one transaction, and undo it alone when it raises."""
        execute = self._cursor.execute
        execute("SAVEPOINT flow")
        try:
            outcome = Outcome(waiting.answer, run(self._cursor, waiting.flow), None)
        except Exception as error:
            # Some failures of the disk end the whole transaction: then nobody's savepoint is left.
            if not self._connection.in_transaction:
                raise
            outcome = Outcome(waiting.answer, None, meaning_of(error, self._connection))
            execute("ROLLBACK TO flow")
        execute("RELEASE flow")
        return outcome


def _tell(outcomes: list[Outcome]) -> None:
    """Answer everybody who still waits; runs on the loop."""
    for answer, result, error in outcomes:
        if answer.done():
            continue
        if error is None:
            answer.set_result(result)
        else:
            answer.set_exception(error)
