"""Which host a request is for, as HTTP decides it: one Host that is one, and a target that names its own."""

from contextlib import closing

import pytest

from plain_http import Answer, answer_on, connect
from running_server import Server


def ask(server: Server, request: str) -> Answer:
    """Send these lines and read the answer."""
    with closing(connect(server.port)) as connection:
        connection.sendall("\r\n".join([*request.split("\n"), "", ""]).encode("latin-1"))
        return answer_on(connection)


@pytest.mark.parametrize(
    "request_lines",
    [
        "GET /b/k HTTP/1.1",
        "GET /b/k HTTP/1.1\nHost: a b",
        "GET /b/k HTTP/1.1\nHost: a\nHost: a",
        "GET /b/k HTTP/1.1\nHost: one.localhost\nHost: two.localhost",
        "GET /b/k HTTP/1.1\nHost: a/b",
        "GET /b/k HTTP/1.1\nHost: user@a",
        "GET /b/k HTTP/1.1\nHost: a:b",
        "GET /b/k HTTP/1.1\nHost: a:1:2",
        "GET /b/k HTTP/1.1\nHost: [::1",
        "GET /b/k HTTP/1.1\nHost: a,b",
    ],
)
def test_a_host_that_is_none_is_refused(server: Server, request_lines: str) -> None:
    """No Host, two, or one that names nothing: 400, before anything is looked up."""
    answer = ask(server, request_lines)
    assert (answer.status, answer.code) == (400, "BadRequest")


@pytest.mark.parametrize(
    "host", ["127.0.0.1", "a.example:9000", "[::1]:9000", "[fe80::1%25eth0]", "a_b", "a:", ""]
)
def test_a_host_of_any_kind_is_read(server: Server, host: str) -> None:
    """Names, addresses and ports as RFC 3986 writes them reach the operation."""
    assert ask(server, f"GET /no-such-bucket-here/k HTTP/1.1\nHost: {host}").code == "NoSuchBucket"


def test_http_1_0_needs_none(server: Server) -> None:
    """A client of 1996 names no host."""
    assert ask(server, "GET /no-such-bucket-here/k HTTP/1.0").code == "NoSuchBucket"


def test_the_target_s_own_host_counts(server: Server) -> None:
    """Whoever writes the whole address means its host, not the one in the head."""
    lines = "GET http://one-bucket.localhost:{0}/k HTTP/1.1\nHost: two-bucket.localhost:{0}"
    answer = ask(server, lines.format(server.port))
    assert (answer.code, answer.element("BucketName")) == ("NoSuchBucket", "one-bucket")
    assert ask(server, "GET http://a%20b/k HTTP/1.1\nHost: x").status in (400, 403, 404)


@pytest.mark.parametrize("hosts", ["", "\nHost: a\nHost: b", "\nHost: a b"])
def test_the_target_s_host_mends_no_broken_head(server: Server, hosts: str) -> None:
    """A target that names its host does not make two Host fields, none, or an invalid one good."""
    answer = ask(server, f"GET http://one-bucket.localhost/k HTTP/1.1{hosts}")
    assert (answer.status, answer.code) == (400, "BadRequest")
