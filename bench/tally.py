"""What a load generator counted; no knowledge of how it was made."""

from dataclasses import dataclass, field


class BadAnswer(Exception):
    """An answer was not what the work asks for: the run is no result."""


@dataclass(frozen=True, slots=True)
class Plan:
    """What to send: to every target a request of `verb`, the target, and the pieces joined by the key.

    With `times` every request is sent so many times and all are answered; 0 is over and over, until the time
    is up and what is still on its way is cut.
    """

    verb: str
    targets: tuple[tuple[str, str], ...]  # key, and what stands in the request line (signed)
    pieces: tuple[bytes, ...]
    times: int = 0


@dataclass(frozen=True, slots=True)
class Tally:
    """The outcome of one run; latencies are of whole requests."""

    answers: int
    requests_per_s: float
    p50_ms: float
    p99_ms: float
    errors: dict[str, int] = field(default_factory=dict)

    def require_clean(self) -> "Tally":
        """Raise BadAnswer when anything but the expected answers came."""
        wrong = {name: count for name, count in self.errors.items() if count}
        if wrong:
            raise BadAnswer(", ".join(f"{count} × {name}" for name, count in wrong.items()))
        return self


def tally_of(parts: list[dict[str, list[int]]]) -> Tally:
    """Join what several processes counted: durations in microseconds, and each one's window."""
    durations = sorted(us for part in parts for us in part["durations_us"])
    if not durations:
        return Tally(0, 0.0, 0.0, 0.0)
    rate = sum(len(part["durations_us"]) / (part["window_us"][0] / 1e6) for part in parts)
    middle, late = durations[len(durations) // 2], durations[int(len(durations) * 0.99)]
    return Tally(len(durations), rate, middle / 1e3, late / 1e3)
