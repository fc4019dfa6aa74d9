"""Buckets and their settings: the statements. Every change moves the settings version."""

# Statements are joined from constants of the house, never from values.
# ruff: noqa: S608

from collections.abc import Callable, Mapping
from itertools import groupby

from meiku import errors
from meiku.meta.records import BucketRecord
from meiku.meta.released import release_parts
from meiku.meta.transaction import Row, Statement, Transaction, long
from meiku.meta.users import CHANGE

_BUCKET = "b.bucket_id, b.name, b.owner_id, b.created_at_ms, b.location"
_FIND = (
    f"SELECT {_BUCKET}, s.kind, s.document FROM buckets b "
    "LEFT JOIN bucket_settings s ON s.bucket_id = b.bucket_id WHERE b.name = $1"
)
_LIST = (
    f"SELECT {_BUCKET}, s.kind, s.document FROM (SELECT * FROM buckets WHERE owner_id = $1 AND name > $2 "
    "AND substr(name, 1, $3) = $4 ORDER BY name LIMIT $5) b "
    "LEFT JOIN bucket_settings s ON s.bucket_id = b.bucket_id ORDER BY b.name"
)
_FIND_SETTING = "SELECT document FROM bucket_settings WHERE bucket_id = $1 AND kind = $2"
_PUT_SETTING = (
    "INSERT INTO bucket_settings (bucket_id, kind, document) VALUES ($1, $2, $3) "
    "ON CONFLICT (bucket_id, kind) DO UPDATE SET document = excluded.document"
)
_HAS_OBJECTS = "SELECT 1 WHERE EXISTS (SELECT 1 FROM objects WHERE bucket_id = $1)"
_UPLOADS = "SELECT upload_id FROM uploads WHERE bucket_id = $1"


def _bucket(rows: list[Row]) -> BucketRecord:
    bucket_id, name, owner_id, created_at_ms, location = rows[0][:5]
    settings = {row[5]: row[6] for row in rows if row[5] is not None}
    return BucketRecord(bucket_id, name, owner_id, created_at_ms, location, settings)


def add_bucket(
    name: str, owner_id: str, created_at_ms: int, location: str, settings: Mapping[str, str]
) -> Transaction[BucketRecord]:
    """Add a bucket; Conflict when the name exists."""
    rows = yield Statement(
        "INSERT INTO buckets (name, owner_id, created_at_ms, location) VALUES ($1, $2, $3, $4) "
        "RETURNING bucket_id",
        (name, owner_id, created_at_ms, location),
    )
    bucket_id: int = rows[0][0]
    yield Statement(
        "INSERT INTO bucket_usage (bucket_id, objects, size_bytes) VALUES ($1, 0, 0)", (bucket_id,)
    )
    for kind, document in settings.items():
        yield Statement(_PUT_SETTING, (bucket_id, kind, document))
    yield CHANGE
    return BucketRecord(bucket_id, name, owner_id, created_at_ms, location, dict(settings))


def find_bucket(name: str) -> Transaction[BucketRecord | None]:
    """Find a bucket by name, with its settings."""
    rows = yield Statement(_FIND, (name,))
    return _bucket(rows) if rows else None


def list_buckets(
    owner_id: str, after_name: str = "", limit: int = 10_000, prefix: str = ""
) -> Transaction[list[BucketRecord]]:
    """List an owner's buckets by name, from after `after_name`."""
    rows = yield Statement(_LIST, (owner_id, after_name, len(prefix), prefix, limit))
    return [_bucket(list(group)) for _, group in groupby(rows, key=lambda row: row[0])]


def count_buckets(owner_id: str) -> Transaction[int]:
    """Count an owner's buckets."""
    rows = yield Statement("SELECT COUNT(*) FROM buckets WHERE owner_id = $1", (owner_id,))
    return int(rows[0][0])


def bucket_usage(bucket_id: int) -> Transaction[tuple[int, int]]:
    """Tell how many objects a bucket holds, and their bytes; kept with every change, never added up."""
    rows = yield Statement("SELECT objects, size_bytes FROM bucket_usage WHERE bucket_id = $1", (bucket_id,))
    return (rows[0][0], rows[0][1]) if rows else (0, 0)


def require_bucket(bucket_id: int) -> Transaction[None]:
    """Raise Missing unless the bucket still exists at this moment of the transaction."""
    rows = yield Statement("SELECT 1 FROM buckets WHERE bucket_id = $1", (bucket_id,))
    if not rows:
        raise errors.Missing("bucket")


def put_setting(bucket_id: int, kind: str, document: str | None) -> Transaction[None]:
    """Store one setting, or remove it when the document is None; Missing when the bucket is gone."""
    yield from require_bucket(bucket_id)
    if document is None:
        yield Statement("DELETE FROM bucket_settings WHERE bucket_id = $1 AND kind = $2", (bucket_id, kind))
    else:
        yield Statement(_PUT_SETTING, (bucket_id, kind, document))
    yield CHANGE


def change_setting(
    bucket_id: int, kind: str, change: Callable[[str | None], str | None]
) -> Transaction[None]:
    """Replace one setting by what `change` makes of it, so that no other change is lost; None is no setting.

    `change` may be called again and therefore has no effects; what it raises undoes everything. Missing when
    the bucket is gone.
    """
    rows = yield Statement(_FIND_SETTING, (bucket_id, kind))
    yield from put_setting(bucket_id, kind, change(rows[0][0] if rows else None))


@long
def remove_bucket(bucket_id: int, now_ms: int, *, with_uploads: bool) -> Transaction[None]:
    """Remove an empty bucket, and give up its unfinished uploads if that is meant.

    Conflict when it holds objects, or uploads that are not to be given up; Missing when it is gone.
    """
    uploads = yield Statement(_UPLOADS, (bucket_id,))
    if (uploads and not with_uploads) or (yield Statement(_HAS_OBJECTS, (bucket_id,))):
        raise errors.Conflict("the bucket holds objects or uploads")
    yield from require_bucket(bucket_id)
    for (upload_id,) in uploads:
        yield from release_parts(upload_id, now_ms)
    yield Statement("DELETE FROM uploads WHERE bucket_id = $1", (bucket_id,))
    yield Statement("DELETE FROM bucket_settings WHERE bucket_id = $1", (bucket_id,))
    yield Statement("DELETE FROM bucket_usage WHERE bucket_id = $1", (bucket_id,))
    yield Statement("DELETE FROM buckets WHERE bucket_id = $1", (bucket_id,))
    yield CHANGE
