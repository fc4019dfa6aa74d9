"""Memory under many large transfers: 64 clients as fast as they can, and 64 that take their time.

Only for meiku, whose bound it is. wrk can't be slow, so the clients are plain streams here; what
they move is not a figure, only what it costs the server to hold them.
"""

import asyncio
from dataclasses import dataclass
from pathlib import Path

from bench import wrk
from bench.measure import Meter
from bench.peers import Peer
from bench.requests import filler, put_plan
from bench.workloads import MIB

_CLIENTS = 64
_SLOW_BYTES_PER_S = 100_000
_STEP_S = 0.1
_STEP_BYTES = int(_SLOW_BYTES_PER_S * _STEP_S)
_SIZE_BYTES = 64 * MIB
_OBJECTS = 4


@dataclass(frozen=True, slots=True)
class Memory:
    """Peak memory of the whole process tree, by what it was doing; bytes."""

    idle: int
    fast_put: int
    fast_get: int
    slow_put: int
    slow_get: int


def watch(peer: Peer, idle_bytes: int, seconds: int, folder: Path) -> Memory:
    """Let 64 clients move 64 MiB each, in four ways, for so long each."""
    peer.make_bucket("memory")
    plan = put_plan(peer, "memory", _SIZE_BYTES, range(_OBJECTS), times=1)
    wrk.run(plan, peer.url, _OBJECTS, 0, folder).require_clean()
    filler.cache_clear()
    puts = [target for _, target in plan.targets]
    gets = [peer.sign("GET", f"/memory/{key}") for key, _ in plan.targets]
    peaks = [
        _peak(peer, verb, targets, seconds, slow=slow)
        for slow in (False, True)
        for verb, targets in (("PUT", puts), ("GET", gets))
    ]
    return Memory(idle_bytes, *peaks)


def _peak(peer: Peer, verb: str, targets: list[str], seconds: float, *, slow: bool) -> int:
    with Meter(peer.roots) as meter:
        asyncio.run(_transfer(peer.port, verb, targets, seconds, slow=slow))
    return meter.peak_bytes


async def _transfer(port: int, verb: str, targets: list[str], seconds: float, *, slow: bool) -> None:
    """Keep 64 clients at it until the time is up, then hang up on the server."""
    clients = [_client(port, verb, targets[n % len(targets)], slow=slow) for n in range(_CLIENTS)]
    tasks = [asyncio.create_task(client) for client in clients]
    done, _ = await asyncio.wait(tasks, timeout=seconds)
    for task in tasks:
        task.cancel()
    await asyncio.gather(*tasks, return_exceptions=True)
    for task in done:
        task.result()


async def _client(port: int, verb: str, target: str, *, slow: bool) -> None:
    reader, writer = await asyncio.open_connection("127.0.0.1", port, limit=_STEP_BYTES)
    try:
        length = f"Content-Length: {_SIZE_BYTES}\r\n" if verb == "PUT" else ""
        writer.write(f"{verb} {target} HTTP/1.1\r\nHost: 127.0.0.1:{port}\r\n{length}\r\n".encode())
        left, step = _SIZE_BYTES, _STEP_BYTES if slow else MIB
        while left > 0:
            if verb == "PUT":
                writer.write(bytes(min(step, left)))
                await writer.drain()
                left -= step
            else:
                left -= len(await reader.read(step)) or left
            await asyncio.sleep(_STEP_S if slow else 0)
    finally:
        # Not closed: that would wait until the server has taken what is still to be sent.
        writer.transport.abort()
