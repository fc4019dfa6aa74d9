"""The service's own addresses: who may read the figures, judged by the peer and what it sends."""

import asyncio
from typing import Any

import pytest

from meiku.wire.service import answer_service

TOKEN = "a-token-of-the-tests"


async def page() -> bytes:
    return b"figures"


def status(client: Any, token: str | None = None, **headers: str) -> int:
    sent = [(name.replace("_", "-").encode(), value.encode()) for name, value in headers.items()]
    scope = {"method": "GET", "path": "/-/metrics", "client": client, "headers": sent}
    answer = asyncio.run(answer_service(scope, ready=True, token=token, read_metrics=page))
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


@pytest.mark.parametrize("name", ["forwarded", "via", "x_forwarded_for", "x_forwarded_host", "x_real_ip"])
def test_whoever_comes_through_a_proxy_is_not_told(name: str) -> None:
    """Behind a proxy every peer is loopback: what proxies add betrays it."""
    assert status(("127.0.0.1", 1), **{name: "192.0.2.1"}) == 403


def test_the_token_is_enough_and_needed() -> None:
    """With a token set, the address does not matter: neither in favour nor against."""
    assert status(("192.0.2.1", 1), TOKEN, authorization=f"Bearer {TOKEN}") == 200
    assert status(("127.0.0.1", 1), TOKEN) == 401
    assert status(("127.0.0.1", 1), TOKEN, authorization=f"Bearer {TOKEN[:-1]}") == 401
