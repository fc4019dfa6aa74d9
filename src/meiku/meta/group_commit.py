"""Group commit: the one writer of a process. Many transactions, one wait for the disk.

Statements run on the event loop, without a savepoint for each transaction unless one failed half done; only
what waits runs in a thread: for the turn among processes, and for the disk. (Statements in the thread too was
measured: every one gives up the interpreter lock and waits for the busy loop to hand it back.) A transaction
that is long by nature takes its whole group into the thread, so that the loop goes on; so does one that turns
out to be. Nobody waits for ever: where the turn or the disk does not come for some seconds, what was not
begun is Busy, and so is what comes, until it does come. Knows no nouns.
"""

import asyncio
import logging
import math
import time
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import suppress
from typing import Any, NamedTuple, TypeVar

import apsw

from meiku import errors
from meiku.meta.connection import LOCKED, meaning_of, run
from meiku.meta.transaction import Transaction
from meiku.meta.turn import Turn

T = TypeVar("T")
# What one group may hold up the loop: about 2 ms.
_GROUP_LIMIT = 64
# How long the thread sleeps where another program holds the database's own lock.
_LOCK_PAUSE_S = 0.02
# What turns out to take longer on the loop is done in the thread instead; looked at each millisecond or so.
_LONGEST_HOLD_S = 0.005
_STEPS_BETWEEN_LOOKS = 20_000
_log = logging.getLogger("meiku.writes")


class Waiting(NamedTuple):
    """A transaction to run, and who waits for it."""

    flow: Callable[[], Transaction[Any]]
    answer: "asyncio.Future[Any]"
    long: bool


class _HalfDone(Exception):
    """A transaction changed something before it failed, so that there is something to undo."""


class Outcome(NamedTuple):
    """What became of one transaction."""

    answer: "asyncio.Future[Any]"
    result: Any
    error: BaseException | None


class GroupCommit:
    """The queue of transactions, and the groups that they are committed in, one at a time."""

    def __init__(
        self,
        connection: apsw.Connection,
        turn: Turn,
        loop: asyncio.AbstractEventLoop,
        longest_wait_s: float,
        give_up_reserve: Callable[[], None],
    ) -> None:
        self._give_up_reserve = give_up_reserve
        self._connection = connection
        self._cursor = connection.cursor()
        self._turn = turn
        self._loop = loop
        self._longest_wait_s = longest_wait_s
        self._standstill: errors.Busy | None = None
        self._waiting: list[Waiting] = []
        self._busy = self._is_closing = False
        self._idle = asyncio.Event()
        self._idle.set()
        self._thread = ThreadPoolExecutor(1, thread_name_prefix="meiku-writer")
        self._stop_at_s = math.inf
        connection.set_progress_handler(self._is_too_long, _STEPS_BETWEEN_LOOKS)
        connection.set_busy_handler(self._wait_for_lock)

    def submit(self, flow: Callable[[], Transaction[T]], *, long: bool = False) -> "asyncio.Future[T]":
        """Queue a transaction; the answer comes once it is durable or undone, or certainly not begun."""
        answer: asyncio.Future[T] = self._loop.create_future()
        if self._standstill is not None:
            answer.set_exception(self._standstill)
            return answer
        self._waiting.append(Waiting(flow, answer, long))
        if not self._busy:
            self._busy = True
            self._idle.clear()
            # Not at once: others who are ready in this round of the loop join the group.
            self._loop.call_soon(self._begin)
        return answer

    async def close(self) -> None:
        """Finish what waits, then let go of everything."""
        self._is_closing = True
        await self._idle.wait()
        self._thread.shutdown()
        self._connection.close()
        self._turn.close()

    def _begin(self) -> None:
        """Take the turn, here where it is free, else in the thread; nobody needs it who was turned away."""
        if not self._waiting:
            self._rest()
        elif self._turn.try_take():
            self._run_group()
        else:
            self._in_thread(self._turn.__enter__, lambda _: self._run_group())

    def _run_group(self) -> None:
        group, self._waiting = self._waiting[:_GROUP_LIMIT], self._waiting[_GROUP_LIMIT:]
        if any(waiting.long for waiting in group):
            self._in_thread(lambda: self._finish(group, self._attempt_all(group)), self._tell)
            return
        attempted = self._attempt_here(group)
        if isinstance(attempted, apsw.InterruptError):
            self._in_thread(lambda: self._finish(group, self._attempt_all(group)), self._tell)
        elif isinstance(attempted, apsw.BusyError):
            # Some other program writes. Nobody of the group has begun: they wait with all others.
            self._waiting = group + self._waiting
            self._turn.__exit__(None, None, None)
            self._in_thread(self._await_lock, lambda _: self._begin(), LOCKED)
        else:
            self._in_thread(lambda: self._finish(group, attempted), self._tell)

    def _attempt_here(self, group: list[Waiting]) -> "list[Outcome] | BaseException":
        """Run a group on the loop, as long as it does not hold it up: what turns out to be long is undone.

        What a statement costs depends on the rows that it finds, and nobody knows that before.
        """
        self._stop_at_s = time.monotonic() + _LONGEST_HOLD_S
        attempted = self._attempt_all(group)
        self._stop_at_s = math.inf
        if isinstance(attempted, apsw.InterruptError) and self._connection.in_transaction:
            self._cursor.execute("ROLLBACK")
        return attempted

    def _is_too_long(self) -> bool:
        return time.monotonic() > self._stop_at_s

    def _wait_for_lock(self, asked_before: int) -> bool:
        """Tell the engine whether to ask again for a lock that another program has; never on the loop."""
        too_long = asked_before * _LOCK_PAUSE_S > self._longest_wait_s
        if self._stop_at_s < math.inf or too_long or (self._is_closing and self._standstill):
            return False
        time.sleep(_LOCK_PAUSE_S)
        return True

    def _await_lock(self) -> None:
        """Wait for the database's own lock, for as long as it takes; any other hindrance is met again."""
        busy = True
        while busy:
            busy = False
            try:
                self._cursor.execute("BEGIN IMMEDIATE")
                self._cursor.execute("ROLLBACK")
            except apsw.BusyError:
                busy = not self._is_closing
            except apsw.Error:
                return

    def _in_thread(self, work: Callable[[], T], then: Callable[[T], None], hindrance: str = "") -> None:
        watch = self._loop.call_later(self._longest_wait_s, self._stand_still, hindrance)

        def tell(done: "Future[T]") -> None:
            with suppress(RuntimeError):  # the loop has ended, and with it everybody who waited
                self._loop.call_soon_threadsafe(self._go_on, watch, then, done.result())

        self._thread.submit(work).add_done_callback(tell)

    def _stand_still(self, hindrance: str) -> None:
        """Turn everybody away who has not begun: what the thread waits for has not come for too long."""
        self._standstill = errors.Busy(hindrance or f"the turn to write is held by {self._turn.holder()}")
        _log.warning("no write has ended for %g s: %s", self._longest_wait_s, self._standstill)
        turned_away, self._waiting = self._waiting, []
        for waiting in turned_away:
            if not waiting.answer.done():
                waiting.answer.set_exception(self._standstill)

    def _go_on(self, watch: asyncio.TimerHandle, then: Callable[[T], None], result: T) -> None:
        watch.cancel()
        if self._standstill is not None:
            self._standstill = None
            _log.warning("writes go on")
        then(result)

    def _attempt_all(self, group: list[Waiting]) -> "list[Outcome] | BaseException":
        """Run every transaction of a group; an error is what ended it for all."""
        try:
            self._cursor.execute("BEGIN IMMEDIATE")
            try:
                return [self._attempt(waiting) for waiting in group]
            except _HalfDone:
                self._cursor.execute("ROLLBACK")
            self._cursor.execute("BEGIN IMMEDIATE")
            return [self._attempt_apart(waiting) for waiting in group]
        except BaseException as error:
            return error

    def _attempt(self, waiting: Waiting) -> Outcome:
        """Run one transaction, which nearly always succeeds, or is refused before it changed anything.

        A savepoint would cost as much as a statement more; so one that failed half done is undone with its
        whole group, which then begins anew.
        """
        changes_before = self._connection.total_changes()
        try:
            return Outcome(waiting.answer, run(self._cursor, waiting.flow), None)
        except apsw.InterruptError:
            raise
        except Exception as error:
            # Some failures of the disk end the whole transaction.
            if not self._connection.in_transaction:
                raise
            if self._connection.total_changes() != changes_before:
                raise _HalfDone from error
            return Outcome(waiting.answer, None, meaning_of(error, self._connection))

    def _attempt_apart(self, waiting: Waiting) -> Outcome:
        """Run one transaction, and undo it alone when it raises."""
        execute = self._cursor.execute
        execute("SAVEPOINT flow")
        try:
            outcome = Outcome(waiting.answer, run(self._cursor, waiting.flow), None)
        except apsw.InterruptError:
            raise
        except Exception as error:
            # Some failures of the disk end the whole transaction: then nobody's savepoint is left.
            if not self._connection.in_transaction:
                raise
            outcome = Outcome(waiting.answer, None, meaning_of(error, self._connection))
            execute("ROLLBACK TO flow")
        execute("RELEASE flow")
        return outcome

    def _finish(self, group: list[Waiting], attempted: "list[Outcome] | BaseException") -> list[Outcome]:
        """Commit a group and pass the turn on; on a full disk once more, with the room of the reserve."""
        try:
            outcomes = self._commit(group, attempted)
            if outcomes and all(isinstance(outcome.error, errors.Full) for outcome in outcomes):
                self._give_up_reserve()
                outcomes = self._commit(group, self._attempt_all(group))
            return outcomes
        finally:
            self._turn.__exit__(None, None, None)

    def _commit(self, group: list[Waiting], attempted: "list[Outcome] | BaseException") -> list[Outcome]:
        """Commit a group; when that fails it fails for all."""
        try:
            if isinstance(attempted, BaseException):
                raise attempted
            self._cursor.execute("COMMIT")
            return attempted
        except BaseException as error:
            failure = meaning_of(error, self._connection)
            return [Outcome(waiting.answer, None, failure) for waiting in group]
        finally:
            if self._connection.in_transaction:
                self._cursor.execute("ROLLBACK")

    def _tell(self, outcomes: list[Outcome]) -> None:
        """Answer everybody who still waits, and go on with those who came meanwhile."""
        for answer, result, error in outcomes:
            if answer.done():
                continue
            if error is None:
                answer.set_result(result)
            else:
                answer.set_exception(error)
        if self._waiting:
            self._loop.call_soon(self._begin)
        else:
            self._rest()

    def _rest(self) -> None:
        self._busy = False
        self._idle.set()
