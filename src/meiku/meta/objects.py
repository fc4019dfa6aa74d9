"""Objects: the statements. One row per key; replacing a row releases what it pointed at, at once."""

# Statements are joined from constants of the house, never from values.
# ruff: noqa: S608

from collections.abc import Collection

from msgspec.structs import replace

from meiku import errors
from meiku.meta.records import Condition, Content, ObjectRecord
from meiku.meta.released import release, require_kept
from meiku.meta.transaction import Row, Statement, Transaction, long

_COLUMNS = (
    "o.key, o.size_bytes, o.etag, o.modified_at_ms, o.owner_id, o.storage_class, o.content_kind, "
    "COALESCE(o.content_id, CAST(o.inline_id AS TEXT)), o.checksums, o.headers, o.metadata, o.acl"
)
_FIND = f"SELECT {_COLUMNS} FROM objects o WHERE o.bucket_id = $1 AND o.key = $2"
_FIND_WITH_BYTES = (
    f"SELECT {_COLUMNS}, i.data FROM objects o LEFT JOIN inline_bytes i ON i.inline_id = o.inline_id "
    "WHERE o.bucket_id = $1 AND o.key = $2"
)
# One look answers both questions: is the bucket still there, and what would be replaced.
_FORMER = (
    "SELECT o.etag, o.size_bytes, o.content_kind, COALESCE(o.content_id, CAST(o.inline_id AS TEXT)) "
    "FROM buckets b "
    "LEFT JOIN objects o ON o.bucket_id = b.bucket_id AND o.key = $1 WHERE b.bucket_id = $2"
)
_PUT = (
    "INSERT INTO objects (bucket_id, key, size_bytes, etag, modified_at_ms, owner_id, storage_class, "
    "content_kind, content_id, inline_id, checksums, headers, metadata, acl) "
    "VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14) "
    "ON CONFLICT (bucket_id, key) DO UPDATE SET size_bytes = excluded.size_bytes, etag = excluded.etag, "
    # A clock that was set back must not make a later object look older than the one before it.
    "modified_at_ms = CASE WHEN objects.modified_at_ms > excluded.modified_at_ms "
    "THEN objects.modified_at_ms ELSE excluded.modified_at_ms END, owner_id = excluded.owner_id, "
    "storage_class = excluded.storage_class, content_kind = excluded.content_kind, "
    "content_id = excluded.content_id, inline_id = excluded.inline_id, checksums = excluded.checksums, "
    "headers = excluded.headers, metadata = excluded.metadata, acl = excluded.acl"
)
_REMOVE = "DELETE FROM objects WHERE bucket_id = $1 AND key = $2 RETURNING " + _COLUMNS.replace("o.", "")
_COUNT = "UPDATE bucket_usage SET objects = objects + $1, size_bytes = size_bytes + $2 WHERE bucket_id = $3"
_ADD_INLINE = "INSERT INTO inline_bytes (data) VALUES ($1) RETURNING inline_id"


def _object(row: Row) -> ObjectRecord:
    return ObjectRecord(
        row[0],
        row[1],
        row[2],
        row[3],
        row[4],
        row[5],
        Content(row[6], row[7]),
        row[8],
        row[9],
        row[10],
        row[11],
    )


def find_object(bucket_id: int, key: bytes) -> Transaction[ObjectRecord | None]:
    """Find an object's record."""
    rows = yield Statement(_FIND, (bucket_id, key))
    return _object(rows[0]) if rows else None


def find_object_with_bytes(
    bucket_id: int, key: bytes
) -> Transaction[tuple[ObjectRecord, bytes | None] | None]:
    """Find an object's record and, when they are kept inline, its bytes; None when there is no object."""
    rows = yield Statement(_FIND_WITH_BYTES, (bucket_id, key))
    return (_object(rows[0]), rows[0][12]) if rows else None


def read_inline(content_id: str) -> Transaction[bytes]:
    """Read inline bytes; Missing when they are gone."""
    rows = yield Statement("SELECT data FROM inline_bytes WHERE inline_id = $1", (int(content_id),))
    if not rows:
        raise errors.Missing("content")
    return bytes(rows[0][0])


def add_inline(data: bytes) -> Transaction[str]:
    """Add inline bytes and tell their id."""
    rows = yield Statement(_ADD_INLINE, (data,))
    return str(rows[0][0])


def put_object(
    bucket_id: int, record: ObjectRecord, inline: bytes | None, condition: Condition | None, now_ms: int
) -> Transaction[ObjectRecord]:
    """Store an object in place of what was under its key, and release that; returns what is stored.

    With inline bytes the record's own content is replaced by theirs. A record may keep the content of the one
    it replaces. Raises Missing("bucket") when the bucket is gone, Missing("content") when what the record
    points at was released meanwhile, Unmet(etag or None) when the condition does not hold of the object
    found.
    """
    former, former_bytes = yield from former_content(bucket_id, record.key, condition)
    if inline is not None:
        content = Content("inline", (yield from add_inline(inline)))
        record = replace(record, content=content)
    elif record.content != former:
        yield from _require_content(record.content)
    yield from store(bucket_id, record, former, former_bytes, now_ms)
    return record


def _require_content(content: Content) -> Transaction[None]:
    """Raise Missing unless a record that did not point at this content may begin to."""
    if content.kind == "blob":
        yield from require_kept(content.id or "")
    elif content.kind != "empty":
        raise errors.Missing("content")


def former_content(
    bucket_id: int, key: bytes, condition: Condition | None
) -> Transaction[tuple[Content | None, int]]:
    """Tell what a key points at now, and its size; raises as put_object does for bucket and condition."""
    rows = yield Statement(_FORMER, (key, bucket_id))
    if not rows:
        raise errors.Missing("bucket")
    etag, size_bytes, kind, content_id = rows[0]
    if condition is not None:
        _require(condition, etag)
    return (None, 0) if kind is None else (Content(kind, content_id), size_bytes)


def _require(condition: Condition, etag: str | None) -> None:
    """Raise Unmet unless the condition holds of the object found; its etag is None when there is none."""
    match, none_match = condition.if_match, condition.if_none_match
    if match is not None and (etag is None or match not in ("*", etag)):
        raise errors.Unmet(etag)
    if none_match is not None and etag is not None and none_match in ("*", etag):
        raise errors.Unmet(etag)


def store(
    bucket_id: int, record: ObjectRecord, former: Content | None, former_bytes: int, now_ms: int
) -> Transaction[None]:
    """Write the row, count it in its bucket, and release the content it no longer points at."""
    content = record.content
    is_inline = content.kind == "inline"
    yield Statement(
        _PUT,
        (
            bucket_id,
            record.key,
            record.size_bytes,
            record.etag,
            record.modified_at_ms,
            record.owner_id,
            record.storage_class,
            content.kind,
            None if is_inline else content.id,
            int(content.id or 0) if is_inline else None,
            record.checksums,
            record.headers,
            record.metadata,
            record.acl,
        ),
    )
    if former is None or former_bytes != record.size_bytes:
        yield Statement(_COUNT, (former is None, record.size_bytes - former_bytes, bucket_id))
    if former is not None and former != content:
        yield from release(former, now_ms)


def remove_object(
    bucket_id: int, key: bytes, condition: Condition | None, now_ms: int
) -> Transaction[ObjectRecord | None]:
    """Remove an object and release its content; returns what was removed.

    Raises Missing("bucket") and Unmet as put_object does, but only when there is a condition.
    """
    if condition is not None:
        yield from former_content(bucket_id, key, condition)
    rows = yield Statement(_REMOVE, (bucket_id, key))
    if not rows:
        return None
    removed = _object(rows[0])
    yield Statement(_COUNT, (-1, -removed.size_bytes, bucket_id))
    yield from release(removed.content, now_ms)
    return removed


@long
def remove_objects(bucket_id: int, keys: Collection[bytes], now_ms: int) -> Transaction[set[bytes]]:
    """Remove several objects; returns the keys that were there."""
    removed = set()
    for key in keys:
        if (yield from remove_object(bucket_id, key, None, now_ms)) is not None:
            removed.add(key)
    return removed


def replace_acl(bucket_id: int, record: ObjectRecord, acl: str | None) -> Transaction[None]:
    """Replace the ACL of just the object that was found; Replaced where another has come, or another ACL."""
    found = yield from find_object(bucket_id, record.key)
    if found != record:
        raise errors.Replaced("object")
    yield Statement(
        "UPDATE objects SET acl = $1 WHERE bucket_id = $2 AND key = $3", (acl, bucket_id, record.key)
    )
