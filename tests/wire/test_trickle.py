"""The watch over bodies that trickle: judged by what came between two looks, and in a minute."""

from dataclasses import dataclass, field

from meiku import errors
from meiku.config import Settings
from meiku.wire.load import Load, Share
from meiku.wire.trickle import LOOK_S, WINDOW_S, Receiving

LEAST = 1024


@dataclass(eq=False)
class Connection:
    """A connection that receives as it is told to."""

    share: Share
    held_back: bool = False
    refused: list[type[errors.S3Error]] = field(default_factory=list)

    def is_held_back(self) -> bool:
        return self.held_back

    def refuse(self, error: type[errors.S3Error]) -> None:
        self.refused.append(error)


def receive(connection: Connection, bytes_per_s: float, seconds: float) -> list[type[errors.S3Error]]:
    """Let bytes come for a while, and look as the watch does."""
    receiving, now_s = Receiving(connection), 0.0
    while now_s < seconds and not connection.refused:
        receiving.look(now_s, LEAST)
        now_s += LOOK_S
        connection.share.body_bytes += int(bytes_per_s * LOOK_S)
    return connection.refused


def a_share(load: Load, client: str) -> Share:
    share = Share(load, client)
    assert share._place_body(load.bodies)
    return share


def test_who_brings_next_to_nothing_is_ended_after_a_minute() -> None:
    """A byte a second is not an upload; four kilobytes are one."""
    load = Load(Settings(workers=1))
    assert receive(Connection(a_share(load, "a")), 1, WINDOW_S - LOOK_S) == []
    assert receive(Connection(a_share(load, "a")), 1, 2 * WINDOW_S) == [errors.RequestTimeout]
    assert receive(Connection(a_share(load, "a")), 4096, 10 * WINDOW_S) == []


def test_a_fast_beginning_does_not_excuse_what_follows() -> None:
    """Each minute counts for itself."""
    load = Load(Settings(workers=1))
    share = a_share(load, "a")
    share.body_bytes = 1 << 30
    assert receive(Connection(share), 1, 2 * WINDOW_S) == [errors.RequestTimeout]


def test_who_is_held_back_by_us_is_not_to_blame() -> None:
    """While the server does not read, nothing comes."""
    load = Load(Settings(workers=1))
    assert receive(Connection(a_share(load, "a"), held_back=True), 0, 10 * WINDOW_S) == []


def test_the_slow_leave_their_places_while_there_are_others_for_them() -> None:
    """As many again; one too many goes on while nobody waits, and is told to come again when all do."""
    load = Load(Settings(workers=1, max_uploads=2))
    slow = [Connection(a_share(load, client)) for client in "ab"]
    assert not load.bodies.admits("c")
    assert [receive(each, 4096, 4 * LOOK_S) for each in slow] == [[], []]
    third = Connection(a_share(load, "c"))
    assert receive(third, 4096, 4 * LOOK_S) == []
    a_share(load, "d")
    assert receive(third, 4096, 4 * LOOK_S) == [errors.SlowDown]
    fast = Connection(a_share(Load(Settings(workers=1, max_uploads=1)), "e"))
    assert receive(fast, 1 << 20, 4 * LOOK_S) == []
