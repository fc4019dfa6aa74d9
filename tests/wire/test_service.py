"""The service's own addresses: who may read the figures, judged by the peer and what it sends."""

import asyncio
from typing import Any

import pytest

from meiku.wire.service import Readiness, answer_service

TOKEN = "a-token-of-the-tests"


async def page() -> bytes:
    return b"figures"


async def ready() -> Readiness:
    return Readiness()


def status(client: Any, token: str | None = None, version: str = "1.1", **headers: str) -> int:
    named = {"host": "127.0.0.1:9000"} | headers
    sent = [(name.replace("_", "-").encode(), value.encode()) for name, value in named.items()]
    scope = {
        "method": "GET",
        "path": "/-/metrics",
        "client": client,
        "headers": sent,
        "http_version": version,
    }
    answer = asyncio.run(answer_service(scope, ask_ready=ready, token=token, read_metrics=page))
    assert (answer.body == b"figures") == (answer.status == 200)
    return answer.status


@pytest.mark.parametrize("host", ["127.0.0.1", "127.8.9.1", "::1", "::ffff:127.0.0.1"])
def test_this_machine_is_told(host: str) -> None:
    """Loopback is loopback in every notation."""
    assert status((host, 1)) == 200


@pytest.mark.parametrize(
    "client", [("192.0.2.1", 1), ("::ffff:192.0.2.1", 1), ("fe80::1%lo", 1), ("", 0), None]
)
def test_others_are_not_told(client: Any) -> None:
    """Another machine is refused, and so is a peer of whom nothing is known."""
    assert status(client) == 403


@pytest.mark.parametrize("host", ["localhost", "LOCALHOST.:9000", "127.0.0.1", "[::1]:9000", "[::1]"])
def test_a_host_of_this_machine_is_told(host: str) -> None:
    """Every name under which this machine speaks to itself will do."""
    assert status(("::1", 1), host=host, x_prometheus_scrape_timeout_seconds="10") == 200


@pytest.mark.parametrize("host", ["", "media.example", "127.0.0.1.example", "localhost.example", "192.0.2.1"])
def test_a_host_that_others_know_is_not_told(host: str) -> None:
    """A proxy that says nothing but the host's name is one, and so is a page whose name was bound anew."""
    assert status(("127.0.0.1", 1), host=host) == 403


def test_a_proxy_that_says_nothing_at_all_is_known_by_its_version() -> None:
    """Nginx speaks HTTP/1.0 with a Host of its upstream unless it is told otherwise."""
    assert status(("127.0.0.1", 1), version="1.0") == 403


@pytest.mark.parametrize(
    "name",
    [
        *("forwarded", "via", "x_forwarded_for", "x_forwarded_host", "x_real_ip", "x_forwarded_proto"),
        *("x_client_ip", "true_client_ip", "cf_connecting_ip", "x_original_forwarded_for", "cdn_loop"),
        *(
            "x_cluster_client_ip",
            "fastly_client_ip",
            "x_envoy_external_address",
            "x_request_id",
            "remote_addr",
        ),
    ],
)
def test_whoever_comes_through_a_proxy_is_not_told(name: str) -> None:
    """Behind a proxy every peer is loopback: what proxies add betrays it."""
    assert status(("127.0.0.1", 1), **{name: "192.0.2.1"}) == 403


def test_the_token_is_enough_and_needed() -> None:
    """With a token set, the address does not matter: neither in favour nor against."""
    assert status(("192.0.2.1", 1), TOKEN, authorization=f"Bearer {TOKEN}") == 200
    assert status(("127.0.0.1", 1), TOKEN) == 401
    assert status(("127.0.0.1", 1), TOKEN, authorization=f"Bearer {TOKEN[:-1]}") == 401
