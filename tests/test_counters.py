"""Figures in shared memory: every process adds to a row of its own, and everybody sees the sum."""

import os

from meiku.counters import CONNECTIONS, RECEIVED_BYTES, SLOW_DOCUMENT, UNMATCHED, Counters


def test_what_forked_processes_count_is_summed() -> None:
    """A child's figures are seen by its parent at once, beside the parent's own."""
    counters = Counters(2, ["GetObject", "PutObject"])
    child = os.fork()
    if child == 0:
        counters.take_row(1)
        counters.answered("GetObject", 404, 5)
        counters.row[RECEIVED_BYTES] += 7
        os._exit(0)
    os.waitpid(child, 0)
    counters.answered("GetObject", 200, 10)
    (total,) = counters.operations()
    assert (total.operation, total.duration_ns, total.answers) == ("GetObject", 15, {2: 1, 4: 1})
    assert counters.total(RECEIVED_BYTES) == 7


def test_a_worker_that_takes_a_row_goes_on_counting_in_it() -> None:
    """A dead worker's totals stay, so that a counter never falls; its connections are gone with it."""
    counters = Counters(1, ["GetObject"])
    counters.answered("GetObject", 200, 1)
    counters.row[CONNECTIONS] += 3
    counters.take_row(0)
    assert counters.total(CONNECTIONS) == 0
    assert counters.operations()[0].answers == {2: 1}


def test_what_is_no_known_operation_is_counted_under_one_name() -> None:
    """Whatever a client asks for, it makes no new name: the page cannot grow."""
    counters = Counters(1, ["GetObject"])
    counters.answered("Nonsense", 405, 1)
    counters.answered("-", 503, 1)
    (total,) = counters.operations()
    assert (total.operation, total.answers) == (UNMATCHED, {4: 1, 5: 1})
    assert counters.total(SLOW_DOCUMENT) == 1
