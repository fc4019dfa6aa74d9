"""A worker: one child process that answers, from its birth by fork to its end.

What lives here: what the process is to the system (signals, its heap, its death with its parent), how uvicorn
is set up, and the beat by which the parent sees that the loop turns. What must not: requests and storage.
"""

import asyncio
import contextlib
import ctypes
import gc
import os
import signal
import socket
import sys
import traceback
from collections.abc import Callable, Iterator
from typing import NoReturn

import uvicorn
import uvloop  # noqa: F401 - imported before the fork, so that every worker shares it
from uvicorn._types import ASGI3Application

from meiku.config import Settings
from meiku.counters import Counters
from meiku.listening import BACKLOG
from meiku.wire.counted import counted_protocol_for

EXIT_STOPPED = 0
EXIT_START_FAILED = 3
STOP_SIGNALS = (signal.SIGTERM, signal.SIGINT)
BEAT_S = 0.5
# Of a tenth of a second each: how often a worker gives memory back, when it is quiet and when it is not.
QUIET_TICKS = 20
BUSY_TICKS = 200
_PR_SET_PDEATHSIG = 1
# mallopt(3): by its defaults glibc gives a heap to each thread, and pages of its own to whatever is large.
_HEAP = {"M_ARENA_MAX": (-8, 1), "M_MMAP_THRESHOLD": (-3, 4 << 20), "M_TRIM_THRESHOLD": (-1, 4 << 20)}
_libc = ctypes.CDLL(None, use_errno=True)

AppFactory = Callable[[], ASGI3Application]


class WorkerServer(uvicorn.Server):
    """Uvicorn's server, which tells the parent when it has begun to answer."""

    def __init__(self, config: uvicorn.Config, tell_fd: int, beat: Callable[[], None]) -> None:
        """Keep the pipe on which one byte says: ready; `beat` is called while the loop turns."""
        super().__init__(config)
        self._tell_fd = tell_fd
        self._beat = beat

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        """Start the application, accept connections, and say so."""
        await super().startup(sockets)
        self._keep_beating(asyncio.get_running_loop())
        os.write(self._tell_fd, b".")
        os.close(self._tell_fd)

    def _keep_beating(self, loop: asyncio.AbstractEventLoop) -> None:
        self._beat()
        loop.call_later(BEAT_S, self._keep_beating, loop)

    async def on_tick(self, counter: int) -> bool:
        """Give unused memory back, seldom while requests are under way."""
        quiet = not self.server_state.tasks
        if counter % (QUIET_TICKS if quiet else BUSY_TICKS) == 0:
            if quiet:
                # Closed connections are circles: without requests nothing else would ever collect them.
                gc.collect()
            # Measured: pieces of many sizes leave the heap full of holes, 70 MB after 4 GB of uploads.
            await asyncio.to_thread(_libc.malloc_trim, 0)
        return await super().on_tick(counter)

    @contextlib.contextmanager
    def capture_signals(self) -> Iterator[None]:
        """Leave the signals as `_work` has set them: a graceful end is exit code 0, not death by signal."""
        yield


def work(
    settings: Settings,
    app_factory: AppFactory,
    counters: Counters,
    sockets: list[socket.socket],
    tell_fd: int,
    parent_pid: int,
) -> NoReturn:
    """Be a worker: never return to what the parent was doing."""
    exit_code = EXIT_START_FAILED
    try:
        _die_with(parent_pid)
        _share_one_heap()
        server = WorkerServer(_uvicorn_config(settings, app_factory, counters), tell_fd, counters.beat)
        signal.set_wakeup_fd(-1)
        signal.signal(signal.SIGCHLD, signal.SIG_DFL)
        # A terminal that is closed tells everybody in it; the parent passes on what it makes of it.
        signal.signal(signal.SIGHUP, signal.SIG_IGN)
        for signal_number in STOP_SIGNALS:
            signal.signal(signal_number, server.handle_exit)
        signal.pthread_sigmask(signal.SIG_UNBLOCK, (*STOP_SIGNALS, signal.SIGHUP))
        server.run(sockets=sockets)
        exit_code = EXIT_STOPPED
    except SystemExit:
        pass  # uvicorn has said why the application did not start
    except BaseException:
        traceback.print_exc()
    finally:
        with contextlib.suppress(Exception):
            sys.stdout.flush()
            sys.stderr.flush()
        os._exit(exit_code)


def _die_with(parent_pid: int) -> None:
    """Have the kernel end this process with its parent: without one, nobody would ever stop it."""
    if _libc.prctl(_PR_SET_PDEATHSIG, signal.SIGKILL) != 0:
        raise OSError(ctypes.get_errno(), "prctl(PR_SET_PDEATHSIG)")
    if os.getppid() != parent_pid:
        os._exit(EXIT_STOPPED)


def _share_one_heap() -> None:
    """Let all threads take their pieces from one heap, whose end is given back.

    Measured with 64 clients of 64 MiB, four kinds of load one after another: 202 MiB without, 187 with. Pages
    of its own for every piece of 128 KiB took as little memory, and a third more of the processor for a PUT
    of 1 MiB, because each page is made anew.
    """
    if hasattr(_libc, "mallopt"):
        for option, value in _HEAP.values():
            _libc.mallopt(option, value)


def _uvicorn_config(settings: Settings, app_factory: AppFactory, counters: Counters) -> uvicorn.Config:
    return uvicorn.Config(
        app_factory,
        factory=True,
        interface="asgi3",
        loop="uvloop",
        http=counted_protocol_for(settings, counters),
        ws="none",
        lifespan="on",
        log_config=None,
        access_log=False,
        server_header=False,
        # `wire` dates answers as they go out; uvicorn's date is a second old, more where the loop is busy.
        date_header=False,
        # On everything: what somebody stored as text is never taken for a page because it looks like one.
        headers=[("X-Content-Type-Options", "nosniff")],
        proxy_headers=False,
        backlog=BACKLOG,
        workers=1,
        timeout_keep_alive=settings.keep_alive_s,
        timeout_graceful_shutdown=settings.graceful_stop_s,
        ssl_certfile=settings.tls_certificate,
        ssl_keyfile=settings.tls_key,
    )
