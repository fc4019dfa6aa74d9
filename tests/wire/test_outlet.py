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


class HandWound:
    """A loop whose time passes when it is told to: what was called for later is called now."""

    def __init__(self) -> None:
        self._later: list[Any] = []

    def call_later(self, _: float, then: Any) -> Any:
        handle = asyncio.Handle(then, (), cast(asyncio.AbstractEventLoop, self))
        self._later.append(handle)
        return handle

    def get_debug(self) -> bool:
        return False

    def pass_the_time(self) -> None:
        later, self._later = self._later, []
        for handle in later:
            if not handle.cancelled():
                handle._run()


def watched(transport: StuckTransport, loop: HandWound) -> ReaderWatch:
    """Begin to watch a transport."""
    reader_watch = ReaderWatch(cast(asyncio.Transport, transport), 1.0)
    reader_watch.begin(cast(asyncio.AbstractEventLoop, loop))
    return reader_watch


def test_a_buffer_that_does_not_shrink_is_aborted() -> None:
    """The last bytes of a closing connection are not kept for ever."""
    transport, loop = StuckTransport(10), HandWound()
    watched(transport, loop)
    loop.pass_the_time()
    assert transport.aborted


def test_a_buffer_that_shrinks_is_waited_for() -> None:
    """Every byte taken buys the whole time again, until none are left."""
    transport, loop = StuckTransport(10), HandWound()
    watched(transport, loop)
    for transport.buffered_bytes in (9, 8, 7, 0, 0):
        loop.pass_the_time()
        assert not transport.aborted


def test_room_made_between_two_looks_is_progress() -> None:
    """A reader that took much while as much was written has not stood still."""
    transport, loop = StuckTransport(10), HandWound()
    watched(transport, loop).note_progress()
    loop.pass_the_time()
    assert not transport.aborted
    loop.pass_the_time()
    assert transport.aborted


def test_a_watch_that_is_stopped_does_nothing() -> None:
    """A connection that is gone is left alone."""
    transport, loop = StuckTransport(10), HandWound()
    watched(transport, loop).stop()
    loop.pass_the_time()
    assert not transport.aborted


def test_a_refusal_is_a_whole_answer() -> None:
    """Its length is that of its body, and the common headers are in it."""
    answer = refusal(errors.BadRequest, 400, [(b"date", b"today")])
    head, _, body = answer.partition(b"\r\n\r\n")
    lines = head.split(b"\r\n")
    assert lines[0] == b"HTTP/1.1 400 Bad Request"
    assert {b"date: today", b"connection: close", b"content-length: %d" % len(body)} <= set(lines)
