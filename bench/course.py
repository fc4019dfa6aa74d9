"""The course of a run: who is started, who is asked what and when, and that everybody is stopped.

Every row is measured on all peers in turn, and that is repeated: A B C, A B C. A peer that fails in a row has
no figure there, and the run goes on.
"""

import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from bench import crowd, machine, slow
from bench.book import Book
from bench.measure import memory_bytes
from bench.peers import PEERS, Meiku, Peer
from bench.stage import Stage
from bench.tally import BadAnswer
from bench.workloads import PICTURES, Workload

_SETTLE_S = 1.0


@dataclass(frozen=True, slots=True)
class Settings:
    """How thorough a run is."""

    seconds: int
    rounds: int
    scale: float
    crowd: int
    with_memory: bool


def run(
    peers: Sequence[str], workloads: Sequence[Workload], settings: Settings, folder: Path, tools: Path
) -> Book:
    """Run the whole course; the folder may be removed afterwards."""
    began_s = time.perf_counter()
    said = f"{settings.rounds} rounds of {settings.seconds} s each"
    book = Book(machine.look(folder), list(peers), said, settings.crowd)
    with _started(peers, book, folder, tools) as started:
        stages = [Stage(peer, folder / "scripts", settings.scale, settings.crowd) for peer in started]
        _fill_crowd(stages, workloads, settings)
        pictures = [workload for workload in workloads if workload in PICTURES]
        _measure_all(stages, [each for each in workloads if each not in pictures], settings, book)
        # Before the pictures, whose makers stay for minutes.
        _watch_memory(stages, settings, folder, book)
        _measure_all(stages, pictures, settings, book)
    book.took_s = time.perf_counter() - began_s
    return book


@contextmanager
def _started(names: Sequence[str], book: Book, folder: Path, tools: Path) -> Iterator[list[Peer]]:
    """Start peers one after another; whatever happens, all are stopped."""
    peers = [PEERS[name](folder / name, tools) for name in names]
    try:
        for peer in peers:
            print(f"starting {peer.title} …", end=" ", flush=True)
            peer.start()
            time.sleep(_SETTLE_S)
            book.started_within_s[peer.name] = peer.started_within_s
            book.idle_bytes[peer.name] = memory_bytes(peer.roots)
            print(f"{peer.started_within_s:.2f} s", flush=True)
        yield peers
    finally:
        for peer in reversed(peers):
            peer.stop()


def _fill_crowd(stages: Sequence[Stage], workloads: Sequence[Workload], settings: Settings) -> None:
    ours = next((stage.peer for stage in stages if isinstance(stage.peer, Meiku)), None)
    if ours is not None and any(workload.crowded for workload in workloads):
        took_s = crowd.fill(ours, settings.crowd)
        print(f"meiku: a bucket of {settings.crowd:,} keys, filled in {took_s:.1f} s", flush=True)


def _measure_all(
    stages: Sequence[Stage], workloads: Sequence[Workload], settings: Settings, book: Book
) -> None:
    for workload in workloads:
        for connections in workload.connections:
            _measure(stages, workload, connections, settings, book)


def _measure(
    stages: Sequence[Stage], workload: Workload, connections: int, settings: Settings, book: Book
) -> None:
    row = (workload.name, connections)
    for turn in range(settings.rounds):
        for stage in stages:
            spoilt = turn >= stage.peer.turns or (row, stage.peer.name) in book.failures
            if spoilt or not takes_part(type(stage.peer), workload):
                continue
            try:
                book.add(stage.measure(workload, connections, settings.seconds))
            except BadAnswer as reason:
                book.fail(row, stage.peer.name, str(reason).replace("\n", " ")[:300])
    _tell(book, row, workload)


def takes_part(peer: type[Peer], workload: Workload) -> bool:
    """Tell whether a peer has anything to do with a workload."""
    return workload.kind in peer.offers and (not workload.crowded or peer is Meiku)


def _tell(book: Book, row: tuple[str, int], workload: Workload) -> None:
    """Print a row as soon as it is there, with our ratio to each."""
    ours = book.rate(row, Meiku.name)
    cells = []
    for peer in book.peers:
        rate = book.rate(row, peer)
        if rate is not None:
            ratio = f" (×{ours / rate:.2f})" if ours and peer != Meiku.name else ""
            cells.append(f"{peer} {rate:,.0f}{ratio}")
        elif (row, peer) in book.failures:
            cells.append(f"{peer} failed")
    print(f"{workload.name:<15}{row[1]:>3}  {workload.unit:<10}  {'  '.join(cells)}", flush=True)


def _watch_memory(stages: Sequence[Stage], settings: Settings, folder: Path, book: Book) -> None:
    ours = next((stage.peer for stage in stages if isinstance(stage.peer, Meiku)), None)
    if ours is None or not settings.with_memory:
        return
    book.memory = slow.watch(ours, book.idle_bytes[ours.name], settings.seconds * 2, folder / "scripts")
