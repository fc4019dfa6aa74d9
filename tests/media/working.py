"""A real workshop for tests: recipes followed by a worker process on bytes that are in memory."""

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field

from meiku.media import RecipeRefused, read_recipe
from meiku.media.made import Made
from meiku.media.workshop import Limits, Workshop


@dataclass(frozen=True)
class InMemory:
    """A source, and other objects of its bucket."""

    data: bytes
    named: dict[str, bytes] = field(default_factory=dict)

    @property
    def size_bytes(self) -> int:
        return len(self.data)

    async def read(self, key: str | None) -> bytes:
        return self.data if key is None else self.named[key]

    async def read_range(self, start_byte: int, stop_byte: int) -> bytes:
        return self.data[start_byte:stop_byte]


Follow = Callable[[str, bytes], Awaitable[Made | RecipeRefused]]


def in_a_workshop(use: Callable[[Follow], Awaitable[None]], limits: Limits | None = None) -> None:
    """Let a test have recipes followed, one after another; a refusal is a result."""

    async def run() -> None:
        workshop = Workshop(limits or Limits())

        async def follow(recipe: str, data: bytes) -> Made | RecipeRefused:
            try:
                return await workshop.make(read_recipe(recipe), InMemory(data))
            except RecipeRefused as refused:
                return refused

        try:
            await use(follow)
        finally:
            await workshop.close()

    asyncio.run(run())


def made(recipe: str, data: bytes, limits: Limits | None = None) -> Made | RecipeRefused:
    """Have one recipe followed by a worker of its own."""
    results: list[Made | RecipeRefused] = []

    async def use(follow: Follow) -> None:
        results.append(await follow(recipe, data))

    in_a_workshop(use, limits)
    return results[0]
