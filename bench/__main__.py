"""The command: reads what is wanted, runs it in a temporary folder, writes the page and the picture."""

import tempfile
from pathlib import Path
from typing import Annotated

import typer

from bench import course, plot, report
from bench.bars import judge
from bench.book import Book
from bench.packages import Missing, require_programs
from bench.peers import PEERS, Meiku
from bench.tally import BadAnswer
from bench.workloads import WORKLOADS, Workload

_HERE = Path(__file__).parent
_PAGE = _HERE / "results.md"
_PICTURE = _HERE.parent / "docs" / "pictures" / "bench.png"
_TOOLS = _HERE.parent / ".venv" / "peers"
_MEMORY = "memory"  # work for meiku alone, which has no rate
_QUICK = course.Settings(seconds=1, rounds=1, scale=0.2, crowd=100_000, with_memory=False)
_FULL = course.Settings(seconds=2, rounds=2, scale=1.0, crowd=1_000_000, with_memory=True)


def main(
    quick: Annotated[bool, typer.Option(help="A look in five minutes: 1 s, one round, fewer keys.")] = False,
    only: Annotated[str, typer.Option(help="Workloads, separated by commas; see below.")] = "",
    peers: Annotated[str, typer.Option(help="Servers, separated by commas.")] = ",".join(PEERS),
    seconds: Annotated[int | None, typer.Option(min=1, help="How long each measurement lasts.")] = None,
    rounds: Annotated[int | None, typer.Option(min=1, help="How often everybody has his turn.")] = None,
    crowd: Annotated[int | None, typer.Option(min=10_000, help="Keys in meiku's crowded bucket.")] = None,
    place: Annotated[
        Path, typer.Option(help="Where the temporary folder is made; must be on a real disk.")
    ] = Path("/var/tmp"),
    write: Annotated[
        bool | None, typer.Option(help="Write bench/results.md and the picture. Default: after whole runs.")
    ] = None,
) -> None:
    """Measure meiku beside other servers, on this machine, over loopback.

    Starts each server with data in a temporary folder, gives all of them the same work in turn, and prints
    our ratio to each as it goes. The whole takes about twelve minutes, and means little while anything
    else runs.

    Examples: `--quick` · `--only put-4k,get-4k --peers meiku,nginx` · `--only list-1m --crowd 10000000` ·
    `--only webp-400,fill-200`

    Workloads: put-4k form-4k get-4k head-4k delete-4k list-10k prefixes-10k put-1m form-1m get-1m put-64m
    get-64m multipart-256m list-1m prefixes-1m webp-400 fill-200 webp-400-kept webp-400-plain fill-200-kept
    fill-200-plain memory
    """
    base = _QUICK if quick else _FULL
    settings = course.Settings(
        seconds=seconds or base.seconds,
        rounds=rounds or base.rounds,
        scale=base.scale,
        crowd=crowd or base.crowd,
        with_memory=_MEMORY in only or (base.with_memory and not only),
    )
    workloads = _chosen_workloads(only)
    book = _measured(_needed(_chosen_peers(peers), workloads), workloads, settings, place)
    _print_verdicts(book)
    if write if write is not None else not (quick or only):
        _PAGE.write_text(report.write(book))
        plot.draw(book, _PICTURE)
        print(f"written: {_PAGE} and {_PICTURE}")


def _measured(names: list[str], workloads: list[Workload], settings: course.Settings, place: Path) -> Book:
    """Install what is needed and run the course; ends the program in words where that cannot be."""
    try:
        _install(names)
        with tempfile.TemporaryDirectory(prefix="meiku-bench-", dir=place) as folder:
            return course.run(names, workloads, settings, Path(folder), _TOOLS)
    except (Missing, BadAnswer) as reason:
        raise SystemExit(str(reason)) from None


def _print_verdicts(book: Book) -> None:
    for verdict in judge(book):
        print(f"{'yes' if verdict.met else 'NO ':<4}{verdict.work:<46}{verdict.bar:<34}{verdict.measured}")
    for (row, peer), failure in book.failures.items():
        print(f"no result: {peer}, {row[0]}, {row[1]} connections: {failure}")


def _install(names: list[str]) -> None:
    """Get everything that the chosen servers need."""
    programs = {"wrk": "wrk"}
    for name in names:
        programs |= PEERS[name].programs
    require_programs(programs)
    for name in names:
        PEERS[name](Path(), _TOOLS).install()


def _chosen_peers(text: str) -> list[str]:
    names = [name.strip() for name in text.split(",") if name.strip()]
    if unknown := set(names) - PEERS.keys():
        raise typer.BadParameter(f"{', '.join(unknown)}: choose from {', '.join(PEERS)}")
    return names


def _needed(names: list[str], workloads: list[Workload]) -> list[str]:
    """Leave out who has nothing to do; memory is meiku's."""
    return [
        name
        for name in names
        if PEERS[name] is Meiku or any(course.takes_part(PEERS[name], workload) for workload in workloads)
    ]


def _chosen_workloads(text: str) -> list[Workload]:
    names = {name.strip() for name in text.split(",") if name.strip()}
    if names == {_MEMORY}:
        return []
    names.discard(_MEMORY)
    if unknown := names - {workload.name for workload in WORKLOADS}:
        raise typer.BadParameter(f"{', '.join(unknown)}: choose from {', '.join(w.name for w in WORKLOADS)}")
    return [workload for workload in WORKLOADS if not names or workload.name in names]


if __name__ == "__main__":
    typer.run(main)
