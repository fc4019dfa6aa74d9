"""The checker itself: histories that are linearizable, and histories that are not."""

import random

import pytest

from linearizability.checker import ABSENT, OPEN, Call, is_linearizable

A, B, C = "a", "b", "c"

GOOD = {
    "nothing happened": [],
    "a read of nothing": [Call("read", 0, 1)],
    "one after the other": [Call("put", 0, 1, A), Call("read", 2, 3, A)],
    "a read beside a write sees the old": [Call("put", 0, 9, A), Call("read", 1, 2, ABSENT)],
    "a read beside a write sees the new": [Call("put", 0, 9, A), Call("read", 1, 2, A)],
    "two writes side by side, either order": [
        Call("put", 0, 9, A),
        Call("put", 0, 9, B),
        Call("read", 10, 11, A),
    ],
    "reads that see one order": [
        Call("put", 0, 9, A),
        Call("put", 0, 9, B),
        Call("read", 1, 2, B),
        Call("read", 3, 4, A),
    ],
    "one winner": [Call("put-if-absent", 0, 9, A), Call("put-if-absent", 0, 9, B, outcome="refused")],
    "a swap, and one that came late": [
        Call("put", 0, 1, A),
        Call("put-if-match", 2, 9, B, A),
        Call("put-if-match", 2, 9, C, A, "refused"),
        Call("read", 10, 11, B),
    ],
    "a swap of nothing": [Call("put-if-match", 0, 1, B, A, "missing")],
    "a removal between": [
        Call("put", 0, 1, A),
        Call("remove", 2, 9),
        Call("read", 3, 4, A),
        Call("read", 5, 6, ABSENT),
    ],
    "an unanswered write that happened": [Call("put", 0, 1, A, outcome="unknown"), Call("read", 8, 9, A)],
    "an unanswered write that did not": [Call("put", 0, 1, A, outcome="unknown"), Call("read", 8, 9)],
    "an open value that a stranger saw before it was closed": [
        Call("put", 0, 1, A + OPEN),
        Call("set-acl", 2, 9, ""),
        Call("peek", 3, 4, A),
        Call("peek", 5, 6, outcome="refused"),
        Call("read", 10, 11, A),
    ],
    "an ACL of nothing": [
        Call("set-acl", 0, 1, OPEN, outcome="missing"),
        Call("peek", 2, 3, outcome="refused"),
    ],
}
BAD = {
    "a value from nowhere": [Call("read", 0, 1, A)],
    "a lost write": [Call("put", 0, 1, A), Call("read", 2, 3, ABSENT)],
    "a stale read": [Call("put", 0, 1, A), Call("put", 2, 3, B), Call("read", 4, 5, A)],
    "a read that goes back": [
        Call("put", 0, 1, A),
        Call("put", 2, 9, B),
        Call("read", 3, 4, B),
        Call("read", 5, 6, A),
    ],
    "two readers that see two orders": [
        Call("put", 0, 1, A),
        Call("put", 0, 1, B),
        Call("read", 2, 3, A),
        Call("read", 4, 5, B),
    ],
    "two winners": [Call("put-if-absent", 0, 9, A), Call("put-if-absent", 0, 9, B)],
    "no winner": [Call("put-if-absent", 0, 9, A, outcome="refused")],
    "a lost update": [
        Call("put", 0, 1, A),
        Call("put-if-match", 2, 9, B, A),
        Call("put-if-match", 2, 9, C, A),
    ],
    "a swap refused for no reason": [
        Call("put", 0, 1, A),
        Call("put-if-match", 2, 3, B, A, "refused"),
        Call("read", 4, 5, A),
    ],
    "a removed value that comes back": [
        Call("put", 0, 1, A),
        Call("remove", 2, 3),
        Call("read", 4, 5, A),
    ],
    "a private value that a stranger saw": [
        Call("put", 0, 1, A + OPEN),
        Call("put", 2, 9, B),
        Call("peek", 3, 4, B),
    ],
    "a stranger sees what had been closed": [
        Call("put", 0, 1, A + OPEN),
        Call("set-acl", 2, 3, ""),
        Call("peek", 4, 5, A),
    ],
    "an ACL that opens another value than the one it was given to": [
        Call("put", 0, 1, A + OPEN),
        Call("put", 2, 3, B),
        Call("peek", 4, 5, B),
    ],
    "a refused write that is seen": [
        Call("put", 0, 1, A),
        Call("put-if-absent", 2, 3, B, outcome="refused"),
        Call("read", 4, 5, B),
    ],
}


@pytest.mark.parametrize("name", GOOD)
def test_what_some_order_explains_is_linearizable(name: str) -> None:
    """Every one of these has an order in which each outcome follows from those before it."""
    assert is_linearizable(GOOD[name])


@pytest.mark.parametrize("name", BAD)
def test_what_no_order_explains_is_not(name: str) -> None:
    """None of these has such an order."""
    assert not is_linearizable(BAD[name])


def made_history(luck: random.Random, size: int) -> list[Call]:
    """Play calls on a register one at a time, then widen each around its moment, so that they overlap."""
    held, calls = ABSENT, []
    for moment in range(size):
        began_s, ended_s = moment - luck.uniform(0, 6), moment + luck.uniform(0, 6)
        kind = luck.choice(["put", "put-if-absent", "remove", "read", "read"])
        value = held if kind == "read" else ABSENT if kind == "remove" else f"v{moment}"
        refused = kind == "put-if-absent" and held != ABSENT
        calls.append(Call(kind, began_s, ended_s, value, outcome="refused" if refused else "done"))
        held = held if refused else value
    return calls


@pytest.mark.parametrize("seed", range(5))
def test_a_long_history_is_decided_either_way(seed: int) -> None:
    """2,000 overlapping calls that were played one by one are; with one read of a lost value they are not."""
    luck = random.Random(seed)
    calls = made_history(luck, 2000)
    luck.shuffle(calls)
    assert is_linearizable(calls)
    assert not is_linearizable([*calls, Call("read", 900, 1100, "never written")])
    first = next(call.value for call in sorted(calls, key=lambda c: c.began_s) if call.kind == "put")
    assert not is_linearizable([*calls, Call("read", 1900, 1901, first)])
