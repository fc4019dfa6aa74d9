"""The figures of one run, kept by row and peer; what went wrong stands beside them."""

import math
from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass, field

from bench.machine import Machine
from bench.slow import Memory
from bench.stage import Figure

Row = tuple[str, int]  # workload, connections


@dataclass(slots=True)
class Book:
    """Everything that the report is written from."""

    machine: Machine
    peers: list[str]
    settings: str
    crowd: int
    figures: dict[tuple[Row, str], list[Figure]] = field(default_factory=lambda: defaultdict(list))
    failures: dict[tuple[Row, str], str] = field(default_factory=dict)
    started_within_s: dict[str, float] = field(default_factory=dict)
    idle_bytes: dict[str, int] = field(default_factory=dict)
    memory: Memory | None = None
    took_s: float = 0.0

    def add(self, figure: Figure) -> None:
        """Keep one run's figure."""
        self.figures[(figure.workload, figure.connections), figure.peer].append(figure)

    def fail(self, row: Row, peer: str, reason: str) -> None:
        """Keep why a peer has no figure in a row; one bad run spoils the good ones."""
        self.failures[row, peer] = reason

    def of(self, row: Row, peer: str) -> list[Figure]:
        """The figures of a peer in a row, one per round; none when any of its runs failed."""
        return [] if (row, peer) in self.failures else self.figures.get((row, peer), [])

    def rate(self, row: Row, peer: str) -> float | None:
        """The mean rate over the rounds."""
        return mean(figure.rate for figure in self.of(row, peer))

    def rows(self) -> list[Row]:
        """Every row that somebody was measured in."""
        return list(dict.fromkeys(row for row, _ in [*self.figures, *self.failures]))


def mean(values: Iterable[float]) -> float | None:
    """The arithmetic mean, None of nothing."""
    numbers = list(values)
    return sum(numbers) / len(numbers) if numbers else None


def middle_ratio(ours: list[Figure], theirs: list[Figure]) -> float | None:
    """The geometric mean of the ratios of rates, round by round, as they were measured side by side."""
    ratios = [a.rate / b.rate for a, b in zip(ours, theirs, strict=False) if b.rate > 0 and a.rate > 0]
    return math.exp(sum(map(math.log, ratios)) / len(ratios)) if ratios else None
