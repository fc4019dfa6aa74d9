"""Many large objects at once on a real server: bytes pass through, and the memory stays under its bound."""

import hashlib
import os
import socket
from base64 import b64encode
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from typing import Any

import pytest

from load.crowd import MIB, Peak
from meiku.signing import presign_v4
from signed_http import ACCESS, SignedHttp

MEMORY_BOUND_BYTES = 200 * MIB
CLIENTS, SIZE_BYTES = 64, 64 * MIB
BUCKET = "large"


@pytest.fixture
def served(own_server: Any) -> Any:
    """A server of two workers with a bucket."""
    server = own_server("--workers", "2")
    assert SignedHttp(server.url).send("PUT", BUCKET).status == 200
    return server


def fetched_sha256(server: Any, key: str) -> str:
    """Read an object without keeping it."""
    target = presign_v4(ACCESS, "GET", f"{server.url}/{BUCKET}/{key}").removeprefix(server.url)
    host = server.url.removeprefix("http://")
    digest = hashlib.sha256()
    with socket.create_connection(("127.0.0.1", server.port), timeout=120) as connection:
        connection.sendall(f"GET {target} HTTP/1.1\r\nHost: {host}\r\nConnection: close\r\n\r\n".encode())
        with connection.makefile("rb") as answer:
            assert answer.readline().split()[1] == b"200"
            while answer.readline().strip():
                pass
            while piece := answer.read(MIB):
                digest.update(piece)
    return digest.hexdigest()


@pytest.mark.parametrize("hashed", [False, True], ids=["unsigned", "with its SHA-256"])
def test_sixty_four_clients_move_64_mib_each(served: Any, hashed: bool) -> None:
    """Stored and read back whole, all at once, with a checksum to be proved or without, in 200 MiB."""
    data = os.urandom(SIZE_BYTES)
    sha256 = hashlib.sha256(data)
    headers = {"x-amz-checksum-sha256": b64encode(sha256.digest()).decode()} if hashed else None

    def put(number: int) -> int:
        with closing(SignedHttp(served.url)) as http:
            return http.send("PUT", f"{BUCKET}/{number}", data, headers=headers).status

    with ThreadPoolExecutor(CLIENTS) as clients, Peak(served.process.pid) as peak:
        assert set(clients.map(put, range(CLIENTS))) == {200}
        keys = [str(number) for number in range(CLIENTS)]
        assert set(clients.map(lambda key: fetched_sha256(served, key), keys)) == {sha256.hexdigest()}
    assert peak.bytes <= MEMORY_BOUND_BYTES, f"{peak.bytes / MIB:.0f} MiB"
