"""Results: what recipes made of objects, kept so that nobody waits for it twice. The statements.

A result is found by its identity, which names every version of every object that it was made from: an object
that is replaced needs no statement here, its results are no longer asked for, and the sweep drops them. Small
bodies lie in the row, others are blobs. What a recipe is, is not known here.
"""

from dataclasses import dataclass

from meiku.meta.records import Content
from meiku.meta.released import release
from meiku.meta.transaction import Statement, Transaction, long

_FIND = "SELECT content_type, size_bytes, blob_id, body, used_at_ms FROM results WHERE identity = $1"
_STORE = (
    "INSERT INTO results (identity, bucket_id, key, etag, modified_at_ms, content_type, size_bytes, blob_id, "
    "body, used_at_ms) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10)"
)
_DROP = "DELETE FROM results WHERE identity = $1 RETURNING blob_id, size_bytes"
_OLDEST = "SELECT identity FROM results ORDER BY used_at_ms, size_bytes, identity LIMIT $1"
# The sum of all rows, kept by the transactions that add and drop them: nobody adds it up again.
_TOTAL = "SELECT size_bytes FROM results_total"
_COUNT = "UPDATE results_total SET size_bytes = size_bytes + $1"
_STALE = (
    "SELECT r.identity FROM results r WHERE NOT EXISTS (SELECT 1 FROM objects o WHERE "
    "o.bucket_id = r.bucket_id AND o.key = r.key AND o.etag = r.etag "
    "AND o.modified_at_ms = r.modified_at_ms) LIMIT $1"
)


@dataclass(frozen=True, slots=True)
class ResultSource:
    """The version of the object that a result was made of."""

    bucket_id: int
    key: bytes
    etag: str
    modified_at_ms: int


@dataclass(frozen=True, slots=True)
class ResultRecord:
    """A kept result: its bytes are in `body`, or in a blob."""

    content_type: str
    size_bytes: int
    blob_id: str | None
    body: bytes | None
    used_at_ms: int


def find_result(identity: str) -> Transaction[ResultRecord | None]:
    """Find a result."""
    rows = yield Statement(_FIND, (identity,))
    return ResultRecord(*rows[0]) if rows else None


def store_result(identity: str, source: ResultSource, made: ResultRecord) -> Transaction[None]:
    """Keep a result in place of the former of this identity."""
    yield from drop_result(identity, made.used_at_ms)
    yield Statement(
        _STORE,
        (
            identity,
            source.bucket_id,
            source.key,
            source.etag,
            source.modified_at_ms,
            made.content_type,
            made.size_bytes,
            made.blob_id,
            made.body,
            made.used_at_ms,
        ),
    )
    yield Statement(_COUNT, (made.size_bytes,))


def touch_result(identity: str, now_ms: int) -> Transaction[None]:
    """Remember that a result was used."""
    yield Statement("UPDATE results SET used_at_ms = $1 WHERE identity = $2", (now_ms, identity))


def drop_result(identity: str, now_ms: int) -> Transaction[None]:
    """Forget a result and release its blob."""
    rows = yield Statement(_DROP, (identity,))
    for blob_id, size_bytes in rows:
        yield Statement(_COUNT, (-size_bytes,))
        if blob_id is not None:
            yield from release(Content("blob", blob_id), now_ms)


@long
def drop_results_over(limit_bytes: int, now_ms: int, limit: int) -> Transaction[bool]:
    """Forget the results that were used longest ago, `limit` at most; tells whether the others fit."""
    rows = yield Statement(_OLDEST, (limit,))
    for (identity,) in rows:
        if (yield from results_bytes()) <= limit_bytes:
            return True
        yield from drop_result(identity, now_ms)
    return not rows or (yield from results_bytes()) <= limit_bytes


@long
def drop_stale_results(now_ms: int, limit: int) -> Transaction[int]:
    """Forget results of objects that were replaced or removed; tells how many, `limit` at most."""
    rows = yield Statement(_STALE, (limit,))
    for (identity,) in rows:
        yield from drop_result(identity, now_ms)
    return len(rows)


def results_bytes() -> Transaction[int]:
    """Tell how many bytes all results have."""
    rows = yield Statement(_TOTAL)
    return int(rows[0][0])
