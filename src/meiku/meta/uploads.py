"""Multipart uploads: the statements. Completing moves no bytes: the parts' rows change hands to the object.

What a part is lives in `parts`. The identity of a completed upload is kept a while, so that a Complete that
is sent again is answered again.
"""

# Statements are joined from constants of the house, never from values.
# ruff: noqa: S608

from collections.abc import Sequence

from meiku import errors
from meiku.meta.buckets import require_bucket
from meiku.meta.listing import Walk, behind, successor
from meiku.meta.objects import former_content, store
from meiku.meta.parts import Place, release_part
from meiku.meta.records import Condition, ObjectRecord, UploadListing, UploadRecord
from meiku.meta.released import release_parts
from meiku.meta.transaction import Statement, Transaction, long

_UPLOAD = (
    "upload_id, bucket_id, key, initiated_at_ms, owner_id, initiator_id, storage_class, headers, metadata, "
    "acl, checksum_algorithm, checksum_type"
)
_LIST = (
    f"SELECT key, {_UPLOAD} FROM uploads "
    "WHERE bucket_id = $1 AND (key, upload_id) > ($2, $3) AND key < $4 ORDER BY key, upload_id LIMIT $5"
)
# A part begins where the parts in front of it end.
_SET_OFFSETS = (
    "UPDATE parts SET offset_bytes = placed.offset_bytes FROM (SELECT part_number, SUM(size_bytes) "
    "OVER (ORDER BY part_number) - size_bytes AS offset_bytes FROM parts WHERE upload_id = $1) AS placed "
    "WHERE parts.upload_id = $1 AND parts.part_number = placed.part_number"
)
_PRESENT = "SELECT part_number, etag, offset_bytes FROM parts WHERE upload_id = $1 ORDER BY part_number"
_KEEP_COMPLETED = (
    "INSERT INTO completed_uploads (upload_id, bucket_id, key, etag, completed_at_ms, checksums) "
    "VALUES ($1, $2, $3, $4, $5, $6)"
)


def add_upload(upload: UploadRecord) -> Transaction[UploadRecord]:
    """Begin an upload; Missing("bucket") when its bucket is gone."""
    yield from require_bucket(upload.bucket_id)
    yield Statement(
        f"INSERT INTO uploads ({_UPLOAD}) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12)",
        (
            upload.upload_id,
            upload.bucket_id,
            upload.key,
            upload.initiated_at_ms,
            upload.owner_id,
            upload.initiator_id,
            upload.storage_class,
            upload.headers,
            upload.metadata,
            upload.acl,
            upload.checksum_algorithm,
            upload.checksum_type,
        ),
    )
    return upload


def find_upload(upload_id: str) -> Transaction[UploadRecord | None]:
    """Find an upload that is in progress."""
    rows = yield Statement(f"SELECT {_UPLOAD} FROM uploads WHERE upload_id = $1", (upload_id,))
    return UploadRecord(*rows[0]) if rows else None


def list_uploads(
    bucket_id: int, prefix: bytes, delimiter: bytes, key_marker: bytes, upload_id_marker: str, limit: int
) -> Transaction[UploadListing]:
    """List a page of uploads by key, then upload id, behind the markers (b"" and "" to begin).

    Without an upload id marker the page begins behind all uploads of the marked key.
    """
    stop = successor(prefix)
    walk = Walk[tuple[bytes, str]](
        prefix=prefix,
        delimiter=delimiter,
        limit=limit,
        look=lambda position, rows: Statement(_LIST, (bucket_id, *position, stop, rows)),
        at_key=lambda key: (key, ""),
        after_row=lambda row: (row[0], row[1]),
    )
    yield from walk.run(max(_begin(prefix, delimiter, key_marker, upload_id_marker), (prefix, "")))
    uploads = [UploadRecord(*row[1:]) for row in walk.rows]
    ends_with_upload = bool(uploads) and uploads[-1].key == walk.last
    return UploadListing(
        uploads,
        walk.common_prefixes,
        walk.last if walk.truncated else None,
        uploads[-1].upload_id if walk.truncated and ends_with_upload else None,
        walk.truncated,
    )


def _begin(prefix: bytes, delimiter: bytes, key_marker: bytes, upload_id_marker: str) -> tuple[bytes, str]:
    if not key_marker:
        return b"", ""
    start = behind(key_marker, prefix, delimiter)
    is_plain = start == key_marker + b"\0"
    return (key_marker, upload_id_marker) if is_plain and upload_id_marker else (start, "")


def abort_upload(upload_id: str, now_ms: int) -> Transaction[bool]:
    """End an upload and release its parts; False when it is not in progress."""
    rows = yield Statement("DELETE FROM uploads WHERE upload_id = $1 RETURNING 1", (upload_id,))
    if rows:
        yield from release_parts(upload_id, now_ms)
    return bool(rows)


@long
def complete_upload(
    upload_id: str,
    record: ObjectRecord,
    chosen: Sequence[Place],
    condition: Condition | None,
    now_ms: int,
) -> Transaction[ObjectRecord]:
    """Make the chosen parts (in ascending order) the object, in place of what was under its key.

    Where all lie in their places already, they are looked at once, and nothing of them is written.

    Raises Conflict(part_number) when a chosen part is no longer there with that etag, Missing("upload") when
    the upload is not in progress, and as put_object does for the bucket and the condition.
    """
    rows = yield Statement("DELETE FROM uploads WHERE upload_id = $1 RETURNING bucket_id", (upload_id,))
    if not rows:
        raise errors.Missing("upload")
    bucket_id: int = rows[0][0]
    former, former_bytes = yield from former_content(bucket_id, record.key, condition)
    if (yield Statement(_PRESENT, (upload_id,))) != chosen:
        yield from _keep_chosen(upload_id, chosen, now_ms)
        yield Statement(_SET_OFFSETS, (upload_id,))
    yield from store(bucket_id, record, former, former_bytes, now_ms)
    yield Statement(
        _KEEP_COMPLETED, (upload_id, bucket_id, record.key, record.etag, now_ms, record.checksums)
    )
    return record


def _keep_chosen(upload_id: str, chosen: Sequence[Place], now_ms: int) -> Transaction[None]:
    """Check that every chosen part is there, and release the others."""
    rows = yield Statement("SELECT part_number, etag FROM parts WHERE upload_id = $1", (upload_id,))
    present: dict[int, str] = dict(rows)
    for part_number, etag, _ in chosen:
        if present.pop(part_number, None) != etag:
            raise errors.Conflict(part_number)
    for part_number in present:
        yield from release_part(upload_id, part_number, now_ms)


def find_completed(upload_id: str) -> Transaction[tuple[int, bytes, str, str] | None]:
    """Find what a completed upload became: bucket id, key, etag and packed checksums."""
    rows = yield Statement(
        "SELECT bucket_id, key, etag, checksums FROM completed_uploads WHERE upload_id = $1", (upload_id,)
    )
    return (rows[0][0], rows[0][1], rows[0][2], rows[0][3]) if rows else None


def forget_completed(before_ms: int) -> Transaction[None]:
    """Forget the uploads completed before a moment."""
    yield Statement("DELETE FROM completed_uploads WHERE completed_at_ms < $1", (before_ms,))
