"""Parts: the statements. A part belongs to its upload, and from completion on to the object it became.

A part that is replaced or left out is released, never deleted at once: somebody may be reading it.
"""

# Statements are joined from constants of the house, never from values.
# ruff: noqa: S608

from collections.abc import Sequence
from dataclasses import replace

from meiku import errors
from meiku.meta.objects import add_inline
from meiku.meta.records import Content, PartRecord
from meiku.meta.released import release_later
from meiku.meta.transaction import Statement, Transaction, long

# A part by its number and etag, and where it begins in what its upload becomes.
Place = tuple[int, str, int]

_PART = (
    "upload_id, part_number, size_bytes, etag, modified_at_ms, content_kind, "
    "COALESCE(content_id, CAST(inline_id AS TEXT)), checksums, offset_bytes"
)
_CONTENT = "content_kind, COALESCE(content_id, CAST(inline_id AS TEXT))"
_FORMER = (
    "SELECT p.content_kind, COALESCE(p.content_id, CAST(p.inline_id AS TEXT)) FROM uploads u "
    "LEFT JOIN parts p ON p.upload_id = u.upload_id AND p.part_number = $1 WHERE u.upload_id = $2"
)
_PUT = (
    "INSERT INTO parts (upload_id, part_number, size_bytes, etag, modified_at_ms, content_kind, content_id, "
    "inline_id, checksums, offset_bytes) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10) "
    "ON CONFLICT (upload_id, part_number) DO UPDATE SET size_bytes = excluded.size_bytes, "
    "etag = excluded.etag, modified_at_ms = excluded.modified_at_ms, content_kind = excluded.content_kind, "
    "content_id = excluded.content_id, inline_id = excluded.inline_id, checksums = excluded.checksums, "
    "offset_bytes = excluded.offset_bytes"
)
# Of as many different numbers as there are parts, the greatest is their count where none is left out.
_NUMBERED = (
    f"SELECT {_PART} FROM parts WHERE upload_id = $1 AND part_number = $2 "
    "AND (SELECT MAX(part_number) FROM parts WHERE upload_id = $1) = $3"
)
_NTH = f"SELECT {_PART} FROM parts WHERE upload_id = $1 ORDER BY part_number LIMIT 1 OFFSET $2"
# Parts are of one size, as a rule: so one look tells, of a part that should begin before the range or behind
# it, whether it does. Where it does not, all rows are looked at.
_USUAL_BYTES = "(SELECT size_bytes FROM parts WHERE upload_id = $1 ORDER BY part_number LIMIT 1)"
_OVERLAPPING = (
    f"SELECT {_PART} FROM parts WHERE upload_id = $1 "
    "AND part_number >= COALESCE((SELECT part_number FROM parts "
    f"WHERE upload_id = $1 AND part_number = $2 / {_USUAL_BYTES} + 1 AND offset_bytes <= $2), 0) "
    "AND part_number < COALESCE((SELECT part_number FROM parts "
    f"WHERE upload_id = $1 AND part_number = $3 / {_USUAL_BYTES} + 2 AND offset_bytes >= $3), 1000000) "
    "AND offset_bytes + size_bytes > $2 AND offset_bytes < $3 ORDER BY part_number LIMIT $4"
)
_PLACE = "UPDATE parts SET offset_bytes = $1 WHERE upload_id = $2 AND part_number = $3 AND etag = $4"


def put_part(upload_id: str, part: PartRecord, inline: bytes | None) -> Transaction[PartRecord]:
    """Store a part in place of the former of its number, and release that; returns what is stored.

    Raises Missing("upload") when the upload is not in progress.
    """
    rows = yield Statement(_FORMER, (part.part_number, upload_id))
    if not rows:
        raise errors.Missing("upload")
    if inline is not None:
        content_id = yield from add_inline(inline)
        part = replace(part, content_kind="inline", content_id=content_id)
    yield from _store(part)
    if rows[0][0] is not None:
        yield from release_later(Content(*rows[0]), part.modified_at_ms)
    return part


def _store(part: PartRecord) -> Transaction[None]:
    is_inline = part.content_kind == "inline"
    yield Statement(
        _PUT,
        (
            part.upload_id,
            part.part_number,
            part.size_bytes,
            part.etag,
            part.modified_at_ms,
            part.content_kind,
            None if is_inline else part.content_id,
            int(part.content_id or 0) if is_inline else None,
            part.checksums,
            part.offset_bytes,
        ),
    )


def release_part(upload_id: str, part_number: int, now_ms: int) -> Transaction[None]:
    """Remove one part and release its content."""
    rows = yield Statement(
        f"DELETE FROM parts WHERE upload_id = $1 AND part_number = $2 RETURNING {_CONTENT}",
        (upload_id, part_number),
    )
    for row in rows:
        yield from release_later(Content(*row), now_ms)


def list_parts(upload_id: str, after: int, limit: int) -> Transaction[list[PartRecord]]:
    """List parts by number, behind part number `after` (0 to begin)."""
    rows = yield Statement(
        f"SELECT {_PART} FROM parts WHERE upload_id = $1 AND part_number > $2 ORDER BY part_number LIMIT $3",
        (upload_id, after, limit),
    )
    return [PartRecord(*row) for row in rows]


def nth_part(upload_id: str, ordinal: int, count: int) -> Transaction[PartRecord | None]:
    """Find the n-th of an object's parts: by one row where they are numbered from 1 to `count`."""
    rows = yield Statement(_NUMBERED, (upload_id, ordinal, count))
    if not rows:
        rows = yield Statement(_NTH, (upload_id, ordinal - 1))
    return PartRecord(*rows[0]) if rows else None


@long
def place_parts(upload_id: str, places: Sequence[Place]) -> Transaction[None]:
    """Write down where parts will begin in what their upload becomes.

    Means nothing before completion, which looks at all of them once more. Raises Missing("upload") when it is
    not in progress: the parts of an object are not to be touched.
    """
    if not (yield Statement("SELECT 1 FROM uploads WHERE upload_id = $1", (upload_id,))):
        raise errors.Missing("upload")
    for part_number, etag, offset_bytes in places:
        yield Statement(_PLACE, (offset_bytes, upload_id, part_number, etag))


def find_parts(upload_id: str, start: int, stop: int, limit: int) -> Transaction[list[PartRecord]]:
    """Find the first parts of a completed upload that overlap the bytes from `start` up to but not `stop`."""
    rows = yield Statement(_OVERLAPPING, (upload_id, start, stop, limit))
    return [PartRecord(*row) for row in rows]
