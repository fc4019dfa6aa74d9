"""One peer at work: makes what a workload needs, gives the load, checks what came of it.

A figure is made only when every answer was the right one and samples of what was stored read back whole.
"""

import hashlib
import os
import re
import shutil
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from bench import heads, limit, wrk
from bench.gallery import Gallery
from bench.measure import Meter
from bench.peers import Peer
from bench.requests import body_of, filler, part_plan, plan_of, put_plan
from bench.tally import BadAnswer, Plan, Tally
from bench.workloads import MIB, Workload, key_of

_SAMPLES = 8
_FEWEST_ANSWERS = 8
_FILL_CONNECTIONS = 16
# What is deleted over 1, 16 and 64 connections, in hundredths of the keys: about equally long each.
_SHARES = {1: (0, 10), 16: (10, 40), 64: (40, 100)}


@dataclass(frozen=True, slots=True)
class Figure:
    """What one run of one workload on one peer gave; the rate is in the workload's unit."""

    workload: str
    connections: int
    peer: str
    rate: float
    requests_per_s: float
    p50_ms: float
    p99_ms: float
    cpu_s_per_1000: float
    peak_bytes: int


class Stage:
    """A peer, and what has been prepared on it so far."""

    def __init__(self, peer: Peer, folder: Path, scale: float, crowd: int) -> None:
        """Take a folder for scripts; `scale` shrinks the number of small keys."""
        self.peer = peer
        self._folder, self._scale, self._crowd = folder, scale, crowd
        self._buckets: set[str] = set()
        self._plans: dict[tuple[str, int], Plan] = {}
        self._gallery = Gallery(peer)
        self._warm: set[str] = set()

    def measure(self, workload: Workload, connections: int, seconds: int) -> Figure:
        """Give a workload once; a run that is no result raises BadAnswer."""
        self._prepare(workload, connections)
        if workload.kind == "made" and workload.name not in self._warm:
            # What is loaded at first use is no part of a picture's price.
            self._warm.add(workload.name)
            self._run(self._plan(workload, connections, 1), connections, 1)
        plan = self._plan(workload, connections, seconds)
        os.sync()  # what others left to the disk must not be written on this one's time
        with Meter(self.peer.roots) as meter:
            tally = self._load(workload, plan, connections, seconds * workload.longer)
        self._check(workload, tally)
        self._forget(workload)
        answers = max(1, tally.answers)
        size = workload.size_bytes if workload.unit == "MB/s" else 0
        rate = tally.requests_per_s * size / 1e6 if size else tally.requests_per_s
        return Figure(
            workload.name,
            connections,
            self.peer.name,
            rate,
            tally.requests_per_s,
            tally.p50_ms,
            tally.p99_ms,
            meter.cpu_s / answers * 1000,
            meter.peak_bytes,
        )

    def _load(self, workload: Workload, plan: Plan, connections: int, seconds: int) -> Tally:
        if workload.kind == "multipart":
            return self._upload(workload, connections)
        tally = self._run(plan, connections, seconds)
        if tally.answers < _FEWEST_ANSWERS and not plan.times:
            tally = self._run(self._plan(workload, connections, seconds * 5), connections, seconds * 5)
        if tally.answers == 0:
            raise BadAnswer("no answer in time")
        return tally

    def _run(self, plan: Plan, connections: int, seconds: int) -> Tally:
        scripts, address = self._folder / self.peer.name, ("127.0.0.1", self.peer.port)
        if self.peer.works_within:
            return limit.run(plan, address, connections, seconds)
        if plan.verb == "HEAD":
            return heads.run(plan, address, connections, seconds, scripts).require_clean()
        return wrk.run(plan, self.peer.url, connections, seconds, scripts).require_clean()

    def _upload(self, workload: Workload, connections: int) -> Tally:
        """Upload one object in parts; the time is from the first request to the last answer."""
        target = f"/{workload.bucket}/{key_of(0)}"
        began_s = time.perf_counter()
        made = self.peer.ask("POST", f"{target}?uploads").decode()
        found = re.search(r"<UploadId>([^<]+)</UploadId>", made)
        if found is None:
            raise BadAnswer(f"no upload id in {made[:200]}")
        plan = part_plan(self.peer, target, found[1], workload.size_bytes, workload.keys)
        parts = self._run(plan, connections, 0)
        etags = [_etag(key_of(n), workload.size_bytes) for n in range(1, workload.keys + 1)]
        self.peer.ask("POST", f"{target}?uploadId={found[1]}", _completion(etags))
        took_s = time.perf_counter() - began_s
        return Tally(parts.answers, parts.answers / took_s, parts.p50_ms, parts.p99_ms)

    def _plan(self, workload: Workload, connections: int, seconds: int) -> Plan:
        """Plan once, for signing takes longer than many a measurement."""
        if workload.kind == "multipart":
            return Plan("PUT", (), ())
        if workload.thumbnail is not None:
            return self._gallery.plan(workload, workload.thumbnail, seconds)
        which = connections if workload.kind == "delete" else 0
        if (workload.name, which) not in self._plans:
            numbers = self._numbers(workload, connections)
            crowd = self._crowd if workload.crowded else self._count(workload)
            self._plans[workload.name, which] = plan_of(self.peer, workload, numbers, crowd, seconds)
        return self._plans[workload.name, which]

    def _count(self, workload: Workload) -> int:
        return workload.keys if workload.keys < 1000 else int(workload.keys * self._scale)

    def _numbers(self, workload: Workload, connections: int) -> range:
        count = self._count(workload)
        if workload.kind != "delete":
            return range(count)
        first, last = _SHARES[connections]
        count = int(count * self.peer.pace)
        return range(count * first // 100, count * last // 100)

    def _prepare(self, workload: Workload, connections: int) -> None:
        """Make the bucket, and put into it what is to be read or deleted."""
        if workload.thumbnail is not None:
            self._gallery.prepare(workload, workload.thumbnail)
            return
        bucket, size = workload.bucket, workload.size_bytes
        is_new = bucket not in self._buckets
        if is_new and not workload.crowded:
            self.peer.make_bucket(bucket)
        needs_objects = workload.kind in ("get", "head", "list", "prefixes") and not workload.crowded
        if workload.kind == "delete" or (is_new and needs_objects):
            numbers = self._numbers(workload, connections)
            few = min(_FILL_CONNECTIONS, len(numbers))
            self._run(put_plan(self.peer, bucket, size, numbers, times=1), few, 0)
        if is_new and needs_objects:
            self._verify(bucket, size, numbers)
        self._buckets.add(bucket)

    def _check(self, workload: Workload, tally: Tally) -> None:
        """Look at samples of what was written or made."""
        if workload.thumbnail is not None:
            self._gallery.check(workload, workload.thumbnail, tally.answers)
        elif workload.kind in ("put", "form", "get"):
            sent = min(tally.answers, self._count(workload))
            self._verify(workload.bucket, workload.size_bytes, range(max(1, sent // 2)))
        elif workload.kind == "multipart":
            whole = self.peer.ask("GET", f"/{workload.bucket}/{key_of(0)}")
            expected = hashlib.sha256()
            for number in range(1, workload.keys + 1):
                expected.update(body_of(key_of(number), workload.size_bytes))
            if hashlib.sha256(whole).digest() != expected.digest():
                raise BadAnswer("the uploaded object does not read back whole")
        elif workload.kind in ("list", "prefixes"):
            self._verify_listing(workload)

    def _verify(self, bucket: str, size_bytes: int, numbers: Sequence[int]) -> None:
        samples = 1 if size_bytes > 8 * MIB else _SAMPLES
        for number in numbers[:: max(1, len(numbers) // samples)]:
            key = key_of(number)
            read = self.peer.ask("GET", f"/{bucket}/{key}")
            if hashlib.sha256(read).digest() != hashlib.sha256(body_of(key, size_bytes)).digest():
                raise BadAnswer(f"{bucket}/{key} does not read back whole")

    def _verify_listing(self, workload: Workload) -> None:
        """Read one page and count what it names."""
        query = "list-type=2&max-keys=1000" if workload.kind == "list" else "delimiter=%2F&list-type=2"
        page = self.peer.ask("GET", f"/{workload.bucket}?{query}").decode()
        named, expected = (
            (page.count("<Key>"), 1000) if workload.kind == "list" else (page.count("<CommonPrefixes>"), 100)
        )
        if named != expected:
            raise BadAnswer(f"a page names {named} of {expected}")

    def _forget(self, workload: Workload) -> None:
        """Let go of large scripts; they are a disk's worth of nothing."""
        if workload.size_bytes > 8 * MIB:
            shutil.rmtree(self._folder / self.peer.name, ignore_errors=True)
            filler.cache_clear()


def _etag(key: str, size_bytes: int) -> str:
    return hashlib.md5(body_of(key, size_bytes)).hexdigest()


def _completion(etags: Sequence[str]) -> bytes:
    parts = "".join(
        f"<Part><PartNumber>{number}</PartNumber><ETag>&quot;{etag}&quot;</ETag></Part>"
        for number, etag in enumerate(etags, 1)
    )
    return f"<CompleteMultipartUpload>{parts}</CompleteMultipartUpload>".encode()
