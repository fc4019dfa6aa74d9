"""A real server process for the tests, and clients that talk to it over TCP. Nothing here is a stand-in."""

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest
from hypothesis import settings

from fuzzing import often
from running_server import Server, free_port

settings.register_profile("meiku", max_examples=often(), deadline=None)
settings.load_profile("meiku")


@pytest.fixture(scope="session")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """The server that most tests share; each test makes buckets of its own."""
    running = Server(tmp_path_factory.mktemp("server") / "data", free_port()).start()
    yield running
    running.stop()
    assert '"event": "mistake"' not in running.read_log(), "the server logged a mistake of ours"


@pytest.fixture
def own_server(tmp_path: Path) -> Iterator[Callable[..., Server]]:
    """Start a server for one test alone, with settings of its own; whatever still runs is ended."""
    started: list[Server] = []

    def start(*arguments: str, **environment: str) -> Server:
        running = Server(tmp_path / f"data{len(started)}", free_port(), environment, arguments)
        started.append(running)
        return running.start()

    yield start
    for running in started:
        if running.process is not None and running.process.poll() is None:
            running.kill()


@pytest.fixture
def s3(server: Server) -> Any:
    """A boto3 client of the root user."""
    return server.client()


@pytest.fixture
def bucket(s3: Any) -> str:
    """A bucket of this test's own."""
    name = f"test-{uuid4().hex[:12]}"
    s3.create_bucket(Bucket=name)
    return name


@pytest.fixture
def alice(server: Server) -> Any:
    """A client of another account."""
    name = f"alice-{uuid4().hex[:8]}"
    made = server.meiku("user", "add", name, "--email", f"{name}@example.com")
    client = server.client(made["access_key"], made["secret_key"])
    client.user = made
    return client
