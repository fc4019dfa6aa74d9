"""How a form arrives: judged before its file is taken, and never held in memory."""

import hashlib
import socket
from pathlib import Path
from typing import Any

import pytest

from browser_form import BOUNDARY, CONTENT_TYPE, Key, encode, field, file_part, policy, signed_v2, signed_v4
from plain_http import Answer, answer_on, connect, head

MIB = 1 << 20


def test_a_policy_is_judged_before_the_file_is_sent(server: Any, bucket: str) -> None:
    """The refusal comes while the client still holds the file: none of its bytes were needed."""
    fields = {"key": "k", **signed_v2(policy({"key": "other"}))}
    answer = answer_before_the_file(server.port, bucket, fields)
    assert (answer.status, answer.code) == (403, "AccessDenied")


@pytest.mark.parametrize("signed", [{}, signed_v4({"key": "k"}, key=Key(secret_key="x"))])
def test_a_stranger_is_refused_before_the_file_is_sent(
    server: Any, bucket: str, signed: dict[str, str]
) -> None:
    """Neither an anonymous form nor a forged one can make the server take its file."""
    assert answer_before_the_file(server.port, bucket, {"key": "k", **signed}).status == 403


def answer_before_the_file(port: int, bucket: str, fields: dict[str, str]) -> Answer:
    """Send everything up to the first byte of the file, and read the answer."""
    beginning = encode([*(field(*pair) for pair in fields.items()), file_part(b"")])
    beginning = beginning.removesuffix(f"\r\n--{BOUNDARY}--\r\n".encode())
    headers = {"Host": "localhost", "Content-Type": CONTENT_TYPE, "Content-Length": str(50 * MIB)}
    with connect(port) as connection:
        connection.sendall(head("POST", f"/{bucket}", headers) + beginning)
        return answer_on(connection)


def test_a_large_file_is_streamed(own_server: Any) -> None:
    """A form of 200 MB is stored whole, and no worker's memory grows by more than a fraction of it."""
    server = own_server("--workers", "1")
    client = server.client()
    client.create_bucket(Bucket="large")
    before_kib = peak_kib(server)
    piece, count = bytes(range(256)) * 4096, 200
    fields = {"key": "k", **signed_v2(policy({"bucket": "large"}, {"key": "k"}))}
    start = encode([*(field(*pair) for pair in fields.items()), file_part(b"")])
    end = f"\r\n--{BOUNDARY}--\r\n".encode()
    start = start.removesuffix(end)
    length = len(start) + len(piece) * count + len(end)
    headers = {"Host": "localhost", "Content-Type": CONTENT_TYPE, "Content-Length": str(length)}
    with connect(server.port) as connection:
        connection.sendall(head("POST", "/large", headers) + start)
        send_often(connection, piece, count)
        connection.sendall(end)
        assert answer_on(connection).status == 204
    assert client.head_object(Bucket="large", Key="k")["ETag"] == f'"{md5_of(piece, count)}"'
    assert peak_kib(server) - before_kib < 40 * 1024


def send_often(connection: socket.socket, piece: bytes, count: int) -> None:
    for _ in range(count):
        connection.sendall(piece)


def md5_of(piece: bytes, count: int) -> str:
    digest = hashlib.md5()
    for _ in range(count):
        digest.update(piece)
    return digest.hexdigest()


def peak_kib(server: Any) -> int:
    """Add up the most memory that each worker ever held."""
    parent = server.process.pid
    children = Path(f"/proc/{parent}/task/{parent}/children").read_text().split()
    statuses = [Path(f"/proc/{pid}/status").read_text() for pid in children]
    return sum(int(text.partition("VmHWM:")[2].split()[0]) for text in statuses)
