"""What one request costs inside, in microseconds of processor time: a regression is seen where it is made.

First the steps, each alone and warm; then whole requests, through the pipeline but not through a socket. The
processor time is the process's: the writer thread's share of a PUT is in it.
"""

import asyncio
import gc
import tempfile
import time
from collections.abc import Awaitable, Callable, Iterator
from pathlib import Path
from typing import Annotated, Any

import typer
import uvloop

from bench.inside import CREDENTIALS, Inside, Request, header_signed, opened, presigned
from meiku import model, ops
from meiku.access import decision
from meiku.access.authorise import bucket_acl
from meiku.access.caller import Caller
from meiku.auth import Credential, claim_of
from meiku.meta.buckets import find_bucket
from meiku.meta.objects import find_object_with_bytes
from meiku.meta.records import BucketRecord
from meiku.meta.sqlite import open_sqlite
from meiku.who import signed_request
from meiku.wire.binder import Binder, Given
from meiku.wire.renderer import Renderer
from meiku.wire.request import read_request
from meiku.wire.router import Router

_DOMAINS = ("localhost",)
_BODY = bytes(4096)
_LISTED = 1000
_AT_ONCE = 64
_BEST_OF = 5
Cost = tuple[str, float]


def main(repeats: Annotated[int, typer.Option(min=10, help="How often each step is taken.")] = 2000) -> None:
    """Print what the steps of a request, and whole requests, cost in microseconds of processor time."""
    with tempfile.TemporaryDirectory(prefix="meiku-bench-", dir="/var/tmp") as folder:
        for name, cost_us in uvloop.run(_measure(Path(folder), repeats)):
            print(f"{name:<34}{cost_us:>9.1f} µs", flush=True)


async def _measure(folder: Path, repeats: int) -> list[Cost]:
    async with opened(folder) as inside:
        for number in range(_LISTED + 1):
            await inside.ask(presigned("PUT", f"/bucket/p{number % 100:02}/{number:06}", _BODY))
        steps = list(_steps(repeats)) + await _of_stores(folder, repeats)
        return steps + await _whole(inside, repeats)


def _steps(repeats: int) -> Iterator[Cost]:
    """Take the steps that ask no store."""
    now_s = time.time()
    by_query, by_header = presigned("GET", "/bucket/p00/000000"), header_signed("GET", "/bucket/p00/000000")
    request = read_request(by_query.scope, _nothing, _DOMAINS)
    signed = signed_request(request)
    signed_by_header = signed_request(read_request(by_header.scope, _nothing, _DOMAINS))
    credential = Credential(CREDENTIALS.access_key, CREDENTIALS.secret_key, "root")
    router = Router(model.operations(), frozenset(ops.offered()))
    operation = ops.offered()["GetObject"]
    binder, renderer = Binder(operation), Renderer(operation.model)
    bucket = BucketRecord(1, "bucket", "root", 0, "us-east-1", {})
    stranger = Caller("stranger", "stranger", "AK")
    answer = {"Body": _BODY, "ContentLength": len(_BODY), "ETag": '"0"', "ContentType": "text/plain"}

    def verify(signed: Any) -> None:
        claim = claim_of(signed)
        assert claim is not None
        claim.verify(credential, now_s=now_s, public_hosts=())

    yield "parse", _cost_us(lambda: read_request(by_query.scope, _nothing, _DOMAINS), repeats)
    yield "match", _cost_us(lambda: router.match(request), repeats)
    yield "verify V4, presigned", _cost_us(lambda: verify(signed), repeats)
    yield "verify V4, in headers", _cost_us(lambda: verify(signed_by_header), repeats)
    acl = bucket_acl(bucket)
    yield "decide", _cost_us(lambda: decision.decide_bucket(stranger, "s3:ListBucket", acl), repeats)
    yield "bind", _cost_us(lambda: binder.bind(Given(request, {}, None, b"")), repeats)
    yield "render", _cost_us(lambda: renderer.render(dict(answer)), repeats)


async def _of_stores(folder: Path, repeats: int) -> list[Cost]:
    """Take the steps that ask SQLite."""
    meta = await open_sqlite(folder / "meta.sqlite3")
    try:
        bucket = await meta.read(find_bucket, "bucket")
        assert bucket is not None
        keys = [f"p{number % 100:02}/{number:06}".encode() for number in range(_LISTED)]
        take = iter(keys * (repeats * _BEST_OF // _LISTED + 2))
        found = await _cost_of_many_us(
            lambda: meta.read(find_object_with_bytes, bucket.bucket_id, next(take)), repeats
        )
        version = _cost_us(meta.version, repeats)
    finally:
        await meta.close()
    return [("SQL: an object and its bytes", found), ("SQL: has anything changed", version)]


async def _whole(inside: Inside, repeats: int) -> list[Cost]:
    """Answer whole requests."""
    few = max(10, repeats // 50)
    get, head = presigned("GET", "/bucket/p00/000000"), presigned("HEAD", "/bucket/p00/000000")
    puts = [presigned("PUT", f"/bucket/p{n:02}/{n:06}", _BODY) for n in range(_AT_ONCE)]
    page = presigned("GET", "/bucket?list-type=2&max-keys=1000")
    prefixes = presigned("GET", "/bucket?delimiter=%2F&list-type=2")
    one, group = (
        await _cost_of_many_us(lambda: inside.ask(puts[0]), repeats // 4),
        await _groups(inside, puts, few),
    )
    return [
        ("whole GET 4 KiB", await _cost_of_many_us(lambda: inside.ask(get), repeats)),
        ("whole HEAD", await _cost_of_many_us(lambda: inside.ask(head), repeats)),
        ("whole PUT 4 KiB, alone", one),
        (f"whole PUT 4 KiB, {_AT_ONCE} at once", group),
        (f"whole LIST of {_LISTED:,}", await _cost_of_many_us(lambda: inside.ask(page), few)),
        ("whole LIST of 100 prefixes", await _cost_of_many_us(lambda: inside.ask(prefixes), few)),
    ]


async def _groups(inside: Inside, puts: list[Request], repeats: int) -> float:
    """Put many at once, so that they share a commit; the cost is of one."""

    async def together() -> None:
        await asyncio.gather(*(inside.ask(put) for put in puts))

    return await _cost_of_many_us(together, repeats) / len(puts)


def _cost_us(step: Callable[[], object], repeats: int) -> float:
    """Take a step often; answers the least mean of several trials, undisturbed by the collector."""
    return min(_trial_us(step, repeats) for _ in range(_BEST_OF))


def _trial_us(step: Callable[[], object], repeats: int) -> float:
    gc.collect()
    began_s = time.process_time()
    for _ in range(repeats):
        step()
    return (time.process_time() - began_s) / repeats * 1e6


async def _cost_of_many_us(step: Callable[[], Awaitable[object]], repeats: int) -> float:
    return min([await _async_trial_us(step, repeats) for _ in range(_BEST_OF)])


async def _async_trial_us(step: Callable[[], Awaitable[object]], repeats: int) -> float:
    gc.collect()
    began_s = time.process_time()
    for _ in range(repeats):
        await step()
    return (time.process_time() - began_s) / repeats * 1e6


async def _nothing() -> dict[str, Any]:
    return {"type": "http.disconnect"}


if __name__ == "__main__":
    typer.run(main)
