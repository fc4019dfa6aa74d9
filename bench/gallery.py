"""The photographs on one peer: brought there, asked for as small pictures, and looked at when they come.

Knows no server's addresses; a peer writes its own.
"""

import itertools
from functools import lru_cache

from bench.peers import Peer
from bench.pictures import PHOTOGRAPHS, Thumbnail, fault_of, make, name_of, photographs
from bench.requests import head_of
from bench.tally import BadAnswer, Plan
from bench.workloads import CORES, Workload

_BUCKET, _RESULTS = "photographs", "results"
# More than any core makes in a second, so that no picture is asked for twice.
_MADE_PER_S = 200
_SAMPLES = 2


class Gallery:
    """A peer's photographs, and which pictures were asked for already."""

    def __init__(self, peer: Peer) -> None:
        """Bring nothing yet."""
        self._peer = peer
        self._brought: set[str] = set()
        self._unasked = itertools.count(1)
        self._planned = 0

    def prepare(self, workload: Workload, thumbnail: Thumbnail) -> None:
        """Bring the photographs; have made beforehand what is only to be read."""
        if self._is_new(_BUCKET):
            self._peer.make_bucket(_BUCKET)
            for number, photograph in enumerate(photographs()):
                self._peer.put(_BUCKET, name_of(number), photograph)
        if workload.kind != "made" and self._is_new(workload.name):
            for number in range(PHOTOGRAPHS):
                self._keep(workload, thumbnail, number)

    def plan(self, workload: Workload, thumbnail: Thumbnail, seconds: int) -> Plan:
        """Plan to ask for pictures: each a new one where they are to be made, else the same few."""
        self._planned = count = _MADE_PER_S * CORES * seconds if workload.kind == "made" else PHOTOGRAPHS
        targets = [self._target(workload, thumbnail, number) for number in range(count)]
        keyed = tuple((f"picture{n}", self._peer.sign("GET", target)) for n, target in enumerate(targets))
        return Plan("GET", keyed, (head_of(self._peer),))

    def check(self, workload: Workload, thumbnail: Thumbnail, answers: int) -> None:
        """Look at some pictures; BadAnswer where one is not what was asked for, or was asked for twice."""
        # Two threads of wrk have half of the plan each.
        if workload.kind == "made" and answers > self._planned // 2:
            raise BadAnswer("the planned pictures were too few")
        for number in range(_SAMPLES):
            answer = self._peer.ask("GET", self._target(workload, thumbnail, number))
            expected = _expected(thumbnail, number)
            fault = fault_of(answer, thumbnail, expected)
            if not fault and self._peer.is_exact and answer != expected:
                fault = "not the limit's picture, byte for byte: the limit has to do the same work"
            if fault:
                raise BadAnswer(f"{workload.name} of {name_of(number)}: {fault}")

    def _is_new(self, what: str) -> bool:
        is_new = what not in self._brought
        self._brought.add(what)
        return is_new

    def _keep(self, workload: Workload, thumbnail: Thumbnail, number: int) -> None:
        """Have a picture made, so that it is kept; or put it as an object like any other."""
        made = self._peer.ask("GET", self._peer.thumbnail(_BUCKET, name_of(number), thumbnail))
        if workload.kind == "plain":
            if self._is_new(_RESULTS):
                self._peer.make_bucket(_RESULTS)
            self._peer.put(_RESULTS, f"{workload.name}-{number}", made)

    def _target(self, workload: Workload, thumbnail: Thumbnail, number: int) -> str:
        if workload.kind == "plain":
            return f"/{_RESULTS}/{workload.name}-{number}"
        unasked = next(self._unasked) if workload.kind == "made" else None
        return self._peer.thumbnail(_BUCKET, name_of(number), thumbnail, unasked)


@lru_cache(8)
def _expected(thumbnail: Thumbnail, number: int) -> bytes:
    return make(photographs()[number], thumbnail)
