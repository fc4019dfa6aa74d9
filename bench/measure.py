"""What a process tree uses, from /proc: processor seconds and memory.

Memory is the proportional set size: pages that processes share are counted once, so that a tree of workers is
neither charged twice nor let off. Knows nothing of servers or work.
"""

import os
import threading
from collections.abc import Iterator, Sequence
from contextlib import suppress
from pathlib import Path
from types import TracebackType
from typing import Self

_TICKS_PER_S = os.sysconf("SC_CLK_TCK")
_SAMPLE_EVERY_S = 0.2
_KIB = 1024


def tree(roots: Sequence[int]) -> Iterator[int]:
    """List processes and all their descendants."""
    for pid in roots:
        yield pid
        children: list[int] = []
        with suppress(OSError):  # ended meanwhile
            for listing in Path(f"/proc/{pid}/task").glob("*/children"):
                children += [int(word) for word in listing.read_text().split()]
        yield from tree(children)


def cpu_s(roots: Sequence[int]) -> float:
    """Tell how many processor seconds a tree has used so far, its ended children included."""
    return sum(_ticks(pid) for pid in tree(roots)) / _TICKS_PER_S


def memory_bytes(roots: Sequence[int]) -> int:
    """Tell how much memory a tree holds now."""
    return sum(_pss_bytes(pid) for pid in tree(roots))


def _ticks(pid: int) -> int:
    try:
        fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    except OSError:
        return 0
    return sum(int(field) for field in fields[11:15])


def _pss_bytes(pid: int) -> int:
    try:
        lines = Path(f"/proc/{pid}/smaps_rollup").read_text().splitlines()
    except OSError:
        return 0
    return next((int(line.split()[1]) * _KIB for line in lines if line.startswith("Pss:")), 0)


class Meter:
    """Watches a tree while the block runs; then `cpu_s` and `peak_bytes` say what it took."""

    def __init__(self, roots: Sequence[int]) -> None:
        self._roots = roots
        self._ended = threading.Event()
        self._thread = threading.Thread(target=self._watch, daemon=True)
        self.cpu_s = 0.0
        self.peak_bytes = 0

    def __enter__(self) -> Self:
        self._began_cpu_s = cpu_s(self._roots)
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.cpu_s = cpu_s(self._roots) - self._began_cpu_s
        self._ended.set()
        self._thread.join()
        self._look()

    def _watch(self) -> None:
        while not self._ended.wait(_SAMPLE_EVERY_S):
            self._look()

    def _look(self) -> None:
        self.peak_bytes = max(self.peak_bytes, memory_bytes(self._roots))
