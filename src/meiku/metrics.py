"""The page of figures at `/-/metrics`, in Prometheus' text format: what was counted, and how the scrub fares.

Names of operations are AWS's; no bucket, key, caller or address ever appears. What must not live here:
counting, and who may read the page.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from meiku.counters import (
    CONNECTIONS,
    CUT,
    DAMAGED,
    RECEIVED_BYTES,
    SENT_BYTES,
    SLOW_DOCUMENT,
    SLOW_HEAD,
    SLOW_REQUEST,
    Counters,
)
from meiku.meta.scrubs import Scrub

_REFUSED = {"connection": SLOW_HEAD, "request": SLOW_REQUEST, "document": SLOW_DOCUMENT, "cut": CUT}
Sample = tuple[str, float]


@dataclass(frozen=True, slots=True)
class Family:
    """One figure: its samples are what follows the name (suffix and labels), and the value."""

    name: str
    kind: str
    about: str
    samples: Iterable[Sample]

    def lines(self) -> Iterator[str]:
        """Write the family as the format wants it."""
        yield f"# HELP meiku_{self.name} {self.about}"
        yield f"# TYPE meiku_{self.name} {self.kind}"
        for rest, value in self.samples:
            yield f"meiku_{self.name}{rest} {value}"


def write_page(counters: Counters, scrub: Scrub | None, finished: Scrub | None) -> bytes:
    """Write the page: the figures of all workers, the scrub's latest round and its last finished one."""
    families = [*_of_requests(counters), *_of_connections(counters), *_of_scrub(scrub, finished)]
    return "".join(f"{line}\n" for family in families for line in family.lines()).encode()


def _of_requests(counters: Counters) -> Iterator[Family]:
    totals = counters.operations()
    answers: list[Sample] = []
    seconds: list[Sample] = []
    for total in totals:
        label = f'operation="{total.operation}"'
        answers += [(f'{{{label},status="{digit}xx"}}', count) for digit, count in total.answers.items()]
        seconds.append((f"_sum{{{label}}}", total.duration_ns / 1e9))
        seconds.append((f"_count{{{label}}}", sum(total.answers.values())))
    yield Family("requests_total", "counter", "Requests answered, by operation and class of status.", answers)
    yield Family(
        "request_seconds", "summary", "Time from a request's head to its answer's last byte.", seconds
    )


def _of_connections(counters: Counters) -> Iterator[Family]:
    yield _single("connections", "gauge", "Connections that are open now.", counters.total(CONNECTIONS))
    received, sent = counters.total(RECEIVED_BYTES), counters.total(SENT_BYTES)
    yield _single("received_bytes_total", "counter", "Bytes that arrived, heads and all.", received)
    yield _single("sent_bytes_total", "counter", "Bytes of answers, heads and all.", sent)
    refused = [(f'{{at="{place}"}}', counters.total(cell)) for place, cell in _REFUSED.items()]
    about = "503 SlowDown, by what there was too much of; cut is without a word."
    yield Family("slow_down_total", "counter", about, refused)
    about = "Reads that were broken off because the stored bytes are damaged or lost."
    yield _single("damaged_reads_total", "counter", about, counters.total(DAMAGED))


def _of_scrub(scrub: Scrub | None, finished: Scrub | None) -> Iterator[Family]:
    if scrub is not None:
        is_running = int(scrub.finished_at_ms is None)
        yield _single("scrub_running", "gauge", "Whether stored bytes are being re-read.", is_running)
        yield _single("scrub_objects", "gauge", "Objects re-read in the latest round.", scrub.objects)
        yield _single("scrub_bytes", "gauge", "Bytes re-read in the latest round.", scrub.size_bytes)
        yield _single("scrub_damaged", "gauge", "Damage found in the latest round.", scrub.damaged)
    if finished is not None and finished.finished_at_ms is not None:
        about = "When the last whole round ended."
        finished_s = finished.finished_at_ms / 1000
        yield _single("scrub_finished_timestamp_seconds", "gauge", about, finished_s)
        about = "Damage found in the last whole round."
        yield _single("scrub_finished_damaged", "gauge", about, finished.damaged)


def _single(name: str, kind: str, about: str, value: float) -> Family:
    return Family(name, kind, about, [("", value)])
