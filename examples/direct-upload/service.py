"""meiku itself, as a child process: started, waited for, stopped.

What lives here knows the command, its port and its root key pair. It knows nothing of the pages beside it.
"""

import json
import os
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from meiku.signing import Credentials

READY_WITHIN_S = 30
STOP_WITHIN_S = 40


class ServiceDied(Exception):
    """The service has ended, though nobody asked it to."""


@dataclass(frozen=True, slots=True)
class Service:
    """A running `meiku serve`."""

    process: subprocess.Popen[bytes]
    endpoint: str
    data: Path

    def wait_until_ready(self) -> None:
        """Wait for its first healthy answer; raises `ServiceDied`."""
        deadline_s = time.monotonic() + READY_WITHIN_S
        while not _is_ready(self.endpoint):
            if self.process.poll() is not None:
                raise ServiceDied(f"meiku ended with code {self.process.returncode}")
            if time.monotonic() > deadline_s:
                raise ServiceDied(f"meiku was not ready after {READY_WITHIN_S} seconds")
            time.sleep(0.05)

    def credentials(self) -> Credentials:
        """Read the root key pair from where the service has it too."""
        if self.kept_in is None:
            return Credentials(os.environ["MEIKU_ACCESS_KEY"], os.environ["MEIKU_SECRET_KEY"])
        pair = json.loads(self.kept_in.read_text(encoding="utf-8"))
        return Credentials(pair["access_key"], pair["secret_key"])

    @property
    def kept_in(self) -> Path | None:
        """Say which file holds the root key pair; None where the environment gives it."""
        return None if os.environ.get("MEIKU_SECRET_KEY") else key_file(self.data)

    def stop(self) -> None:
        """Ask it to finish what is under way and end; end it hard when it does not."""
        self.process.terminate()
        try:
            self.process.wait(STOP_WITHIN_S)
        finally:
            self.process.kill()


def key_file(data: Path) -> Path:
    """Say where the service keeps a root key pair that it has made."""
    return data.resolve() / "root-key.json"


@contextmanager
def running(data: Path, host: str, port: int, pages: str) -> Iterator[Service]:
    """Run the service for as long as the block lasts; `pages` is what a browser at its root is led to."""
    command = [
        sys.executable,
        "-m",
        "meiku",
        "serve",
        "--data",
        str(data),
        "--host",
        host,
        "--port",
        str(port),
    ]
    # A session of its own: Ctrl-C reaches only us, so the pages stop before what they stand on. Its errors
    # are shown, its greeting is not: ours says the same and more.
    told = {**os.environ, "MEIKU_HOME_PAGE": pages}
    process = subprocess.Popen(command, env=told, stdout=subprocess.DEVNULL, start_new_session=True)
    service = Service(process, f"http://{_loopback(host)}:{port}", data)
    try:
        yield service
    finally:
        service.stop()


def _loopback(host: str) -> str:
    """Name the address at which this machine reaches a service that listens on `host`."""
    loopback = {"0.0.0.0": "127.0.0.1", "localhost": "127.0.0.1", "::": "[::1]"}
    return loopback.get(host, f"[{host}]" if ":" in host else host)


def _is_ready(endpoint: str) -> bool:
    opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
    try:
        with opener.open(f"{endpoint}/-/ready", timeout=2) as answer:
            return bool(answer.status == 200)
    except OSError:
        return False
