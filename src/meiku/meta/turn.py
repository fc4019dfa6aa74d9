"""The turn: one process at a time has it, among all processes on one data folder.

A lock on a file, which the kernel lets go of when its process dies; one that stands still keeps it, and so
whoever waits can bound the time and ask who has it. Knows nothing of what the turn is for.
"""

import fcntl
import os
import time
from pathlib import Path
from types import TracebackType

from meiku import errors
from meiku.folders import open_lock

_FIRST_WAIT_S, _LONGEST_WAIT_S = 0.001, 0.05
_SHOWN_CHARACTERS = 120


class Turn:
    """The turn that a lock file stands for."""

    def __init__(self, path: Path) -> None:
        """Open the lock file, making it where it is missing; nothing is taken yet."""
        self._file = open_lock(path)

    def __enter__(self) -> None:
        """Wait for the turn, for as long as it takes, and have it."""
        fcntl.flock(self._file, fcntl.LOCK_EX)

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        fcntl.flock(self._file, fcntl.LOCK_UN)

    def try_take(self) -> bool:
        """Take the turn if nobody has it."""
        try:
            fcntl.flock(self._file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            return False
        return True

    def take_within(self, longest_wait_s: float) -> None:
        """Take the turn, or raise Busy, which names its holder, after so many seconds."""
        until_s, wait_s = time.monotonic() + longest_wait_s, _FIRST_WAIT_S
        while not self.try_take():
            if time.monotonic() > until_s:
                raise errors.Busy(f"the turn to write is held by {self.holder()}")
            time.sleep(wait_s)
            wait_s = min(2 * wait_s, _LONGEST_WAIT_S)

    def holder(self) -> str:
        """Say who has the turn, as this machine shows its processes: `process 4711 (meiku backup /b)`."""
        try:
            locks = Path("/proc/locks").read_text(encoding="ascii")
        except OSError:
            return "a process that this system does not show"
        pid = holder_in(locks, os.fstat(self._file))
        return f"process {pid}{_command_of(pid)}" if pid else "nobody any more"

    def close(self) -> None:
        """Let go of the lock file."""
        os.close(self._file)


def holder_in(locks: str, file: os.stat_result) -> str | None:
    """Tell which process has a file locked, of the kernel's list; other disks have files of the same number.

    Some filesystems tell another number of their disk than the list does: then the file's must do.
    Source: https://man7.org/linux/man-pages/man5/proc_locks.5.html
    """
    exact = f"{os.major(file.st_dev):02x}:{os.minor(file.st_dev):02x}:{file.st_ino}"
    lines = [line.split() for line in locks.splitlines()]
    found = [line for line in lines if line[1] == "FLOCK" and line[5].rpartition(":")[2] == str(file.st_ino)]
    found.sort(key=lambda line: line[5] != exact)
    return found[0][4] if found else None


def _command_of(pid: str) -> str:
    """Tell what a process was started as; nothing where that cannot be seen, as from inside a container."""
    try:
        words = Path(f"/proc/{pid}/cmdline").read_bytes().split(b"\0")
    except OSError:
        return ""
    shown = b" ".join(words).decode(errors="replace").strip()[:_SHOWN_CHARACTERS]
    return f" ({shown})" if shown.isprintable() and shown else ""
