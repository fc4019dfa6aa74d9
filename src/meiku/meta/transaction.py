"""A transaction: a generator that yields statements, is sent their rows, and returns its result.

So meaning is written once: a driver of any engine runs the generator, and knows none of it. Parameters are
`$1`, `$2`, … numbered by first appearance, so that binding by position and binding by number agree. A
transaction may be run again from the start and therefore has no effects but its statements.
"""

from collections.abc import Callable, Generator
from typing import Any, NamedTuple, TypeAlias, TypeVar

Value: TypeAlias = int | float | str | bytes | None
# The schema, not the checker, says what a column holds: rows go into records by position.
Row: TypeAlias = tuple[Any, ...]
T = TypeVar("T")
F = TypeVar("F", bound=Callable[..., Any])


_long: set[Any] = set()


class Statement(NamedTuple):
    """One SQL statement and the values of its parameters."""

    sql: str
    values: tuple[Value, ...] = ()


Transaction: TypeAlias = Generator[Statement, list[Row], T]


def long(flow: F) -> F:
    """Mark a transaction of a thousand statements and more; a driver lets it hold up nobody."""
    _long.add(flow)
    return flow


def is_long(flow: object) -> bool:
    """Tell whether a transaction was marked as long."""
    return flow in _long
