"""A real workshop for tests: recipes followed by a worker process on bytes that are in memory."""

import asyncio
import contextlib
import os
import tempfile
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from pathlib import Path

from meiku.media import RecipeRefused, read_recipe
from meiku.media.jobs import Jobs
from meiku.media.limits import Limits
from meiku.media.made import Made
from meiku.media.staff import Staff
from meiku.media.workshop import Workshop


@dataclass(frozen=True)
class InMemory:
    """A source, and other objects of its bucket."""

    data: bytes
    named: dict[str, bytes] = field(default_factory=dict)

    @property
    def size_bytes(self) -> int:
        return len(self.data)

    async def open(self, key: str | None) -> tuple[int, int]:
        data = self.data if key is None else self.named[key]
        file = os.memfd_create("source")
        os.write(file, data)
        return file, len(data)

    async def read_range(self, start_byte: int, stop_byte: int) -> bytes:
        return self.data[start_byte:stop_byte]


Follow = Callable[[str, bytes], Awaitable[Made | RecipeRefused]]


def in_a_workshop(use: Callable[[Follow], Awaitable[None]], limits: Limits | None = None) -> None:
    """Let a test have recipes followed, one after another; a refusal is a result."""

    async def run(folder: str) -> None:
        jobs = Jobs()
        workshop = Workshop(jobs, Staff(jobs, limits or Limits(), Path(folder)), limits or Limits())

        async def follow(recipe: str, data: bytes) -> Made | RecipeRefused:
            try:
                return await workshop.make(read_recipe(recipe), InMemory(data))
            except RecipeRefused as refused:
                return refused

        try:
            await use(follow)
        finally:
            jobs.close()

    with tempfile.TemporaryDirectory() as folder:
        asyncio.run(run(folder))


def made(recipe: str, data: bytes, limits: Limits | None = None) -> Made | RecipeRefused:
    """Have one recipe followed by a worker of its own."""
    results: list[Made | RecipeRefused] = []

    async def use(follow: Follow) -> None:
        results.append(await follow(recipe, data))

    in_a_workshop(use, limits)
    return results[0]


def workers() -> set[int]:
    """List this process's media workers, whichever thread has started them."""
    found = set()
    for listing in Path("/proc/self/task").glob("*/children"):
        with contextlib.suppress(OSError):
            for pid in listing.read_text().split():
                if b"meiku.media.worker" in Path(f"/proc/{pid}/cmdline").read_bytes():
                    found.add(int(pid))
    return found
