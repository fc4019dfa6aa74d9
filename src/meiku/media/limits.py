"""How much the making of pictures may take. Numbers only; who keeps to them is elsewhere."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Limits:
    """What one recipe may take, how many are followed at once by all servers, and how many wait in each.

    One client has as many under way as there are workers, one bucket one more, and then there is one more
    still: whoever comes finds a worker, whatever somebody else has asked for. Those two begin only then.
    """

    timeout_s: float = 30.0
    memory_bytes: int = 1 << 30
    workers: int = 1
    waiting: int = 64

    @property
    def of_one_client(self) -> int:
        """The most that one client has under way."""
        return self.workers

    @property
    def of_one_bucket(self) -> int:
        """The most that is under way in one bucket."""
        return self.workers + 1

    @property
    def in_all(self) -> int:
        """The most workers that there ever are."""
        return self.workers + 2
