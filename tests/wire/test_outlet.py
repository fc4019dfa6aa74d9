"""How long bytes may wait for their reader."""

import asyncio
import socket
from typing import Any, cast

from meiku import errors
from meiku.wire.outlet import ReaderWatch, refusal


class StuckTransport:
    """A transport whose buffer is as full as it is told."""

    def __init__(self, buffered_bytes: int) -> None:
        self.buffered_bytes = buffered_bytes
        self.aborted = False
        self.socket, self._other_end = socket.socketpair()

    def get_write_buffer_size(self) -> int:
        return self.buffered_bytes

    def get_extra_info(self, name: str) -> Any:
        return self.socket

    def abort(self) -> None:
        self.aborted = True


async def watch(transport: StuckTransport, *buffered_bytes: int) -> ReaderWatch:
    """Watch `transport` while its buffer takes these sizes, each for as long as the watch waits."""
    reader_watch = ReaderWatch(cast(asyncio.Transport, transport), 0.05)
    reader_watch.begin(asyncio.get_running_loop())
    await asyncio.sleep(0.025)
    for size_bytes in buffered_bytes:
        transport.buffered_bytes = size_bytes
        await asyncio.sleep(0.05)
    return reader_watch


def test_a_buffer_that_does_not_shrink_is_aborted() -> None:
    """The last bytes of a closing connection are not kept for ever."""
    transport = StuckTransport(10)
    asyncio.run(watch(transport, 10))
    assert transport.aborted


def test_a_buffer_that_shrinks_is_waited_for() -> None:
    """Every byte taken buys the whole time again, until none are left."""
    transport = StuckTransport(10)
    asyncio.run(watch(transport, 9, 8, 7, 0, 0))
    assert not transport.aborted


def test_room_made_between_two_looks_is_progress() -> None:
    """A reader that took much while as much was written has not stood still."""

    async def progress() -> None:
        reader_watch = await watch(transport)
        reader_watch.note_progress()
        await asyncio.sleep(0.05)
        assert not transport.aborted
        await asyncio.sleep(0.075)

    transport = StuckTransport(10)
    asyncio.run(progress())
    assert transport.aborted


def test_a_watch_that_is_stopped_does_nothing() -> None:
    """A connection that is gone is left alone."""

    async def stop() -> None:
        (await watch(transport)).stop()
        await asyncio.sleep(0.1)

    transport = StuckTransport(10)
    asyncio.run(stop())
    assert not transport.aborted


def test_a_refusal_is_a_whole_answer() -> None:
    """Its length is that of its body, and the common headers are in it."""
    answer = refusal(errors.BadRequest, 400, [(b"date", b"today")])
    head, _, body = answer.partition(b"\r\n\r\n")
    lines = head.split(b"\r\n")
    assert lines[0] == b"HTTP/1.1 400 Bad Request"
    assert {b"date: today", b"connection: close", b"content-length: %d" % len(body)} <= set(lines)
