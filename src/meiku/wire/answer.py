"""Sends a response through ASGI: at once where the bytes are at hand, else in pieces as they are read.

A stream that breaks ends the connection, so that no client takes what it got for the whole; and when the
client has gone, nothing more is read for it.
"""

import asyncio
from collections.abc import AsyncGenerator
from contextlib import aclosing
from typing import cast

from meiku.wire.renderer import Headers, Response
from meiku.wire.request import Receive, Scope, Send
from meiku.wire.timestamps import date_header

# The extension by which a connection takes a whole answer in one call; see `exchange`.
WHOLE = "meiku.response.whole"


async def send_response(response: Response, scope: Scope, receive: Receive, send: Send) -> None:
    """Send status, headers and body."""
    headers = response.headers
    headers.append(date_header())
    body = response.body
    if isinstance(body, bytes):
        _declare_length(headers, response, len(body))
        body = b"" if scope["method"] == "HEAD" else body
        write_whole = scope.get("extensions", {}).get(WHOLE)
        if write_whole is not None and write_whole(response.status, headers, body):
            return
        await send({"type": "http.response.start", "status": response.status, "headers": headers})
        await send({"type": "http.response.body", "body": body})
        return
    await send({"type": "http.response.start", "status": response.status, "headers": headers})
    gone = asyncio.ensure_future(_gone(receive))
    try:
        await _send_pieces(cast(AsyncGenerator[bytes, None], body), gone, send)
    finally:
        gone.cancel()


async def _send_pieces(pieces: AsyncGenerator[bytes, None], gone: asyncio.Future[None], send: Send) -> None:
    async with aclosing(pieces):
        async for piece in pieces:
            if gone.done():
                return
            await send({"type": "http.response.body", "body": piece, "more_body": True})
    await send({"type": "http.response.body", "body": b""})


async def _gone(receive: Receive) -> None:
    """Wait until the client has gone; ASGI servers say so on the receiving side only."""
    while (await receive())["type"] != "http.disconnect":
        pass


def _declare_length(headers: Headers, response: Response, size_bytes: int) -> None:
    if response.status not in (204, 304) and not any(name == b"Content-Length" for name, _ in headers):
        headers.append((b"Content-Length", str(size_bytes).encode()))
