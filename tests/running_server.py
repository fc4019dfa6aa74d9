"""A real `meiku serve` for the tests: started, stopped, killed, and reached by clients over TCP."""

import json
import os
import signal
import socket
import stat
import subprocess
import sys
import time
import urllib.request
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import boto3
from botocore.config import Config

ACCESS_KEY, SECRET_KEY = "testak", "testsk-with-some-length"
# Whether this installation lies where root alone can enter: nobody else can start it there.
ROOTS_ALONE = os.geteuid() == 0 and not all(
    folder.stat().st_mode & stat.S_IXOTH for folder in [Path(sys.prefix), *Path(sys.prefix).parents]
)


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

    def meiku_fails(self, *arguments: str) -> Any:
        """Run a command that must end in failure; returns its JSON."""
        command = [sys.executable, "-m", "meiku", *arguments, "--data", str(self.data), "--json"]
        done = subprocess.run(command, capture_output=True, check=False, text=True)
        assert done.returncode != 0, done.stdout
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
