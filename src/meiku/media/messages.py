"""What a server and its media worker say to each other: names and values as JSON, and bytes behind them.

JSON, not pickle: a worker decodes what strangers sent, so what it says is only data. Blocking reads are the
worker's, the others the server's.
"""

import asyncio
import json
import socket
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

_LENGTH_BYTES = 8
_HEAD_LIMIT_BYTES = 64 * 1024
_BODY_LIMIT_BYTES = 1 << 30


@dataclass(frozen=True, slots=True)
class Message:
    """Named values, and bytes."""

    values: Mapping[str, Any]
    body: bytes = b""

    def framed(self) -> bytes:
        """Write lengths, values and bytes."""
        head = json.dumps(dict(self.values)).encode()
        return len(head).to_bytes(4, "big") + len(self.body).to_bytes(4, "big") + head + self.body


async def receive(reader: asyncio.StreamReader) -> Message:
    """Wait for a message; IncompleteReadError when the other has gone."""
    head_bytes, body_bytes = _lengths(await reader.readexactly(_LENGTH_BYTES))
    head = await reader.readexactly(head_bytes)
    return Message(json.loads(head), await reader.readexactly(body_bytes))


def receive_blocking(connection: socket.socket) -> Message | None:
    """Wait for a message; None when the other has gone."""
    lengths = _exactly(connection, _LENGTH_BYTES)
    if lengths is None:
        return None
    head_bytes, body_bytes = _lengths(lengths)
    head, body = _exactly(connection, head_bytes), _exactly(connection, body_bytes)
    return None if head is None or body is None else Message(json.loads(head), body)


def _lengths(data: bytes) -> tuple[int, int]:
    head_bytes, body_bytes = int.from_bytes(data[:4], "big"), int.from_bytes(data[4:], "big")
    if head_bytes > _HEAD_LIMIT_BYTES or body_bytes > _BODY_LIMIT_BYTES:
        raise ConnectionError("a message is longer than any that is meant")
    return head_bytes, body_bytes


def _exactly(connection: socket.socket, size_bytes: int) -> bytes | None:
    received = bytearray(size_bytes)
    view = memoryview(received)
    while view:
        taken = connection.recv_into(view)
        if not taken:
            return None
        view = view[taken:]
    return bytes(received)
