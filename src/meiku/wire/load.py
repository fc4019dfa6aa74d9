"""What the connections of one worker hold together, and how much of it is too much.

Counts and bytes only, kept by the connections as they come, wait and go; what lies over a limit is answered
503 SlowDown by them. What must not live here: sockets, or anything that knows a request.
"""

import asyncio
import resource

from meiku.config import Settings
from meiku.wire.trickle import Connection, TrickleWatch

# Heads that have begun and not ended, of all connections together.
HEADS_LIMIT_BYTES = 16 * 1024 * 1024
# Connections over the limit that are still told so; beyond these they are cut. Of few files a quarter.
_REFUSED_AT_ONCE = 128
# What a worker has open besides its connections: stores, locks, pipes; and what a connection may have open.
_OWN_FILES, _FILES_EACH = 64, 2


def connections_that_fit(settings: Settings) -> int:
    """Tell how many connections one worker may have: its share, or as many as may have a file open each.

    More would find none to open, in the middle of what they were promised.
    """
    fitting = (_files() - _OWN_FILES - refused_at_once()) // _FILES_EACH
    return max(1, min(settings.max_connections // settings.workers, fitting))


def refused_at_once() -> int:
    """Tell how many connections over the limit may be open while they are told so."""
    return min(_REFUSED_AT_ONCE, _files() // 4)


def _files() -> int:
    return resource.getrlimit(resource.RLIMIT_NOFILE)[0]


class Held:
    """Something of which there is a limited amount; no client gets the last quarter of it alone."""

    __slots__ = ("_clients", "_limit", "_total")

    def __init__(self, limit: int) -> None:
        """Hold nothing yet."""
        self._limit = limit
        self._total = 0
        self._clients: dict[str, int] = {}

    def admits(self, client: str) -> bool:
        """Tell whether a client may take more."""
        own = self._clients.get(client, 0)
        return self._total < self._limit and (not own or own < self._limit * 3 // 4)

    @property
    def has_room(self) -> bool:
        """Tell whether anybody may take more."""
        return self._total < self._limit

    def add(self, client: str, amount: int) -> None:
        """Note that a client holds more, or less."""
        self._total += amount
        own = self._clients.get(client, 0) + amount
        if own:
            self._clients[client] = own
        else:
            self._clients.pop(client, None)

    def of(self, client: str) -> int:
        """Tell how much a client holds."""
        return self._clients.get(client, 0)


class Load:
    """One worker's share of every limit, and what is taken of it."""

    __slots__ = (
        *("bodies", "client_limit", "connections", "connections_limit", "heads_bytes", "slow_bodies"),
        *("refused_limit", "trickle", "unsent_bytes"),
    )

    def __init__(self, settings: Settings) -> None:
        """Take an even share of what all workers may hold."""
        workers = settings.workers
        self.connections_limit, self.refused_limit = connections_that_fit(settings), refused_at_once()
        self.client_limit = min(self.connections_limit, max(1, settings.connections_per_client // workers))
        self.connections = Held(self.connections_limit)
        self.bodies = Held(max(1, settings.max_uploads // workers))
        # As many again, for those who send slowly: they need little but time, and keep nobody waiting.
        self.slow_bodies = Held(max(1, settings.max_uploads // workers))
        self.trickle = TrickleWatch(settings.body_least_bytes_per_s)
        self.unsent_bytes = Held(settings.unsent_limit_bytes // workers)
        self.heads_bytes = Held(HEADS_LIMIT_BYTES)


class Share:
    """What one connection holds; it gives everything back when it leaves."""

    __slots__ = ("_body_of", "_body_place", "_client", "_load", "_unsent_bytes", "body_bytes", "head_bytes")

    def __init__(self, load: Load, client: str) -> None:
        """Count a client's new connection in."""
        self.head_bytes = self.body_bytes = 0
        self._load = load
        self._client = client
        self._body_place: Held | None = None
        self._body_of: Connection | None = None
        self._unsent_bytes = 0
        load.connections.add(client, 1)

    def excess(self, connections: int) -> int:
        """Tell by how many connections there are too many, of all clients' or of this one's."""
        load = self._load
        own = load.connections.of(self._client) - load.client_limit if self._client else 0
        return max(connections - load.connections_limit, own)

    def head(self, size_bytes: int) -> bool:
        """Note how many bytes of an unfinished head are held; False where that is too much."""
        self._load.heads_bytes.add(self._client, size_bytes - self.head_bytes)
        self.head_bytes = size_bytes
        return not size_bytes or self._load.heads_bytes.admits(self._client)

    def unsent(self, size_bytes: int) -> None:
        """Note how many bytes wait for a slow reader."""
        self._load.unsent_bytes.add(self._client, size_bytes - self._unsent_bytes)
        self._unsent_bytes = size_bytes

    def admits_answer(self) -> bool:
        """Tell whether there is room for one more answer to wait for its reader."""
        return self._load.unsent_bytes.admits(self._client)

    def take_body(self, connection: Connection, loop: asyncio.AbstractEventLoop) -> bool:
        """Begin to receive a connection's body; False where too many are being received."""
        if not self._place_body(self._load.bodies):
            return False
        self.body_bytes, self._body_of = 0, connection
        self._load.trickle.begin(connection, loop)
        return True

    def make_way(self) -> bool:
        """Leave a body's place to others, for a slow one; False where there is none and others wait."""
        slow = self._load.slow_bodies
        return self._body_place is slow or self._place_body(slow) or self._load.bodies.has_room

    def _place_body(self, place: Held) -> bool:
        if not place.admits(self._client):
            return False
        if self._body_place is not None:
            self._body_place.add(self._client, -1)
        place.add(self._client, 1)
        self._body_place = place
        return True

    def let_go_of_body(self) -> None:
        """Hold a body no longer: it is whole, or nobody wants it."""
        if self._body_place is not None and self._body_of is not None:
            self._body_place.add(self._client, -1)
            self._load.trickle.end(self._body_of)
            self._body_place = self._body_of = None

    def leave(self) -> None:
        """Count the connection out, with all that it held."""
        self.head(0)
        self.unsent(0)
        self.let_go_of_body()
        self._load.connections.add(self._client, -1)
