"""Work that many ask for at once: done once, in one process and among several."""

import asyncio
import os
import signal
import time
from pathlib import Path

import pytest

from meiku.media.flights import Deliver, Flights
from meiku.media.made import Made
from meiku.meta.claims import Claims

MADE = Made(b"made", "text/plain")


def test_twenty_who_ask_at_once_are_given_the_same() -> None:
    """The work is done once while anybody waits for it, and anew for who comes later."""
    done = 0

    async def make(deliver: Deliver) -> None:
        nonlocal done
        await asyncio.sleep(0.01)
        done += 1
        await deliver(MADE)

    async def story() -> None:
        flights = Flights()
        assert await asyncio.gather(*(flights.join("a", make) for _ in range(20))) == [MADE] * 20
        assert done == 1
        await flights.join("a", make)
        assert done == 2

    asyncio.run(story())


def test_a_failure_is_everybodys_and_is_not_kept() -> None:
    """All who wait hear why it failed; the next to ask has it tried again."""
    tried = 0

    async def fail(_: Deliver) -> None:
        nonlocal tried
        tried += 1
        await asyncio.sleep(0)
        raise LookupError("no")

    async def story() -> None:
        flights = Flights()
        told = await asyncio.gather(*(flights.join("a", fail) for _ in range(3)), return_exceptions=True)
        assert [type(each) for each in told] == [LookupError] * 3 and tried == 1
        with pytest.raises(LookupError):
            await flights.join("a", fail)
        assert tried == 2

    asyncio.run(story())


def test_work_goes_on_while_somebody_waits_and_ends_with_the_last() -> None:
    """One who leaves disturbs nobody; when all have left, nothing is done for nobody."""
    ended: list[str] = []

    async def story() -> None:
        flights, go_on = Flights(), asyncio.Event()

        async def make(deliver: Deliver) -> None:
            try:
                await go_on.wait()
            except asyncio.CancelledError:
                ended.append("cancelled")
                raise
            await deliver(MADE)

        first, second = (asyncio.create_task(flights.join("a", make)) for _ in range(2))
        await asyncio.sleep(0)
        first.cancel()
        await asyncio.sleep(0)
        go_on.set()
        assert await second == MADE and ended == []
        go_on.clear()
        last = asyncio.create_task(flights.join("b", make))
        await asyncio.sleep(0.01)
        last.cancel()
        await asyncio.sleep(0.01)
        assert ended == ["cancelled"]
        go_on.set()
        assert await flights.join("b", make) == MADE

    asyncio.run(story())


def test_what_is_left_to_do_keeps_nobody_waiting() -> None:
    """What was delivered is everybody's at once, also who comes while the rest is done; it is bounded."""
    begun: list[str] = []

    async def story() -> None:
        flights, story_ended = Flights(), asyncio.Event()

        async def work(deliver: Deliver) -> None:
            begun.append("work")
            await deliver(MADE)
            await story_ended.wait()

        for name in "abcdefgh":
            assert await asyncio.wait_for(flights.join(name, work), 5) == MADE
        assert await asyncio.wait_for(flights.join("a", work), 5) == MADE and len(begun) == 8
        ninth = asyncio.create_task(flights.join("i", work))
        await asyncio.sleep(0.01)
        assert len(begun) == 9 and not ninth.done()
        story_ended.set()
        assert await asyncio.wait_for(ninth, 5) == MADE
        await flights.close()
        await flights.join("a", work)
        assert len(begun) == 10

    asyncio.run(story())


def test_who_comes_while_a_flight_ends_has_one_that_stays() -> None:
    """A flight that was given up takes no later one of its name with it."""

    async def story() -> None:
        flights, go_on, begun = Flights(), asyncio.Event(), 0

        async def work(deliver: Deliver) -> None:
            nonlocal begun
            begun += 1
            try:
                await go_on.wait()
            except asyncio.CancelledError:
                await asyncio.sleep(0.02)
                raise
            await deliver(MADE)

        first = asyncio.create_task(flights.join("a", work))
        await asyncio.sleep(0.01)
        first.cancel()
        await asyncio.sleep(0)
        second = asyncio.create_task(flights.join("a", work))
        await asyncio.sleep(0.05)
        third = asyncio.create_task(flights.join("a", work))
        await asyncio.sleep(0)
        go_on.set()
        assert await asyncio.gather(second, third) == [MADE, MADE] and begun == 2

    asyncio.run(story())


def test_processes_take_turns_at_the_same_work(tmp_path: Path) -> None:
    """What one process has claimed another waits for, until it is released or the process dies."""
    lock, entered = tmp_path / "lock", tmp_path / "entered"

    async def hold_forever() -> None:
        async with Claims(lock, 60).hold("work"):
            entered.touch()
            await asyncio.sleep(60)

    child = os.fork()
    if child == 0:
        try:
            asyncio.run(hold_forever())
        finally:
            os._exit(1)
    deadline = time.monotonic() + 10
    while not entered.exists():
        assert time.monotonic() < deadline
        time.sleep(0.01)

    async def story() -> None:
        claims = Claims(lock, 60)
        async with claims.hold("other work"):
            pass
        waiting = asyncio.create_task(anext_of(claims))
        await asyncio.sleep(0.2)
        assert not waiting.done()
        hasty = Claims(lock, 0.05)
        await asyncio.wait_for(anext_of(hasty), 5)  # goes on without: it is a courtesy, and time is short
        hasty.close()
        assert not waiting.done()
        os.kill(child, signal.SIGKILL)
        os.waitpid(child, 0)
        await asyncio.wait_for(waiting, 5)
        claims.close()

    async def anext_of(claims: Claims) -> None:
        async with claims.hold("work"):
            pass

    asyncio.run(story())
