"""Check: walks everything that is stored, compares rows with bytes, and tells what is wrong.

It may run beside a server: whatever looks wrong is looked at once more by the record that holds now, and what
was replaced or removed meanwhile is not spoken of. It changes nothing; `repair` does.
"""

from collections.abc import AsyncGenerator
from contextlib import aclosing

from meiku import errors
from meiku.blobs import Blobs
from meiku.meta import Meta
from meiku.meta import stored as rows
from meiku.meta.counts import results_totals, wrong_usages
from meiku.meta.parts import list_parts
from meiku.meta.records import PartRecord
from meiku.meta.released import referenced
from meiku.meta.stored import StoredObject, StoredUpload
from meiku.ops.addressed import PART_NUMBER_LIMIT
from meiku.ops.findings import Finding, Flaw
from meiku.ops.pace import Pace
from meiku.ops.sweep import batches_of_old
from meiku.ops.verify import Tally, Verifier

PAGE = 200
_FAULTS_LIMIT = 100


async def check(
    meta: Meta, blobs: Blobs, pace: Pace, tally: Tally, orphans_before_s: float
) -> AsyncGenerator[Finding, None]:
    """Check everything; bytes that no row names count only when they were written before a moment."""
    verifier = Verifier(meta, blobs, pace, tally)
    stages = (
        check_engine(meta),
        check_rows(meta),
        check_counts(meta),
        check_objects(meta, verifier),
        check_uploads(meta, verifier),
        check_orphans(meta, blobs, orphans_before_s),
    )
    for stage in stages:
        async with aclosing(stage) as findings:
            try:
                async for finding in findings:
                    yield finding
            except errors.Damaged as damage:
                yield Finding("database", f"{damage}; what lies behind that page was not looked at")


async def check_engine(meta: Meta) -> AsyncGenerator[Finding, None]:
    """Tell where the rows' own file contradicts itself."""
    for fault in await meta.read(rows.engine_faults, _FAULTS_LIMIT):
        yield Finding("database", fault)


async def check_rows(meta: Meta) -> AsyncGenerator[Finding, None]:
    """Tell what rows say that cannot all be true."""
    for blob_id in await meta.read(rows.released_in_use):
        for bucket, key in await meta.read(rows.owners_of, blob_id):
            yield Finding("released", "its bytes wait to be deleted", bucket, key, content_id=blob_id)
    for upload_id in await meta.read(rows.stray_uploads, "", PAGE):
        yield Finding(
            "stray-parts", "parts of an upload that is not there, and of no object", upload_id=upload_id
        )
    for inline_id in await meta.read(rows.unnamed_inline, PAGE):
        yield Finding("orphan", "bytes beside the rows that no row names", content_id=str(inline_id))


async def check_counts(meta: Meta) -> AsyncGenerator[Finding, None]:
    """Tell which of the kept sums are not those of their rows."""
    for wrong in await meta.read(wrong_usages):
        kept = f"{wrong.kept_objects or 0} objects of {wrong.kept_bytes or 0} bytes"
        held = f"{wrong.objects} of {wrong.size_bytes} bytes"
        yield Finding("count", f"{kept} are counted, {held} are there", wrong.bucket)
    kept_bytes, size_bytes = await meta.read(results_totals)
    if kept_bytes != size_bytes:
        yield Finding("count", f"{kept_bytes or 0} bytes of results are counted, {size_bytes} are there")


async def check_objects(meta: Meta, verifier: Verifier) -> AsyncGenerator[Finding, None]:
    """Read every object again."""
    page = await meta.read(rows.stored_objects, -1, b"", PAGE)
    while page:
        for stored in page:
            finding = await check_object(meta, verifier, stored)
            if finding is not None:
                yield finding
        page = await meta.read(rows.stored_objects, page[-1].bucket_id, page[-1].key, PAGE)


async def check_object(meta: Meta, verifier: Verifier, stored: StoredObject) -> Finding | None:
    """Read one object again; nothing is said of one that was replaced or removed meanwhile."""
    flaw = await verifier.verify_object(stored)
    if flaw is None:
        return None
    now = await meta.read(rows.find_stored, stored.bucket_id, stored.key)
    if now is None or now.content != stored.content:
        return None
    return Finding(flaw.kind, flaw.sentence, stored.bucket_name, stored.key, content_id=stored.content.id)


async def check_uploads(meta: Meta, verifier: Verifier) -> AsyncGenerator[Finding, None]:
    """Read the parts of every unfinished upload again."""
    page = await meta.read(rows.stored_uploads, "", PAGE)
    while page:
        for upload in page:
            for part in await meta.read(list_parts, upload.upload_id, 0, PART_NUMBER_LIMIT):
                flaw = await verifier.verify_part(part)
                if flaw is not None and await _is_still(meta, part):
                    yield _of_part(upload, part, flaw)
        page = await meta.read(rows.stored_uploads, page[-1].upload_id, PAGE)


async def _is_still(meta: Meta, part: PartRecord) -> bool:
    [*now] = await meta.read(list_parts, part.upload_id, part.part_number - 1, 1)
    return [(found.part_number, found.content_id) for found in now] == [(part.part_number, part.content_id)]


def _of_part(upload: StoredUpload, part: PartRecord, flaw: Flaw) -> Finding:
    return Finding(
        flaw.kind,
        flaw.sentence,
        upload.bucket_name,
        upload.key,
        upload.upload_id,
        part.part_number,
        part.content_id,
    )


async def check_orphans(meta: Meta, blobs: Blobs, before_s: float) -> AsyncGenerator[Finding, None]:
    """Tell which blobs, written before a moment, no row names."""
    async for batch in batches_of_old(blobs, before_s):
        kept = await meta.read(referenced, batch)
        for blob_id in batch:
            if blob_id not in kept:
                yield Finding("orphan", "a blob that no row names", content_id=blob_id)
