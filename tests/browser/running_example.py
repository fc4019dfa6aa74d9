"""start.py as a process, and what is really in the storage behind it. Knows no browser."""

import os
import re
import signal
import socket
import subprocess
import sys
import urllib.request
from dataclasses import dataclass
from pathlib import Path
from time import monotonic, sleep
from typing import Any

import boto3
from botocore.config import Config

START = Path(__file__).parents[2] / "examples" / "direct-upload" / "start.py"
ACCESS_KEY, SECRET_KEY = "browserak", "browser-secret-that-no-page-may-see"
BUCKET = "direct-upload"
STARTS_WITHIN_S = 40


@dataclass
class Example:
    """A running start.py: the service and the pages."""

    data: Path
    port: int
    page_port: int
    process: subprocess.Popen[bytes]
    log: Path

    @property
    def pages(self) -> str:
        return f"http://localhost:{self.page_port}"

    @property
    def storage(self) -> str:
        return f"http://{BUCKET}.localhost:{self.port}"

    @property
    def s3(self) -> Any:
        return boto3.client(
            "s3",
            endpoint_url=f"http://127.0.0.1:{self.port}",
            aws_access_key_id=ACCESS_KEY,
            aws_secret_access_key=SECRET_KEY,
            region_name="us-east-1",
            config=Config(s3={"addressing_style": "path"}),
        )

    def keys(self) -> set[str]:
        """List what is stored, asked of the service and not of the pages."""
        pages = self.s3.get_paginator("list_objects_v2").paginate(Bucket=BUCKET)
        return {entry["Key"] for page in pages for entry in page.get("Contents", ())}

    def stored(self, key: str) -> bytes:
        """Fetch an object's bytes."""
        content: bytes = self.s3.get_object(Bucket=BUCKET, Key=key)["Body"].read()
        return content

    def content_type(self, key: str) -> str:
        return str(self.s3.head_object(Bucket=BUCKET, Key=key)["ContentType"])

    def wait_until_ready(self) -> "Example":
        """Wait until the greeting is out, which is after both answer."""
        deadline_s = monotonic() + STARTS_WITHIN_S
        while "Ctrl-C" not in self.said():
            assert self.process.poll() is None, self.said()
            assert monotonic() < deadline_s, self.said()
            sleep(0.05)
        while not _answers(self.pages):
            assert monotonic() < deadline_s, self.said()
            sleep(0.05)
        return self

    def said(self) -> str:
        """Read everything that the terminal would have shown."""
        return self.log.read_text(encoding="utf-8")

    def stop(self, number: int = signal.SIGTERM) -> int:
        """Ask it to stop, and answer its exit code."""
        self.process.send_signal(number)
        return self.process.wait(timeout=60)


def _answers(url: str) -> bool:
    try:
        with urllib.request.urlopen(url, timeout=2) as answer:
            return bool(answer.status == 200)
    except OSError:
        return False


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


def launch(folder: Path, port: int, page_port: int, **environment: str) -> Example:
    """Start start.py in a process group of its own, its output kept in a file."""
    log, data = folder / "start.log", folder / "data"
    inherited = {name: value for name, value in os.environ.items() if not name.startswith("MEIKU_")}
    with log.open("ab") as output:
        process = subprocess.Popen(
            [
                sys.executable,
                str(START),
                "--data",
                str(data),
                "--port",
                str(port),
                "--page-port",
                str(page_port),
            ],
            env=inherited | environment,
            stdout=output,
            stderr=output,
            start_new_session=True,
        )
    return Example(data, port, page_port, process, log)


def key_of(path: str) -> re.Pattern[str]:
    """Describe the key that the application server gives to a file of this name."""
    return re.compile(rf"uploads/[0-9a-f]{{8}}/{re.escape(path)}")
