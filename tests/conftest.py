"""A real server process for the tests, and clients that talk to it over TCP. Nothing here is a stand-in."""

import json
import os
import signal
import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from uuid import uuid4

import boto3
import pytest
from botocore.config import Config

ACCESS_KEY, SECRET_KEY = "testak", "testsk-with-some-length"


@dataclass
class Server:
    """One `meiku serve` and everything a test needs to reach it."""

    data: Path
    port: int
    environment: dict[str, str] = field(default_factory=dict)
    arguments: tuple[str, ...] = ()
    process: subprocess.Popen[bytes] | None = None

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def start(self) -> "Server":
        """Start the process and wait until it answers."""
        environment = os.environ | {"MEIKU_ACCESS_KEY": ACCESS_KEY, "MEIKU_SECRET_KEY": SECRET_KEY}
        command = [sys.executable, "-m", "meiku", "serve", "--data", str(self.data), "--port", str(self.port)]
        self.log = (self.data.parent / f"{self.data.name}.log").open("ab")
        self.process = subprocess.Popen(
            [*command, *self.arguments],
            env=environment | self.environment,
            stdout=self.log,
            stderr=self.log,
            start_new_session=True,
        )
        self.wait_until_ready()
        return self

    def wait_until_ready(self) -> None:
        deadline = time.monotonic() + 30
        while time.monotonic() < deadline:
            assert self.process is not None
            assert self.process.poll() is None, self.read_log()
            try:
                with urllib.request.urlopen(f"{self.url}/-/ready", timeout=2) as answer:
                    if answer.status == 200:
                        return
            except OSError:
                time.sleep(0.05)
        raise AssertionError(f"the server did not start: {self.read_log()}")

    def stop(self) -> int:
        """Ask it to stop, and wait."""
        assert self.process is not None
        self.process.send_signal(signal.SIGTERM)
        code = self.process.wait(timeout=60)
        self.log.close()
        return code

    def kill(self) -> None:
        """Kill the whole process tree, as a power cut would."""
        assert self.process is not None
        os.killpg(self.process.pid, signal.SIGKILL)
        self.process.wait(timeout=30)
        self.log.close()

    def read_log(self) -> str:
        return (self.data.parent / f"{self.data.name}.log").read_text(errors="replace")

    def meiku(self, *arguments: str) -> Any:
        """Run a command of the same installation on this server's data folder; answers its JSON."""
        command = [sys.executable, "-m", "meiku", *arguments, "--data", str(self.data), "--json"]
        done = subprocess.run(command, capture_output=True, check=True, text=True)
        return json.loads(done.stdout)

    def client(
        self,
        access_key: str = ACCESS_KEY,
        secret_key: str = SECRET_KEY,
        token: str | None = None,
        **config: Any,
    ) -> Any:
        """Make a boto3 client; path-style unless told otherwise."""
        settings = {"s3": {"addressing_style": "path"}, "retries": {"max_attempts": 1}} | config
        return boto3.client(
            "s3",
            endpoint_url=self.url,
            aws_access_key_id=access_key,
            aws_secret_access_key=secret_key,
            aws_session_token=token,
            region_name="us-east-1",
            config=Config(**settings),
        )


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


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
