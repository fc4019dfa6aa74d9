"""What one worker holds: limits are shared, nobody gets the last quarter alone, and all is given back."""

import asyncio
from dataclasses import dataclass

import pytest

from meiku import errors
from meiku.client import client_of
from meiku.config import Settings
from meiku.wire.load import Held, Load, Share


@pytest.mark.parametrize(
    ("peer", "client"),
    [
        (("192.0.2.1", 4000), "192.0.2.1"),
        (("::ffff:192.0.2.1", 4000, 0, 0), "192.0.2.1"),
        ("/run/socket", ""),
        (None, ""),
    ],
)
def test_a_client_is_its_address(peer: object, client: str) -> None:
    """IPv4 is itself in either notation; a socket without addresses names nobody."""
    assert client_of(peer) == client


def test_an_ipv6_client_is_its_network() -> None:
    """Whoever has one IPv6 address has 2^64 of them."""
    one, other = ("2001:db8::1", 1, 0, 0), ("2001:db8::ffff%eth0", 2, 0, 0)
    assert client_of(one) == client_of(other) != client_of(("2001:db8:0:1::1", 1, 0, 0))


def test_one_client_leaves_room_for_others() -> None:
    """A client gets three quarters; another still gets in, until there is nothing left at all."""
    held = Held(8)
    for _ in range(6):
        assert held.admits("greedy")
        held.add("greedy", 1)
    assert not held.admits("greedy")
    assert held.admits("other")
    held.add("other", 2)
    assert not held.admits("third")
    held.add("greedy", -6)
    assert held.admits("third")


@dataclass(eq=False)
class Sender:
    """A connection whose body is on its way, and which is not refused here."""

    share: Share

    def is_held_back(self) -> bool:
        return False

    def refuse(self, error: type[errors.S3Error]) -> None:
        raise AssertionError(error)


def test_a_connection_gives_everything_back() -> None:
    """Whatever a connection held when it ended is there for the next."""
    load = Load(Settings(workers=2, max_connections=8, connections_per_client=4, max_uploads=6))
    shares = [Share(load, "a") for _ in range(3)]
    assert shares[0].excess(3) == 1
    loop = asyncio.new_event_loop()
    bodies = [Sender(share) for share in shares]
    assert [body.share.take_body(body, loop) for body in bodies] == [True, True, False]
    shares[0].unsent(10**9)
    shares[1].head(10**9)
    assert not shares[2].admits_answer()
    for share in shares:
        share.leave()
    share = Share(load, "a")
    assert share.excess(1) <= 0 and share.take_body(Sender(share), loop)
    assert share.admits_answer() and share.head(1)
    loop.close()


def test_slow_down_says_when_to_come_back() -> None:
    """SlowDown carries Retry-After wherever it is raised."""
    assert errors.SlowDown().headers == {"Retry-After": "1"}
