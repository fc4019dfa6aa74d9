"""A process that may have few files open: clients beyond that are told to come again, and none gets a 500."""

import os
import socket
import subprocess
import sys
from collections import Counter
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest

from running_server import ACCESS_KEY, SECRET_KEY, Server, free_port
from signed_http import SignedHttp

CLIENTS = 700
LARGE = b"l" * 500_000


@pytest.fixture
def server(tmp_path: Path, files: int) -> Iterator[Server]:
    data, port = tmp_path / "data", free_port()
    command = ["prlimit", f"--nofile={files}", sys.executable, "-m", "meiku", "serve"]
    told = {"MEIKU_ACCESS_KEY": ACCESS_KEY, "MEIKU_SECRET_KEY": SECRET_KEY, "MEIKU_WORKERS": "2"}
    with (tmp_path / "data.log").open("wb") as log:
        process = subprocess.Popen(
            [*command, "--data", str(data), "--port", str(port)],
            env=os.environ | told,
            stdout=log,
            stderr=log,
            start_new_session=True,
        )
        server = Server(data, port, process=process)
        server.log = log
        server.wait_until_ready()
        yield server
        server.kill()


@pytest.mark.parametrize("files", [128, 256])
def test_more_clients_than_files_are_told_to_come_again(server: Server, files: int) -> None:
    """All ask at once, and read only then: who is served is served whole, the others hear 503 or are cut."""
    http = SignedHttp(server.url)
    assert http.send("PUT", "files", headers={"x-amz-acl": "public-read"}).status == 200
    assert http.send("PUT", "files/large", LARGE, headers={"x-amz-acl": "public-read"}).status == 200
    head = f"GET /files/large HTTP/1.1\r\nHost: 127.0.0.1:{server.port}\r\nConnection: close\r\n\r\n".encode()
    with ExitStack() as stack:
        clients = []
        for _ in range(CLIENTS):
            client = stack.enter_context(socket.create_connection(("127.0.0.1", server.port), timeout=30))
            clients.append(client)
            client.sendall(head)
        answers = Counter(status_of(client) for client in clients)
    assert set(answers) <= {"200", "503", "cut"} and answers["200"] and answers["503"], answers
    log = server.read_log()
    assert "Too many open files" not in log and '"event": "mistake"' not in log, log
    assert f"{files} open files are allowed: enough for " in log
    assert SignedHttp(server.url).send("PUT", "files/after", LARGE).status == 200


def status_of(client: socket.socket) -> str:
    """Read a whole answer and tell its status; one of 200 must be complete."""
    received = b""
    try:
        while piece := client.recv(1 << 20):
            received += piece
    except ConnectionError:
        return "cut"
    status = received[9:12].decode()
    assert status != "200" or received.endswith(LARGE)
    return status or "cut"
