"""A server that nothing may be left behind on, whatever is sent to it."""

import socket
import time
from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from signed_request import sign

PATIENCE_S = 10


@pytest.fixture(scope="module")
def strict_server(server: Any, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Any]:
    """A server of this file's own, with one worker, which must never log a mistake."""
    folder = tmp_path_factory.mktemp("strict")
    running = type(server)(folder / "data", free_port(), arguments=("--workers", "1"))
    running.start()
    running.client().create_bucket(Bucket="empty")
    yield running
    running.stop()
    log = running.read_log()
    assert '"event": "mistake"' not in log, log
    assert "Traceback" not in log, log


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@pytest.fixture
def target(strict_server: Any) -> Iterator[SimpleNamespace]:
    """The server, a bucket that is empty, and an address to put to; afterwards nothing may be stored."""
    url = f"{strict_server.url}/empty/k"
    yield SimpleNamespace(server=strict_server, port=strict_server.port, bucket="empty", url=url)
    listed = sign("v4-header", "GET", f"{strict_server.url}/empty").send(strict_server.port)
    assert (listed.status, listed.element("Key")) == (200, "")
    assert no_file_left(strict_server.data)


def no_file_left(data: Path) -> bool:
    """Wait until no file, whole or begun, is left; that a client vanished takes a moment to be seen."""
    deadline = time.monotonic() + PATIENCE_S
    while time.monotonic() < deadline:
        folders = (data / "blobs", data / "incoming")
        if not any(path.is_file() for folder in folders for path in folder.rglob("*")):
            return True
        time.sleep(0.02)
    return False
