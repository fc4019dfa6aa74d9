"""What one request costs inside in machine instructions: the same figure however busy the machine is.

The requests of `micro`'s last lines, counted by valgrind in a process of their own, twice: the difference
between many and few is theirs alone. Nothing of sockets is in it. For comparing two states of the code.
"""

import asyncio
import re
import subprocess
import sys
import tempfile
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Annotated

import typer
import uvloop

from bench.inside import Inside, opened, presigned

_BODY = bytes(4096)
_FEW = 200
_COUNTED = re.compile(r"I\s+refs:\s+([\d,]+)")
_AT_ONCE = 64
NAMES = ("GET 4 KiB", "HEAD", "PUT 4 KiB", "PUT 4 KiB, 64 at once", "LIST of 200")


def main(
    requests: Annotated[int, typer.Option(min=100, help="How many requests are counted.")] = 1000,
    only: Annotated[str, typer.Option(help="One name of those printed.")] = "",
    alone: Annotated[int, typer.Option(hidden=True, help="Answer so many of `only`, and count nothing.")] = 0,
) -> None:
    """Print what whole requests cost in machine instructions."""
    if alone:
        uvloop.run(_answer(only, alone))
        return
    for name in (only,) if only else NAMES:
        print(f"{name:<34}{instructions(name, requests):>12,.0f} instructions", flush=True)


def instructions(name: str, requests: int) -> float:
    """Return how many instructions one request takes, of many."""
    more, few = (_count(name, number) for number in (_FEW + requests, _FEW))
    return (more - few) / requests


def _count(name: str, requests: int) -> int:
    work = [sys.executable, "-m", "bench.instructions", "--only", name, "--alone", str(requests)]
    tool = ["valgrind", "--tool=cachegrind", "--cache-sim=no", "--cachegrind-out-file=/dev/null"]
    done = subprocess.run([*tool, *work], capture_output=True, text=True, check=False)
    counted = _COUNTED.search(done.stderr)
    if done.returncode or counted is None:
        raise SystemExit(f"valgrind did not count (Debian: apt-get install valgrind):\n{done.stderr[-2000:]}")
    return int(counted[1].replace(",", ""))


async def _answer(name: str, requests: int) -> None:
    with tempfile.TemporaryDirectory(prefix="meiku-bench-", dir="/var/tmp") as folder:
        async with opened(Path(folder)) as inside:
            for number in range(_FEW):
                await inside.ask(presigned("PUT", f"/bucket/{number:06}", _BODY))
            work, per_call = _work(inside)[name]
            for _ in range(requests // per_call):
                await work()


def _work(inside: Inside) -> dict[str, tuple[Callable[[], Awaitable[object]], int]]:
    """Return for each name what answers its requests, and how many at a time."""
    get, head = presigned("GET", "/bucket/000000"), presigned("HEAD", "/bucket/000000")
    puts = [presigned("PUT", f"/bucket/{number:06}", _BODY) for number in range(_AT_ONCE)]
    page = presigned("GET", "/bucket?list-type=2&max-keys=1000")
    steps: list[tuple[Callable[[], Awaitable[object]], int]] = [
        (lambda: inside.ask(get), 1),
        (lambda: inside.ask(head), 1),
        (lambda: inside.ask(puts[0]), 1),
        (lambda: asyncio.gather(*(inside.ask(put) for put in puts)), _AT_ONCE),
        (lambda: inside.ask(page), 1),
    ]
    return dict(zip(NAMES, steps, strict=True))


if __name__ == "__main__":
    typer.run(main)
