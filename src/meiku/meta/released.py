"""Released content: what no record points at any more, and when it may go.

Bytes beside the rows go at once, because a reader takes them in the snapshot that showed it the record. Blobs
and the inline bytes of parts wait here for a grace period: a download that is running still needs them. An
upload's parts, which may be 10,000, are released by one row: their own stay through the grace, name their
content still, and are taken apart in pages.
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
    "INSERT INTO released_blobs (blob_id, released_at_ms) VALUES ($1, $2) ON CONFLICT (blob_id) "
    "DO UPDATE SET released_at_ms = max(released_blobs.released_at_ms, excluded.released_at_ms)"
)
_RELEASE_UPLOAD = (
    "INSERT INTO released_uploads (upload_id, released_at_ms) SELECT $1, $2 "
    "WHERE EXISTS (SELECT 1 FROM parts WHERE upload_id = $1) "
    "ON CONFLICT (upload_id) DO UPDATE SET released_at_ms = excluded.released_at_ms"
)
_OLDEST_UPLOAD = (
    "SELECT upload_id, released_at_ms FROM released_uploads r WHERE released_at_ms < $1 "
    "AND NOT EXISTS (SELECT 1 FROM objects WHERE content_id = r.upload_id) "
    "AND NOT EXISTS (SELECT 1 FROM uploads WHERE upload_id = r.upload_id) "
    "ORDER BY released_at_ms LIMIT 1"
)
_PAGE_OF_PARTS = (
    "SELECT part_number, CASE content_kind WHEN 'blob' THEN content_id END, inline_id FROM parts "
    "WHERE upload_id = $1 ORDER BY part_number LIMIT $2"
)
_RELEASE_BYTES = (
    "INSERT INTO released_inline (inline_id, released_at_ms) VALUES ($1, $2) "
    "ON CONFLICT (inline_id) DO UPDATE SET released_at_ms = excluded.released_at_ms"
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
        yield Statement(_RELEASE_BYTES, (int(content.id or 0), now_ms))
    else:
        yield from release(content, now_ms)


def release_parts(upload_id: str, now_ms: int) -> Transaction[None]:
    """Release all parts of an upload at once, however many they are."""
    yield Statement(_RELEASE_UPLOAD, (upload_id, now_ms))


@long
def take_apart(before_ms: int, limit: int) -> Transaction[bool]:
    """Take the next parts, so many at most, of an upload released before a moment, and drop their rows.

    Each is released by itself, as of then. Tells whether there was such an upload that nothing points at.
    """
    rows = yield Statement(_OLDEST_UPLOAD, (before_ms,))
    if not rows:
        return False
    upload_id, released_at_ms = rows[0]
    parts = yield Statement(_PAGE_OF_PARTS, (upload_id, limit))
    for _, blob_id, inline_id in parts:
        if blob_id is not None:
            yield Statement(_RELEASE_BLOB, (blob_id, released_at_ms))
        if inline_id is not None:
            yield Statement(_RELEASE_BYTES, (inline_id, released_at_ms))
    if parts:
        yield Statement(
            "DELETE FROM parts WHERE upload_id = $1 AND part_number <= $2", (upload_id, parts[-1][0])
        )
    if len(parts) < limit:
        yield Statement("DELETE FROM released_uploads WHERE upload_id = $1", (upload_id,))
    return True


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
