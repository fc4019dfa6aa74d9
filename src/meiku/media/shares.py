"""Shares of the media workers: how many recipes a client, or a bucket, has under way in all servers.

Counted in memory that the servers share, each in its own row, so that nothing is lost when one dies. Who asks
for more waits here, before the workers' queue: what stands in that queue is in nobody's way. What a recipe
is, is not known here.
"""

import asyncio
import mmap
import zlib
from collections import defaultdict
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress

# Names are told apart by a number; two that have the same share a share, which costs them time only.
_NAMES = 1024
_MOST_COUNTED = 255
# How often who waits looks whether another server has let go; what this one lets go of is seen at once.
_LOOK_S = 0.02


class Shares:
    """What each name has under way; made by the parent before it forks."""

    def __init__(self, servers: int = 1) -> None:
        """Count nothing yet; this process has the first row until it takes another."""
        self._at_work = memoryview(mmap.mmap(-1, servers * _NAMES))
        self._wanted = memoryview(mmap.mmap(-1, servers * _NAMES))
        self._turns: defaultdict[int, asyncio.Lock] = defaultdict(asyncio.Lock)
        self._freed = asyncio.Event()
        self.take_row(0)

    def take_row(self, number: int) -> None:
        """Write this server's row from now on; what its predecessor had under way is gone."""
        self._first = number * _NAMES
        for table in (self._at_work, self._wanted):
            table[self._first : self._first + _NAMES] = bytes(_NAMES)

    @property
    def total(self) -> int:
        """Tell how much is under way, of all names and servers."""
        return sum(self._at_work)

    @asynccontextmanager
    async def hold(self, name: str, most: int) -> AsyncIterator[None]:
        """Have one more under way for the block, once there are fewer than `most` of this name."""
        place = zlib.crc32(name.encode()) % _NAMES
        self._want(place, 1)
        try:
            async with self._turns[place]:
                await self._wait(place, most)
        finally:
            self._want(place, -1)
            if not self._wanted[self._first + place]:
                self._turns.pop(place, None)
        try:
            yield
        finally:
            self._at_work[self._first + place] -= 1
            self._freed.set()

    async def _wait(self, place: int, most: int) -> None:
        while not self._take(place, most):
            self._freed.clear()
            with suppress(TimeoutError):
                async with asyncio.timeout(_LOOK_S):
                    await self._freed.wait()

    def _take(self, place: int, most: int) -> bool:
        """Take one if there is one left; a server leaves one to each other that has none and wants some."""
        own = self._first + place
        rows = range(place, len(self._at_work), _NAMES)
        wanting = sum(self._wanted[row] > 0 and not self._at_work[row] for row in rows if row != own)
        if self._at_work[own] >= max(1, most - wanting) or self._under_way(place) >= most:
            return False
        self._at_work[own] += 1
        if self._under_way(place) > most:  # another server took the last at this very moment
            self._at_work[own] -= 1
            return False
        return True

    def _under_way(self, place: int) -> int:
        return sum(self._at_work[place::_NAMES])

    def _want(self, place: int, change: int) -> None:
        row = self._first + place
        self._wanted[row] = min(_MOST_COUNTED, self._wanted[row] + change)
