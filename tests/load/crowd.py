"""A crowd of hostile connections, and what the server's processes hold in memory meanwhile.

Lives here: opening many sockets, feeding them slowly, and measuring. What a crowd does is the tests' affair.
"""

import contextlib
import resource
import selectors
import socket
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path

MIB = 1024 * 1024


def allow_sockets(count: int) -> None:
    """Raise this process's limit of open files; a crowd needs one for each connection."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    assert hard >= count, f"the hard limit of open files is {hard}, this test needs {count}"
    resource.setrlimit(resource.RLIMIT_NOFILE, (max(soft, count), hard))


def open_many(port: int, count: int, said: bytes = b"") -> list[socket.socket]:
    """Open connections, from as many addresses of loopback as ports last for, and say the same on each."""
    opened = []
    for number in range(count):
        source = (f"127.0.{number // 5000 + 1}.1", 0)
        connection = socket.create_connection(("127.0.0.1", port), timeout=30, source_address=source)
        if said:
            connection.sendall(said)
        opened.append(connection)
    return opened


def close_all(connections: list[socket.socket]) -> None:
    for connection in connections:
        connection.close()


def drip(connections: list[socket.socket], data: bytes, stop: threading.Event) -> None:
    """Send a few bytes on every connection, over and over, as long as it is taken."""
    living = list(connections)
    while not stop.wait(0.2):
        for connection in list(living):
            try:
                connection.setblocking(False)
                connection.send(data)
            except BlockingIOError:
                pass
            except OSError:
                living.remove(connection)


@contextlib.contextmanager
def in_background(work: Callable[[threading.Event], object]) -> Iterator[None]:
    """Run work in a thread until the block ends."""
    stop = threading.Event()
    thread = threading.Thread(target=work, args=(stop,), daemon=True)
    thread.start()
    try:
        yield
    finally:
        stop.set()
        thread.join(timeout=60)
        assert not thread.is_alive()


def closed_by_peer(connections: list[socket.socket]) -> int:
    """Count the connections on which something arrived or which have ended."""
    with selectors.DefaultSelector() as selector:
        for connection in connections:
            selector.register(connection, selectors.EVENT_READ)
        return len(selector.select(0))


def processes_of(pid: int) -> list[int]:
    """List a process and all its descendants; one may be the child of any thread, and end at any time."""
    children: list[str] = []
    with contextlib.suppress(OSError):
        for listing in Path(f"/proc/{pid}/task").glob("*/children"):
            children += listing.read_text().split()
    return [pid, *(found for child in children for found in processes_of(int(child)))]


def memory_bytes(pid: int) -> int:
    """Sum the proportional set sizes of a process tree: pages that are shared count once."""
    total = 0
    for process in processes_of(pid):
        with contextlib.suppress(OSError):
            lines = Path(f"/proc/{process}/smaps_rollup").read_text().splitlines()
            total += sum(int(line.split()[1]) for line in lines if line.startswith("Pss:")) * 1024
    return total


class Peak:
    """Watches a process tree's memory while a block runs."""

    def __init__(self, pid: int) -> None:
        self._pid, self._stop, self.bytes = pid, threading.Event(), 0
        self._thread = threading.Thread(target=self._watch, daemon=True)

    def __enter__(self) -> "Peak":
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._stop.set()
        self._thread.join(timeout=10)
        self.bytes = max(self.bytes, memory_bytes(self._pid))

    def _watch(self) -> None:
        while not self._stop.is_set():
            self.bytes = max(self.bytes, memory_bytes(self._pid))
            time.sleep(0.1)
