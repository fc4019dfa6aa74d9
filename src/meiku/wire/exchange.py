"""What surrounds the application in one exchange: an answer in one write, a body nobody will read, no room.

ASGI applications and what they need to know of a request's framing. What must not live here: the connection
(that is `protocol`), or anything that knows a bucket.
"""

from functools import lru_cache, partial
from typing import Any, cast

from uvicorn._types import (
    ASGI3Application,
    ASGIReceiveCallable,
    ASGISendCallable,
    ASGISendEvent,
    Scope,
)
from uvicorn.protocols.http.httptools_impl import STATUS_LINE, RequestResponseCycle

from meiku import errors
from meiku.wire.answer import WHOLE, send_response
from meiku.wire.renderer import Headers, render_error

_CONTROLS = bytes({*range(32), 127} - {ord("\t")})
_TOKEN = frozenset(b"!#$%&'*+-.^_`|~0123456789abcdefghijklmnopqrstuvwxyz")


def offer_whole(exchange: RequestResponseCycle) -> None:
    """Let the application give a whole answer at once; in messages it costs twice as much to send."""
    extensions = cast(dict[str, Any], exchange.scope).setdefault("extensions", {})
    extensions[WHOLE] = partial(_write_whole, exchange)


def _write_whole(exchange: RequestResponseCycle, status: int, headers: Headers, body: bytes) -> bool:
    """Write status, headers and body together; False, and nothing written, where only messages will do."""
    if exchange.flow.write_paused or exchange.response_started or exchange.access_log:
        return False
    if exchange.disconnected:
        return True
    head = _head(exchange, status, headers)
    exchange.response_started = exchange.response_complete = True
    exchange.waiting_for_100_continue = False
    exchange.transport.write(head + body)
    exchange.message_event.set()
    if not exchange.keep_alive:
        exchange.transport.close()
    exchange.on_response()
    return True


def _head(exchange: RequestResponseCycle, status: int, headers: Headers) -> bytes:
    """Write the head of an answer; ValueError where a header would break its line (RFC 9110 5.5)."""
    lines = [*exchange.default_headers, *headers]
    if not exchange.keep_alive:
        lines.append((b"connection", b"close"))
    head = b"\r\n".join([_line_start(name) + value for name, value in lines])
    if len(head.translate(None, _CONTROLS)) != len(head) - 2 * (len(lines) - 1):
        raise ValueError("a header's value holds a control character")
    return STATUS_LINE[status] + head + b"\r\n\r\n"


@lru_cache(maxsize=1024)
def _line_start(name: bytes) -> bytes:
    name = name.lower()
    if not name or not _TOKEN.issuperset(name):
        raise ValueError("a header's name is not a token")
    return name + b": "


def declared_bytes(exchange: RequestResponseCycle) -> int:
    """Return the body length that the client declared, 0 when it declared none."""
    for name, value in exchange.scope["headers"]:
        if name == b"content-length":
            return int(value)
    return 0


async def answer_and_end(
    app: ASGI3Application,
    exchange: RequestResponseCycle,
    too_long: bool,
    scope: Scope,
    receive: ASGIReceiveCallable,
    send: ASGISendCallable,
) -> None:
    """Run `app`; if it answers while the client holds a body that will not be read, say so and end.

    A client that was never told to continue may send its body or not (RFC 9110 10.1.1), so what follows
    cannot be told apart from the next request.
    """

    async def answer(message: ASGISendEvent) -> None:
        if exchange.more_body and (too_long or exchange.waiting_for_100_continue):
            exchange.keep_alive = False
        await send(message)

    await app(cast(Any, scope), receive, answer)


async def slow_down(scope: Scope, receive: ASGIReceiveCallable, send: ASGISendCallable) -> None:
    """Answer that this worker has too much in its hands."""
    response = render_error(errors.SlowDown(), resource="", request_id="", host_id="")
    await send_response(response, cast(Any, scope), cast(Any, receive), cast(Any, send))
