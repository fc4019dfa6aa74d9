"""The HTTP connection with its figures: connections, bytes each way, and what was refused for want of room.

What lives here: additions to a worker's row, a few per request. What must not: limits, parsing, or anything
that reads the figures.
"""

import asyncio
from typing import Any, cast

from uvicorn.protocols.http.httptools_impl import RequestResponseCycle

from meiku import errors
from meiku.config import Settings
from meiku.counters import CONNECTIONS, CUT, RECEIVED_BYTES, SENT_BYTES, SLOW_HEAD, SLOW_REQUEST, Counters
from meiku.wire.outlet import Outlet
from meiku.wire.protocol import LimitedHttpProtocol, protocol_for


class CountedHttpProtocol(LimitedHttpProtocol):
    """One connection that counts itself, its bytes, and its refusals."""

    row: memoryview

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        """Count a connection in, and whatever will be written to it."""
        self.row[CONNECTIONS] += 1
        super().connection_made(transport)
        outlet = cast(Outlet, self.transport)
        self.transport = cast(asyncio.Transport, Outlet(self._write, outlet.is_closing, outlet.close))
        if transport.is_closing():
            self.row[CUT] += 1

    def connection_lost(self, exc: Exception | None) -> None:
        """Count the connection out."""
        self.row[CONNECTIONS] -= 1
        super().connection_lost(exc)

    def data_received(self, data: bytes) -> None:
        """Count what arrived."""
        self.row[RECEIVED_BYTES] += len(data)
        super().data_received(data)

    def _receive_large(self, data: bytes) -> None:
        counted_bytes = self.row[RECEIVED_BYTES]
        super()._receive_large(data)
        # What lies behind the head went through `data_received` once more.
        self.row[RECEIVED_BYTES] = counted_bytes

    def _write(self, data: bytes) -> None:
        self.row[SENT_BYTES] += len(data)
        self._socket.write(data)

    def _may_begin(self, cycle: RequestResponseCycle) -> bool:
        may_begin = super()._may_begin(cycle)
        if not may_begin:
            self.row[SLOW_REQUEST] += 1
        return may_begin

    def refuse(self, error: type[errors.S3Error], status: int | None = None) -> None:
        """Count what is refused because there is too much."""
        if error is errors.SlowDown:
            self.row[SLOW_HEAD] += 1
        super().refuse(error, status)


def counted_protocol_for(settings: Settings, counters: Counters) -> type[LimitedHttpProtocol]:
    """Return the protocol with the limits of `settings`, counting in this worker's row."""
    bases = (CountedHttpProtocol, protocol_for(settings))
    made: Any = type("ConfiguredCountedHttpProtocol", bases, {"row": counters.row})
    return cast(type[LimitedHttpProtocol], made)
