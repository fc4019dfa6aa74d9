"""Who holds the turn to write and stands still: others are told so in time, read on, and write on after."""

import os
import signal
import sqlite3
import subprocess
import sys
import threading
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from http.client import HTTPException
from pathlib import Path

import pytest

from meiku.meta.turn import holder_in
from running_server import Server, free_port
from signed_http import SignedHttp

WAIT_S = 1.0
SMALL, LARGE = b"s" * 1000, b"l" * 100_000


@pytest.fixture
def server(tmp_path: Path) -> Iterator[Server]:
    environment = {"MEIKU_WORKERS": "2", "MEIKU_WRITE_WAIT_S": str(WAIT_S)}
    server = Server(tmp_path / "data", free_port(), environment).start()
    http = SignedHttp(server.url)
    assert http.send("PUT", "turns").status == 200
    assert http.send("PUT", "turns/kept", SMALL).status == 200
    yield server
    server.kill()


@contextmanager
def turn_held(data: Path) -> Iterator[int]:
    """Have a process of its own hold the turn, as a command that was stopped with Ctrl-Z does."""
    command = ["flock", str(data / "write.lock"), "sh", "-c", "echo held; read _"]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as holder:
        assert holder.stdin is not None and holder.stdout is not None
        assert holder.stdout.readline() == b"held\n"
        yield holder.pid
        holder.stdin.close()


def asked(server: Server, path: str) -> tuple[int, str]:
    try:
        with urllib.request.urlopen(server.url + path, timeout=20) as answer:
            return answer.status, answer.read().decode()
    except urllib.error.HTTPError as refused:
        return refused.code, refused.read().decode()


def test_writes_are_told_to_come_again_and_reads_go_on(server: Server) -> None:
    """Small and large objects and deletes: 503 with a time to wait, in time, and nothing is left of them."""
    http, answers = SignedHttp(server.url), []
    writes = [("PUT", "turns/small", SMALL), ("PUT", "turns/large", LARGE), ("DELETE", "turns/kept", b"")]

    def write(method: str, path: str, data: bytes) -> None:
        answers.append(SignedHttp(server.url).send(method, path, data))

    with turn_held(server.data) as pid:
        began_s = time.monotonic()
        threads = [threading.Thread(target=write, args=each) for each in writes * 3]
        for thread in threads:
            thread.start()
        assert http.send("GET", "turns/kept").body == SMALL
        for thread in threads:
            thread.join()
        assert time.monotonic() - began_s < 20 * WAIT_S
        assert {(answer.status, answer.code) for answer in answers} == {(503, "SlowDown")}
        assert all(int(answer.headers["retry-after"]) > 0 for answer in answers)
        status, told = asked(server, "/-/ready")
        assert (status, "busy" in told) == (503, True)
        assert str(pid) not in told, "anybody may ask"
        assert asked(server, "/minio/health/ready")[0] == 503
        for path in ("/minio/health/cluster/read", "/minio/health/live", "/-/health"):
            assert asked(server, path)[0] == 200
    assert f"held by process {pid} (flock " in server.read_log()
    put_in_the_end(http, "turns/small")
    server.wait_until_ready()  # the other worker learns of it a moment later
    assert http.send("GET", "turns/large").status == 404
    assert http.send("GET", "turns/kept").body == SMALL
    assert "writes go on" in server.read_log()


def test_another_program_with_the_databases_own_lock_holds_up_no_read(tmp_path: Path) -> None:
    """An operator's shell that began to write and was left open: as with the turn, and the loop goes on."""
    environment = {"MEIKU_WORKERS": "1", "MEIKU_WRITE_WAIT_S": str(WAIT_S)}
    server = Server(tmp_path / "data", free_port(), environment).start()
    reader, answers = SignedHttp(server.url), []
    assert reader.send("PUT", "turns").status == reader.send("PUT", "turns/kept", SMALL).status == 200

    def write(number: int) -> None:
        answers.append(SignedHttp(server.url).send("PUT", f"turns/{number}", SMALL))

    with sqlite3.connect(server.data / "meta.sqlite3", isolation_level=None) as operator:
        operator.execute("BEGIN IMMEDIATE")
        threads = [threading.Thread(target=write, args=[number]) for number in range(8)]
        for thread in threads:
            thread.start()
        slowest_s, until_s = 0.0, time.monotonic() + 3 * WAIT_S
        while (began_s := time.monotonic()) < until_s:
            assert reader.send("GET", "turns/kept").body == SMALL
            slowest_s = max(slowest_s, time.monotonic() - began_s)
        for thread in threads:
            thread.join()
        assert slowest_s < WAIT_S and {answer.code for answer in answers} == {"SlowDown"}
        assert asked(server, "/-/ready")[0] == 503
        command = [sys.executable, "-m", "meiku", "user", "add", "ann", "--data", str(server.data)]
        done = subprocess.run(command, check=False, capture_output=True, text=True, timeout=60)
        assert "another program holds the database's own lock" in done.stderr and done.returncode == 1
        operator.execute("ROLLBACK")
    assert "no write has ended for 1 s: another program holds the database's own lock" in server.read_log()
    put_in_the_end(reader, "turns/after")
    server.kill()


def test_workers_begin_and_read_while_the_turn_is_held(server: Server) -> None:
    """A start changes nothing that is there, so it waits for nobody."""
    assert server.process is not None
    children = Path(f"/proc/{server.process.pid}/task/{server.process.pid}/children")
    with turn_held(server.data):
        for pid in map(int, children.read_text().split()):
            os.kill(pid, signal.SIGKILL)
        for _ in range(20):
            assert SignedHttp(server.url).send("GET", "turns/kept").body == SMALL
    put_in_the_end(SignedHttp(server.url), "turns/after")


def test_a_command_says_who_keeps_it_from_beginning(server: Server) -> None:
    """It ends with one sentence, which names the process."""
    with turn_held(server.data) as pid:
        command = [sys.executable, "-m", "meiku", "user", "add", "ann", "--data", str(server.data)]
        done = subprocess.run(command, check=False, capture_output=True, text=True)
    assert (done.returncode, done.stderr.count("\n")) == (1, 1)
    assert done.stderr.startswith(f"meiku: the turn to write is held by process {pid} (flock ")


def test_a_worker_that_stops_with_the_turn_is_replaced(server: Server) -> None:
    """All writes of all workers depend on it: they are refused, then its parent ends it, and they go on."""
    http, ended = SignedHttp(server.url), threading.Event()

    def write(number: int) -> None:
        own = SignedHttp(server.url)
        while not ended.is_set():
            with suppress(OSError, HTTPException):  # the connection ends with its worker
                own.send("PUT", f"turns/{number}", SMALL)

    writers = [threading.Thread(target=write, args=[number]) for number in range(8)]
    for writer in writers:
        writer.start()
    stopped = stop_with_turn(server)
    ended.set()
    put_in_the_end(http, "turns/after")
    for writer in writers:
        writer.join()
    assert f"worker {stopped} does not answer: it is replaced" in server.read_log()
    assert http.send("GET", "turns/after").body == SMALL
    assert asked(server, "/-/ready")[0] == 200


@pytest.mark.parametrize(("device", "pid"), [(0x2B, "13"), (0x2C, "14"), (0x99, "13")])
def test_the_holder_of_a_lock_is_that_of_the_same_disk(device: int, pid: str) -> None:
    """Files of two disks have one number; who waits, and who locked in another way, is not who has it."""
    locks = """1: POSIX  ADVISORY  WRITE 11 00:2b:262 0 EOF
2: FLOCK  ADVISORY  WRITE 13 00:2b:262 0 EOF
2: -> FLOCK  ADVISORY  WRITE 12 00:2c:262 0 EOF
3: FLOCK  ADVISORY  WRITE 14 00:2c:262 0 EOF
"""
    file = os.stat_result((0o600, 262, device, 1, 0, 0, 0, 0, 0, 0))
    assert holder_in(locks, file) == pid
    assert holder_in("", file) is None


def put_in_the_end(http: SignedHttp, path: str) -> None:
    """Come again as long as that is what is asked, as every client does."""
    deadline_s = time.monotonic() + 60
    while (answer := http.send("PUT", path, SMALL)).status != 200:
        assert answer.code == "SlowDown" and time.monotonic() < deadline_s
        time.sleep(0.2)


def stop_with_turn(server: Server) -> int:
    """Stop workers at odd moments until one stands still with the turn; tells which."""
    assert server.process is not None
    children = Path(f"/proc/{server.process.pid}/task/{server.process.pid}/children")
    inode = (server.data / "write.lock").stat().st_ino
    for _ in range(2000):
        for pid in map(int, children.read_text().split()):
            os.kill(pid, signal.SIGSTOP)
            time.sleep(0.002)
            if holds(pid, inode):
                return pid
            os.kill(pid, signal.SIGCONT)
            time.sleep(0.003)
    raise AssertionError("no worker was ever met with the turn")


def holds(pid: int, inode: int) -> bool:
    """Tell whether a process has a lock on a file, as the kernel says."""
    lines = [line.split() for line in Path("/proc/locks").read_text().splitlines()]
    return any(line[4] == str(pid) and line[5].endswith(f":{inode}") for line in lines if line[1] == "FLOCK")
