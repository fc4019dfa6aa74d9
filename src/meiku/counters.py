"""Figures of all workers in one piece of memory: each writes its own row, and whoever is asked sums them.

Made by the parent before it forks. A row is plain 64-bit numbers that one process alone writes, so that
counting needs no lock and costs a few additions. What must not live here: names of buckets or keys, and any
text format.
"""

import mmap
from collections.abc import Iterable
from dataclasses import dataclass

CONNECTIONS, RECEIVED_BYTES, SENT_BYTES = 0, 1, 2
# 503 SlowDown, by what there was too much of; CUT connections were not even told so.
SLOW_HEAD, SLOW_REQUEST, SLOW_DOCUMENT, CUT = 3, 4, 5, 6
# Objects that were found damaged while they were read.
DAMAGED = 7
# How often the worker has shown that its loop turns.
_BEATS = 8
_OPERATIONS = 9
# Of each operation: nanoseconds, then answers of 1xx to 5xx.
_WIDTH = 6
_CELL_BYTES = 8
UNMATCHED = "none"


@dataclass(frozen=True, slots=True)
class OperationTotal:
    """What all workers together have answered to one operation; `answers` by the status's first digit."""

    operation: str
    duration_ns: int
    answers: dict[int, int]


class Counters:
    """The rows of all workers; `row` is the one that this process writes."""

    __slots__ = ("_cells", "_places", "_row_length", "_unmatched", "number", "row")

    def __init__(self, workers: int, operations: Iterable[str] = ()) -> None:
        """Count nothing yet; processes forked from here on share what is counted."""
        names = [UNMATCHED, *sorted(operations)]
        self._places = {name: _OPERATIONS + number * _WIDTH for number, name in enumerate(names)}
        self._unmatched = self._places[UNMATCHED]
        self._row_length = _OPERATIONS + len(names) * _WIDTH
        shared = mmap.mmap(-1, workers * self._row_length * _CELL_BYTES)
        self._cells = memoryview(shared).cast("q")
        self.take_row(0)

    def found_damage(self) -> None:
        """Count a read that was broken off because of damage."""
        self.row[DAMAGED] += 1

    def beat(self) -> None:
        """Show the parent that this worker's loop turns."""
        self.row[_BEATS] += 1

    def beats_of(self, number: int) -> int:
        """Tell how often the worker of a row has shown so."""
        return self._cells[number * self._row_length + _BEATS]

    def take_row(self, number: int) -> None:
        """Write the row of the worker of this number from now on; its predecessor's connections are gone."""
        self.number = number
        self.row = self._cells[number * self._row_length : (number + 1) * self._row_length]
        self.row[CONNECTIONS] = 0

    def answered(self, operation: str, status: int, duration_ns: int) -> None:
        """Count one answered request."""
        row, place = self.row, self._places.get(operation, self._unmatched)
        row[place] += duration_ns
        row[place + status // 100] += 1
        if status == 503:
            row[SLOW_DOCUMENT] += 1

    def total(self, cell: int) -> int:
        """Sum one figure over all workers."""
        return sum(self._cells[cell :: self._row_length])

    def operations(self) -> list[OperationTotal]:
        """Sum what was answered, of every operation that was ever asked for."""
        totals = [self._of(name, place) for name, place in self._places.items()]
        return [total for total in totals if total.answers]

    def _of(self, name: str, place: int) -> OperationTotal:
        counted = {digit: self.total(place + digit) for digit in range(1, _WIDTH)}
        answers = {digit: count for digit, count in counted.items() if count}
        return OperationTotal(name, self.total(place), answers)
