"""The media workers of all servers on one data folder: started when a job waits, never more than are allowed.

A worker's place is a lock on a file, which the worker inherits: the kernel frees it when the worker ends,
however it ends, and whoever started it. Knows no recipes.
"""

import asyncio
import fcntl
import os
import subprocess
import sys
from pathlib import Path

from meiku.folders import open_lock
from meiku.media.jobs import Jobs
from meiku.media.limits import Limits

# One core for each worker; no loaders that were never fuzzed; what is decoded stays in memory, which is
# limited, and never becomes a file; and one heap, of which so much is kept from one picture to the next.
# (Measured: to get pages from the kernel anew cost a thirtieth of all time.)
_ENVIRONMENT = {
    "VIPS_CONCURRENCY": "1",
    "VIPS_BLOCK_UNTRUSTED": "1",
    "VIPS_DISC_THRESHOLD": str(1 << 50),
    "MALLOC_ARENA_MAX": "1",
    "MALLOC_MMAP_THRESHOLD_": str(16 << 20),
    "MALLOC_TRIM_THRESHOLD_": str(32 << 20),
}


# All that a worker is told of its server's environment: whoever takes over a decoder must find no keys there.
_INHERITED = ("PATH", "PYTHONPATH", "LD_LIBRARY_PATH", "LD_PRELOAD", "LANG", "LC_ALL", "TMPDIR")


class Staff:
    """What one server knows of the workers: those that it has started itself."""

    def __init__(self, jobs: Jobs, limits: Limits, folder: Path) -> None:
        """Start nobody yet; `folder` is where the places' locks are."""
        self._jobs, self._limits, self._folder = jobs, limits, folder
        self._started = 0

    @property
    def is_at_work(self) -> bool:
        """Tell whether a worker that this server has started is there."""
        return self._started > 0

    def call(self) -> None:
        """Have one more worker started, if there is a place for it; nobody waits for it."""
        starting = asyncio.get_running_loop().run_in_executor(None, self._start)
        starting.add_done_callback(self._take_note)

    def _take_note(self, starting: "asyncio.Future[subprocess.Popen[bytes] | None]") -> None:
        process = None if starting.cancelled() else starting.result()
        if process is not None:
            self._started += 1
            self._watch(process)

    def _start(self) -> subprocess.Popen[bytes] | None:
        place = self._free_place()
        if place is None:
            return None
        taking = self._jobs.taking.fileno()
        # -P: a file in the folder where somebody typed `meiku serve` is not to be imported.
        command = [sys.executable, "-P", "-m", "meiku.media.worker", str(taking)]
        command += [str(self._limits.memory_bytes), str(int(self._limits.timeout_s) + 1)]
        try:
            return subprocess.Popen(  # noqa: S603
                command,
                pass_fds=[taking, place],
                env={name: os.environ[name] for name in _INHERITED if name in os.environ} | _ENVIRONMENT,
                stdin=subprocess.DEVNULL,
                stdout=subprocess.DEVNULL,
                stderr=subprocess.DEVNULL,
            )
        finally:
            os.close(place)

    def _free_place(self) -> int | None:
        """Take a place that nobody has; None when all are taken."""
        # Never more than there are recipes under way: who would be started for one client's is there already.
        for number in range(min(self._limits.in_all, self._jobs.by_client.total)):
            path = self._folder / f"media-worker-{number}.lock"
            # To read only: a worker inherits it, and has no descriptor that it could write a file with.
            place = open_lock(path, os.O_RDONLY)
            try:
                fcntl.flock(place, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                os.close(place)
            else:
                return place
        return None

    def _watch(self, process: subprocess.Popen[bytes]) -> None:
        """Wait for a worker's end, and leave nothing of it."""
        loop, watched = asyncio.get_running_loop(), os.pidfd_open(process.pid)

        def bury() -> None:
            loop.remove_reader(watched)
            os.close(watched)
            process.wait()
            self._started -= 1

        loop.add_reader(watched, bury)
