"""How a connection's bytes leave: the transport as an exchange sees it, refusals, and who stops reading.

What lives here: the narrow view of a transport, an error in raw bytes for whoever has no request yet, and the
watch over a reader that stands still. What must not: parsing, or the decision of when a connection ends.
"""

import asyncio
import fcntl
import functools
import struct
import termios
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from html import escape
from http import HTTPStatus

from meiku import errors
from meiku.wire.timestamps import date_header


@dataclass(frozen=True, slots=True)
class Outlet:
    """The transport as an exchange sees it; its owner says what closing means."""

    write: Callable[[bytes], None]
    is_closing: Callable[[], bool]
    close: Callable[[], None]


def refusal(error: type[errors.S3Error], status: int, headers: Iterable[tuple[bytes, bytes]]) -> bytes:
    """Write a whole answer that says `error` and ends the connection."""
    message = escape(error.message, quote=False)
    body = (
        '<?xml version="1.0" encoding="UTF-8"?>\n'
        f"<Error><Code>{error.code}</Code><Message>{message}</Message><RequestId/></Error>"
    ).encode()
    own = [
        date_header(),
        *((name.encode(), value.encode()) for name, value in error().headers.items()),
        (b"content-type", b"application/xml"),
        (b"content-length", b"%d" % len(body)),
        (b"connection", b"close"),
    ]
    lines = b"".join(b"%b: %b\r\n" % header for header in (*headers, *own))
    return b"HTTP/1.1 %d %b\r\n%b\r\n%b" % (status, HTTPStatus(status).phrase.encode(), lines, body)


class ReaderWatch:
    """Aborts a connection whose client takes no byte of what it asked for during `idle_timeout_s`."""

    __slots__ = ("_idle_timeout_s", "_progress", "_timer", "_transport")

    def __init__(self, transport: asyncio.Transport, idle_timeout_s: float) -> None:
        """Watch nothing yet."""
        self._transport = transport
        self._idle_timeout_s = idle_timeout_s
        self._progress = False
        self._timer: asyncio.TimerHandle | None = None

    def begin(self, loop: asyncio.AbstractEventLoop) -> None:
        """Watch until everything written has left; beginning twice is beginning once."""
        if self._timer is None:
            self._progress = False
            check = functools.partial(self._check, loop, self._unsent_bytes())
            self._timer = loop.call_later(self._idle_timeout_s, check)

    def note_progress(self) -> None:
        """Take note that the reader made room."""
        self._progress = True

    def stop(self) -> None:
        """Watch no longer: the connection is gone."""
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None

    def _check(self, loop: asyncio.AbstractEventLoop, unsent_before_bytes: int) -> None:
        self._timer = None
        if not self._transport.get_write_buffer_size():
            return
        if self._progress or self._unsent_bytes() < unsent_before_bytes:
            self.begin(loop)
        else:
            self._transport.abort()

    def _unsent_bytes(self) -> int:
        """Count the bytes that the client has not acknowledged, in this process and in the kernel.

        The kernel takes from us in large steps, so that a slow but honest reader shows only there.
        """
        queued = fcntl.ioctl(self._transport.get_extra_info("socket").fileno(), termios.TIOCOUTQ, bytes(4))
        return self._transport.get_write_buffer_size() + int(struct.unpack("i", queued)[0])
