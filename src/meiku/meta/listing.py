"""Listing: pages of keys in byte order, with a delimiter folding the keys that share a prefix into one.

A folded prefix is passed by seeking to the first key behind it, so a page costs what it returns, not what
lies under its prefixes. The same walk serves objects and uploads. Order and markers as in
https://docs.aws.amazon.com/AmazonS3/latest/API/API_ListObjectsV2.html
"""

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, Generic, TypeVar

from meiku.meta.records import ListedObjects, ObjectPage
from meiku.meta.transaction import Row, Statement, Transaction

P = TypeVar("P")
_FIRST_LOOK_ROWS = 16
_LIST = (
    "SELECT key, size_bytes, etag, modified_at_ms, owner_id, storage_class, checksums FROM objects "
    "WHERE bucket_id = $1 AND key >= $2 AND key < $3 ORDER BY key LIMIT $4"
)
# A key has at most 1,023 bytes, so nothing sorts behind this.
BEHIND_ALL_KEYS = b"\xff" * 1024


def successor(prefix: bytes) -> bytes:
    """Tell the first key that sorts behind every key with this prefix."""
    head = prefix.rstrip(b"\xff")
    return head[:-1] + bytes([head[-1] + 1]) if head else BEHIND_ALL_KEYS


def folded(key: bytes, prefix: bytes, delimiter: bytes) -> bytes | None:
    """Tell the common prefix that a key under `prefix` folds into; None when it stands for itself."""
    if not delimiter:
        return None
    end = key.find(delimiter, len(prefix))
    return None if end < 0 else key[: end + len(delimiter)]


def list_objects(
    bucket_id: int,
    prefix: bytes,
    delimiter: bytes,
    after: bytes,
    start_inclusive: bool,
    limit: int,
) -> Transaction[ObjectPage]:
    """List a page of objects behind `after` (or from it on, when the start is inclusive).

    When `after` lies in a common prefix, all of that prefix counts as listed, unless the start is inclusive.
    """
    start = after if start_inclusive or not after else behind(after, prefix, delimiter)
    stop = successor(prefix)
    walk = Walk[bytes](
        prefix=prefix,
        delimiter=delimiter,
        limit=limit,
        look=lambda position, rows: Statement(_LIST, (bucket_id, position, stop, rows)),
        at_key=lambda key: key,
        after_row=lambda row: bytes(row[0]) + b"\0",
    )
    yield from walk.run(max(start, prefix))
    objects = ListedObjects(*zip(*walk.rows, strict=True))
    return ObjectPage(objects, walk.common_prefixes, walk.last if walk.truncated else None)


def behind(marker: bytes, prefix: bytes, delimiter: bytes) -> bytes:
    """Tell the first key that a page behind a marker may show."""
    common = folded(marker, prefix, delimiter) if marker.startswith(prefix) else None
    return successor(common) if common is not None else marker + b"\0"


@dataclass(slots=True)
class Walk(Generic[P]):
    """A walk over rows that begin with a key: gathers rows and common prefixes until the page is full.

    A position is whatever the statement needs to begin from; `P` is its type.
    """

    prefix: bytes
    delimiter: bytes
    limit: int
    look: Callable[[P, int], Statement]
    at_key: Callable[[bytes], P]
    after_row: Callable[[Row], P]
    rows: list[Row] = field(default_factory=list)
    common_prefixes: list[bytes] = field(default_factory=list)
    last: Any = None  # the key or common prefix the page ends with
    truncated: bool = False

    def run(self, position: P) -> Transaction[None]:
        """Walk from a position until the page is full or the rows end."""
        if self.limit <= 0:
            return
        look_rows = _FIRST_LOOK_ROWS if self.delimiter else self.limit + 1
        while True:
            # One row more than there is room for, which tells whether the page is truncated.
            wanted = min(look_rows, self._room() + 1)
            rows = yield self.look(position, wanted)
            folds = len(self.common_prefixes)
            position = self._take(rows, position)
            if self.truncated or len(rows) < wanted:
                return
            look_rows = look_rows * 4 if len(self.common_prefixes) == folds else _FIRST_LOOK_ROWS

    def _room(self) -> int:
        return self.limit - len(self.rows) - len(self.common_prefixes)

    def _take_plainly(self, rows: list[Row], position: P) -> P:
        """Take rows as they are, where nothing folds."""
        room = self._room()
        taken = rows[:room]
        self.truncated = len(rows) > room
        self.rows += taken
        if not taken:
            return position
        self.last = taken[-1][0]
        return self.after_row(taken[-1])

    def _take(self, rows: list[Row], position: P) -> P:
        """Take rows into the page; tells where to look next."""
        if not self.delimiter:
            return self._take_plainly(rows, position)
        common: bytes | None = None
        for row in rows:
            if common is not None and row[0].startswith(common):
                continue
            if not self._room():
                self.truncated = True
                return position
            common = folded(row[0], self.prefix, self.delimiter)
            if common is None:
                self.rows.append(row)
                self.last, position = row[0], self.after_row(row)
            else:
                self.common_prefixes.append(common)
                self.last, position = common, self.at_key(successor(common))
        return position
