"""Shares: nobody has more than a share under way in all servers, and every server has some of it."""

import asyncio
import os
import signal
from collections.abc import Iterator
from contextlib import AsyncExitStack, ExitStack, contextmanager

import pytest

from meiku.media.shares import Shares


async def held(shares: Shares, name: str, most: int, stack: AsyncExitStack) -> None:
    async with asyncio.timeout(0.2):
        await stack.enter_async_context(shares.hold(name, most))


def test_one_name_waits_and_others_go_on() -> None:
    """A share is full for one name and not for another; what is let go of goes to who waits longest."""

    async def story() -> None:
        shares, order = Shares(), []
        async with AsyncExitStack() as first, AsyncExitStack() as rest:
            await held(shares, "a", 1, first)
            with pytest.raises(TimeoutError):
                await held(shares, "a", 1, rest)
            await held(shares, "b", 1, rest)
            assert shares.total == 2

            async def wait(number: int) -> None:
                async with shares.hold("a", 1):
                    order.append(number)

            waiting = [asyncio.create_task(wait(number)) for number in range(5)]
            await asyncio.sleep(0.05)
            assert not order
            await first.aclose()
            await asyncio.gather(*waiting)
        assert order == [0, 1, 2, 3, 4] and not shares.total

    asyncio.run(story())


def test_who_gives_up_waiting_holds_nothing() -> None:
    """A client that leaves while it waits takes no share with it."""

    async def story() -> None:
        shares = Shares()
        async with AsyncExitStack() as stack:
            await held(shares, "a", 1, stack)
            for _ in range(3):
                with pytest.raises(TimeoutError):
                    await held(shares, "a", 1, stack)
        async with AsyncExitStack() as stack:
            await held(shares, "a", 1, stack)
            assert shares.total == 1

    asyncio.run(story())


@contextmanager
def another_server(shares: Shares, most: int, jobs: int) -> Iterator[int]:
    """Fork a server that has as many under way as it may, over and over, until it is ended."""

    async def serve() -> None:
        async def work() -> None:
            while True:
                async with shares.hold("a", most):
                    os.write(told, b".")
                    await asyncio.sleep(0.01)

        await asyncio.gather(*(work() for _ in range(jobs)))

    hears, told = os.pipe()
    pid = os.fork()
    if pid == 0:
        shares.take_row(1)
        try:
            asyncio.run(serve())
        finally:
            os._exit(1)
    os.read(hears, 1)
    with ExitStack() as stack:
        for file in (hears, told):
            stack.callback(os.close, file)
        stack.callback(os.waitpid, pid, 0)
        stack.callback(os.kill, pid, signal.SIGKILL)
        yield pid


def test_servers_share_what_one_client_may_have() -> None:
    """A server that has it all leaves some to one that comes; together they never have more."""
    shares = Shares(2)

    async def story() -> None:
        most_seen = had = 0
        for _ in range(20):
            async with asyncio.timeout(20), shares.hold("a", 2):
                most_seen, had = max(most_seen, shares.total), had + 1
                await asyncio.sleep(0.005)
        assert had == 20 and most_seen == 2

    with another_server(shares, 2, jobs=8):
        asyncio.run(story())


def test_what_a_dead_server_had_is_free_again() -> None:
    """Its successor takes its row, and with it nothing."""
    shares = Shares(2)
    with another_server(shares, 2, jobs=8):
        pass
    shares.take_row(1)
    assert shares.total == 0
