"""What a server and its media worker say to each other: names and values as JSON, with bytes or a file.

JSON, not pickle: a worker decodes what strangers sent, so what it says is only data. A file goes as its
descriptor, so that its bytes are copied by nobody on the way. Blocking calls are the worker's, the others the
server's.
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
_READ_LEAST_BYTES, _READ_MOST_BYTES = 64 << 10, 1 << 20


@dataclass(frozen=True, slots=True)
class Message:
    """Named values, and bytes or the descriptor of an open file, which who receives it closes."""

    values: Mapping[str, Any]
    body: bytes = b""
    file: int | None = None

    def framed(self) -> bytes:
        """Write lengths, values and bytes."""
        head = json.dumps(dict(self.values)).encode()
        return len(head).to_bytes(4, "big") + len(self.body).to_bytes(4, "big") + head + self.body


async def send(connection: socket.socket, message: Message) -> None:
    """Send a message; ConnectionError when the other has gone. The file stays open here."""
    if message.file is None:
        await asyncio.get_running_loop().sock_sendall(connection, message.framed())
    else:
        # Short, and the other has read all that came before it: it fits.
        try:
            socket.send_fds(connection, [message.framed()], [message.file])
        except BlockingIOError:
            raise ConnectionError("the worker does not listen") from None


async def receive(connection: socket.socket) -> Message:
    """Wait for a message, the only one on its way; ConnectionError when the other has gone or raves."""
    received = bytearray()
    # As much as there is, at once: a loop takes longer to wait than to read.
    while (missing_bytes := _size_bytes(received) - len(received)) > 0:
        most_bytes = min(max(missing_bytes, _READ_LEAST_BYTES), _READ_MOST_BYTES)
        more = await asyncio.get_running_loop().sock_recv(connection, most_bytes)
        if not more:
            raise ConnectionError("the worker has gone")
        received += more
    head_bytes, body_bytes = _lengths(received[:_LENGTH_BYTES])
    body_start = _LENGTH_BYTES + head_bytes
    head, body = received[_LENGTH_BYTES:body_start], received[body_start : body_start + body_bytes]
    return Message(_values(head), bytes(body))


def receive_blocking(connection: socket.socket) -> Message | None:
    """Wait for a message; None when the other has gone."""
    lengths, files, _, _ = socket.recv_fds(connection, _LENGTH_BYTES, 1)
    if len(lengths) < _LENGTH_BYTES:
        return None
    head_bytes, body_bytes = _lengths(lengths)
    head, body = _received_blocking(connection, head_bytes), _received_blocking(connection, body_bytes)
    if head is None or body is None:
        return None
    return Message(json.loads(head), body, files[0] if files else None)


def _values(head: bytearray) -> dict[str, Any]:
    try:
        values = json.loads(head)
    except (ValueError, RecursionError):
        values = None
    if not isinstance(values, dict):
        raise ConnectionError("the worker says nothing that can be read")
    return values


def _lengths(data: bytes | bytearray) -> tuple[int, int]:
    head_bytes, body_bytes = int.from_bytes(data[:4], "big"), int.from_bytes(data[4:], "big")
    if head_bytes > _HEAD_LIMIT_BYTES or body_bytes > _BODY_LIMIT_BYTES:
        raise ConnectionError("a message is longer than any that is meant")
    return head_bytes, body_bytes


def _size_bytes(received: bytearray) -> int:
    """Tell how long a message is in all, as far as its beginning says."""
    if len(received) < _LENGTH_BYTES:
        return _LENGTH_BYTES
    return _LENGTH_BYTES + sum(_lengths(received[:_LENGTH_BYTES]))


def _received_blocking(connection: socket.socket, size_bytes: int) -> bytes | None:
    received = bytearray()
    while len(received) < size_bytes:
        more = connection.recv(size_bytes - len(received))
        if not more:
            return None
        received += more
    return bytes(received)
