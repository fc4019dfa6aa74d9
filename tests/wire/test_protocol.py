"""What one HTTP connection may cost, and how it ends: raw sockets against a real process.

The server has small limits, so that a rule shows within a second: 8 KiB of head, 1 s for it, 1 s of standing
still, 1 s or 4 MiB of discarding, 2 s of rest, 40 connections. Nothing here knows S3 beyond the shape of an
error.
"""

import contextlib
import re
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

SERVER = """
import asyncio, json, socket, uvicorn
from meiku.config import Settings
from meiku.wire import protocol

protocol.DISCARD_TIMEOUT_S = 1.0
protocol.DISCARD_LIMIT_BYTES = 4 * 1024 * 1024
settings = Settings(
    header_limit_bytes=8192, header_timeout_s=1.0, body_idle_timeout_s=1.0, keep_alive_s=2,
    max_connections=40, workers=1,
)
gone = []

async def read(receive):
    size = 0
    while True:
        message = await receive()
        if message["type"] == "http.disconnect":
            return None
        size += len(message["body"])
        if not message["more_body"]:
            return size

async def reply(send, body, status=200):
    headers = [(b"content-length", str(len(body)).encode())]
    await send({"type": "http.response.start", "status": status, "headers": headers})
    await send({"type": "http.response.body", "body": body})

async def stream(send, size):
    headers = [(b"content-length", str(size).encode())]
    await send({"type": "http.response.start", "status": 200, "headers": headers})
    while size > 0:
        piece = bytes(min(size, 65536))
        size -= len(piece)
        await send({"type": "http.response.body", "body": piece, "more_body": size > 0})

async def app(scope, receive, send):
    if scope["type"] == "lifespan":
        await receive()
        await send({"type": "lifespan.startup.complete"})
        await receive()
        return await send({"type": "lifespan.shutdown.complete"})
    path = scope["path"]
    if path == "/refuse":
        return await reply(send, b"no", 403)
    if path == "/stream":
        return await stream(send, int(scope["query_string"]))
    if path == "/slow":
        await asyncio.sleep(0.6)
        return await reply(send, b"slow")
    if path == "/wait":
        await read(receive)
        await receive()
        return gone.append(path)
    if path == "/gone":
        return await reply(send, json.dumps(gone).encode())
    size = await read(receive)
    if size is None:
        return
    if path == "/headers":
        names = [name.decode() for name, _ in scope["headers"]]
        return await reply(send, json.dumps(names).encode())
    await reply(send, f"{scope['method']} {path} {size}".encode())

listener = socket.create_server(("127.0.0.1", 0))
config = uvicorn.Config(
    app, loop="uvloop", http=protocol.protocol_for(settings), ws="none", lifespan="on", interface="asgi3",
    log_config=None, access_log=False, server_header=False, proxy_headers=False, timeout_keep_alive=2,
)
print(listener.getsockname()[1], flush=True)
uvicorn.Server(config).run(sockets=[listener])
"""

GET = b"GET /next HTTP/1.1\r\nHost: h\r\n\r\n"


class Peer:
    """A client that says exactly the bytes it is told, and hears exactly what comes back."""

    def __init__(self, port: int) -> None:
        self.socket = socket.create_connection(("127.0.0.1", port), timeout=8)
        self.heard = b""

    def say(self, data: bytes) -> "Peer":
        self.socket.sendall(data)
        return self

    def say_while_welcome(self, data: bytes) -> None:
        with contextlib.suppress(BrokenPipeError, ConnectionResetError):
            self.socket.sendall(data)

    def _hear(self) -> bool:
        try:
            data = self.socket.recv(65536)
        except ConnectionResetError:
            data = b""
        self.heard += data
        return bool(data)

    def answer(self) -> tuple[int, dict[str, str], bytes]:
        """Return the next answer, whole."""
        while b"\r\n\r\n" not in self.heard:
            assert self._hear(), f"closed after {self.heard!r}"
        head, _, rest = self.heard.partition(b"\r\n\r\n")
        lines = head.decode().split("\r\n")
        headers = {n.lower(): v for n, v in (line.split(": ", 1) for line in lines[1:])}
        size = int(headers.get("content-length", 0))
        self.heard = rest
        while len(self.heard) < size:
            assert self._hear(), f"closed within {head!r}"
        body, self.heard = self.heard[:size], self.heard[size:]
        return int(lines[0].split()[1]), headers, body

    def rest(self) -> bytes:
        """Return everything until the server closes."""
        while self._hear():
            pass
        return self.heard

    def error(self) -> tuple[int, str]:
        """Return the status and the S3 code of an answer after which the server closes and says no more."""
        status, headers, body = self.answer()
        assert headers["connection"] == "close"
        assert self.rest() == b""
        code = re.search(rb"<Error><Code>(\w+)</Code><Message>.+</Message><RequestId/></Error>$", body)
        assert code is not None, body
        return status, code[1].decode()


@pytest.fixture(scope="module")
def server() -> Iterator[subprocess.Popen[bytes]]:
    with subprocess.Popen([sys.executable, "-c", SERVER], stdout=subprocess.PIPE) as process:
        yield process
        process.kill()


@pytest.fixture(scope="module")
def port(server: subprocess.Popen[bytes]) -> int:
    assert server.stdout is not None
    return int(server.stdout.readline())


@pytest.fixture
def peer(port: int) -> Iterator[Peer]:
    peer = Peer(port)
    yield peer
    peer.socket.close()


def still_serves(port: int) -> bool:
    return Peer(port).say(GET).answer()[2] == b"GET /next 0"


def resident_kib(pid: int) -> int:
    lines = Path(f"/proc/{pid}/status").read_text().splitlines()
    return next(int(line.split()[1]) for line in lines if line.startswith("VmRSS"))


class TestHead:
    """A head has a size and a time."""

    @pytest.mark.parametrize(
        "head",
        [
            b"GET / HTTP/1.1\r\n" + b"x-a: %b\r\n" % (b"a" * 100) * 10_000,
            b"GET / HTTP/1.1\r\nx-a: " + b"a" * 1_000_000,
            b"GET / HTTP/1.1\r\n" + b"a" * 1_000_000,
            b"GET /" + b"a" * 1_000_000,
        ],
        ids=["many headers", "one value", "one name", "the target"],
    )
    def test_a_head_of_a_megabyte_is_refused(self, peer: Peer, head: bytes) -> None:
        """However it is made, a head over the limit is answered 400 while its client still sends."""
        peer.say_while_welcome(head)
        assert peer.error() == (400, "RequestHeaderSectionTooLarge")

    def test_a_whole_head_just_over_the_limit_is_refused(self, peer: Peer) -> None:
        """The limit holds for a head that comes complete in one packet too."""
        peer.say(b"GET /next HTTP/1.1\r\nx-a: " + b"a" * 8192 + b"\r\n\r\n")
        assert peer.error() == (400, "RequestHeaderSectionTooLarge")

    def test_a_head_below_the_limit_is_served_beside_a_large_body(self, peer: Peer) -> None:
        """What follows the head in one packet does not count as head."""
        head = b"PUT /k HTTP/1.1\r\nContent-Length: 60000\r\nx-a: " + b"a" * 8000 + b"\r\n\r\n"
        assert peer.say(head + bytes(60000)).answer()[2] == b"PUT /k 60000"

    def test_a_head_behind_a_body_is_not_counted_with_it(self, peer: Peer) -> None:
        """A request that begins in the packet in which the last one ended is an ordinary request."""
        peer.say(b"PUT /k HTTP/1.1\r\nContent-Length: 60000\r\n\r\n" + bytes(60000) + GET[:20])
        assert peer.answer()[2] == b"PUT /k 60000"
        assert peer.say(GET[20:]).answer()[2] == b"GET /next 0"

    def test_a_trickle_does_not_extend_the_time(self, peer: Peer) -> None:
        """One byte now and then: 408 when the time for the whole head is over."""
        begun_s = time.monotonic()
        for byte in GET:
            peer.say_while_welcome(bytes([byte]))
            time.sleep(0.05)
        assert peer.error() == (408, "RequestTimeout")
        assert time.monotonic() - begun_s < 3

    def test_a_trickle_after_an_answer_has_no_more_time(self, peer: Peer) -> None:
        """A later head on the same connection has its own time, from its first byte."""
        peer.say(GET).answer()
        time.sleep(0.9)
        peer.say(GET[:10])
        time.sleep(0.3)
        assert peer.say(GET[10:]).answer()[0] == 200
        peer.say(GET[:10])
        assert peer.error() == (408, "RequestTimeout")

    def test_a_silent_connection_is_closed_without_a_word(self, peer: Peer) -> None:
        """Browsers open connections ahead of need; an answer to no request would confuse them."""
        assert peer.rest() == b""

    def test_line_ends_alone_are_no_sign_of_life(self, peer: Peer) -> None:
        """Empty lines before a request are allowed, and buy no time."""
        peer.say(GET).answer()
        begun_s = time.monotonic()
        while time.monotonic() - begun_s < 5:
            try:
                peer.say(b"\r\n")
            except (BrokenPipeError, ConnectionResetError):
                break
            time.sleep(0.1)
        assert time.monotonic() - begun_s < 4

    def test_time_spent_on_an_earlier_answer_is_not_the_clients(self, peer: Peer) -> None:
        """A head that is begun while the server still works gets its time afterwards."""
        slow = b"GET /slow HTTP/1.1\r\n\r\n"
        peer.say(slow * 2 + GET[:10])
        assert [peer.answer()[2] for _ in range(2)] == [b"slow"] * 2
        assert peer.say(GET[10:]).answer()[2] == b"GET /next 0"


SMUGGLED = b"GET /smuggled HTTP/1.1\r\nHost: h\r\n\r\n"


class TestNotHttp:
    """What cannot be read in exactly one way is not read at all."""

    @pytest.mark.parametrize(
        "data",
        [
            b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03",
            b"HELLO\r\n\r\n",
            b"GET\r\n\r\n",
            b"GET / HTTP/9.9\r\n\r\n",
            b"GET / HTTP/1.1\nHost: h\n\n",
            b"GET / HTTP/1.1\r\nHost : h\r\n\r\n",
            b"GET / HTTP/1.1\r\nHost: h\r\n folded\r\n\r\n",
            b"GET / HTTP/1.1\r\nx-a: a\x00b\r\n\r\n",
            b"GET / HTTP/1.1\r\nx-a: a\rb\r\n\r\n",
            b"GET / HTTP/1.1\r\n: empty\r\n\r\n",
            b"GET /\xc3\xa4 HTTP/1.1\r\n\r\n",
            b"GET /a b HTTP/1.1\r\n\r\n",
            b"CONNECT example.com:443 HTTP/1.1\r\n\r\n",
            b"PUT / HTTP/1.1\r\nContent-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
            b"PUT / HTTP/1.1\r\nTransfer-Encoding: chunked\r\nContent-Length: 5\r\n\r\n0\r\n\r\n",
            b"PUT / HTTP/1.1\r\nContent-Length: 0\r\nContent-Length: 35\r\n\r\n",
            b"PUT / HTTP/1.1\r\nContent-Length: 0, 35\r\n\r\n",
            b"PUT / HTTP/1.1\r\nContent-Length: -1\r\n\r\n",
            b"PUT / HTTP/1.1\r\nContent-Length: +0\r\n\r\n",
            b"PUT / HTTP/1.1\r\nContent-Length: 0x0\r\n\r\n",
            b"PUT / HTTP/1.1\r\nContent-Length: 99999999999999999999\r\n\r\n",
            b"PUT / HTTP/1.1\r\nTransfer-Encoding: chunked, identity\r\n\r\n0\r\n\r\n",
            b"PUT / HTTP/1.1\r\nTransfer-Encoding: xchunked\r\n\r\n0\r\n\r\n",
            b"PUT / HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n-1\r\n\r\n",
            b"PUT / HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n0x0\r\n\r\n",
            b"PUT / HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n0\n\n",
            b"PUT / HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n1\r\naXX0\r\n\r\n",
        ],
    )
    def test_it_is_refused_and_nothing_behind_it_is_read(self, peer: Peer, data: bytes) -> None:
        """400, the connection closed, and no second answer: nothing can be smuggled behind it."""
        peer.say_while_welcome(data + SMUGGLED)
        assert peer.error() == (400, "BadRequest")

    def test_an_answer_under_way_is_not_broken_into(self, peer: Peer) -> None:
        """Rubbish behind a request: its answer comes first and whole, and it is the last one."""
        peer.say(b"GET /slow HTTP/1.1\r\n\r\nRUBBISH\r\n\r\n" + SMUGGLED)
        status, headers, body = peer.answer()
        assert (status, headers["connection"], body) == (200, "close", b"slow")
        assert peer.rest() == b""

    def test_rubbish_in_a_body_reaches_the_client_as_an_error(self, peer: Peer, port: int) -> None:
        """Broken chunks while the application reads: 400 for the client, a disconnect for the application."""
        peer.say(b"PUT /k HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n1\r\na\r\n")
        time.sleep(0.1)
        peer.say(b"rubbish\r\n")
        assert peer.error() == (400, "BadRequest")
        assert still_serves(port)

    def test_rubbish_in_a_refused_body_gets_no_second_answer(self, peer: Peer) -> None:
        """An answer that is out stays the only one."""
        peer.say(b"PUT /refuse HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n1\r\na\r\n")
        assert peer.answer()[0] == 403
        peer.say(b"rubbish\r\n")
        assert peer.rest() == b""

    def test_a_trailer_is_no_header(self, peer: Peer) -> None:
        """What comes behind the body cannot add to what was signed before it."""
        chunks = b"1\r\na\r\n0\r\nx-late: 1\r\n\r\n"
        peer.say(b"PUT /headers HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\n" + chunks)
        assert peer.answer()[2] == b'["host", "transfer-encoding"]'

    @pytest.mark.parametrize("data", [b"0\r\n" + b"x-a: a\r\n", b"0\r\nx-a: ", b"1;"], ids=str)
    def test_framing_without_end_is_refused(
        self, peer: Peer, server: subprocess.Popen[bytes], data: bytes
    ) -> None:
        """A body that brings headers, one header or a chunk extension for ever costs no memory."""
        before_kib = resident_kib(server.pid)
        peer.say(b"PUT /k HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n" + data)
        time.sleep(0.1)
        peer.say_while_welcome(b"x-a: a\r\n" * 400_000 if data.endswith(b"\n") else b"a" * 3_200_000)
        assert peer.error()[0] == 400
        assert resident_kib(server.pid) - before_kib < 3000

    def test_absolute_form_is_served(self, peer: Peer) -> None:
        """A target with a host in it is what proxies are sent; every server must take it."""
        assert peer.say(b"GET http://h/next?a=b HTTP/1.1\r\nHost: h\r\n\r\n").answer()[2] == b"GET /next 0"


class TestUpgrade:
    """An offer to speak another protocol is declined in silence."""

    OFFER = b"Connection: Upgrade, HTTP2-Settings\r\nUpgrade: h2c\r\nHTTP2-Settings: AAMAAABk\r\n"

    @pytest.mark.parametrize("upgrade", [OFFER, b"Connection: Upgrade\r\nUpgrade: websocket\r\n"], ids=str)
    def test_the_request_is_answered_as_it_is(self, peer: Peer, upgrade: bytes) -> None:
        """The answer is HTTP/1.1's, and the connection goes on with the next request."""
        peer.say(b"GET /k HTTP/1.1\r\n" + upgrade + b"\r\n" + GET)
        assert peer.answer()[2] == b"GET /k 0"
        assert peer.answer()[2] == b"GET /next 0"
        assert peer.say(GET).answer()[2] == b"GET /next 0"

    @pytest.mark.parametrize("whole", [True, False], ids=["one packet", "many packets"])
    @pytest.mark.parametrize(
        "framed",
        [
            b"Content-Length: 35\r\n\r\n" + SMUGGLED,
            b"Transfer-Encoding: chunked\r\n\r\n23\r\n" + SMUGGLED + b"\r\n0\r\n\r\n",
        ],
        ids=["length", "chunked"],
    )
    def test_its_body_is_a_body(self, peer: Peer, framed: bytes, whole: bool) -> None:
        """The body of such a request is not read as the next request."""
        assert len(SMUGGLED) == 35
        data = b"PUT /k HTTP/1.1\r\n" + self.OFFER + framed + GET
        for piece in [data] if whole else [data[at : at + 25] for at in range(0, len(data), 25)]:
            peer.say(piece)
            time.sleep(0 if whole else 0.01)
        assert peer.answer()[2] == b"PUT /k 35"
        assert peer.answer()[2] == b"GET /next 0"


class TestEarlyAnswer:
    """An answer that comes before the body is over reaches its client."""

    def test_a_small_rest_is_read_and_the_connection_lives(self, peer: Peer) -> None:
        """Within the bound the refused body is thrown away and the next request is served."""
        peer.say(b"PUT /refuse HTTP/1.1\r\nContent-Length: 3000000\r\n\r\n")
        assert peer.answer()[::2] == (403, b"no")
        assert peer.say(bytes(3_000_000) + GET).answer()[2] == b"GET /next 0"

    def test_a_large_rest_ends_the_connection_and_the_answer_is_read(self, peer: Peer) -> None:
        """A client that only reads when it has sent what it can still sees why it was refused."""
        peer.say(b"PUT /refuse HTTP/1.1\r\nContent-Length: 500000000\r\n\r\n")
        peer.say_while_welcome(bytes(100_000_000))
        status, headers, body = peer.answer()
        assert (status, headers["connection"], body) == (403, "close", b"no")

    def test_a_rest_of_unknown_length_is_bounded_too(self, peer: Peer) -> None:
        """Chunks without end are discarded up to the bound, and then the connection is closed."""
        peer.say(b"PUT /refuse HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n")
        chunk = b"10000\r\n" + bytes(65536) + b"\r\n"
        peer.say_while_welcome(chunk * 400)
        assert peer.answer()[0] == 403
        assert peer.rest() == b""

    @pytest.mark.parametrize("length", [b"3000000", b"500000000"])
    def test_a_client_that_goes_silent_is_let_go(self, peer: Peer, length: bytes) -> None:
        """Neither the rest of the body nor the end of it is waited for longer than the bound."""
        peer.say(b"PUT /refuse HTTP/1.1\r\nContent-Length: " + length + b"\r\n\r\n1")
        peer.answer()
        begun_s = time.monotonic()
        assert peer.rest() == b""
        assert time.monotonic() - begun_s < 2

    def test_after_a_refusal_that_closes_no_request_is_served(self, peer: Peer) -> None:
        """`Connection: close` is kept: what follows the discarded body is not executed."""
        peer.say(b"PUT /refuse HTTP/1.1\r\nConnection: close\r\nContent-Length: 100000\r\n\r\n")
        assert peer.answer()[1]["connection"] == "close"
        peer.say_while_welcome(bytes(100000) + GET)
        assert peer.rest() == b""

    def test_an_expectation_that_was_not_met_ends_the_connection(self, peer: Peer) -> None:
        """Refused without 100 Continue: nobody knows whether the body comes, so the connection ends."""
        peer.say(b"PUT /refuse HTTP/1.1\r\nExpect: 100-continue\r\nContent-Length: 1000\r\n\r\n")
        status, headers, _ = peer.answer()
        assert (status, headers["connection"]) == (403, "close")
        assert peer.rest() == b""

    def test_an_expectation_that_was_met_keeps_it(self, peer: Peer) -> None:
        """Told to continue, the client sends its body and goes on."""
        peer.say(b"PUT /k HTTP/1.1\r\nExpect: 100-continue\r\nContent-Length: 1000\r\n\r\n")
        assert peer.answer()[0] == 100
        status, headers, body = peer.say(bytes(1000)).answer()
        assert (status, "connection" in headers, body) == (200, False, b"PUT /k 1000")
        assert peer.say(GET).answer()[2] == b"GET /next 0"


class TestReader:
    """A reader may be slow; it may not stand still."""

    @staticmethod
    def slow_peer(port: int) -> Peer:
        peer = Peer.__new__(Peer)
        peer.heard = b""
        peer.socket = socket.socket()
        # A small window, so that the bytes queue at the server.
        peer.socket.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        peer.socket.settimeout(8)
        peer.socket.connect(("127.0.0.1", port))
        return peer.say(b"GET /stream?8000000 HTTP/1.1\r\nHost: h\r\n\r\n")

    def test_one_that_stands_still_is_cut(self, port: int) -> None:
        """No byte taken during the time a body may stand still: the connection is aborted."""
        peer = self.slow_peer(port)
        time.sleep(2.5)
        assert len(peer.rest()) < 8_000_000

    def test_one_that_reads_a_little_is_served(self, port: int) -> None:
        """Reading slowly, for longer than that time, is no reason to be cut."""
        peer = self.slow_peer(port)
        for _ in range(10):
            time.sleep(0.25)
            peer.heard += peer.socket.recv(8192)
        assert len(peer.rest()) > 8_000_000


class TestPipeline:
    """Requests may wait in line, a bounded number of them."""

    def test_answers_come_in_order(self, peer: Peer) -> None:
        """Ten requests in one packet have ten answers in their order."""
        peer.say(b"".join(b"GET /%d HTTP/1.1\r\n\r\n" % n for n in range(10)))
        assert [peer.answer()[2] for _ in range(10)] == [b"GET /%d 0" % n for n in range(10)]

    def test_a_line_that_is_too_long_is_cut(self, peer: Peer) -> None:
        """The first answer still comes whole; the rest are not kept."""
        peer.say_while_welcome(b"GET /slow HTTP/1.1\r\n\r\n" * 2000)
        status, headers, body = peer.answer()
        assert (status, headers["connection"], body) == (200, "close", b"slow")
        assert peer.rest() == b""

    def test_the_one_under_way_learns_that_its_client_is_gone(self, port: int) -> None:
        """Not only the newest request of a connection is told."""
        before = Peer(port).say(b"GET /gone HTTP/1.1\r\n\r\n").answer()[2]
        peer = Peer(port).say(b"GET /wait HTTP/1.1\r\n\r\n" + GET)
        time.sleep(0.1)
        peer.socket.close()
        time.sleep(0.1)
        assert Peer(port).say(b"GET /gone HTTP/1.1\r\n\r\n").answer()[2] != before


class TestConnections:
    """Connections are bounded, and end."""

    def test_one_too_many_is_told_to_slow_down(self, port: int) -> None:
        """Over the limit the answer is 503 SlowDown; when others leave, there is room again."""
        time.sleep(0.2)
        peers = [Peer(port) for _ in range(40)]
        try:
            assert Peer(port).error() == (503, "SlowDown")
        finally:
            for peer in peers:
                peer.socket.close()
        time.sleep(0.2)
        assert still_serves(port)

    def test_an_idle_one_is_closed(self, peer: Peer) -> None:
        """Two seconds after its last answer, not sooner."""
        peer.say(GET).answer()
        time.sleep(1)
        peer.say(GET).answer()
        begun_s = time.monotonic()
        assert peer.rest() == b""
        assert 1.8 < time.monotonic() - begun_s < 3.5

    def test_a_long_exchange_is_not_idle(self, peer: Peer) -> None:
        """The time between answers counts only while nothing is under way."""
        peer.say(GET).answer()
        peer.say(b"PUT /k HTTP/1.1\r\nContent-Length: 6\r\n\r\n")
        for _ in range(6):
            time.sleep(0.5)
            peer.say(b"a")
        assert peer.answer()[2] == b"PUT /k 6"
        assert peer.say(GET).answer()[0] == 200
