"""The page at `/-/metrics`, from a real server: what happened in all workers, told to few people."""

import os
import re
import signal
import socket
import sqlite3
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from plain_http import connect, send
from signed_http import SignedHttp

SECRET_BUCKET, SECRET_KEY = "a-bucket-nobody-knows", "a-key-nobody-knows"
TOKEN = "a-token-of-the-tests"
LINE = re.compile(r'[a-z_]+(\{[a-z]+="[^"]*"(,[a-z]+="[^"]*")*\})? -?[0-9.e+-]+')
Figures = dict[str, float]


def figures(port: int, token: str | None = None) -> Figures:
    """Read the page: what stands before each value, and the value."""
    headers = {"Authorization": f"Bearer {token}"} if token else {}
    answer = send(port, "GET", "/-/metrics", headers=headers)
    assert answer.status == 200, answer.body
    assert answer.headers["content-type"].startswith("text/plain; version=0.0.4")
    lines = [line for line in answer.body.decode().splitlines() if not line.startswith("#")]
    assert all(LINE.fullmatch(line) for line in lines), lines
    return {name: float(value) for name, _, value in (line.rpartition(" ") for line in lines)}


def wait_for(port: int, wanted: Callable[[Figures], bool]) -> Figures:
    """Read the page until it says what it should."""
    deadline = time.monotonic() + 20
    while not wanted(found := figures(port)):
        assert time.monotonic() < deadline, found
        time.sleep(0.05)
    return found


def requests(operation: str, status: str) -> str:
    return f'meiku_requests_total{{operation="{operation}",status="{status}"}}'


def talk(server: Any, times: int) -> None:
    """Put and get on a connection each, so that every worker gets its part."""
    for number in range(times):
        http = SignedHttp(server.url)
        assert http.send("PUT", f"{SECRET_BUCKET}/{SECRET_KEY}{number}", bytes(100_000)).status == 200
        assert len(http.send("GET", f"{SECRET_BUCKET}/{SECRET_KEY}{number}").body) == 100_000
        http.close()


@pytest.mark.parametrize("workers", ["1", "2"])
def test_requests_are_counted_in_all_workers(own_server: Callable[..., Any], workers: str) -> None:
    """Whichever worker is asked, it tells every request, its class, its time and the bytes of all of them."""
    server = own_server("--workers", workers)
    SignedHttp(server.url).send("PUT", SECRET_BUCKET)
    talk(server, 30)
    assert SignedHttp(server.url).send("GET", f"{SECRET_BUCKET}/missing").status == 404
    # An answer is counted when it has been sent, and may be read a moment before.
    wait_for(server.port, lambda found: requests("GetObject", "4xx") in found)
    for _ in range(10):
        found = figures(server.port)
        assert found[requests("PutObject", "2xx")] == found[requests("GetObject", "2xx")] == 30
        assert found[requests("GetObject", "4xx")] == 1
        assert found['meiku_request_seconds_count{operation="GetObject"}'] == 31
        assert 0 < found['meiku_request_seconds_sum{operation="GetObject"}'] < 30
        for bytes_total in (found["meiku_received_bytes_total"], found["meiku_sent_bytes_total"]):
            assert 3_000_000 < bytes_total < 3_200_000


def test_a_large_first_packet_is_counted_once(own_server: Callable[..., Any]) -> None:
    """Head and body in one packet, larger than a head may be, count as many bytes as were sent."""
    server = own_server("--workers", "1")
    before = figures(server.port)["meiku_received_bytes_total"]
    head = b"PUT /b/k HTTP/1.1\r\nHost: h\r\nContent-Length: 1000000\r\nConnection: close\r\n\r\n"
    with connect(server.port) as connection:
        connection.sendall(head + bytes(1_000_000))
        while connection.recv(65536):
            pass
    sent = len(head) + 1_000_000
    wait_for(server.port, lambda found: sent <= found["meiku_received_bytes_total"] - before < sent + 20_000)


def test_connections_are_counted_while_they_are_open(own_server: Callable[..., Any]) -> None:
    """The gauge rises with connections, also of a worker that dies, and falls when they are gone."""
    server = own_server("--workers", "2")
    idle = [connect(server.port) for _ in range(40)]
    wait_for(server.port, lambda found: found["meiku_connections"] == 41)
    children = Path(f"/proc/{server.process.pid}/task/{server.process.pid}/children").read_text().split()
    os.kill(int(children[0]), signal.SIGKILL)
    wait_for(server.port, lambda found: found["meiku_connections"] < 41)
    for connection in idle:
        connection.close()
    wait_for(server.port, lambda found: found["meiku_connections"] == 1)


def test_counters_outlive_the_worker_that_counted(own_server: Callable[..., Any]) -> None:
    """A worker that dies takes no figures with it: counters never fall while the service runs."""
    server = own_server("--workers", "1")
    SignedHttp(server.url).send("PUT", SECRET_BUCKET)
    talk(server, 3)
    children = Path(f"/proc/{server.process.pid}/task/{server.process.pid}/children").read_text().split()
    os.kill(int(children[0]), signal.SIGKILL)
    server.wait_until_ready()
    assert figures(server.port)[requests("PutObject", "2xx")] == 3


def test_refusals_for_want_of_room_are_counted(own_server: Callable[..., Any]) -> None:
    """Connections over the limit are counted by what there was too much of."""
    server = own_server("--workers", "1", MEIKU_CONNECTIONS_PER_CLIENT="5")
    many = [connect(server.port) for _ in range(8)]
    assert b"SlowDown" in many[-1].recv(4096)
    for connection in many:
        connection.close()
    time.sleep(0.2)
    found = wait_for(server.port, lambda found: found["meiku_connections"] == 1)
    assert found['meiku_slow_down_total{at="connection"}'] == 3


def test_uploads_over_the_limit_are_counted(own_server: Callable[..., Any]) -> None:
    """A body for which there is no room is a refused request, counted as such."""
    server = own_server("--workers", "1", MEIKU_MAX_UPLOADS="1")
    assert SignedHttp(server.url).send("PUT", SECRET_BUCKET).status == 200
    head = b"PUT /b/k HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\n5\r\n"
    line = f"POST /{SECRET_BUCKET} HTTP/1.1\r\nHost: h\r\nContent-Type: multipart/form-data; boundary=x\r\n"
    with connect(server.port) as first, connect(server.port) as second:
        first.sendall(line.encode() + b"Content-Length: 1000\r\n\r\n--x")
        time.sleep(0.2)
        second.sendall(head)
        assert b"SlowDown" in second.recv(4096)
    assert figures(server.port)['meiku_slow_down_total{at="request"}'] == 1


def test_no_name_is_told(own_server: Callable[..., Any]) -> None:
    """Neither buckets nor keys nor what a client makes up appears on the page."""
    server = own_server("--workers", "1")
    SignedHttp(server.url).send("PUT", SECRET_BUCKET)
    talk(server, 1)
    send(server.port, "PATCH", "/made-up?made-up")
    page = send(server.port, "GET", "/-/metrics").body
    assert requests("none", "4xx").encode() in page
    for name in (SECRET_BUCKET, SECRET_KEY, "made-up", "PATCH", "testak"):
        assert name.encode() not in page


def test_a_token_is_asked_of_everybody(own_server: Callable[..., Any]) -> None:
    """Where a token is set, loopback too is refused without it, and with any other."""
    server = own_server("--workers", "1", MEIKU_METRICS_TOKEN=TOKEN)
    for given in (
        {},
        {"Authorization": "Bearer "},
        {"Authorization": TOKEN},
        {"Authorization": f"Bearer {TOKEN}x"},
    ):
        refused = send(server.port, "GET", "/-/metrics", headers=given)
        assert (refused.status, refused.headers["www-authenticate"]) == (401, "Bearer")
        assert b"meiku_" not in refused.body
    assert figures(server.port, TOKEN)["meiku_connections"] == 1
    assert TOKEN not in server.read_log()


def test_without_a_token_only_this_machine_is_told(own_server: Callable[..., Any]) -> None:
    """A peer from the network is refused, and so is whoever comes through a proxy on this machine."""
    server = own_server("--workers", "1", "--host", "0.0.0.0")
    refused = send(server.port, "GET", "/-/metrics", headers={"X-Forwarded-For": "192.0.2.1"})
    assert refused.status == 403
    assert b"meiku_" not in refused.body
    own_address = socket.gethostbyname(socket.gethostname())
    if own_address.startswith("127."):
        pytest.skip("this machine has no address but loopback")
    with socket.create_connection((own_address, server.port), source_address=(own_address, 0)) as stranger:
        stranger.sendall(b"GET /-/metrics HTTP/1.1\r\nHost: h\r\n\r\n")
        assert stranger.recv(4096).startswith(b"HTTP/1.1 403 ")


def test_the_scrub_tells_what_it_read_and_found(own_server: Callable[..., Any]) -> None:
    """Objects, bytes and damage of the rounds, and when the last one ended, are told by every worker."""
    server = own_server("--workers", "2", MEIKU_SCRUB_INTERVAL_S="0.3")
    SignedHttp(server.url).send("PUT", SECRET_BUCKET)
    talk(server, 4)
    blob = next(path for path in (server.data / "blobs").rglob("*") if path.is_file())
    blob.write_bytes(b"\x01" + bytes(99_999))
    found = wait_for(server.port, lambda found: found.get("meiku_scrub_finished_damaged") == 1)
    assert abs(found["meiku_scrub_finished_timestamp_seconds"] - time.time()) < 60
    wait_for(server.port, lambda found: found["meiku_scrub_objects"] == 4)
    wait_for(server.port, lambda found: found["meiku_scrub_bytes"] == 400_000)
    wait_for(server.port, lambda found: found["meiku_scrub_damaged"] == 1)


def test_a_round_that_runs_does_not_hide_the_last_one(own_server: Callable[..., Any]) -> None:
    """While a round runs, the damage and the end of the one before it are still told."""
    server = own_server("--workers", "1", MEIKU_SCRUB_INTERVAL_S="0")
    with sqlite3.connect(server.data / "meta.sqlite3") as rows:
        rows.execute(
            "INSERT INTO scrubs VALUES (1, 3000, NULL, 1, x'', 5, 50, 0), (2, 1000, 2000, 1, x'', 9, 90, 7)"
        )
    found = figures(server.port)
    assert (found["meiku_scrub_running"], found["meiku_scrub_objects"]) == (1, 5)
    assert found["meiku_scrub_finished_timestamp_seconds"] == 2
    assert found["meiku_scrub_finished_damaged"] == 7
