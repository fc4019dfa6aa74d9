"""What is stored: every row that names bytes, page by page, for whoever compares rows with bytes.

Reading only, but for what mends rows that contradict each other. Each page is a snapshot of its own, so
that a walk of days holds up nobody: what a page showed may have changed since, and must be looked at again
before anything is said of it. Whether the bytes are right is not known here.
"""

# Statements are joined from constants of the house, never from values.
# ruff: noqa: S608

from collections.abc import Collection
from dataclasses import dataclass

from meiku.meta.records import Content
from meiku.meta.transaction import Row, Statement, Transaction, long

_OBJECT = (
    "SELECT o.bucket_id, COALESCE(b.name, ''), o.key, o.size_bytes, o.content_kind, "
    "COALESCE(o.content_id, CAST(o.inline_id AS TEXT)), o.checksums "
    "FROM objects o LEFT JOIN buckets b ON b.bucket_id = o.bucket_id "
)
_UPLOADS = (
    "SELECT u.upload_id, COALESCE(b.name, ''), u.key FROM uploads u "
    "LEFT JOIN buckets b ON b.bucket_id = u.bucket_id WHERE u.upload_id > $1 ORDER BY u.upload_id LIMIT $2"
)
_TOTALS = (
    "SELECT COUNT(*), COALESCE(SUM(size_bytes), 0) FROM objects UNION ALL "
    "SELECT COUNT(*), COALESCE(SUM(size_bytes), 0) FROM parts p "
    "WHERE EXISTS (SELECT 1 FROM uploads u WHERE u.upload_id = p.upload_id)"
)
# The parts of nobody: neither of an upload in progress or one that was released, nor of an object.
_STRAYS = (
    "SELECT DISTINCT p.upload_id FROM parts p WHERE "
    "NOT EXISTS (SELECT 1 FROM uploads u WHERE u.upload_id = p.upload_id) AND NOT EXISTS "
    "(SELECT 1 FROM objects o WHERE o.content_id = p.upload_id AND o.content_kind = 'parts') AND NOT EXISTS "
    "(SELECT 1 FROM released_uploads r WHERE r.upload_id = p.upload_id) "
    "AND p.upload_id > $1 ORDER BY p.upload_id LIMIT $2"
)
_RELEASED_IN_USE = (
    "SELECT r.blob_id FROM released_blobs r WHERE EXISTS "
    "(SELECT 1 FROM objects o WHERE o.content_id = r.blob_id AND o.content_kind = 'blob') "
    "OR EXISTS (SELECT 1 FROM parts p WHERE p.content_id = r.blob_id "
    "AND NOT EXISTS (SELECT 1 FROM released_uploads u WHERE u.upload_id = p.upload_id))"
)
_RELEASED_UPLOADS_IN_USE = (
    "SELECT r.upload_id FROM released_uploads r WHERE EXISTS "
    "(SELECT 1 FROM objects o WHERE o.content_id = r.upload_id AND o.content_kind = 'parts') "
    "OR EXISTS (SELECT 1 FROM uploads u WHERE u.upload_id = r.upload_id)"
)
_OWNERS = (
    "SELECT COALESCE(b.name, ''), o.key FROM objects o LEFT JOIN buckets b ON b.bucket_id = o.bucket_id "
    "WHERE o.content_id = $1 "
    "OR o.content_id IN (SELECT upload_id FROM parts WHERE content_id = $1) UNION ALL "
    "SELECT COALESCE(b.name, ''), u.key FROM uploads u LEFT JOIN buckets b ON b.bucket_id = u.bucket_id "
    "WHERE u.upload_id = $1 OR u.upload_id IN (SELECT upload_id FROM parts WHERE content_id = $1)"
)
_NAMED_INLINE = (
    "SELECT inline_id FROM objects WHERE inline_id IS NOT NULL "
    "UNION ALL SELECT inline_id FROM parts WHERE inline_id IS NOT NULL"
)
_UNNAMED_INLINE = (
    f"SELECT inline_id FROM inline_bytes EXCEPT SELECT inline_id FROM ({_NAMED_INLINE}) "
    "EXCEPT SELECT inline_id FROM released_inline LIMIT $1"
)


@dataclass(frozen=True, slots=True)
class StoredObject:
    """An object as far as its bytes go; the bucket's name is empty when no such bucket exists."""

    bucket_id: int
    bucket_name: str
    key: bytes
    size_bytes: int
    content: Content
    checksums: str


@dataclass(frozen=True, slots=True)
class StoredUpload:
    """An upload in progress, by the object that it is to become."""

    upload_id: str
    bucket_name: str
    key: bytes


def _object(row: Row) -> StoredObject:
    return StoredObject(row[0], row[1], row[2], row[3], Content(row[4], row[5]), row[6])


def stored_objects(bucket_id: int, after: bytes, limit: int) -> Transaction[list[StoredObject]]:
    """List objects of all buckets, behind a key of a bucket (-1 and b"" to begin)."""
    rows = yield Statement(
        _OBJECT + "WHERE (o.bucket_id, o.key) > ($1, $2) ORDER BY o.bucket_id, o.key LIMIT $3",
        (bucket_id, after, limit),
    )
    return [_object(row) for row in rows]


def find_stored(bucket_id: int, key: bytes) -> Transaction[StoredObject | None]:
    """Find one object as the list shows it."""
    rows = yield Statement(_OBJECT + "WHERE o.bucket_id = $1 AND o.key = $2", (bucket_id, key))
    return _object(rows[0]) if rows else None


def stored_uploads(after: str, limit: int) -> Transaction[list[StoredUpload]]:
    """List uploads in progress by id, behind an id."""
    rows = yield Statement(_UPLOADS, (after, limit))
    return [StoredUpload(*row) for row in rows]


def stored_totals() -> Transaction[tuple[int, int]]:
    """Count what a walk will see: objects and parts of unfinished uploads, and their bytes."""
    rows = yield Statement(_TOTALS)
    return rows[0][0] + rows[1][0], rows[0][1] + rows[1][1]


def stray_uploads(after: str, limit: int) -> Transaction[list[str]]:
    """List upload ids under which there are parts, but neither an upload nor an object."""
    rows = yield Statement(_STRAYS, (after, limit))
    return [row[0] for row in rows]


def released_in_use() -> Transaction[list[str]]:
    """List blobs, and uploads with their parts, that wait to be deleted although a row names them."""
    rows = yield Statement(f"{_RELEASED_IN_USE} UNION ALL {_RELEASED_UPLOADS_IN_USE}")
    return [row[0] for row in rows]


@long
def keep_released() -> Transaction[None]:
    """Take every blob and upload that a row names out of those that wait to be deleted."""
    yield Statement(f"DELETE FROM released_uploads WHERE upload_id IN ({_RELEASED_UPLOADS_IN_USE})")
    yield Statement(f"DELETE FROM released_blobs WHERE blob_id IN ({_RELEASED_IN_USE})")


def owners_of(content_id: str) -> Transaction[list[tuple[str, bytes]]]:
    """Name the objects, by bucket and key, that a blob, or all parts of an upload, belong to."""
    rows = yield Statement(_OWNERS, (content_id,))
    return [(row[0], row[1]) for row in rows]


def unnamed_inline(limit: int) -> Transaction[list[int]]:
    """List bytes beside the rows that no row names; looks at every row at once."""
    rows = yield Statement(_UNNAMED_INLINE, (limit,))
    return [row[0] for row in rows]


@long
def release_inline(inline_ids: Collection[int], now_ms: int) -> Transaction[None]:
    """Have bytes beside the rows deleted after the grace, if still no row names them."""
    named = {row[0] for row in (yield Statement(_NAMED_INLINE))}
    for inline_id in inline_ids:
        if inline_id not in named:
            yield Statement(
                "INSERT INTO released_inline (inline_id, released_at_ms) VALUES ($1, $2) "
                "ON CONFLICT (inline_id) DO NOTHING",
                (inline_id, now_ms),
            )


def engine_faults(limit: int) -> Transaction[list[str]]:
    """Have the engine read its whole file and tell what contradicts itself, in its own words."""
    rows = yield Statement(f"PRAGMA integrity_check({limit:d})")
    return [row[0] for row in rows if row[0] != "ok"]
