"""How much the making of pictures may take. Numbers only; who keeps to them is elsewhere."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Limits:
    """What one recipe may take, how many are followed at once by all servers, and how many wait in each."""

    timeout_s: float = 30.0
    memory_bytes: int = 1 << 30
    workers: int = 1
    waiting: int = 32
