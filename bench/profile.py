"""Where the time goes: py-spy watches meiku's workers while wrk asks for the three hot operations.

Writes one flame graph for each operation (SVG), and prints where most samples were. Needs what py-spy needs:
root, or permission to look into one's own processes.
"""

import subprocess
import sys
import tempfile
import threading
from collections import Counter
from pathlib import Path
from typing import Annotated

import typer

from bench.packages import require_programs
from bench.peers import Meiku
from bench.stage import Stage
from bench.workloads import Workload, find

_HOT = (("get-4k", 64), ("put-4k", 64), ("list-10k", 16))
_SHOWN = 12
_RATE_PER_S = 200
_WAITING = "_worker (concurrent/futures/thread.py"  # for work; py-spy takes it for work itself


def main(
    folder: Annotated[Path, typer.Option(help="Where the flame graphs go.")] = Path("build/profile"),
    seconds: Annotated[int, typer.Option(min=2, help="How long each operation is watched.")] = 5,
) -> None:
    """Profile GET, PUT and LIST of a running meiku."""
    require_programs({"wrk": "wrk"})
    folder.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(prefix="meiku-bench-", dir="/var/tmp") as place:
        peer = Meiku(Path(place) / "meiku", Path(place))
        try:
            peer.start()
            stage = Stage(peer, Path(place) / "scripts", 1.0, 0)
            for name, connections in _HOT:
                _watch(stage, find(name), connections, seconds, folder)
        finally:
            peer.stop()


def _watch(stage: Stage, workload: Workload, connections: int, seconds: int, folder: Path) -> None:
    """Give the load, and sample in its midst."""
    stage.measure(workload, connections, 1)  # makes what is needed, and warms up
    load = threading.Thread(target=stage.measure, args=(workload, connections, seconds + 3))
    load.start()
    graph, stacks = folder / f"{workload.name}.svg", folder / f"{workload.name}.txt"
    _sample(stage.peer.roots[0], seconds // 2, graph, "flamegraph")
    _sample(stage.peer.roots[0], seconds - seconds // 2, stacks, "raw")
    load.join()
    print(f"\n{workload.title}, {connections} connections: {graph}")
    for where, share in _hottest(stacks.read_text()):
        print(f"  {share:>6.1%}  {where}")


def _sample(pid: int, seconds: int, path: Path, form: str) -> None:
    program = Path(sys.executable).with_name("py-spy")
    options = ["--subprocesses", "--rate", str(_RATE_PER_S), "--format", form, "--output", str(path)]
    command = [str(program), "record", "--pid", str(pid), "--duration", str(seconds), *options]
    done = subprocess.run(command, capture_output=True, text=True)
    if done.returncode != 0:
        raise SystemExit(f"py-spy: {done.stderr.strip()}")


def _hottest(raw: str) -> list[tuple[str, float]]:
    """Find the functions in which most samples were, whoever called them."""
    counts: Counter[str] = Counter()
    for line in raw.splitlines():
        stack, _, count = line.rpartition(" ")
        if _WAITING in stack.rpartition(";")[2]:
            continue
        counts[stack.rpartition(";")[2]] += int(count)
    total = sum(counts.values()) or 1
    return [(where, count / total) for where, count in counts.most_common(_SHOWN)]


if __name__ == "__main__":
    typer.run(main)
