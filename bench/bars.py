"""The bar: what meiku claims, as ratios within one run, and whether this run bears it out."""

from collections.abc import Iterator
from dataclasses import dataclass

from bench.book import Book, Row, middle_ratio
from bench.workloads import CORES

_MIB = 1 << 20
OURS = "meiku"


@dataclass(frozen=True, slots=True)
class Bar:
    """Our rate in a row, against a peer's in the same row or (`other`) our own in another."""

    work: str
    row: Row
    peer: str
    at_least: float
    other: Row | None = None
    at_most: float | None = None


@dataclass(frozen=True, slots=True)
class Verdict:
    """One line of the table of bars."""

    work: str
    bar: str
    measured: str
    met: bool


BARS: tuple[Bar, ...] = (
    Bar("PUT 4 KiB, 64", ("put-4k", 64), "rgw", 8),
    Bar("PUT 4 KiB, 64", ("put-4k", 64), "s3rver", 2.5),
    Bar("GET 4 KiB, 16", ("get-4k", 16), "rgw", 5),
    Bar("GET 4 KiB, 64", ("get-4k", 64), "rgw", 5),
    Bar("GET 4 KiB, 16", ("get-4k", 16), "nginx", 0.2),
    Bar("GET 4 KiB, 64", ("get-4k", 64), "nginx", 0.2),
    Bar("form POST 4 KiB, 64", ("form-4k", 64), "rgw", 6),
    Bar("form POST 1 MiB, 4", ("form-1m", 4), "rgw", 3),
    Bar("form POST 1 MiB, 4", ("form-1m", 4), OURS, 0.9, other=("put-1m", 4)),
    Bar("HEAD 4 KiB, 64", ("head-4k", 64), "rgw", 4),
    Bar("DELETE 4 KiB, 64", ("delete-4k", 64), "rgw", 6),
    Bar("PUT 1 MiB, 4", ("put-1m", 4), "rgw", 2.5),
    Bar("PUT 1 MiB, 4", ("put-1m", 4), "nginx", 1),
    Bar("PUT 64 MiB, 4", ("put-64m", 4), "rgw", 1.4),
    Bar("GET 64 MiB, 4", ("get-64m", 4), "nginx", 0.85),
    Bar("GET 64 MiB, 4", ("get-64m", 4), "rgw", 2.5),
    Bar("LIST 1,000, 16", ("list-10k", 16), "rgw", 3),
    Bar("LIST 1,000 in the crowded bucket", ("list-1m", 16), OURS, 0.8, ("list-10k", 16), 1.25),
    Bar("LIST with delimiter, 16", ("prefixes-10k", 16), "rgw", 5),
    Bar("LIST with delimiter in the crowded bucket", ("prefixes-1m", 16), OURS, 0.8, ("prefixes-10k", 16)),
    Bar(f"picture to WebP, {CORES}", ("webp-400", CORES), "limit", 0.85),
    Bar(f"picture to WebP, {CORES}", ("webp-400", CORES), "thumbor", 2),
    Bar(f"picture cropped, {CORES}", ("fill-200", CORES), "limit", 0.85),
    Bar(f"picture cropped, {CORES}", ("fill-200", CORES), "thumbor", 2),
    Bar("picture to WebP, kept, 16", ("webp-400-kept", 16), OURS, 0.8, other=("webp-400-plain", 16)),
    Bar("picture cropped, kept, 16", ("fill-200-kept", 16), OURS, 0.8, other=("fill-200-plain", 16)),
)
_IDLE_BOUND_MIB, _BUSY_BOUND_MIB, _START_BOUND_S = 120, 200, 1.5


def judge(book: Book) -> Iterator[Verdict]:
    """Judge every bar that this run has figures for."""
    for bar in BARS:
        ratio = middle_ratio(book.of(bar.row, OURS), book.of(bar.other or bar.row, bar.peer))
        if ratio is None:
            continue
        met = ratio >= bar.at_least and (bar.at_most is None or ratio <= bar.at_most)
        yield Verdict(bar.work, _written(bar), f"{ratio:.2f} ×", met)
    yield from _of_memory(book)
    if OURS in book.started_within_s:
        took_s = book.started_within_s[OURS]
        yield Verdict("start", f"≤ {_START_BOUND_S} s", f"{took_s:.2f} s", took_s <= _START_BOUND_S)


def _written(bar: Bar) -> str:
    against = f"own {bar.other[0]}" if bar.other else bar.peer
    most = f", ≤ {bar.at_most:g} ×" if bar.at_most else ""
    return f"≥ {bar.at_least:g} ×{most} {against}"


def _of_memory(book: Book) -> Iterator[Verdict]:
    memory = book.memory
    if memory is None:
        return
    for work, used, bound in (
        ("memory, idle", memory.idle, _IDLE_BOUND_MIB),
        ("memory, 64 clients putting 64 MiB", memory.fast_put, _BUSY_BOUND_MIB),
        ("memory, 64 clients getting 64 MiB", memory.fast_get, _BUSY_BOUND_MIB),
        ("memory, the same at 100 KB/s each, putting", memory.slow_put, _BUSY_BOUND_MIB),
        ("memory, the same at 100 KB/s each, getting", memory.slow_get, _BUSY_BOUND_MIB),
    ):
        yield Verdict(work, f"≤ {bound} MiB", f"{used / _MIB:.0f} MiB", used <= bound * _MIB)
