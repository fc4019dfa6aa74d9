"""Has recipes followed in processes of their own, and gives up those that take too long.

The server's side: gives a job to whichever worker is free, and the worker the files that it asks for; lets
only so many wait. A worker that dies, for want of memory or by a decoder's fault, takes nothing with it: the
request is refused in words, and the next one gets another worker. Knows no objects; `Sources` does.
"""

import asyncio
import os
import socket
from collections import Counter
from collections.abc import Iterator
from contextlib import AsyncExitStack, contextmanager
from dataclasses import dataclass
from typing import Protocol

from meiku import errors
from meiku.media.jobs import Jobs
from meiku.media.limits import Limits
from meiku.media.made import Made
from meiku.media.messages import Message, receive, send
from meiku.media.recipe import Recipe, canonical
from meiku.media.refusal import RecipeRefused
from meiku.media.staff import Staff
from meiku.media.worker_words import made_of, range_of, wanted_of

_ASKING = frozenset({"want", "measure"})
# How long a job waits for one of the workers that are there before another is started: one that is free takes
# it in less than a millisecond. While there is no place for another, it is asked for ever more seldom.
_PATIENCE_S, _MOST_PATIENCE_S = 0.005, 1.0


class Sources(Protocol):
    """The objects that a recipe needs."""

    @property
    def size_bytes(self) -> int:
        """Tell how large the source is."""

    async def open(self, key: str | None) -> tuple[int, int]:
        """Open an object of the source's bucket; answers a descriptor and a size. None is the source.

        Whoever asks closes it. S3Error where it may not be had.
        """

    async def read_range(self, start_byte: int, stop_byte: int) -> bytes:
        """Give a range of the source, which may be larger than what is read whole."""


@dataclass(frozen=True, slots=True)
class Customer:
    """For whom a recipe is followed: a client's address or network, and a bucket."""

    client: str
    bucket: str


SOMEBODY = Customer("", "")


class _Job:
    """One recipe at work, and the connection to the worker that has taken it, or will."""

    def __init__(self, connection: socket.socket) -> None:
        """Speak on a connection; nobody has taken the job yet."""
        self._connection = connection
        self._connection.setblocking(False)

    async def describe(self, recipe: Recipe, *, keeps_places: bool) -> None:
        """Say what is to be done."""
        await send(self._connection, Message({"recipe": canonical(recipe), "keeps_places": keeps_places}))

    async def hear(self) -> Message:
        """Wait for what the worker says next; the first word is that it has taken the job."""
        return await receive(self._connection)

    async def follow(self, message: Message, sources: Sources) -> Made:
        """Answer what the worker asks for until it is done; RecipeRefused, or the source's S3Error."""
        failure: errors.S3Error | None = None
        while not _ASKING.isdisjoint(message.values):
            try:
                await self._answer(message, sources)
            except errors.S3Error as refused:
                failure = refused
                await send(self._connection, Message({"lost": True}))
            message = await self.hear()
        if failure is not None:
            raise failure
        return made_of(message)

    def end(self) -> None:
        """Let go of the connection; a worker that is still at it ends with it."""
        self._connection.close()

    async def _answer(self, asked: Message, sources: Sources) -> None:
        """Give the worker the source's size, a range of it, or an object whole."""
        if "measure" in asked.values:
            await send(self._connection, Message({"size_bytes": sources.size_bytes}))
        elif "start" in asked.values:
            part = await sources.read_range(*range_of(asked, sources.size_bytes))
            await send(self._connection, Message({}, part))
        else:
            file, size_bytes = await sources.open(wanted_of(asked))
            try:
                await send(self._connection, Message({"size_bytes": size_bytes}, file=file))
            finally:
                os.close(file)


class Workshop:
    """Recipes in, results out."""

    def __init__(self, jobs: Jobs, staff: Staff, limits: Limits, *, keeps_places: bool = False) -> None:
        """Start nothing yet. `keeps_places`: results may tell where a picture was taken."""
        self._jobs, self._staff, self._limits, self._keeps_places = jobs, staff, limits, keeps_places
        self._waiting: Counter[str] = Counter()

    async def make(self, recipe: Recipe, sources: Sources, customer: Customer = SOMEBODY) -> Made:
        """Follow a recipe; RecipeRefused where that cannot be, SlowDown where too many wait already."""
        with self._counted(customer):
            async with AsyncExitStack() as held:
                await self._wait_for_share(customer, held)
                return await self._follow(recipe, sources)

    async def _wait_for_share(self, customer: Customer, held: AsyncExitStack) -> None:
        """Wait until the client's and the bucket's others have left it room; SlowDown where they do not."""
        try:
            async with asyncio.timeout(self._limits.timeout_s):
                of_client = self._jobs.by_client.hold(customer.client, self._limits.of_one_client)
                await held.enter_async_context(of_client)
                of_bucket = self._jobs.by_bucket.hold(customer.bucket, self._limits.of_one_bucket)
                await held.enter_async_context(of_bucket)
        except TimeoutError:
            raise errors.SlowDown from None

    async def _follow(self, recipe: Recipe, sources: Sources) -> Made:
        job = _Job(self._jobs.give())
        try:
            await job.describe(recipe, keeps_places=self._keeps_places)
            first = await self._taken(job)
            async with asyncio.timeout(self._limits.timeout_s):
                return await job.follow(first, sources)
        except TimeoutError:
            raise _given_up(f"longer than {self._limits.timeout_s:g} seconds") from None
        except ConnectionError:
            raise _given_up("more memory than it may have, or damages its decoder") from None
        finally:
            job.end()

    @contextmanager
    def _counted(self, customer: Customer) -> Iterator[None]:
        """Be one of those that wait; SlowDown where a client has as many places as are left.

        So one has half of them, the next half of what is left, and there is always one more.
        """
        total, own = self._waiting.total(), self._waiting[customer.client]
        if own >= self._limits.waiting - total:
            raise errors.SlowDown
        self._waiting[customer.client] += 1
        try:
            yield
        finally:
            self._waiting[customer.client] -= 1
            if not self._waiting[customer.client]:
                del self._waiting[customer.client]

    async def _taken(self, job: _Job) -> Message:
        """Wait for a worker's first word; SlowDown where none has come in the time that a recipe may take."""
        calling = asyncio.create_task(self._call_staff())
        try:
            async with asyncio.timeout(self._limits.timeout_s):
                return await job.hear()
        except TimeoutError:
            raise errors.SlowDown from None
        finally:
            calling.cancel()

    async def _call_staff(self) -> None:
        """Have a further worker started, over and over, while a job waits."""
        pause_s = _PATIENCE_S if self._staff.is_at_work else 0.0
        while True:
            await asyncio.sleep(pause_s)
            self._staff.call()
            pause_s = min(_MOST_PATIENCE_S, 2 * pause_s or _PATIENCE_S)


def _given_up(why: str) -> RecipeRefused:
    return RecipeRefused("", "", f"The recipe was given up: on this object it takes {why}.")
