"""Flights: what many ask for at once is made once, and all of them are given it.

Within this process by a task that all who ask wait for, among processes by a claim that is held meanwhile.
What is left to do once it is there, the task does while nobody waits. Knows neither recipes nor where results
are kept.
"""

import asyncio
from collections.abc import Awaitable, Callable
from contextlib import AbstractAsyncContextManager, AsyncExitStack, nullcontext
from dataclasses import dataclass

from meiku.media.made import Made

Make = Callable[[], Awaitable[Made]]
Deliver = Callable[[Made], Awaitable[None]]
Work = Callable[[Deliver], Awaitable[None]]
Claim = Callable[[str], AbstractAsyncContextManager[None]]

# How many may have something left to do, before the next are answered no sooner than they are done.
_LINGERING = 8


@dataclass(slots=True)
class _Flight:
    """One piece of work, what it delivers, and how many wait for that."""

    task: asyncio.Task[None]
    made: asyncio.Future[Made]
    waiting: int = 0


class Flights:
    """The work that is under way in one process."""

    def __init__(self, claim: Claim = lambda _: nullcontext()) -> None:
        """Let `claim` keep other processes from the same work; without one this process is alone."""
        self._claim = claim
        self._flights: dict[str, _Flight] = {}
        self._tasks: set[asyncio.Task[None]] = set()
        self._lingering = asyncio.Semaphore(_LINGERING)

    async def join(self, name: str, work: Work) -> Made:
        """Wait for what the work of this name delivers, and begin it if nobody has.

        It ends when nobody waits any more, but not once it has delivered.
        """
        flight = self._flights.get(name) or self._begin(name, work)
        flight.waiting += 1
        try:
            return await asyncio.shield(flight.made)
        finally:
            flight.waiting -= 1
            if not flight.waiting and not flight.made.done():
                # A flight that is ending takes nobody aboard.
                self._forget(name, flight)
                flight.task.cancel()

    async def close(self) -> None:
        """Wait until nothing is left to do."""
        await asyncio.gather(*self._tasks, return_exceptions=True)

    def _begin(self, name: str, work: Work) -> _Flight:
        made: asyncio.Future[Made] = asyncio.get_running_loop().create_future()
        task = asyncio.create_task(self._alone(name, work, made))
        flight = self._flights[name] = _Flight(task, made)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)
        task.add_done_callback(lambda _: self._forget(name, flight))
        return flight

    def _forget(self, name: str, flight: _Flight) -> None:
        if self._flights.get(name) is flight:
            del self._flights[name]

    async def _alone(self, name: str, work: Work, made: asyncio.Future[Made]) -> None:
        """Do the work while nobody else does; an error is what it delivers, if it comes before."""
        try:
            async with AsyncExitStack() as held:
                await held.enter_async_context(self._claim(name))

                async def deliver(result: Made) -> None:
                    await held.enter_async_context(self._lingering)
                    made.set_result(result)

                await work(deliver)
        except asyncio.CancelledError:
            made.cancel()
            raise
        except Exception as error:
            if made.done():
                raise
            made.set_exception(error)
