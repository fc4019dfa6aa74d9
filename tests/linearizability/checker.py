"""Is a history of one register linearizable? A search after Wing and Gong, with what was seen remembered.

A history is what clients saw of one key: each call with the moments it began and ended. It is linearizable
when some order of the calls, which respects that what ended came before what began later, explains every
outcome. Knows no server; an etag stands for a value, ABSENT for none. A value that strangers may see has
OPEN behind it: an ACL adds or takes that away, and a stranger's look must fit it.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from math import inf
from typing import Literal

ABSENT = ""
OPEN = "+"
Kind = Literal["put", "put-if-absent", "put-if-match", "remove", "read", "set-acl", "peek"]
Outcome = Literal["done", "refused", "missing", "unknown"]


@dataclass(frozen=True, slots=True)
class Call:
    """One call: `value` is what it writes or saw (of an ACL: OPEN or ""), `expected` what If-Match named."""

    kind: Kind
    began_s: float
    ended_s: float
    value: str = ABSENT
    expected: str = ABSENT
    outcome: Outcome = "done"

    @property
    def latest_s(self) -> float:
        """The last moment at which it can have taken effect."""
        return inf if self.outcome == "unknown" else self.ended_s

    def after(self, held: str) -> str | None:
        """Tell what the register holds after this call; None when it cannot have ended so."""
        if self.outcome == "unknown":
            return self.value
        if self.kind == "read":
            return held if self.value == held.removesuffix(OPEN) else None
        if self.kind == "peek":
            return held if self._is_what_a_stranger_sees_of(held) else None
        if self.kind == "set-acl":
            return self._with_acl(held)
        if self.kind == "put-if-absent":
            return self._conditional(held, held == ABSENT)
        if self.kind == "put-if-match" and held == ABSENT:
            return held if self.outcome == "missing" else None
        if self.kind == "put-if-match":
            return self._conditional(held, held.removesuffix(OPEN) == self.expected)
        return self.value

    @property
    def changes_nothing(self) -> bool:
        """Tell whether it leaves what is held, wherever in the order it stands."""
        return self.kind in ("read", "peek") or self.outcome in ("refused", "missing")

    def _is_what_a_stranger_sees_of(self, held: str) -> bool:
        return not held.endswith(OPEN) if self.outcome == "refused" else held == self.value + OPEN

    def _with_acl(self, held: str) -> str | None:
        if self.outcome == "missing" or held == ABSENT:
            return held if self.outcome == "missing" and held == ABSENT else None
        return held.removesuffix(OPEN) + self.value

    def _conditional(self, held: str, met: bool) -> str | None:
        if self.outcome == "missing" or met != (self.outcome == "done"):
            return None
        return self.value if met else held


Position = tuple[int, frozenset[int], str]


def is_linearizable(history: Sequence[Call]) -> bool:
    """Search for an order that explains every outcome; the register begins empty."""
    calls = sorted(history, key=lambda call: call.began_s)
    seen: set[Position] = set()
    waiting: list[Position] = [(0, frozenset(), ABSENT)]
    while waiting:
        position = waiting.pop()
        candidates = list(_candidates(calls, position))
        if all(calls[number].outcome == "unknown" for number in candidates):
            return True
        for following in _following(calls, position, candidates):
            if following not in seen:
                seen.add(following)
                waiting.append(following)
    return False


def _candidates(calls: Sequence[Call], position: Position) -> Iterator[int]:
    """Give the calls that may come next: those that began before any that is left had to end."""
    first, taken, _ = position
    deadline_s = inf
    for number in range(first, len(calls)):
        if calls[number].began_s > deadline_s:
            return
        if number not in taken:
            deadline_s = min(deadline_s, calls[number].latest_s)
            yield number


def _following(calls: Sequence[Call], position: Position, candidates: Sequence[int]) -> list[Position]:
    """Give where one more call leads; one that changes nothing and fits is taken before all others."""
    _, _, held = position
    found = []
    for number in candidates:
        after = calls[number].after(held)
        if after is not None and calls[number].changes_nothing:
            return [_taken(position, number, held)]
        if after is not None:
            found.append(_taken(position, number, after))
    return found


def _taken(position: Position, number: int, held: str) -> Position:
    first, taken, _ = position
    taken |= {number}
    while first in taken:
        taken -= {first}
        first += 1
    return first, taken, held
