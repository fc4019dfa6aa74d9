"""What strangers see of a register whose ACL changes: never a value that was private when they were judged.

Writers replace a public object by a private one and back, and change ACLs alone, through two workers;
strangers read in every way there is. One order must explain what all of them saw.
"""

import http.client
import random
import threading
import time
from collections import defaultdict
from collections.abc import Callable
from hashlib import md5
from typing import Any
from urllib.parse import urlsplit

from linearizability.checker import ABSENT, OPEN, Call, is_linearizable
from linearizability.test_register import DURATION_S, ROUND_S
from signed_http import Answered, SignedHttp

KEYS = 2
BUCKET = "opened"
PUBLIC, PRIVATE = "public-read", "private"


class Player(threading.Thread):
    """One connection of its own that calls at random, and writes down what it saw and when."""

    def __init__(self, url: str, folder: str, seed: str, until_s: float) -> None:
        super().__init__(daemon=True)
        self.history: dict[str, list[Call]] = defaultdict(list)
        self.strange: list[str] = []
        self._random, self._seed, self._until_s = random.Random(seed), seed, until_s
        self._folder = folder
        self._http = SignedHttp(url)
        self.calls: list[Callable[[str], None]] = []

    def run(self) -> None:
        while time.monotonic() < self._until_s:
            self._random.choice(self.calls)(f"{self._folder}/{self._random.randrange(KEYS)}")
        self._http.close()

    def wonder(self, what: str, answered: Answered) -> None:
        self.strange.append(f"{what}: {answered.status} {answered.body[:300]!r}")


class Writer(Player):
    """The owner: puts openly and privately, and opens and closes what is there."""

    def __init__(self, *arguments: Any) -> None:
        super().__init__(*arguments)
        self.calls = [self.put, self.put, self.set_acl]
        self._count = 0

    def put(self, key: str) -> None:
        self._count += 1
        data = f"{self._seed}/{self._count}\n".encode() * self._random.choice([1, 1, 4000])
        acl = self._random.choice([PUBLIC, PRIVATE])
        began_s = time.monotonic()
        answered = self._http.send("PUT", f"{BUCKET}/{key}", data, headers={"x-amz-acl": acl})
        value = md5(data).hexdigest() + (OPEN if acl == PUBLIC else "")
        self.history[key].append(Call("put", began_s, time.monotonic(), value))
        if answered.status != 200:
            self.wonder("put", answered)

    def set_acl(self, key: str) -> None:
        acl = self._random.choice([PUBLIC, PRIVATE])
        began_s = time.monotonic()
        answered = self._http.send("PUT", f"{BUCKET}/{key}", headers={"x-amz-acl": acl}, acl="")
        ended_s = time.monotonic()
        if answered.status == 409:
            return
        outcome = "missing" if answered.status == 404 else "done"
        value = OPEN if acl == PUBLIC else ""
        self.history[key].append(Call("set-acl", began_s, ended_s, value, outcome=outcome))
        if answered.status not in (200, 404):
            self.wonder("set-acl", answered)


class Stranger(Player):
    """Nobody: gets, looks, takes ranges."""

    def __init__(self, url: str, *arguments: Any) -> None:
        super().__init__(url, *arguments)
        self._plain = http.client.HTTPConnection(urlsplit(url).netloc, timeout=30)
        self.calls = [self.get, self.get, self.head, self.take_range]

    def get(self, key: str) -> None:
        answered = self._peek("GET", key)
        if answered.status == 200 and md5(answered.body).hexdigest() != answered.etag:
            self.wonder(f"torn: {answered.etag}", answered)

    def head(self, key: str) -> None:
        self._peek("HEAD", key)

    def take_range(self, key: str) -> None:
        self._peek("GET", key, {"Range": "bytes=0-3"})

    def _peek(self, method: str, key: str, headers: dict[str, str] | None = None) -> Answered:
        began_s = time.monotonic()
        self._plain.request(method, f"/{BUCKET}/{key}", headers=headers or {})
        response = self._plain.getresponse()
        answered = Answered(response.status, response.headers, response.read())
        self._note(key, began_s, answered, answered.etag)
        return answered

    def _note(self, key: str, began_s: float, answered: Answered, value: str) -> None:
        if answered.status not in (200, 206, 403):
            return self.wonder("peek", answered)
        outcome = "refused" if answered.status == 403 else "done"
        seen = ABSENT if outcome == "refused" else value
        self.history[key].append(Call("peek", began_s, time.monotonic(), seen, outcome=outcome))
        return None


class Copier(Stranger):
    """Another account, which copies what it may read into a bucket of its own."""

    def __init__(self, url: str, credentials: Any, *arguments: Any) -> None:
        super().__init__(url, *arguments)
        self._http = SignedHttp(url, credentials)
        self.calls = [self.copy]

    def copy(self, key: str) -> None:
        began_s = time.monotonic()
        source = {"x-amz-copy-source": f"{BUCKET}/{key}"}
        answered = self._http.send("PUT", f"copies/{self._seed}", headers=source)
        if answered.status == 409:  # the source was replaced while it was read
            return
        etag = answered.body.decode().partition("<ETag>")[2].partition("</ETag>")[0]
        self._note(key, began_s, answered, etag.replace("&quot;", "").strip('"'))


def play_round(url: str, copier: Any, seed: str) -> list[Player]:
    """Let all of them call for a while, on keys of this round's own."""
    until_s = time.monotonic() + min(ROUND_S, DURATION_S)
    folder = f"round-{seed}"
    players: list[Player] = [Writer(url, folder, f"{seed}-w{n}", until_s) for n in range(3)]
    players += [Stranger(url, folder, f"{seed}-s{n}", until_s) for n in range(4)]
    players.append(Copier(url, copier, folder, f"{seed}-c", until_s))
    for player in players:
        player.start()
    for player in players:
        player.join(timeout=60)
    assert not any(player.is_alive() for player in players), f"seed {seed}"
    return players


def test_strangers_see_only_what_is_open(own_server: Callable[..., Any]) -> None:
    """Gets, looks, ranges and copies by strangers fit one order with every PUT and every change of an ACL."""
    server = own_server("--workers", "2")
    assert SignedHttp(server.url).send("PUT", BUCKET).status == 200
    made = server.meiku("user", "add", "copier")
    credentials = type(SignedHttp(server.url).credentials)(made["access_key"], made["secret_key"])
    assert SignedHttp(server.url, credentials).send("PUT", "copies").status == 200
    first_seed = random.randrange(10**9)
    kinds: set[tuple[str, str]] = set()
    for number in range(max(1, round(DURATION_S / ROUND_S))):
        seed = f"{first_seed}-{number}"
        players = play_round(server.url, credentials, seed)
        assert [said for player in players for said in player.strange] == [], f"seed {seed}"
        for key in {key for player in players for key in player.history}:
            history = [call for player in players for call in player.history[key]]
            kinds |= {(call.kind, call.outcome) for call in history}
            assert is_linearizable(history), f"seed {seed}: no order explains what was seen of {key}"
    # Had nobody been let in, or nobody refused, the check would prove little.
    assert kinds >= {("peek", "done"), ("peek", "refused"), ("set-acl", "done"), ("put", "done")}
    assert '"event": "mistake"' not in server.read_log(), f"seed {first_seed}: {server.read_log()}"
