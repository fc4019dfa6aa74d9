"""Bodies that trickle: who sends slowly leaves the place that others wait for; who hardly sends is ended.

One look every two seconds at all bodies that a worker receives; a timer for each would cost more than most of
them take. What must not live here: how many places there are, and how a connection ends.
"""

import asyncio
from typing import Protocol

from meiku import errors

LOOK_S = 2.0
# Slower than this nobody needs a place that is meant for those who are soon done.
SLOW_BYTES_PER_S = 64 << 10
WINDOW_S = 60.0


class Share(Protocol):
    """What a connection holds."""

    @property
    def body_bytes(self) -> int:
        """How much of its body has come."""
        ...

    def make_way(self) -> bool:
        """Leave a place to others; False where there is no other place and they wait."""
        ...


class Connection(Protocol):
    """A connection whose body is on its way."""

    @property
    def share(self) -> Share:
        """What it holds."""
        ...

    def is_held_back(self) -> bool:
        """Tell whether it is the server that does not read."""
        ...

    def refuse(self, error: type[errors.S3Error]) -> None:
        """Answer an error and end the connection."""
        ...


class Receiving:
    """One body, and what of it had come by the last look and at the beginning of the minute."""

    __slots__ = ("_connection", "_seen_bytes", "_window_began_s", "_window_bytes")

    def __init__(self, connection: Connection) -> None:
        """Have seen nothing yet."""
        self._connection = connection
        self._seen_bytes = -1
        self._window_began_s, self._window_bytes = 0.0, 0

    def look(self, now_s: float, least_bytes_per_s: int) -> None:
        """Judge what has come since the last look, and in the minute; the first look only begins both."""
        share, is_first = self._connection.share, self._seen_bytes < 0
        arrived_bytes, self._seen_bytes = share.body_bytes - self._seen_bytes, share.body_bytes
        if is_first or self._connection.is_held_back():
            self._window_began_s, self._window_bytes = now_s, share.body_bytes
            return
        window_s = now_s - self._window_began_s
        if window_s >= WINDOW_S:
            if share.body_bytes - self._window_bytes < least_bytes_per_s * window_s:
                self._connection.refuse(errors.RequestTimeout)
                return
            self._window_began_s, self._window_bytes = now_s, share.body_bytes
        if arrived_bytes < SLOW_BYTES_PER_S * LOOK_S and not share.make_way():
            self._connection.refuse(errors.SlowDown)


class TrickleWatch:
    """Looks at all bodies of a worker, again and again while there are any."""

    def __init__(self, least_bytes_per_s: int) -> None:
        """Watch nothing yet; `least_bytes_per_s` is what a body must bring on the average of a minute."""
        self._least_bytes_per_s = least_bytes_per_s
        self._receiving: dict[Connection, Receiving] = {}
        self._is_looking = False

    def begin(self, connection: Connection, loop: asyncio.AbstractEventLoop) -> None:
        """Watch a connection's body."""
        self._receiving[connection] = Receiving(connection)
        if not self._is_looking:
            self._is_looking = True
            loop.call_later(LOOK_S, self._look, loop)

    def end(self, connection: Connection) -> None:
        """Watch it no longer: its body is whole, or nobody wants it."""
        self._receiving.pop(connection, None)

    def _look(self, loop: asyncio.AbstractEventLoop) -> None:
        for receiving in list(self._receiving.values()):
            receiving.look(loop.time(), self._least_bytes_per_s)
        self._is_looking = bool(self._receiving)
        if self._is_looking:
            loop.call_later(LOOK_S, self._look, loop)
