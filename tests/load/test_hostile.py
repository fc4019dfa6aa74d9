"""Hostile load on a real server: the others are served meanwhile, and the memory stays under its bound."""

import contextlib
import os
import socket
import threading
import time
from base64 import b64encode
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any
from urllib.parse import urlsplit

import pytest

from load.crowd import (
    MIB,
    Peak,
    allow_sockets,
    close_all,
    closed_by_peer,
    drip,
    in_background,
    open_many,
)
from meiku.signing import presign_v4, signature_v2
from signed_http import ACCESS, BOUNDARY, SignedHttp

MEMORY_BOUND_BYTES = 200 * MIB
DELETED_KEYS = int(os.environ.get("MEIKU_LOAD_DELETED_KEYS", "100000"))
IDLE, CROWD = 10_000, 500
BUCKET = "crowded"
# Every connection of a test comes from loopback, and tests run on one machine.
ROOMY = {"MEIKU_MAX_CONNECTIONS": "15000", "MEIKU_CONNECTIONS_PER_CLIENT": "15000"}
SLOW_DOWN = (503, "SlowDown", "1")


@pytest.fixture
def crowded(tmp_path_factory: pytest.TempPathFactory, server: Any) -> Iterator[Any]:
    """A server of two workers with a bucket that holds large objects and long names."""
    allow_sockets(15_000)
    running = type(server)(tmp_path_factory.mktemp("crowded") / "data", 0, dict(ROOMY), ("--workers", "2"))
    with socket.create_server(("127.0.0.1", 0)) as probe:
        running.port = probe.getsockname()[1]
    running.start()
    http = SignedHttp(running.url)
    assert http.send("PUT", BUCKET).status == 200
    assert http.send("PUT", f"{BUCKET}/large", os.urandom(32 * MIB)).status == 200
    for number in range(1000):
        assert http.send("PUT", f"{BUCKET}/long/{number:04d}{'<' * 900}", b"x").status == 200
    yield running
    assert running.stop() == 0
    assert '"event": "mistake"' not in running.read_log(), running.read_log()[-5000:]


@contextlib.contextmanager
def others_are_served(server: Any) -> Iterator[None]:
    """While the block runs a normal client puts, reads, lists and removes; the memory stays within bounds."""
    done = 0

    def work(stop: threading.Event) -> None:
        nonlocal done
        http = SignedHttp(server.url)
        while not stop.is_set() or done < 20:
            data = os.urandom(50_000)
            key = f"{BUCKET}/normal"
            assert http.send("PUT", key, data).status == 200
            assert http.send("GET", key).body == data
            assert http.send("GET", BUCKET, prefix="normal").status == 200
            assert http.send("DELETE", key).status == 204
            done += 1

    with Peak(server.process.pid) as peak, in_background(work):
        yield
    # The thread ends by itself after twenty rounds; an assertion in it would have ended it before.
    assert done >= 20, f"only {done} rounds"
    assert peak.bytes <= MEMORY_BOUND_BYTES, f"{peak.bytes / MIB:.0f} MiB"


def head(server: Any, method: str, path: str, *headers: str, **query: str) -> bytes:
    """Write the head of a signed request."""
    address = f"{server.url}/{path}" + ("?" + "&".join(f"{n}={v}" for n, v in query.items()) if query else "")
    target = presign_v4(ACCESS, method, address).removeprefix(server.url)
    lines = [f"{method} {target} HTTP/1.1", f"Host: {urlsplit(server.url).netloc}", *headers, "", ""]
    return "\r\n".join(lines).encode()


def heard(connection: socket.socket) -> tuple[int, str, str]:
    """Read the answer on a connection: its status, S3's code, and Retry-After."""
    connection.settimeout(30)
    said = b""
    with contextlib.suppress(ConnectionResetError):
        while data := connection.recv(65536):
            said += data
    text = said.decode(errors="replace")
    status = int(text.split(" ", 2)[1]) if text else 0
    code = text.partition("<Code>")[2].partition("</Code>")[0]
    return status, code, text.lower().partition("retry-after: ")[2].partition("\r\n")[0]


def test_idle_connections(crowded: Any) -> None:
    """10,000 connections that say nothing cost little and keep nobody from being served."""
    with others_are_served(crowded):
        idle = open_many(crowded.port, IDLE)
        assert SignedHttp(crowded.url).send("GET", BUCKET, prefix="normal").status == 200
        assert closed_by_peer(idle) == 0
        close_all(idle)


def test_slow_heads(crowded: Any) -> None:
    """Heads that arrive a byte at a time hold a connection each, and nothing else."""
    slow = open_many(crowded.port, CROWD, b"GET /crowded/large HTTP/1.1\r\nHost: h\r\nX-Slow: ")
    with others_are_served(crowded), in_background(lambda stop: drip(slow, b"x", stop)):
        pass
    close_all(slow)


def test_slow_bodies(crowded: Any) -> None:
    """Bodies that drip are received up to the limit; those over it are told to slow down, with a time."""
    heads = [
        head(crowded, "PUT", f"{BUCKET}/slow-{number}", "Content-Length: 100000000") for number in range(600)
    ]
    slow = [connection for said in heads for connection in open_many(crowded.port, 1, said + b"x" * 20_000)]
    with others_are_served(crowded), in_background(lambda stop: drip(slow[:300], b"x" * 500, stop)):
        pass
    refused = [connection for connection in slow if closed_by_peer([connection])]
    assert 0 < len(refused) < len(slow)
    assert {heard(connection) for connection in refused[:5]} == {SLOW_DOWN}
    close_all(slow)


def test_slow_readers(crowded: Any) -> None:
    """Readers who take nothing hold a piece each; no worker keeps whole answers for them."""
    said = [head(crowded, "GET", f"{BUCKET}/large"), head(crowded, "GET", BUCKET, prefix="long")]
    with others_are_served(crowded):
        slow = open_many(crowded.port, CROWD // 2, said[0])
    close_all(slow)
    assert SignedHttp(crowded.url).send("GET", f"{BUCKET}/large").status == 200


def test_listings_that_nobody_reads(crowded: Any) -> None:
    """Pages of a megabyte that pile up are bounded: beyond, a request is told to slow down, with a time."""
    said = head(crowded, "GET", BUCKET, "Connection: close", **{"prefix": "long", "list-type": "2"})
    refused: set[tuple[int, str, str]] = set()
    with Peak(crowded.process.pid) as peak:
        slow = [connection for _ in range(200) for connection in open_many(crowded.port, 1, said)]
        for connection in slow[-20:]:
            refused.add(heard(connection))
        close_all(slow)
    # The kernel takes megabytes for a reader before anything waits in the worker.
    assert {answer[0] for answer in refused} <= {200, 503}, refused
    assert peak.bytes <= MEMORY_BOUND_BYTES, f"{peak.bytes / MIB:.0f} MiB"
    assert SignedHttp(crowded.url).send("GET", BUCKET, prefix="normal").status == 200


@pytest.mark.parametrize("header", [b"a:b\r\n", b"X-Long: " + b"x" * 4000 + b"\r\n"])
def test_head_bombs(crowded: Any, header: bytes) -> None:
    """Heads just under their limit that never end: so many are held, the others are refused."""
    said = b"GET / HTTP/1.1\r\n" + header * (60_000 // len(header))
    with others_are_served(crowded):
        bombs = []
        for _ in range(CROWD * 2):
            with contextlib.suppress(OSError):
                bombs += open_many(crowded.port, 1, said)
        until_s = time.monotonic() + 10
        while not closed_by_peer(bombs) and time.monotonic() < until_s:
            time.sleep(0.05)
        assert closed_by_peer(bombs) > 0
    close_all(bombs)


ENTITIES = b'<!DOCTYPE d [<!ENTITY a "aaaaaaaaaa">' + b"".join(
    b'<!ENTITY %c "%b">' % (98 + n, b"&%c;" % (97 + n) * 10) for n in range(9)
)
DOCUMENTS = {
    "entities": ENTITIES + b"]><Delete><Object><Key>&j;</Key></Object></Delete>",
    "depth": b"<Delete>" + b"<a>" * 900_000,
    "size": b"<Delete><Object><Key>" + b"x" * (4 * MIB - 100) + b"</Key></Object></Delete>",
    "elements": b"<Delete>" + b"<Object><Key>k</Key></Object>" * 130_000 + b"</Delete>",
    "attributes": b"<Delete " + b" ".join(b'a%d="x"' % n for n in range(300_000)) + b"/>",
    "a long tag": b"<Delete a='" + b"x" * 4_000_000,
    "comments": b"<Delete>" + b"<!--x-->" * 500_000,
    "references": b"<Delete><Object><Key>" + b"&#120;" * 690_000 + b"</Key></Object></Delete>",
}


@pytest.mark.parametrize("name", DOCUMENTS)
def test_xml_bombs(crowded: Any, name: str) -> None:
    """Whatever a document is made of, it is refused or too busy to be read, and others are served."""

    def explode(_: int) -> tuple[int, str]:
        answered = SignedHttp(crowded.url).send("POST", BUCKET, DOCUMENTS[name], delete="")
        return answered.status, answered.code

    with others_are_served(crowded), ThreadPoolExecutor(8) as threads:
        answers = set(threads.map(explode, range(16)))
    # One key that is too long is no broken document: its refusal stands in the answer.
    assert answers <= {(400, "MalformedXML"), (503, "SlowDown"), (200, "KeyTooLongError")}, answers
    assert answers != {(503, "SlowDown")}


POLICIES = {
    "depth": "[" * 14_000,
    "conditions": '{"expiration": "2999-01-01T00:00:00Z", "conditions": ['
    + ",".join(['{"a":"b"}'] * 1900)
    + "]}",
    "digits": '{"expiration": "2999-01-01T00:00:00Z", "conditions": [["content-length-range", 0, '
    + "9" * 15_000
    + "]]}",
    "escapes": '{"expiration": "' + "\\ud800" * 2500 + '"}',
}


@pytest.mark.parametrize("name", POLICIES)
def test_policy_bombs(crowded: Any, name: str) -> None:
    """A form's policy is refused before the first byte of its file, however it is built."""
    policy = b64encode(POLICIES[name].encode()).decode()
    fields = {"key": "k", "AWSAccessKeyId": ACCESS.access_key, "policy": policy}
    fields["signature"] = signature_v2(ACCESS.secret_key, policy)
    parts = [
        f'--{BOUNDARY}\r\nContent-Disposition: form-data; name="{name}"\r\n\r\n{value}\r\n'
        for name, value in {**fields, "file": "x"}.items()
    ]
    body = "".join([*parts, f"--{BOUNDARY}--\r\n"]).encode()
    kind = f"Content-Type: multipart/form-data; boundary={BOUNDARY}"
    lines = [f"POST /{BUCKET} HTTP/1.1", "Host: h", kind, f"Content-Length: {len(body)}", "Connection: close"]

    def explode(_: int) -> int:
        (connection,) = open_many(crowded.port, 1, "\r\n".join([*lines, "", ""]).encode() + body)
        with connection:
            return heard(connection)[0]

    with others_are_served(crowded), ThreadPoolExecutor(8) as threads:
        assert set(threads.map(explode, range(200))) <= {400, 403}


def test_a_hundred_thousand_deletes(crowded: Any) -> None:
    """Documents of 1,000 keys each, one after another from four clients: each is answered whole."""

    def remove(number: int) -> int:
        keys = "".join(f"<Object><Key>gone/{number}/{k:04d}</Key></Object>" for k in range(1000))
        http = SignedHttp(crowded.url)
        answered = http.send("POST", BUCKET, f"<Delete>{keys}</Delete>".encode(), delete="")
        http.close()
        return answered.body.count(b"<Deleted>")

    with others_are_served(crowded), ThreadPoolExecutor(4) as threads:
        assert sum(threads.map(remove, range(DELETED_KEYS // 1000))) == DELETED_KEYS // 1000 * 1000


def test_a_storm_of_listings(crowded: Any) -> None:
    """Sixteen clients that list a thousand long names, with every kind of delimiter, are all answered."""

    def listing(number: int) -> int:
        http = SignedHttp(crowded.url)
        query = {"prefix": "long/", "delimiter": ["", "<", "zz", "/"][number % 4]}
        status = http.send("GET", BUCKET, **query).status
        http.close()
        return status

    with others_are_served(crowded), ThreadPoolExecutor(16) as threads:
        assert set(threads.map(listing, range(300))) <= {200, 503}


def test_connections_that_come_and_go(crowded: Any) -> None:
    """Thousands of connections, some cut in the middle of a request, leave nothing behind."""
    said = [b"", b"GET / HT", head(crowded, "GET", f"{BUCKET}/large"), b"\x16\x03\x01"]
    with others_are_served(crowded):
        for number in range(3000):
            close_all(open_many(crowded.port, 1, said[number % len(said)]))


def test_connections_over_the_limits(own_server: Callable[..., Any]) -> None:
    """Over one client's limit or that of all, the answer is 503 SlowDown with Retry-After."""
    limits = {"MEIKU_MAX_CONNECTIONS": "60", "MEIKU_CONNECTIONS_PER_CLIENT": "20"}
    server = own_server("--workers", "1", **limits)
    first = [socket.create_connection(("127.0.0.1", server.port)) for _ in range(20)]
    one_more = socket.create_connection(("127.0.0.1", server.port))
    assert heard(one_more) == SLOW_DOWN
    others = []
    for number in range(2, 5):
        source = (f"127.0.{number}.1", 0)
        for _ in range(20 if number < 4 else 0):
            others.append(socket.create_connection(("127.0.0.1", server.port), source_address=source))
    stranger = socket.create_connection(("127.0.0.1", server.port), source_address=("127.0.9.1", 0))
    assert heard(stranger) == SLOW_DOWN
    close_all([*first, *others, one_more, stranger])
    assert SignedHttp(server.url).send("PUT", BUCKET).status == 200
