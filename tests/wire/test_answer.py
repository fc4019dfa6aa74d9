"""What is sent, and when sending stops."""

import asyncio
from collections.abc import AsyncIterator
from typing import Any

from meiku.wire.answer import send_response
from meiku.wire.renderer import Response


async def stream(read: list[int], messages: list[dict[str, Any]], sent: list[dict[str, Any]]) -> None:
    async def pieces() -> AsyncIterator[bytes]:
        for number in range(100):
            read.append(number)
            yield b"x"

    async def receive() -> dict[str, Any]:
        if not messages:
            await asyncio.Event().wait()
        return messages.pop(0)

    async def send(message: dict[str, Any]) -> None:
        sent.append(message)
        await asyncio.sleep(0)

    response = Response(200, [(b"Content-Length", b"100")], pieces())
    await send_response(response, {"method": "GET"}, receive, send)


def test_a_stream_is_sent_to_its_end() -> None:
    """Every piece is sent, then the end; a request that is merely complete is not a client that has gone."""
    read: list[int] = []
    sent: list[dict[str, Any]] = []
    asyncio.run(stream(read, [{"type": "http.request", "more_body": False}], sent))
    assert len(read) == 100
    assert sent[-1] == {"type": "http.response.body", "body": b""}


def test_nothing_is_read_for_a_client_that_has_gone() -> None:
    """Once the client has gone no further piece is read, and the answer is not ended as if it were whole."""
    read: list[int] = []
    sent: list[dict[str, Any]] = []
    asyncio.run(stream(read, [{"type": "http.disconnect"}], sent))
    assert len(read) < 5
    assert all(
        message.get("more_body") is not False or message["type"] != "http.response.body" for message in sent
    )
    assert sent[-1].get("more_body", True)
