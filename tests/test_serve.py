"""The process tree, seen from outside: real processes, real signals, real sockets."""

import contextlib
import http.client
import os
import signal
import socket
import ssl
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

SERVER = """
import asyncio, os, sys
from meiku import serve, worker
from meiku.config import Settings

serve.LONGEST_PAUSE_S = 0.2
serve.LOOK_S, serve.STUCK_LOOKS, serve.STARTING_LOOKS, worker.BEAT_S = 0.1, 10, 30, 0.02

async def app(scope, receive, send):
    if scope["type"] == "lifespan":
        await receive()
        if os.path.exists("broken"):
            raise RuntimeError("the store cannot be opened")
        if os.path.exists("endless"):
            await asyncio.sleep(3600)
        await send({"type": "lifespan.startup.complete"})
        await receive()
        with open("closed", "a") as closed:
            closed.write("x")
        return await send({"type": "lifespan.shutdown.complete"})
    body = str(os.getpid()).encode()
    headers = [(b"content-length", str(len(body)).encode())]
    if scope["path"] == "/stuck":
        headers = [(b"content-length", b"100000")]
    await send({"type": "http.response.start", "status": 200, "headers": headers})
    if scope["path"] == "/slow":
        await send({"type": "http.response.body", "body": body[:1], "more_body": True})
        await asyncio.sleep(1.0)
        body = body[1:]
    if scope["path"] == "/stuck":
        await send({"type": "http.response.body", "body": b"1", "more_body": True})
        await asyncio.sleep(60)
    await send({"type": "http.response.body", "body": body})

settings = Settings.from_environment()
sys.exit(serve.serve(settings, lambda: app, lambda address: print(address.url, flush=True)))
"""


class Service:
    """One `serve` in a process of its own."""

    def __init__(self, folder: Path, hangup: signal.Handlers = signal.SIG_DFL, **settings: object) -> None:
        variables = {f"MEIKU_{name.upper()}": str(value) for name, value in settings.items()}
        self.folder = folder
        self.process = subprocess.Popen(
            [sys.executable, "-c", SERVER],
            cwd=folder,
            env={**os.environ, "MEIKU_PORT": "0", "MEIKU_WORKERS": "2", **variables},
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            # Whoever runs these tests by nohup does not have the service ignore its terminal, too.
            preexec_fn=lambda: signal.signal(signal.SIGHUP, hangup),
        )

    def url(self) -> str:
        """Wait until the service says where it is."""
        assert self.process.stdout is not None
        return self.process.stdout.readline().strip()

    def port(self) -> int:
        return int(self.url().rpartition(":")[2])

    def workers(self) -> list[int]:
        children = Path(f"/proc/{self.process.pid}/task/{self.process.pid}/children").read_text()
        return [int(pid) for pid in children.split()]

    def end(self) -> tuple[int, str]:
        """Wait for the end; return the exit code and what was said on standard error."""
        _, stderr = self.process.communicate(timeout=15)
        return self.process.returncode, stderr


Start = Callable[..., Service]


@pytest.fixture
def start(tmp_path: Path) -> Iterator[Start]:
    with contextlib.ExitStack() as stack:

        def start_service(**settings: Any) -> Service:
            service = Service(tmp_path, **settings)
            stack.enter_context(service.process)
            stack.callback(service.process.kill)
            return service

        yield start_service


def get(port: int, path: str = "/") -> http.client.HTTPResponse:
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=10)
    connection.request("GET", path, headers={"Connection": "close"})
    return connection.getresponse()


def eventually(holds: Callable[[], bool], within_s: float) -> bool:
    until_s = time.monotonic() + within_s
    while time.monotonic() < until_s:
        if holds():
            return True
        time.sleep(0.02)
    return holds()


def alive(pid: int) -> bool:
    try:
        return "State:\tZ" not in Path(f"/proc/{pid}/status").read_text()
    except OSError:
        return False


def test_every_worker_answers_when_the_address_is_told(start: Start) -> None:
    """The address holds the port that the system chose, and nobody has to wait after hearing it."""
    service = start(workers=2)
    port = service.port()
    assert len(service.workers()) == 2
    assert int(get(port).read()) in service.workers()


def test_one_worker_is_a_child_too(start: Start) -> None:
    """There is one way to serve, however many workers."""
    service = start(workers=1)
    port = service.port()
    assert [int(get(port).read())] == service.workers()


def test_a_killed_worker_is_replaced_and_nobody_is_refused(start: Start) -> None:
    """kill -9 of the only worker: new connections wait for the next one."""
    service = start(workers=1)
    port = service.port()
    (first,) = service.workers()
    os.kill(first, signal.SIGKILL)
    assert int(get(port).read()) != first
    assert len(service.workers()) == 1


def test_a_worker_that_does_not_answer_is_replaced(start: Start) -> None:
    """Stopped, or held by anything else: the parent sees it in the end, and others need not wait for it."""
    service = start(workers=2)
    port = service.port()
    stopped, kept = service.workers()
    os.kill(stopped, signal.SIGSTOP)
    assert eventually(lambda: stopped not in service.workers() and len(service.workers()) == 2, within_s=10)
    assert kept in service.workers()
    assert get(port).status == 200
    service.process.terminate()
    assert f"worker {stopped} does not answer: it is replaced" in service.end()[1]


def test_a_worker_that_does_not_come_to_its_feet_is_replaced(start: Start) -> None:
    """Whatever its start waits for, its successor may not have to."""
    service = start(workers=1)
    port = service.port()
    (service.folder / "endless").touch()
    os.kill(service.workers()[0], signal.SIGKILL)
    time.sleep(1)
    (service.folder / "endless").unlink()
    assert get(port).status == 200


def test_a_service_that_was_stopped_as_a_whole_goes_on(start: Start) -> None:
    """Ctrl-Z and fg, or a machine that slept: nothing has passed, so nobody is replaced."""
    service = start(workers=2)
    port = service.port()
    workers = service.workers()
    for pid in (service.process.pid, *workers):
        os.kill(pid, signal.SIGSTOP)
    time.sleep(2.5)
    for pid in (*workers, service.process.pid):
        os.kill(pid, signal.SIGCONT)
    time.sleep(0.5)
    assert get(port).status == 200
    assert service.workers() == workers


def test_workers_die_with_their_parent(start: Start) -> None:
    """kill -9 of the parent: no worker is left after two seconds, also with a transfer under way."""
    service = start(workers=2)
    port = service.port()
    assert get(port, "/stuck").read(1) == b"1"
    workers = service.workers()
    service.process.kill()
    assert eventually(lambda: not any(alive(pid) for pid in workers), within_s=2)
    with pytest.raises(ConnectionError):
        get(port)


@pytest.mark.parametrize("signal_number", [signal.SIGTERM, signal.SIGINT, signal.SIGHUP])
def test_a_stop_lets_a_transfer_finish(start: Start, signal_number: signal.Signals) -> None:
    """Nothing new is accepted, what is under way ends whole, the stores are closed, and the code is 0."""
    service = start(workers=2, graceful_stop_s=10)
    port = service.port()
    answer = get(port, "/slow")
    service.process.send_signal(signal_number)
    assert int(answer.read()) > 0
    with pytest.raises(ConnectionRefusedError):
        get(port)
    assert service.end() == (0, "")
    assert (service.folder / "closed").read_text() == "xx"


def test_a_terminal_that_is_closed_lets_a_transfer_finish(start: Start) -> None:
    """It tells every process in it, the workers too."""
    service = start(workers=2, graceful_stop_s=10)
    port = service.port()
    answer = get(port, "/slow")
    for pid in (*service.workers(), service.process.pid):
        os.kill(pid, signal.SIGHUP)
    assert int(answer.read()) > 0
    assert service.end() == (0, "")


def test_what_nohup_started_outlives_its_terminal(start: Start) -> None:
    """Nohup has the signal ignored, and that is for the one who starts it to say."""
    service = start(workers=1, hangup=signal.SIG_IGN)
    port = service.port()
    service.process.send_signal(signal.SIGHUP)
    time.sleep(0.5)
    assert get(port).status == 200
    service.process.terminate()
    assert service.end()[0] == 0


def test_a_transfer_that_never_ends_is_cut(start: Start) -> None:
    """A stop takes no longer than it is allowed to."""
    service = start(workers=1, graceful_stop_s=1)
    answer = get(service.port(), "/stuck")
    begun_s = time.monotonic()
    service.process.terminate()
    assert service.end()[0] == 0
    assert 0.9 < time.monotonic() - begun_s < 6
    with pytest.raises(http.client.IncompleteRead):
        answer.read()


def test_a_second_interrupt_ends_it_at_once(start: Start) -> None:
    """Whoever presses Ctrl-C twice means it; the code is that of an interrupted program."""
    service = start(workers=1, graceful_stop_s=60)
    answer = get(service.port(), "/stuck")
    service.process.send_signal(signal.SIGINT)
    time.sleep(0.3)
    service.process.send_signal(signal.SIGINT)
    assert service.end()[0] == 130
    answer.close()


def test_a_worker_that_stands_still_is_killed(start: Start) -> None:
    """A stopped worker does not hear the request to end; the parent does not wait for it for ever."""
    service = start(workers=1, graceful_stop_s=1)
    service.url()
    os.kill(service.workers()[0], signal.SIGSTOP)
    service.process.terminate()
    assert service.end()[0] == 0


def test_a_port_that_is_taken_is_one_line_and_code_2(start: Start) -> None:
    """Two services cannot share a port, whatever SO_REUSEADDR says."""
    port = start().port()
    code, stderr = start(port=port).end()
    assert code == 2
    said = f"meiku: cannot listen on 127.0.0.1:{port}: Address already in use; --port chooses another port\n"
    assert stderr == said


def test_an_unknown_host_is_one_line_and_code_2(start: Start) -> None:
    """An address that is not this machine's is said to be so."""
    code, stderr = start(host="192.0.2.1").end()
    assert (code, stderr.count("\n")) == (2, 1)
    assert stderr.startswith("meiku: cannot listen on 192.0.2.1:0: ")


def test_an_application_that_does_not_start_ends_the_service(start: Start, tmp_path: Path) -> None:
    """A failure at the first start is not tried again: it would fail again, and nobody would read why."""
    (tmp_path / "broken").touch()
    code, stderr = start(graceful_stop_s=1).end()
    assert code == 3
    assert "the store cannot be opened" in stderr


def test_workers_that_cannot_be_replaced_end_the_service(start: Start) -> None:
    """After eight starts in a row that fail, the parent says by its exit code that it gave up."""
    service = start(workers=1)
    service.url()
    (service.folder / "broken").touch()
    os.kill(service.workers()[0], signal.SIGKILL)
    code, stderr = service.end()
    assert (code, stderr.count("another starts")) == (1, 8)


def test_a_worker_that_answers_is_not_given_up(start: Start) -> None:
    """While one worker serves, the other's starts may fail for as long as the cause lasts."""
    service = start(workers=2)
    port = service.port()
    (service.folder / "broken").touch()
    lost, kept = service.workers()
    os.kill(lost, signal.SIGKILL)
    time.sleep(3)
    assert int(get(port).read()) == kept
    (service.folder / "broken").unlink()
    assert eventually(lambda: any(int(get(port).read()) != kept for _ in range(50)), within_s=3)


def test_localhost_is_both_families(start: Start) -> None:
    """Every address of a name is listened on, at the same port."""
    addresses = {found[4][0] for found in socket.getaddrinfo("localhost", 0, type=socket.SOCK_STREAM)}
    port = start(host="localhost").port()
    for address in addresses:
        socket.create_connection((address, port), timeout=5).close()


def test_two_colons_are_every_network(start: Start) -> None:
    """The IPv6 wildcard alone serves IPv4 too."""
    service = start(host="::")
    url = service.url()
    assert url.startswith("http://[::]:")
    assert get(int(url.rpartition(":")[2])).status == 200


@pytest.fixture(scope="module")
def certificate(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("tls")
    command = (
        "openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -days 2 -subj /CN=localhost"
    )
    subprocess.run(
        [*command.split(), "-keyout", "key.pem", "-out", "cert.pem"],
        cwd=folder,
        check=True,
        capture_output=True,
    )
    return folder


def test_tls_is_spoken_from_files(start: Start, certificate: Path) -> None:
    """With a certificate the service is HTTPS, and says so in its address."""
    url = start(tls_certificate=certificate / "cert.pem", tls_key=certificate / "key.pem").url()
    assert url.startswith("https://")
    context = ssl.create_default_context()
    context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
    connection = http.client.HTTPSConnection("127.0.0.1", int(url.rpartition(":")[2]), context=context)
    connection.request("PUT", "/", body=bytes(1000))
    assert connection.getresponse().status == 200


@pytest.mark.parametrize(
    ("certificate_file", "key_file"), [("absent.pem", "key.pem"), ("key.pem", "cert.pem")]
)
def test_a_bad_certificate_is_one_line_and_code_2(
    start: Start, certificate: Path, certificate_file: str, key_file: str
) -> None:
    """The line names the files."""
    service = start(tls_certificate=certificate / certificate_file, tls_key=certificate / key_file)
    code, stderr = service.end()
    assert (code, stderr.count("\n")) == (2, 1)
    assert stderr.startswith(f"meiku: cannot use the TLS certificate {certificate / certificate_file} with ")
