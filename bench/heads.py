"""The load for HEAD, which wrk cannot send: a bare epoll loop per process, about as dear as wrk's.

Runs as a program of its own (`python -m bench.heads`), so that its processor time is nobody else's. An answer
ends with its header block; its status line must say 200.
"""

import json
import multiprocessing
import select
import socket
import subprocess
import sys
import time
from pathlib import Path

from bench.tally import BadAnswer, Plan, Tally, tally_of

_END = b"\r\n\r\n"
_GOOD = b"HTTP/1.1 200"
_CLOSING = b"Connection: close"  # as moto writes it, which closes after every HEAD
_PROCESSES = 2


def run(plan: Plan, address: tuple[str, int], connections: int, seconds: int, folder: Path) -> Tally:
    """Send the plan's requests over so many connections for so long."""
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / "heads.json"
    requests = [f"{plan.verb} {target}{plan.pieces[0].decode()}" for _, target in plan.targets]
    path.write_text(json.dumps(requests))
    command = [sys.executable, "-m", "bench.heads", str(path), address[0], str(address[1])]
    done = subprocess.run([*command, str(connections), str(seconds)], capture_output=True, text=True)
    if done.returncode != 0:
        raise BadAnswer(done.stderr.strip().splitlines()[-1])
    return tally_of([json.loads(line) for line in done.stdout.splitlines()])


class _Connections:
    """The connections of one process, each with one question on its way."""

    def __init__(self, requests: list[bytes], address: tuple[str, int]) -> None:
        self._requests, self._address, self._number = requests, address, 0
        self._poll = select.epoll()
        self._sockets: dict[int, socket.socket] = {}
        self._sent_at: dict[int, float] = {}
        self._heard: dict[int, bytes] = {}
        self.durations_us: list[int] = []

    def open(self) -> None:
        """Open one more connection, and ask on it."""
        sock = socket.create_connection(self._address)
        sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self._sockets[sock.fileno()] = sock
        self._poll.register(sock.fileno(), select.EPOLLIN)
        self._ask(sock.fileno())

    def hear(self) -> None:
        """Take what has come, and ask anew wherever an answer has ended."""
        for fileno, _ in self._poll.poll(1):
            heard = self._heard[fileno] = self._heard[fileno] + self._sockets[fileno].recv(65536)
            if not heard:
                raise BadAnswer("the server closed a connection")
            if heard.endswith(_END):
                self._end(fileno, heard)

    def _end(self, fileno: int, heard: bytes) -> None:
        self.durations_us.append(int((time.perf_counter() - self._sent_at[fileno]) * 1e6))
        if not heard.startswith(_GOOD):
            raise BadAnswer("HEAD was answered: " + heard.split(b"\r\n", 1)[0].decode("latin-1"))
        if _CLOSING in heard:
            self._poll.unregister(fileno)
            self._sockets.pop(fileno).close()
            self.open()
        else:
            self._ask(fileno)

    def _ask(self, fileno: int) -> None:
        self._heard[fileno], self._sent_at[fileno] = b"", time.perf_counter()
        self._sockets[fileno].sendall(self._requests[self._number % len(self._requests)])
        self._number += 1


def _ask_for(
    requests: list[bytes], address: tuple[str, int], connections: int, seconds: int
) -> tuple[list[int], float]:
    """Keep every connection busy until the time is up; answers durations in microseconds, and the window."""
    asking = _Connections(requests, address)
    began_s = time.perf_counter()
    for _ in range(connections):
        asking.open()
    while time.perf_counter() < began_s + seconds:
        asking.hear()
    return asking.durations_us, time.perf_counter() - began_s


def _main(path: str, host: str, port: int, connections: int, seconds: int) -> None:
    requests = [text.encode() for text in json.loads(Path(path).read_text())]
    count = min(_PROCESSES, connections)
    shares = [(requests[n::count], (host, port), connections // count, seconds) for n in range(count)]
    with multiprocessing.get_context("fork").Pool(count) as pool:
        for durations_us, window_s in pool.starmap(_ask_for, shares):
            print(json.dumps({"durations_us": durations_us, "window_us": [int(window_s * 1e6)]}))


if __name__ == "__main__":
    _main(sys.argv[1], sys.argv[2], *map(int, sys.argv[3:]))
