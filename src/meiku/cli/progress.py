"""A progress bar for whatever takes longer than a second: on standard error, and only before a person."""

import sys
import time
from types import TracebackType
from typing import Self

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TaskID, TextColumn, TimeRemainingColumn

_PATIENCE_S = 1.0


class Bar:
    """Draws how far a piece of work has got; leaves nothing on the screen."""

    def __init__(self) -> None:
        self._began_s = time.monotonic()
        self._progress: Progress | None = None
        self._tasks: dict[str, TaskID] = {}

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._progress is not None:
            self._progress.stop()

    def tell(self, title: str, done: int, total: int) -> None:
        """Draw how far the part of the work with this title has got, once a second has passed."""
        if not sys.stderr.isatty() or time.monotonic() - self._began_s < _PATIENCE_S:
            return
        if self._progress is None:
            self._progress = _drawn()
            self._progress.start()
        if title not in self._tasks:
            self._tasks[title] = self._progress.add_task(title)
        self._progress.update(self._tasks[title], completed=done, total=max(total, done))


def _drawn() -> Progress:
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
    return Progress(*columns, console=Console(stderr=True), transient=True)
