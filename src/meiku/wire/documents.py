"""Documents: bodies that are held in memory whole. How much of them, for whom, and for how long.

What has arrived is counted, not what was announced; no client gets all of the room, and a document that is
not whole in time is given up. What a document says is not known here.
"""

import asyncio
from collections.abc import Iterator
from contextlib import contextmanager

from meiku import errors
from meiku.client import client_of
from meiku.wire.body import Body
from meiku.wire.load import Held

# Of one worker's documents together.
_LIMIT_BYTES = 16 * 1024 * 1024


class Documents:
    """The room of one worker for documents."""

    def __init__(self, timeout_s: float) -> None:
        """Take the longest that a document may take to arrive."""
        self._held = Held(_LIMIT_BYTES)
        self._timeout_s = timeout_s

    @contextmanager
    def room_for(self, client: str) -> Iterator["Room"]:
        """Return room for one client's document, empty so far; what it holds is given back at the end."""
        room = Room(self._held, client_of((client,)), self._timeout_s)
        try:
            yield room
        finally:
            room.leave()


class Room:
    """What one document holds."""

    def __init__(self, held: Held, client: str, timeout_s: float) -> None:
        self._held, self._client, self._timeout_s = held, client, timeout_s
        self._size_bytes = 0

    async def read(self, body: Body, limit_bytes: int) -> bytes:
        """Read a document; SlowDown without room for it, RequestTimeout late, MaxMessageLengthExceeded."""
        try:
            async with asyncio.timeout(self._timeout_s):
                return await body.read_all(limit_bytes, self._take)
        except TimeoutError:
            raise errors.RequestTimeout(
                f"The document of this request was not whole after {self._timeout_s:g} seconds."
            ) from None

    def _take(self, size_bytes: int) -> None:
        if not self._held.admits(self._client):
            raise errors.SlowDown
        self._held.add(self._client, size_bytes)
        self._size_bytes += size_bytes

    def leave(self) -> None:
        """Give back what was held."""
        self._held.add(self._client, -self._size_bytes)
        self._size_bytes = 0
