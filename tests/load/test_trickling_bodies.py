"""Uploads that trickle from many addresses: others are served, and they themselves come to their end."""

import socket
import threading
import time
from collections.abc import Callable
from typing import Any

from running_server import Server
from signed_http import SignedHttp

PLACES, PIECE, PIECES = 16, b"t" * 5000, 20


def test_who_trickles_keeps_nobody_from_uploading(own_server: Callable[..., Any]) -> None:
    """Ten kilobytes a second in every place: after a few seconds there is room again, and they end whole."""
    server = own_server("--workers", "1", MEIKU_MAX_UPLOADS=str(PLACES))
    http = SignedHttp(server.url)
    writable = {"x-amz-acl": "public-read-write"}
    assert http.send("PUT", "trickle", headers=writable).status == 200
    answers: list[bytes] = []
    threads = [threading.Thread(target=lambda n=n: answers.append(trickle(server, n))) for n in range(PLACES)]
    for thread in threads:
        thread.start()
    time.sleep(1)
    assert http.send("PUT", "trickle/early", PIECE).status == 503
    time.sleep(5)
    assert {SignedHttp(server.url).send("PUT", f"trickle/{n}", PIECE).status for n in range(100)} == {200}
    for thread in threads:
        thread.join()
    assert {answer[:12] for answer in answers} == {b"HTTP/1.1 200"}
    assert http.send("GET", "trickle/slow-0").body == PIECE * PIECES


def trickle(server: Server, number: int) -> bytes:
    """Upload from one of eight addresses of this machine, a piece every half second; tells the answer."""
    source = (f"127.0.0.{2 + number % 8}", 0)
    with socket.create_connection(("127.0.0.1", server.port), 60, source_address=source) as connection:
        head = f"PUT /trickle/slow-{number} HTTP/1.1\r\nHost: 127.0.0.1\r\nConnection: close\r\n"
        connection.sendall(f"{head}Content-Length: {len(PIECE) * PIECES}\r\n\r\n".encode())
        for _ in range(PIECES):
            connection.sendall(PIECE)
            time.sleep(0.5)
        return connection.recv(1000)
