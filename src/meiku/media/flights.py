"""Flights: what many ask for at once is made once, and all of them are given it.

Within this process by a task that all who ask wait for, among processes by a claim that is held meanwhile.
Knows neither recipes nor where results are kept.
"""

import asyncio
from collections.abc import Awaitable, Callable
from contextlib import AbstractAsyncContextManager, nullcontext
from dataclasses import dataclass

from meiku.media.made import Made

Make = Callable[[], Awaitable[Made]]
Claim = Callable[[str], AbstractAsyncContextManager[None]]


@dataclass(slots=True)
class _Flight:
    """One piece of work, and how many wait for it."""

    task: asyncio.Task[Made]
    waiting: int = 0


class Flights:
    """The work that is under way in one process."""

    def __init__(self, claim: Claim = lambda _: nullcontext()) -> None:
        """Let `claim` keep other processes from the same work; without one this process is alone."""
        self._claim = claim
        self._flights: dict[str, _Flight] = {}

    async def join(self, name: str, make: Make) -> Made:
        """Wait for the work of this name, and begin it if nobody has; it ends when nobody waits any more."""
        flight = self._flights.get(name)
        if flight is None:
            flight = self._flights[name] = _Flight(asyncio.create_task(self._alone(name, make)))
            flight.task.add_done_callback(lambda _: self._flights.pop(name, None))
        flight.waiting += 1
        try:
            return await asyncio.shield(flight.task)
        finally:
            flight.waiting -= 1
            if not flight.waiting and not flight.task.done():
                # A flight that is ending takes nobody aboard.
                self._flights.pop(name, None)
                flight.task.cancel()

    async def _alone(self, name: str, make: Make) -> Made:
        async with self._claim(name):
            return await make()
