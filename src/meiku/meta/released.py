"""Released content: what no record points at any more, and when it may go.

Bytes beside the rows go at once, because a reader takes them in the snapshot that showed it the record. Blobs
and the inline bytes of parts wait here for a grace period: a download that is running still needs them.
"""

from collections.abc import Collection

from meiku import errors
from meiku.meta.records import Content
from meiku.meta.transaction import Statement, Transaction, long

_TAKE = (
    "SELECT blob_id FROM released_blobs r WHERE released_at_ms < $1 "
    "AND NOT EXISTS (SELECT 1 FROM objects WHERE content_id = r.blob_id) "
    "AND NOT EXISTS (SELECT 1 FROM parts WHERE content_id = r.blob_id) "
    "ORDER BY released_at_ms LIMIT $2"
)
_REFERENCED = (
    "SELECT 1 WHERE EXISTS (SELECT 1 FROM objects WHERE content_id = $1) "
    "OR EXISTS (SELECT 1 FROM parts WHERE content_id = $1) "
    "OR EXISTS (SELECT 1 FROM results WHERE blob_id = $1) "
    "OR EXISTS (SELECT 1 FROM released_blobs WHERE blob_id = $1)"
)
_RELEASE_BLOB = (
    "INSERT INTO released_blobs (blob_id, released_at_ms) VALUES ($1, $2) "
    "ON CONFLICT (blob_id) DO UPDATE SET released_at_ms = excluded.released_at_ms"
)
_RELEASE_PART_BLOBS = (
    "INSERT INTO released_blobs (blob_id, released_at_ms) SELECT content_id, $1 FROM parts "
    "WHERE upload_id = $2 AND content_kind = 'blob' "
    "ON CONFLICT (blob_id) DO UPDATE SET released_at_ms = excluded.released_at_ms"
)
_RELEASE_PART_BYTES = (
    "INSERT INTO released_inline (inline_id, released_at_ms) SELECT inline_id, $1 FROM parts "
    "WHERE upload_id = $2 AND inline_id IS NOT NULL"
)


def release(content: Content, now_ms: int) -> Transaction[None]:
    """Release what an object pointed at."""
    if content.kind == "inline":
        yield Statement("DELETE FROM inline_bytes WHERE inline_id = $1", (int(content.id or 0),))
    elif content.kind == "blob":
        yield Statement(_RELEASE_BLOB, (content.id, now_ms))
    elif content.kind == "parts":
        yield from release_parts(content.id or "", now_ms)


def release_later(content: Content, now_ms: int) -> Transaction[None]:
    """Release what a part pointed at; its inline bytes outlive the grace period too."""
    if content.kind == "inline":
        yield Statement(
            "INSERT INTO released_inline (inline_id, released_at_ms) VALUES ($1, $2)",
            (int(content.id or 0), now_ms),
        )
    else:
        yield from release(content, now_ms)


def release_parts(upload_id: str, now_ms: int) -> Transaction[None]:
    """Release all parts of an upload, and their rows."""
    yield Statement(_RELEASE_PART_BLOBS, (now_ms, upload_id))
    yield Statement(_RELEASE_PART_BYTES, (now_ms, upload_id))
    yield Statement("DELETE FROM parts WHERE upload_id = $1", (upload_id,))


def require_kept(blob_id: str) -> Transaction[None]:
    """Raise Missing when a blob was released before a record could point at it."""
    rows = yield Statement("SELECT 1 FROM released_blobs WHERE blob_id = $1", (blob_id,))
    if rows:
        raise errors.Missing("content")


def take_released(before_ms: int, limit: int) -> Transaction[list[str]]:
    """List blobs released before a moment, oldest first, that nothing points at; none is forgotten yet."""
    rows = yield Statement(_TAKE, (before_ms, limit))
    return [row[0] for row in rows]


@long
def forget_released(blob_ids: Collection[str]) -> Transaction[None]:
    """Forget blobs that have been deleted."""
    for blob_id in blob_ids:
        yield Statement("DELETE FROM released_blobs WHERE blob_id = $1", (blob_id,))


@long
def drop_released_inline(before_ms: int, limit: int) -> Transaction[int]:
    """Drop the inline bytes of parts that were released before a moment; tells how many."""
    rows = yield Statement(
        "SELECT inline_id FROM released_inline WHERE released_at_ms < $1 LIMIT $2", (before_ms, limit)
    )
    for (inline_id,) in rows:
        yield Statement("DELETE FROM inline_bytes WHERE inline_id = $1", (inline_id,))
        yield Statement("DELETE FROM released_inline WHERE inline_id = $1", (inline_id,))
    return len(rows)


def referenced(blob_ids: Collection[str]) -> Transaction[set[str]]:
    """Tell which blobs a record points at or the grace period still keeps; the others are orphans."""
    kept = set()
    for blob_id in blob_ids:
        rows = yield Statement(_REFERENCED, (blob_id,))
        if rows:
            kept.add(blob_id)
    return kept
