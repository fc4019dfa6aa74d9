"""The process tree: one parent that listens and keeps watch, and workers that answer.

What lives here: sockets, forks, signals, exit codes. What must not: requests, storage, or anything printed
for people beyond one line of why there is no service.

The parent imports everything once and forks, so that a worker starts in milliseconds and shares its memory.
It must therefore have one thread only, and hold no connection, before `serve` is called: what needs those
is opened by the application at its lifespan's startup, in the worker.
"""

import contextlib
import gc
import logging
import os
import resource
import selectors
import signal
import socket
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

from meiku.config import Settings
from meiku.counters import Counters
from meiku.listening import ServeError, check_certificate, listen
from meiku.wire.load import connections_that_fit
from meiku.worker import EXIT_START_FAILED, EXIT_STOPPED, STOP_SIGNALS, AppFactory, work

EXIT_GAVE_UP = 1
EXIT_CANNOT_LISTEN = 2
EXIT_INTERRUPTED = 128 + signal.SIGINT

FAILED_STARTS_LIMIT = 8
SHORT_LIFE_S = 10.0
LONGEST_PAUSE_S = 5.0
# What a worker may take, beyond its transfers, to close its stores.
CLOSING_TIME_S = 3.0
# How often the parent looks at its workers, and how many looks one may let pass without a sign of life.
LOOK_S = 1.0
STUCK_LOOKS = 20
# One that has not begun to answer may wait for its turn to open the stores.
STARTING_LOOKS = 60

# Where to ask a service that listens on every network.
_LOOPBACK = {"0.0.0.0": "127.0.0.1", "::": "::1"}  # noqa: S104
# A terminal that goes is a reason to end as every other is: what is under way ends first.
_ENDING = (*STOP_SIGNALS, signal.SIGHUP)
_log = logging.getLogger("meiku.serve")


@dataclass(frozen=True, slots=True)
class Address:
    """Where the service is reached."""

    host: str
    port: int
    tls: bool

    @property
    def url(self) -> str:
        """Return the address as a URL without a path."""
        return self._url_of(self.host)

    @property
    def local_url(self) -> str:
        """Return the address at which this machine itself reaches the service."""
        return self._url_of(_LOOPBACK.get(self.host, self.host))

    def _url_of(self, name: str) -> str:
        host = f"[{name}]" if ":" in name else name
        return f"{'https' if self.tls else 'http'}://{host}:{self.port}"


@dataclass(slots=True)
class Worker:
    """One child process, as its parent knows it."""

    pid: int
    row: int
    ready_fd: int
    born_s: float
    ready: bool = False
    beats: int = 0
    silent_looks: int = 0


def serve(
    settings: Settings,
    app_factory: AppFactory,
    on_ready: Callable[[Address], None],
    counters: Counters | None = None,
) -> int:
    """Serve until told to stop, and return the exit code; `on_ready` is called once every worker answers."""
    try:
        check_certificate(settings)
        sockets = listen(settings)
    except ServeError as error:
        print(f"meiku: {error}", file=sys.stderr)
        return EXIT_CANNOT_LISTEN
    address = Address(settings.host, sockets[0].getsockname()[1], settings.tls_certificate is not None)
    _allow_open_files(settings)
    counters = counters or Counters(settings.workers)
    return ProcessTree(settings, app_factory, sockets, counters).run(lambda: on_ready(address))


class ProcessTree:
    """The parent's side: starts workers, replaces the dead, and ends them all."""

    def __init__(
        self, settings: Settings, app_factory: AppFactory, sockets: list[socket.socket], counters: Counters
    ) -> None:
        """Take over `sockets`; nothing is started yet."""
        self._settings = settings
        self._counters = counters
        self._app_factory = app_factory
        self._sockets = sockets
        self._selector = selectors.DefaultSelector()
        self._workers: dict[int, Worker] = {}
        self._births_due_s: list[float] = []
        self._on_ready: Callable[[], None] | None = None
        self._short_lives = 0
        self._failed_starts = 0
        self._exit_code: int | None = None
        self._stop_by_s = float("inf")
        self._look_at_s = 0.0

    def run(self, on_ready: Callable[[], None]) -> int:
        """Start every worker and keep watch until the last one is gone."""
        self._on_ready = on_ready
        with _woken_by_signals(self._selector, self._signalled):
            gc.collect()
            gc.freeze()
            try:
                self._births_due_s = [0.0] * self._settings.workers
                while self._exit_code is None or self._workers:
                    self._step()
            finally:
                self._kill_all(signal.SIGKILL)
        return self._exit_code

    def _step(self) -> None:
        now_s = time.monotonic()
        if now_s >= self._stop_by_s:
            self._kill_all(signal.SIGKILL)
        for due_s in [due_s for due_s in self._births_due_s if due_s <= now_s]:
            self._births_due_s.remove(due_s)
            self._start_worker()
        if now_s >= self._look_at_s:
            self._look_at_s = now_s + LOOK_S
            self._look_for_signs_of_life()
        wake_s = min([*self._births_due_s, self._stop_by_s, self._look_at_s])
        for key, _ in self._selector.select(max(0.0, wake_s - time.monotonic())):
            key.data(key.fd)
        self._bury()

    # ---- births and deaths ----------------------------------------------------------------------------

    def _start_worker(self) -> None:
        ready_fd, tell_fd = os.pipe()
        parent_pid = os.getpid()
        row = min(set(range(self._settings.workers)) - {worker.row for worker in self._workers.values()})
        # Until the child has its own handlers, no signal may reach it with the parent's.
        signal.pthread_sigmask(signal.SIG_BLOCK, _ENDING)
        pid = os.fork()
        if pid == 0:
            self._selector.close()
            for worker in self._workers.values():
                os.close(worker.ready_fd)
            os.close(ready_fd)
            self._counters.take_row(row)
            work(self._settings, self._app_factory, self._counters, self._sockets, tell_fd, parent_pid)
        signal.pthread_sigmask(signal.SIG_UNBLOCK, _ENDING)
        os.close(tell_fd)
        self._workers[pid] = Worker(pid, row, ready_fd, time.monotonic())
        self._selector.register(ready_fd, selectors.EVENT_READ, lambda _: self._heard_from(pid))

    def _heard_from(self, pid: int) -> None:
        worker = self._workers[pid]
        self._selector.unregister(worker.ready_fd)
        worker.ready = os.read(worker.ready_fd, 1) != b""
        if not worker.ready:
            return
        self._failed_starts = 0
        complete = self._ready_count() == self._settings.workers
        if self._on_ready is not None and complete and self._exit_code is None:
            self._on_ready()
            self._on_ready = None

    def _look_for_signs_of_life(self) -> None:
        """Kill a worker whose loop has not turned for many looks; whatever holds it, others wait for it.

        Looks are counted and no time is measured: where this process, too, was stopped, nothing has passed. A
        worker that waits for the disk cannot be killed, and its successor would wait as it does.
        """
        for worker in self._workers.values():
            beats = self._counters.beats_of(worker.row)
            silent = beats == worker.beats and not _waits_for_disk(worker.pid)
            worker.beats, worker.silent_looks = beats, worker.silent_looks + 1 if silent else 0
            if worker.silent_looks >= (STUCK_LOOKS if worker.ready else STARTING_LOOKS):
                _log.warning("worker %d does not answer: it is replaced", worker.pid)
                worker.silent_looks = 0
                os.kill(worker.pid, signal.SIGKILL)

    def _ready_count(self) -> int:
        return sum(worker.ready for worker in self._workers.values())

    def _bury(self) -> None:
        for pid in list(self._workers):
            gone, status = os.waitpid(pid, os.WNOHANG)
            if gone:
                worker = self._workers.pop(pid)
                with contextlib.suppress(KeyError):
                    self._selector.unregister(worker.ready_fd)
                os.close(worker.ready_fd)
                self._replace(worker, os.waitstatus_to_exitcode(status))

    def _replace(self, worker: Worker, exit_code: int) -> None:
        """Have a dead worker followed by another; give up when none gets to its feet."""
        if self._exit_code is not None:
            return
        if not worker.ready:
            self._failed_starts += 1
        if self._on_ready is not None and not worker.ready:
            self._stop(EXIT_START_FAILED)
        elif self._failed_starts >= FAILED_STARTS_LIMIT and not self._ready_count():
            self._stop(EXIT_GAVE_UP)
        else:
            pause_s = self._pause_after(worker)
            _log.warning("worker %d ended (%d); another starts in %.1f s", worker.pid, exit_code, pause_s)
            self._births_due_s.append(time.monotonic() + pause_s)

    def _pause_after(self, worker: Worker) -> float:
        """Return the seconds to wait: none after a long life, ever more after short ones."""
        if time.monotonic() - worker.born_s >= SHORT_LIFE_S:
            self._short_lives = 0
            return 0.0
        self._short_lives += 1
        return float(min(0.1 * 2 ** (self._short_lives - 1), LONGEST_PAUSE_S))

    # ---- the end --------------------------------------------------------------------------------------

    def _signalled(self, signal_number: int) -> None:
        if self._exit_code is None:
            self._stop(EXIT_STOPPED)
        elif signal_number == signal.SIGINT:
            self._exit_code = EXIT_INTERRUPTED
            self._kill_all(signal.SIGKILL)

    def _stop(self, exit_code: int) -> None:
        """Let every worker finish its transfers; those that take too long are killed."""
        self._exit_code = exit_code
        self._births_due_s.clear()
        self._stop_by_s = time.monotonic() + self._settings.graceful_stop_s + CLOSING_TIME_S
        for listener in self._sockets:
            listener.close()
        self._kill_all(signal.SIGTERM)

    def _kill_all(self, signal_number: signal.Signals) -> None:
        for pid in self._workers:
            os.kill(pid, signal_number)


def _waits_for_disk(pid: int) -> bool:
    """Tell whether a process is in the sleep that no signal ends."""
    try:
        return Path(f"/proc/{pid}/stat").read_text(encoding="ascii").rpartition(")")[2].split()[0] == "D"
    except (OSError, UnicodeDecodeError, IndexError):
        return False


# ---- before the fork --------------------------------------------------------------------------------------


def _allow_open_files(settings: Settings) -> None:
    """Raise this process's limit of open files to what the system allows: a connection is one, or two."""
    _, most = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (most, most))
    fitting = connections_that_fit(settings) * settings.workers
    if fitting < settings.max_connections // settings.workers * settings.workers:
        sentence = "%d open files are allowed: enough for %d connections, not for %d"
        _log.warning(sentence, most, fitting, settings.max_connections)


@contextlib.contextmanager
def _woken_by_signals(selector: selectors.BaseSelector, on_stop: Callable[[int], None]) -> Iterator[None]:
    """Turn signals into events of `selector`, and put the handlers back afterwards."""
    reader, writer = socket.socketpair()
    reader.setblocking(False)
    writer.setblocking(False)

    def drain(_: int) -> None:
        for signal_number in reader.recv(4096):
            if signal_number in _ENDING:
                on_stop(signal_number)

    # Whoever started it with nohup does not want it to end with the terminal.
    is_deaf = signal.getsignal(signal.SIGHUP) == signal.SIG_IGN
    watched = [number for number in (*_ENDING, signal.SIGCHLD) if not (is_deaf and number == signal.SIGHUP)]
    before = {number: signal.signal(number, lambda *_: None) for number in watched}
    wakeup_before = signal.set_wakeup_fd(writer.fileno(), warn_on_full_buffer=False)
    selector.register(reader, selectors.EVENT_READ, drain)
    try:
        yield
    finally:
        signal.set_wakeup_fd(wakeup_before)
        for number, handler in before.items():
            signal.signal(number, handler)
        selector.close()
        reader.close()
        writer.close()
