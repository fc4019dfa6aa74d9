"""Every key is a register: whatever clients do at once through two workers, one order explains it all."""

import os
import random
import threading
import time
from collections import defaultdict
from collections.abc import Callable
from hashlib import md5
from typing import Any

from linearizability.checker import ABSENT, Call, Kind, Outcome, is_linearizable
from signed_http import Answered, SignedHttp

DURATION_S = float(os.environ.get("MEIKU_LINEARIZABILITY_S", "10"))
# A history is checked key by key and round by round; a round begins with keys nobody has used.
ROUND_S = 2.5
CLIENTS, KEYS = 8, 3
BUCKET = "registers"
OUTCOMES: dict[int, Outcome] = {200: "done", 204: "done", 412: "refused", 404: "missing"}


class Client(threading.Thread):
    """One client with its own connection: calls at random, and writes down what it saw and when."""

    def __init__(self, url: str, folder: str, seed: str, until_s: float) -> None:
        super().__init__(daemon=True)
        self.history: dict[str, list[Call]] = defaultdict(list)
        self.workers: set[str] = set()
        self.torn: list[str] = []
        self.strange: list[str] = []
        self._random, self._seed, self._until_s = random.Random(seed), seed, until_s
        self._folder, self._http = folder, SignedHttp(url)
        self._known: dict[str, str] = {}
        self._count = 0

    def run(self) -> None:
        calls: list[Callable[[str], None]] = [self.put, self.create, self.swap, self.swap, self.remove]
        reads: list[Callable[[str], None]] = [self.get, self.get, self.head, self.list]
        while time.monotonic() < self._until_s:
            key = f"{self._folder}/{self._random.randrange(KEYS)}"
            self._random.choice([*calls, *reads])(key)
        self._http.close()

    def put(self, key: str) -> None:
        self._write("put", key, {})

    def create(self, key: str) -> None:
        self._write("put-if-absent", key, {"If-None-Match": "*"})

    def swap(self, key: str) -> None:
        expected = self._known.get(key, "0" * 32)
        self._write("put-if-match", key, {"If-Match": f'"{expected}"'}, expected)

    def remove(self, key: str) -> None:
        began_s, answered = self._send("DELETE", key)
        self._note(key, Call("remove", began_s, time.monotonic()), answered.status == 204)

    def get(self, key: str) -> None:
        began_s, answered = self._send("GET", key)
        self._read(key, began_s, answered)
        if answered.status == 200 and md5(answered.body).hexdigest() != answered.etag:
            self.torn.append(f"{key}: {answered.etag}")

    def head(self, key: str) -> None:
        began_s, answered = self._send("HEAD", key)
        self._read(key, began_s, answered)

    def list(self, _key: str) -> None:
        began_s, answered = self._send("GET", "", **{"list-type": "2", "prefix": f"{self._folder}/"})
        ended_s = time.monotonic()
        entries = answered.body.decode().split("<Contents>")[1:]
        listed = {between(entry, "Key"): between(entry, "ETag").strip('"') for entry in entries}
        for number in range(KEYS):
            key = f"{self._folder}/{number}"
            call = Call("read", began_s, ended_s, listed.get(key, ABSENT))
            self._note(key, call, answered.status == 200)

    def _read(self, key: str, began_s: float, answered: Answered) -> None:
        value = answered.etag if answered.status == 200 else ABSENT
        self._known[key] = value or self._known.get(key, "0" * 32)
        self._note(key, Call("read", began_s, time.monotonic(), value), answered.status in (200, 404))

    def _write(self, kind: Kind, key: str, condition: dict[str, str], expected: str = ABSENT) -> None:
        self._count += 1
        # Now and then one that does not fit beside the row and becomes a file.
        data = f"{self._seed}/{self._count}\n".encode() * self._random.choice([1, 1, 1, 4000])
        began_s, answered = self._send("PUT", key, data, headers=condition)
        value, outcome = md5(data).hexdigest(), OUTCOMES.get(answered.status, "unknown")
        self._note(key, Call(kind, began_s, time.monotonic(), value, expected, outcome), outcome != "unknown")

    def _send(
        self, method: str, key: str, data: bytes = b"", headers: dict[str, str] | None = None, **query: str
    ) -> tuple[float, Answered]:
        began_s = time.monotonic()
        answered = self._http.send(method, f"{BUCKET}/{key}", data, headers=headers, **query)
        self.workers.add(answered.headers["x-amz-request-id"].split("-")[2])
        if answered.status not in OUTCOMES:
            self.strange.append(f"{method} {key}: {answered.status} {answered.body[:300]!r}")
        return began_s, answered

    def _note(self, key: str, call: Call, is_known: bool) -> None:
        if is_known:
            self.history[key].append(call)


def between(text: str, name: str) -> str:
    return text.partition(f"<{name}>")[2].partition(f"</{name}>")[0]


def play_round(url: str, seed: str) -> list[Client]:
    """Let all clients call for a while, on keys of this round's own."""
    until_s = time.monotonic() + min(ROUND_S, DURATION_S)
    clients = [Client(url, f"round-{seed}", f"{seed}-{number}", until_s) for number in range(CLIENTS)]
    for client in clients:
        client.start()
    for client in clients:
        client.join(timeout=60)
    assert not any(client.is_alive() for client in clients), f"seed {seed}"
    return clients


def test_every_key_is_a_register(own_server: Callable[..., Any]) -> None:
    """Puts, conditional puts, removals, reads, looks and listings of few keys, by many, are linearizable."""
    first_seed = random.randrange(10**9)
    server = own_server("--workers", "2")
    assert SignedHttp(server.url).send("PUT", BUCKET).status == 200
    workers: set[str] = set()
    kinds: set[tuple[str, str]] = set()
    for number in range(max(1, round(DURATION_S / ROUND_S))):
        seed = f"{first_seed}-{number}"
        clients = play_round(server.url, seed)
        assert [said for client in clients for said in (*client.strange, *client.torn)] == [], f"seed {seed}"
        for key in {key for client in clients for key in client.history}:
            history = [call for client in clients for call in client.history[key]]
            kinds |= {(call.kind, call.outcome) for call in history}
            holds = is_linearizable(history)
            assert holds, f"seed {seed}: no order explains the {len(history)} calls on {key}"
        workers |= set().union(*(client.workers for client in clients))
    # Had a kind of call never happened, or one worker answered all, the check would prove little.
    assert len(workers) == 2
    swaps = {("put-if-match", "done"), ("put-if-match", "refused"), ("put-if-match", "missing")}
    assert kinds >= {("put-if-absent", "done"), ("put-if-absent", "refused"), ("read", "done"), *swaps}
    assert '"event": "mistake"' not in server.read_log(), f"seed {first_seed}: {server.read_log()}"
