"""start.py as a command: what it prints, and how it ends. No browser is needed."""

import os
import pty
import signal
import socket
import stat
import subprocess
import sys
import urllib.request
from collections.abc import Callable, Iterator
from pathlib import Path
from time import monotonic, sleep

import pytest

from browser.running_example import START, Example, free_port, launch

Start = Callable[..., Example]


@pytest.fixture
def start(tmp_path: Path) -> Iterator[Start]:
    """Start an example for one test alone; whatever still runs is ended."""
    started: list[Example] = []

    def begin(port: int | None = None, page_port: int | None = None) -> Example:
        started.append(launch(tmp_path, port or free_port(), page_port or free_port()))
        return started[-1]

    yield begin
    for example in started:
        if example.process.poll() is None:
            example.stop()


def service_of(example: Example) -> int:
    """Find the process id of the service that start.py has started."""
    asked = ["ps", "-o", "pid=", "--ppid", str(example.process.pid)]
    return int(subprocess.run(asked, capture_output=True, check=True, text=True).stdout.split()[0])


def is_free(port: int) -> bool:
    with socket.socket() as probe:
        return probe.connect_ex(("127.0.0.1", port)) != 0


def test_secret_is_shown_once_on_a_terminal_and_kept_private(tmp_path: Path) -> None:
    """The first start shows the secret it has made; the second says only where it is kept."""
    command = [sys.executable, str(START), "--data", str(tmp_path / "data")]
    first, second = (said_on_a_terminal(tmp_path, command) for _ in range(2))
    kept_in = tmp_path / "data" / "root-key.json"
    secret = kept_in.read_text().split('"secret_key": "')[1].split('"')[0]
    assert stat.S_IMODE(kept_in.stat().st_mode) == 0o600
    assert first.count(secret) == 1
    assert secret not in second and str(kept_in) in second


def said_on_a_terminal(folder: Path, command: list[str]) -> str:
    """Start it on a terminal, press Ctrl-C once it greets, and tell what was shown."""
    ours, theirs = pty.openpty()
    ports = ["--port", str(free_port()), "--page-port", str(free_port())]
    with subprocess.Popen([*command, *ports], stdout=theirs, stderr=theirs, cwd=folder) as process:
        os.close(theirs)
        said = ""
        while "Ctrl-C" not in said:
            said += os.read(ours, 4096).decode(errors="replace")
        process.send_signal(signal.SIGINT)
        assert process.wait(60) in (0, 130)
    os.close(ours)
    return said


def test_secret_is_not_written_to_a_log(start: Start) -> None:
    """Whoever may read what a service has printed need not be who may read its keys."""
    example = start().wait_until_ready()
    secret = (example.data / "root-key.json").read_text().split('"secret_key": "')[1].split('"')[0]
    assert secret not in example.said()
    assert str(example.data / "root-key.json") in example.said()


def test_what_it_offers_can_be_pasted(start: Start) -> None:
    """Its lines make a bucket and list another, in the folder where it was started, and hold no secret."""
    example = start().wait_until_ready()
    offered = [line.strip() for line in example.said().split("try")[1].splitlines() if line.startswith("  ")]
    assert [line.split()[0].rpartition("/")[2] for line in offered[:3]] == ["meiku", "eval", "curl"]
    done = subprocess.run(["sh", "-euc", "\n".join(offered[:3])], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    assert "made album (public-read), owned by root" in done.stdout
    assert "<Name>direct-upload</Name>" in done.stdout
    secret = (example.data / "root-key.json").read_text().split('"secret_key": "')[1].split('"')[0]
    assert secret not in "".join(offered)


def test_a_browser_at_the_service_is_led_to_the_pages(start: Start) -> None:
    """Whoever opens the service's port by mistake finds the upload page."""
    example = start().wait_until_ready()
    asked = urllib.request.Request(f"http://127.0.0.1:{example.port}/", headers={"Accept": "text/html"})
    with urllib.request.urlopen(asked, timeout=10) as answer:
        assert f'<a href="{example.pages}">' in answer.read().decode()


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP])
def test_signal_ends_both(start: Start, number: signal.Signals) -> None:
    """Asked to stop, both processes end, and it counts as success."""
    example = start().wait_until_ready()

    assert example.stop(number) == 0
    assert is_free(example.port)
    assert is_free(example.page_port)


def test_death_of_the_service_ends_the_pages(start: Start) -> None:
    """When the service dies the pages do not go on alone: the command fails and says why."""
    example = start().wait_until_ready()
    os.kill(service_of(example), signal.SIGKILL)

    assert example.process.wait(timeout=60) != 0
    assert "meiku ended" in example.said()
    assert is_free(example.page_port)


@pytest.mark.parametrize("option", ["--port", "--page-port"])
def test_taken_port_is_named(start: Start, option: str) -> None:
    """A port that is in use is named with the option that changes it, and nothing stays running."""
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        example = start(port=port) if option == "--port" else start(page_port=port)

        assert example.process.wait(timeout=60) == 2
    assert f"127.0.0.1:{port}" in example.said()
    assert option in example.said()
    assert "Traceback" not in example.said()
    assert is_free(example.port)


def test_stop_while_starting_leaves_nothing(start: Start) -> None:
    """A signal before everything is up ends both just as well."""
    example = start()
    deadline_s = monotonic() + 30
    while is_free(example.port) and monotonic() < deadline_s:
        sleep(0.01)

    assert example.stop() == 0
    assert is_free(example.port)
