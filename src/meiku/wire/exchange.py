"""What surrounds the application in one exchange: a body that nobody will read, and a worker with no room.

ASGI applications and what they need to know of a request's framing. What must not live here: the connection
(that is `protocol`), or anything that knows a bucket.
"""

from typing import Any, cast

from uvicorn._types import (
    ASGI3Application,
    ASGIReceiveCallable,
    ASGISendCallable,
    ASGISendEvent,
    Scope,
)
from uvicorn.protocols.http.httptools_impl import RequestResponseCycle

from meiku import errors
from meiku.wire.answer import send_response
from meiku.wire.renderer import render_error


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
