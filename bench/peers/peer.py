"""What a server under measurement is: started here, stopped here, reached over loopback, spoken to as S3.

A peer knows how to start itself and what it offers. It knows nothing of the work or of the figures.
"""

import http.client
import os
import signal
import socket
import subprocess
import time
from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from typing import ClassVar

from bench.pictures import Thumbnail
from bench.tally import BadAnswer
from meiku.signing import Credentials, presign_v4

EVERYTHING = frozenset({"put", "get", "head", "delete", "form", "list", "prefixes", "multipart"})
_START_WITHIN_S = 60
_STOP_WITHIN_S = 30


class Peer(ABC):
    """One server: `start` it, work with it, `stop` it."""

    name: ClassVar[str]
    title: ClassVar[str]
    programs: ClassVar[Mapping[str, str]] = {}  # what must be installed: program → Debian package
    offers: ClassVar[frozenset[str]] = EVERYTHING
    # For those that would keep everybody waiting: fewer keys to delete, and fewer turns.
    pace: ClassVar[float] = 1.0
    turns: ClassVar[int] = 100
    # Whether its pictures are libvips' own, byte for byte; whether its load is inside it, not sent to it.
    is_exact: ClassVar[bool] = False
    works_within: ClassVar[bool] = False
    credentials: ClassVar[Credentials] = Credentials("benchak", "benchsk-of-forty-characters-or-so-long-xx")

    def __init__(self, folder: Path, tools: Path) -> None:
        """Take a folder for what it stores, and one for what it is made of, which outlives the run."""
        self.folder, self.tools = folder, tools
        self.port = free_port()
        self.started_within_s = 0.0
        self._processes: list[subprocess.Popen[bytes]] = []

    def install(self) -> None:  # noqa: B027  # most have nothing beyond Debian's packages
        """Get what is in no Debian package."""

    @abstractmethod
    def launch(self) -> None:
        """Start the processes, with `spawn`."""

    def start(self) -> None:
        """Launch, and wait for the first answer."""
        self.folder.mkdir(parents=True, exist_ok=True)
        began_s = time.perf_counter()
        self.launch()
        self._wait_until_it_answers()
        self.started_within_s = time.perf_counter() - began_s
        self.settle()

    def settle(self) -> None:  # noqa: B027  # most need nothing
        """Do once what must be done before anybody may ask."""

    def stop(self) -> None:
        """End what was started, the last first."""
        for process in reversed(self._processes):
            process.terminate()
            try:
                process.wait(_STOP_WITHIN_S)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()
            with suppress(ProcessLookupError):  # some leave their children behind
                os.killpg(process.pid, signal.SIGKILL)
        self._processes.clear()

    @property
    def url(self) -> str:
        """Where it listens."""
        return f"http://127.0.0.1:{self.port}"

    @property
    def roots(self) -> list[int]:
        """The processes that were started; their descendants belong to them."""
        return [process.pid for process in self._processes]

    def spawn(self, command: Sequence[str | Path], environment: Mapping[str, str] | None = None) -> None:
        """Start a process whose words go into a log beside its data."""
        with (self.folder / "log").open("ab") as log:
            process = subprocess.Popen(
                [str(word) for word in command],
                env=os.environ | dict(environment or {}),
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                start_new_session=True,
            )
        self._processes.append(process)

    def sign(self, method: str, target: str) -> str:
        """Sign a path and query for twelve hours; answers them as they stand in a request line."""
        signed = presign_v4(self.credentials, method, f"{self.url}{target}", expires_in_s=12 * 3600)
        return signed.removeprefix(self.url)

    def make_bucket(self, bucket: str) -> None:
        """Make a bucket."""
        self.ask("PUT", f"/{bucket}")

    def put(self, bucket: str, key: str, body: bytes) -> None:
        """Store an object."""
        self.ask("PUT", f"/{bucket}/{key}", body)

    def thumbnail(self, bucket: str, key: str, thumbnail: Thumbnail, unasked: int | None = None) -> str:
        """Write the path and query of a small picture, for those that offer some.

        `unasked` makes it one that was never asked for, at the same cost.
        """
        raise NotImplementedError(self.name)

    def ask(self, method: str, target: str, body: bytes | None = None) -> bytes:
        """Send one signed request; anything but success is BadAnswer."""
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=120)
        try:
            connection.request(method, self.sign(method, target), body)
            answer = connection.getresponse()
            read = answer.read()
        finally:
            connection.close()
        if answer.status not in (200, 201, 204):
            raise BadAnswer(f"{method} {target} was answered {answer.status}: {read[:300]!r}")
        return read

    def _wait_until_it_answers(self) -> None:
        """Ask until there is any answer of HTTP."""
        until_s = time.perf_counter() + _START_WITHIN_S
        while time.perf_counter() < until_s:
            if any(process.poll() is not None for process in self._processes):
                break
            try:
                with socket.create_connection(("127.0.0.1", self.port), timeout=1) as probe:
                    probe.sendall(b"GET / HTTP/1.1\r\nHost: 127.0.0.1\r\nConnection: close\r\n\r\n")
                    if probe.recv(12).startswith(b"HTTP/1."):
                        return
            except OSError:
                time.sleep(0.02)
        log = (self.folder / "log").read_text(errors="replace")
        raise BadAnswer(f"{self.title} did not start: {log[-1500:]}")


def free_port() -> int:
    """Find a port that nobody listens on."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])
