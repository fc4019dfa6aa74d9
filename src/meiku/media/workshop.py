"""Has recipes followed in a process of its own, one after another, and ends it when it takes too long.

The server's side: starts the worker at the first recipe, gives it the bytes that it asks for, and lets only
so many wait. A worker that dies, for want of memory or by a decoder's fault, takes nothing with it: the
request is refused in words, and the next one gets a new worker. Knows no objects; `Sources` does.
"""

import asyncio
import contextlib
import os
import socket
import subprocess
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Protocol

from meiku import errors
from meiku.media.made import Made
from meiku.media.messages import Message, receive
from meiku.media.recipe import Recipe, canonical
from meiku.media.refusal import RecipeRefused

# One core for each worker, no loaders that were never fuzzed, few heaps, and no files in the place of memory:
# libvips would write large pictures to one, where the limit of memory does not count them.
_ENVIRONMENT = {
    "VIPS_CONCURRENCY": "1",
    "VIPS_BLOCK_UNTRUSTED": "1",
    "VIPS_DISC_THRESHOLD": "1000g",
    "MALLOC_ARENA_MAX": "1",
}

_ASKING = frozenset({"want", "measure"})
_RANGE_LIMIT_BYTES = 1 << 20


class Sources(Protocol):
    """The objects that a recipe needs."""

    @property
    def size_bytes(self) -> int:
        """Tell how large the source is."""

    async def read(self, key: str | None) -> bytes:
        """Give the whole of an object of the source's bucket, None for the source; S3Error where not."""

    async def read_range(self, start_byte: int, stop_byte: int) -> bytes:
        """Give a range of the source, which may be larger than what is read whole."""


@dataclass(frozen=True, slots=True)
class Limits:
    """What one recipe may take, and how many may wait."""

    timeout_s: float = 30.0
    memory_bytes: int = 1 << 30
    waiting: int = 32


class _Worker:
    """One worker process, and the socket to it."""

    def __init__(
        self, process: subprocess.Popen[bytes], reader: asyncio.StreamReader, writer: asyncio.StreamWriter
    ) -> None:
        self._process = process
        self._reader = reader
        self._writer = writer

    @classmethod
    async def start(cls, limits: Limits) -> "_Worker":
        """Start a process that waits for recipes."""
        ours, theirs = socket.socketpair()
        with theirs:
            command = [sys.executable, "-m", "meiku.media.worker", str(theirs.fileno())]
            command += [str(limits.memory_bytes), str(int(limits.timeout_s) + 1)]
            process = await asyncio.to_thread(
                subprocess.Popen[bytes],
                command,
                pass_fds=[theirs.fileno()],
                env={**os.environ, **_ENVIRONMENT},
                stdin=subprocess.DEVNULL,
                stdout=subprocess.DEVNULL,
                stderr=subprocess.DEVNULL,
            )
        reader, writer = await asyncio.open_connection(sock=ours)
        return cls(process, reader, writer)

    async def follow(self, recipe: Recipe, sources: Sources) -> Made:
        """Have one recipe followed; RecipeRefused, the source's S3Error, or an error of the connection."""
        failure: errors.S3Error | None = None
        await self._send(Message({"recipe": canonical(recipe)}))
        while not _ASKING.isdisjoint((message := await receive(self._reader)).values):
            try:
                await self._send(await _answered(message, sources))
            except errors.S3Error as refused:
                failure = refused
                await self._send(Message({"lost": True}))
        if failure is not None:
            raise failure
        if "refused" in message.values:
            raise RecipeRefused(*message.values["refused"])
        return Made(message.body, str(message.values["content_type"]))

    async def end(self) -> None:
        """End the process, whatever it does."""
        self._writer.close()
        self._process.kill()
        await asyncio.to_thread(self._process.wait)

    async def _send(self, message: Message) -> None:
        self._writer.write(message.framed())
        await self._writer.drain()


class Workshop:
    """Recipes in, results out."""

    def __init__(self, limits: Limits) -> None:
        """Start nothing yet."""
        self._limits = limits
        self._worker: _Worker | None = None
        self._turn = asyncio.Lock()
        self._waiting = 0

    async def make(self, recipe: Recipe, sources: Sources) -> Made:
        """Follow a recipe; RecipeRefused where that cannot be, SlowDown where too many wait already."""
        async with self._in_turn():
            worker = self._worker = self._worker or await _Worker.start(self._limits)
            try:
                async with asyncio.timeout(self._limits.timeout_s):
                    return await worker.follow(recipe, sources)
            except errors.S3Error:
                raise
            except TimeoutError:
                await self.close()
                raise _given_up(f"longer than {self._limits.timeout_s:g} seconds") from None
            except (ConnectionError, asyncio.IncompleteReadError):
                await self.close()
                raise _given_up("more memory than it may have, or damages its decoder") from None
            except BaseException:
                # The client left, and its recipe is still being followed.
                await asyncio.shield(self.close())
                raise

    async def close(self) -> None:
        """End the worker; the next recipe starts another."""
        worker, self._worker = self._worker, None
        if worker is not None:
            with contextlib.suppress(ProcessLookupError):
                await worker.end()

    @asynccontextmanager
    async def _in_turn(self) -> AsyncIterator[None]:
        if self._waiting >= self._limits.waiting:
            raise errors.SlowDown
        self._waiting += 1
        try:
            async with self._turn:
                yield
        finally:
            self._waiting -= 1


async def _answered(asked: Message, sources: Sources) -> Message:
    """Give a worker what it asks for: the source's size, a range of it, or an object whole."""
    values = asked.values
    if "measure" in values:
        return Message({"size_bytes": sources.size_bytes})
    if "start" not in values:
        return Message({}, await sources.read(values["want"]))
    start_byte, stop_byte = int(values["start"]), int(values["stop"])
    if not 0 <= start_byte <= stop_byte <= min(sources.size_bytes, start_byte + _RANGE_LIMIT_BYTES):
        raise ConnectionError("a worker asks for what no reader of ours asks for")
    return Message({}, await sources.read_range(start_byte, stop_byte))


def _given_up(why: str) -> RecipeRefused:
    return RecipeRefused("", "", f"The recipe was given up: on this object it takes {why}.")
