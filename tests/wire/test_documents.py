"""Room for documents, on a real server: what arrived counts, a client has a share, and time is bounded."""

import select
import socket
from collections.abc import Callable, Iterator
from contextlib import ExitStack, closing

import pytest

from plain_http import Answer, answer_on, head, send
from running_server import Server
from signed_request import sign

MIB = 1024 * 1024
DELETE = b"<Delete><Object><Key>gone</Key></Object></Delete>"


@pytest.fixture(scope="module")
def opened(server: Server, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """A server of one worker with a bucket that anybody may write to."""
    running = Server(tmp_path_factory.mktemp("documents") / "data", 0, arguments=("--workers", "1"))
    with socket.create_server(("127.0.0.1", 0)) as probe:
        running.port = probe.getsockname()[1]
    running.start()
    running.client().create_bucket(Bucket="opened", ACL="public-read-write")
    running.client().put_object(Bucket="opened", Key="k", Body=b"no picture", ACL="public-read")
    yield running
    assert running.stop() == 0
    assert '"event": "mistake"' not in running.read_log()


def announce(port: int, query: str, size_bytes: int, sent: bytes, source: str = "127.0.0.1") -> socket.socket:
    """Begin a document that nobody signed, and send the beginning of it."""
    connection = socket.create_connection(("127.0.0.1", port), timeout=30, source_address=(source, 0))
    headers = {"Host": f"127.0.0.1:{port}", "Content-Length": str(size_bytes)}
    connection.sendall(head("POST", f"/opened{query}", headers) + sent)
    return connection


def delete(server: Server) -> Answer:
    """Send a document of the owner's."""
    return sign("v4-header", "POST", f"{server.url}/opened?delete", body=DELETE).send(server.port)


def test_what_was_only_announced_holds_no_room(opened: Server) -> None:
    """Strangers who announce much and send one byte keep nobody's documents out."""
    with ExitStack() as crowd:
        for _ in range(24):
            crowd.enter_context(closing(announce(opened.port, "?delete", 4 * MIB, b"<")))
        assert delete(opened).status == 200


def test_a_client_gets_a_share_of_the_room(opened: Server) -> None:
    """What one address has sent stops at three quarters; another address is still read."""
    with ExitStack() as crowd:
        held = [
            crowd.enter_context(
                closing(announce(opened.port, "?delete", 4 * MIB, b" " * (4 * MIB - 1), "127.0.0.2"))
            )
            for _ in range(4)
        ]
        [first, *_], _, _ = select.select(held, [], [], 30)
        refused = answer_on(first)
        assert (refused.status, refused.code, refused.headers["retry-after"]) == (503, "SlowDown", "1")
        assert delete(opened).status == 200
    assert send(opened.port, "POST", "/opened?delete", body=DELETE).status == 200


def test_a_recipe_is_refused_by_its_length_alone(opened: Server) -> None:
    """What is far longer than a recipe is refused before a byte of it is read."""
    with closing(announce(opened.port, "/k?x-oss-process", 4 * MIB, b"")) as connection:
        answer = answer_on(connection)
    assert (answer.status, answer.code) == (400, "MaxMessageLengthExceeded")


@pytest.mark.parametrize("query", ["?delete", "/k?x-oss-process"])
def test_a_document_has_a_deadline(own_server: Callable[..., Server], query: str) -> None:
    """A document that trickles is given up, however steadily it does."""
    server = own_server("--workers", "1", MEIKU_DOCUMENT_TIMEOUT_S="0.5")
    server.client().create_bucket(Bucket="opened", ACL="public-read-write")
    server.client().put_object(Bucket="opened", Key="k", Body=b"no picture", ACL="public-read")
    with closing(announce(server.port, query, 1000, b"<")) as connection:
        connection.settimeout(0.1)
        answered = False
        for _ in range(300):
            connection.sendall(b" ")
            try:
                answered = bool(connection.recv(1, socket.MSG_PEEK))
                break
            except TimeoutError:
                continue
        assert answered
        connection.settimeout(30)
        answer = answer_on(connection)
    assert (answer.status, answer.code) == (400, "RequestTimeout")
