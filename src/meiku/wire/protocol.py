"""The HTTP/1.1 connection: uvicorn's httptools protocol, with the limits that it leaves to its house.

What lives here: how many bytes and how long a head may take, what is said to bytes that are not HTTP, how a
connection ends without losing the answer, and how long a reader may stand still. What must not: anything
that knows a bucket, a signature or an operation. Uvicorn parses, runs the application and frames answers.

An *exchange* is one request and its answer (uvicorn's cycle). *Discarding* is reading the rest of a body
that nobody wants, within bounds: closing a socket with unread bytes makes the kernel send a reset, and the
client then never sees why it was refused. HTTP's rules: RFC 9110, RFC 9112.
"""

import asyncio
import functools
from collections.abc import Callable
from http import HTTPStatus
from typing import cast

import httptools
from uvicorn._types import ASGI3Application
from uvicorn.protocols.http.flow_control import HIGH_WATER_LIMIT
from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol, RequestResponseCycle

from meiku import errors
from meiku.client import client_of
from meiku.config import Settings
from meiku.wire.exchange import answer_and_end, declared_bytes, offer_whole, slow_down
from meiku.wire.host import with_host_of_target
from meiku.wire.load import Load, Share
from meiku.wire.outlet import Outlet, ReaderWatch, refusal

DISCARD_LIMIT_BYTES = 64 * 1024 * 1024
DISCARD_TIMEOUT_S = 10.0
GOODBYE_S = 1.0
PIPELINE_LIMIT = 128
# A header of five bytes takes 130 in memory, so their number is bounded too: of one head, of a line of them.
HEADERS_LIMIT = 500
WAITING_HEADERS_LIMIT = 2000

_FRAMING = (b"content-length", b"transfer-encoding")
_BODILESS = ("GET", "HEAD", "DELETE", "OPTIONS")


class LimitedHttpProtocol(HttpToolsProtocol):
    """One connection that costs its server a bounded number of bytes and seconds, whoever the client is."""

    header_limit_bytes = 64 * 1024
    header_timeout_s = 20.0
    body_idle_timeout_s = 60.0
    load = Load(Settings(workers=1))

    ending = False  # the answers are over; what still arrives is discarded
    _refused = False  # the parser has seen the last byte it gets
    _replaying = False  # the parser is being told of a body it thought absent
    _idle_since_s = 0.0
    _body_seen = False
    _framing_bytes = 0
    _discard_left_bytes: int | None = None
    _answering: RequestResponseCycle | None = None
    _deadline: asyncio.TimerHandle | None = None
    _socket: asyncio.Transport
    _reader_watch: ReaderWatch
    share: Share

    # ---- the connection -------------------------------------------------------------------------------

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        """Begin to wait for a head, or turn the client away when the house is full."""
        super().connection_made(transport)
        self._socket = transport
        self._reader_watch = ReaderWatch(transport, self.body_idle_timeout_s)
        self.transport = cast(asyncio.Transport, Outlet(transport.write, self._is_closing, self.end))
        self.share = Share(self.load, client_of(transport.get_extra_info("peername")))
        excess = self.share.excess(len(self.connections))
        if excess > self.load.refused_limit:
            transport.abort()
        elif excess > 0:
            self.refuse(errors.SlowDown)
        else:
            self._arm(self.header_timeout_s, self._head_timed_out)

    def connection_lost(self, exc: Exception | None) -> None:
        """Stop every timer and tell the exchange under way, which need not be the newest one."""
        self.ending = True
        self._disarm()
        self._unset_keepalive_if_required()
        self._reader_watch.stop()
        self.share.leave()
        self._hang_up()
        super().connection_lost(exc)

    def shutdown(self) -> None:
        """Finish what is under way and then close; whoever is only being discarded is cut."""
        if self.ending:
            self._close()
        else:
            super().shutdown()

    def end(self) -> None:
        """Close once the client could read the answer: at once, or when the rest of its body is read."""
        if self.ending:
            return
        self.ending = True
        if self._refused or (self._answering is not None and self._answering.more_body):
            self._linger()
        else:
            self._close()

    def _is_closing(self) -> bool:
        return self.ending or self._socket.is_closing()

    def pause_writing(self) -> None:
        """Hold the answer back, and watch that its reader goes on reading."""
        super().pause_writing()
        self.share.unsent(self._socket.get_write_buffer_size())
        self._reader_watch.begin(self.loop)

    def resume_writing(self) -> None:
        """Let the answer go on."""
        self._reader_watch.note_progress()
        self.share.unsent(0)
        super().resume_writing()

    def _linger(self) -> None:
        self._unset_keepalive_if_required()
        if self._socket.can_write_eof():
            self._socket.write_eof()
        self.flow.resume_reading()
        self._discard()

    def _close(self) -> None:
        self.ending = True
        self._disarm()
        self._socket.close()
        if self._socket.get_write_buffer_size():
            # A closing transport waits for its last bytes to leave, for ever if nobody reads them.
            self._reader_watch.begin(self.loop)
        elif not self._socket.can_write_eof():
            # TLS waits half a minute for the client's goodbye, and a stopping server would wait with it.
            self.loop.call_later(GOODBYE_S, self._socket.abort)

    def _arm(self, seconds: float, then: Callable[[], None]) -> None:
        self._disarm()
        self._deadline = self.loop.call_later(seconds, then)

    def _disarm(self) -> None:
        if self._deadline is not None:
            self._deadline.cancel()
            self._deadline = None

    # ---- bytes in -------------------------------------------------------------------------------------

    def data_received(self, data: bytes) -> None:
        """Parse `data`; no more than the limit of an unfinished head is ever taken in."""
        if self._discard_left_bytes is not None and not self._may_discard(len(data)):
            return
        newest = self.cycle
        in_body = newest is not None and newest.more_body
        if not in_body and len(data) > self.header_limit_bytes - self.share.head_bytes:
            self._receive_large(data)
            return
        self._feed(data)
        if in_body and newest.more_body:
            self._body_unfinished(len(data))
        elif (scope := self.scope) is not None and "method" not in scope:
            # A head that begins behind another message is counted from the next packet on.
            self._head_unfinished(len(data) if newest is self.cycle and not in_body else 0)

    def _in_head(self) -> bool:
        """Tell whether a head has begun and not ended: uvicorn names the method last."""
        return self.scope is not None and "method" not in self.scope

    def _receive_large(self, data: bytes) -> None:
        """Take a packet that is longer than a head may be: its head must end within the limit."""
        room = self.header_limit_bytes - self.share.head_bytes
        self._feed(data[:room])
        if self._in_head() and not self._refused:
            self.refuse(errors.RequestHeaderSectionTooLarge)
        elif data[room:] and not self._refused:
            self.data_received(data[room:])

    def _feed(self, data: bytes) -> None:
        if self._refused or self.parser is None:
            return
        try:
            self.parser.feed_data(data)
        except httptools.HttpParserUpgrade as upgrade:
            self._decline_upgrade(data[upgrade.args[0] :])
        except httptools.HttpParserError:
            if self.ending or self._discard_left_bytes is not None:
                self._close()
            elif len(self.headers) > HEADERS_LIMIT:
                self.refuse(errors.RequestHeaderSectionTooLarge)
            else:
                self.refuse(errors.BadRequest)

    def _head_unfinished(self, received_bytes: int) -> None:
        if self._deadline is None:
            self._arm(self.header_timeout_s, self._head_timed_out)
        admitted = self.share.head(self.share.head_bytes + received_bytes)
        if len(self.headers) > HEADERS_LIMIT:
            self.refuse(errors.RequestHeaderSectionTooLarge)
        elif not admitted:
            self.refuse(errors.SlowDown)

    def _body_unfinished(self, received_bytes: int) -> None:
        """Refuse a body that brings no bytes: what lies between chunks and behind them is bounded too."""
        self._framing_bytes = 0 if self._body_seen else self._framing_bytes + received_bytes
        self._body_seen = False
        if self._framing_bytes > self.header_limit_bytes and not self._refused:
            self.refuse(errors.RequestHeaderSectionTooLarge)

    def _head_timed_out(self) -> None:
        if self._answering is not None and not self._answering.response_complete:
            # The client of an unfinished answer is waiting for us.
            self._arm(self.header_timeout_s, self._head_timed_out)
        elif self._in_head():
            self.refuse(errors.RequestTimeout, HTTPStatus.REQUEST_TIMEOUT)
        else:
            self._close()

    def _decline_upgrade(self, rest: bytes) -> None:
        """Go on in HTTP/1.1 with a request that offered another protocol (RFC 9110 7.8).

        The parser takes such a request to have no body, so it would read the body as the next request.
        """
        framing = [header for header in self.cycle.scope["headers"] if header[0] in _FRAMING]
        if framing:
            self._replay(framing)
        if rest:
            self._feed(rest)

    def _replay(self, framing: list[tuple[bytes, bytes]]) -> None:
        """Show a new parser the same framing without the offer; the exchange exists already."""
        self.cycle.more_body = True
        self.cycle.message_event.clear()
        self.parser = httptools.HttpRequestParser(self)
        self._replaying = True
        head = b"".join(b"%b: %b\r\n" % header for header in framing)
        self._feed(b"PUT / HTTP/1.1\r\n" + head + b"\r\n")
        self._replaying = False

    # ---- what the parser finds ------------------------------------------------------------------------

    def on_headers_complete(self) -> None:
        """Begin an exchange; raise to have the connection refused when too many wait in line."""
        if self._replaying or self.ending:
            self.scope["method"] = ""
            return
        if self._deadline is not None:
            self.share.head(0)
            self._disarm()
        if len(self.headers) > HEADERS_LIMIT:
            raise errors.RequestHeaderSectionTooLarge
        if b"://" in self.url[:8]:
            self.headers[:] = with_host_of_target(self.url, self.headers)
        super().on_headers_complete()
        # What comes behind the body must not join the headers that the request was signed with.
        self.headers = []
        if self.pipeline and self._too_many_wait():
            raise errors.BadRequest("Too many requests wait for their turn on this connection.")

    def _too_many_wait(self) -> bool:
        headers = sum(len(list(cycle.scope["headers"])) for cycle, _ in self.pipeline)
        return len(self.pipeline) > PIPELINE_LIMIT or headers > WAITING_HEADERS_LIMIT

    def on_body(self, body: bytes) -> None:
        """Hand body bytes to their exchange, unless its answer is out."""
        exchange = self.cycle
        self._body_seen = True
        if self.ending or exchange.response_complete:
            return
        exchange.body += body
        self.share.body_bytes += len(body)
        if len(exchange.body) > HIGH_WATER_LIMIT:
            self.flow.pause_reading()
        exchange.message_event.set()

    def on_message_complete(self) -> None:
        """Note that a request has arrived whole, also when its answer is out already."""
        exchange = self.cycle
        exchange.more_body = False
        self.share.let_go_of_body()
        if self.ending:
            self._close()
        elif exchange.response_complete:
            self._discard_left_bytes = None
            self._disarm()
            self._be_idle()
        else:
            exchange.message_event.set()

    # ---- exchanges ------------------------------------------------------------------------------------

    def _start_asgi_task(self, cycle: RequestResponseCycle, app: ASGI3Application) -> None:
        self._answering = cycle
        if not self._may_begin(cycle):
            app = slow_down
        too_long = cycle.scope["method"] not in _BODILESS and declared_bytes(cycle) > DISCARD_LIMIT_BYTES
        if too_long or cycle.waiting_for_100_continue:
            app = functools.partial(answer_and_end, app, cycle, too_long)
        else:
            offer_whole(cycle)
        task = self.loop.create_task(cycle.run_asgi(app))
        self.tasks.add(task)
        task.add_done_callback(self.tasks.discard)

    def _may_begin(self, cycle: RequestResponseCycle) -> bool:
        """Tell whether an exchange may take memory: for its answer, and for the body that is on its way."""
        if cycle.more_body and cycle.scope["method"] not in _BODILESS:
            return self.share.admits_answer() and self.share.take_body(self, self.loop)
        return self.share.admits_answer()

    def is_held_back(self) -> bool:
        """Tell whether a body does not come because it is not read."""
        return self.flow.read_paused or self.cycle.waiting_for_100_continue

    def on_response_complete(self) -> None:
        """Go on to the next request, over the unread rest of this one's body."""
        self.server_state.total_requests += 1
        self.share.let_go_of_body()
        answered = self._answering
        if self.ending or answered is None:
            return
        self.flow.resume_reading()
        if self.pipeline:
            self._start_asgi_task(*self.pipeline.pop())
        elif answered.more_body:
            self._discard()
        else:
            self._be_idle()

    def _be_idle(self) -> None:
        self._idle_since_s = self.loop.time()
        # One timer for many requests: making and cancelling one for each would cost as much as its parsing.
        if self.timeout_keep_alive_task is None:
            self._expect_idleness(self.timeout_keep_alive)

    def _expect_idleness(self, after_s: float) -> None:
        self.timeout_keep_alive_task = self.loop.call_later(after_s, self.timeout_keep_alive_handler)

    def timeout_keep_alive_handler(self) -> None:
        """Close the connection when it has been idle for long enough, else look again later."""
        busy = self._deadline is not None or (self._answering and not self._answering.response_complete)
        left_s = self._idle_since_s + self.timeout_keep_alive - self.loop.time()
        if busy or left_s > 0:
            self._expect_idleness(self.timeout_keep_alive if busy else left_s)
        else:
            self.end()

    def _discard(self) -> None:
        self._discard_left_bytes = DISCARD_LIMIT_BYTES
        self._arm(DISCARD_TIMEOUT_S, self._close)

    def _may_discard(self, size_bytes: int) -> bool:
        self._discard_left_bytes = (self._discard_left_bytes or 0) - size_bytes
        if self._discard_left_bytes < 0:
            self._close()
        return self._discard_left_bytes >= 0

    def _hang_up(self) -> None:
        """Tell the exchange under way that its client is gone."""
        exchange = self._answering
        if exchange is not None and not exchange.response_complete:
            exchange.disconnected = True
            exchange.message_event.set()

    # ---- refusals -------------------------------------------------------------------------------------

    def refuse(self, error: type[errors.S3Error], status: int | None = None) -> None:
        """Answer `error` and end the connection, behind an answer that is under way."""
        self._refused = True
        self.share.let_go_of_body()
        if self.scope is not None:
            self.headers.clear()
        self.pipeline.clear()
        exchange = self._answering
        answered = exchange is None or exchange.response_complete
        if exchange is not None and not answered and not exchange.more_body:
            exchange.keep_alive = False
            return
        if answered or (exchange is not None and not exchange.response_started):
            self._socket.write(refusal(error, status or error.status, self.server_state.default_headers))
        self._hang_up()
        self.ending = True
        self._linger()


def protocol_for(settings: Settings) -> type[LimitedHttpProtocol]:
    """Return the protocol with the limits of `settings`, of which this worker has its share."""

    class ConfiguredHttpProtocol(LimitedHttpProtocol):
        header_limit_bytes = settings.header_limit_bytes
        header_timeout_s = settings.header_timeout_s
        body_idle_timeout_s = settings.body_idle_timeout_s
        load = Load(settings)

    return ConfiguredHttpProtocol
