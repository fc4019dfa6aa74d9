"""CompleteMultipartUpload: the parts that a document names become one object, and nothing is copied.

A repeated call with the same upload id answers the same again, so that a client that lost the answer may ask.
"""

import asyncio
from hashlib import md5
from itertools import accumulate, pairwise
from typing import Any

from meiku import checksums, errors
from meiku.checksums import ALGORITHMS, Algorithm
from meiku.meta import parts, uploads
from meiku.meta.parts import Place
from meiku.meta.records import Condition, Content, ObjectRecord, PartRecord, UploadRecord
from meiku.operation import Answer, operation
from meiku.ops.addressed import require_part_number
from meiku.ops.call import Call
from meiku.ops.conditions import refused_write, write_condition
from meiku.ops.descriptions import pack, quoted, shown_checksum, unpack
from meiku.ops.parts import require_upload

# So many rows are read or written without a pause: about 3 ms.
_PAGE_PARTS = 500


@operation("CompleteMultipartUpload", action="s3:PutObject")
async def complete_multipart_upload(
    call: Call,
    upload_id: str,
    multipart_upload: dict[str, Any] | None,
    whole_checksums: dict[str, str],
    checksum_type: str | None,
    mpu_object_size: int | None,
    if_match: str | None,
    if_none_match: str | None,
) -> Answer:
    """Make one object of the parts that the document names; asked again, answer the same again."""
    try:
        asked = (multipart_upload or {}).get("Parts") or []
        record = await _complete(
            call, upload_id, asked, whole_checksums, checksum_type, mpu_object_size, (if_match, if_none_match)
        )
    except errors.NoSuchUpload:
        # Also where the first Complete was still under way when this one began.
        done = await call.meta.read(uploads.find_completed, upload_id)
        if done is None or done[:2] != (call.bucket.bucket_id, call.key):
            raise
        return _answer(call, done[2], shown_checksum(done[3]))
    return _answer(call, record.etag, shown_checksum(record.checksums))


async def _complete(
    call: Call,
    upload_id: str,
    asked: list[dict[str, Any]],
    whole_checksums: dict[str, str],
    checksum_type: str | None,
    mpu_object_size: int | None,
    conditions: tuple[str | None, str | None],
) -> ObjectRecord:
    upload = await require_upload(call, upload_id)
    chosen = await _choose(call, upload, asked)
    # Thousands of parts take a tenth of a second, which nobody else is to wait for.
    record = await asyncio.to_thread(_object, call, upload, chosen)
    declared = upload.checksum_algorithm is not None
    _compare(record, whole_checksums, checksum_type, mpu_object_size, declared=declared)
    await _commit(call, upload, record, chosen, write_condition(*conditions))
    return record


async def _choose(call: Call, upload: UploadRecord, asked: list[dict[str, Any]]) -> list[PartRecord]:
    """Find the parts that the document names, in its order."""
    if not asked:
        raise errors.MalformedXML("A CompleteMultipartUpload document names at least one part.")
    await asyncio.to_thread(_check_order, upload, asked)
    return await asyncio.to_thread(_match_all, call, upload, asked, await _present(call, upload))


def _check_order(upload: UploadRecord, asked: list[dict[str, Any]]) -> None:
    numbers = [_part_number(entry) for entry in asked]
    if any(later <= earlier for earlier, later in pairwise(numbers)):
        raise errors.InvalidPartOrder(UploadId=upload.upload_id)


async def _present(call: Call, upload: UploadRecord) -> list[PartRecord]:
    """Find the parts that were sent, a page at a time: the loop answers others in between."""
    present: list[PartRecord] = []
    while True:
        after = present[-1].part_number if present else 0
        page = await call.meta.read(parts.list_parts, upload.upload_id, after, _PAGE_PARTS)
        present += page
        if len(page) < _PAGE_PARTS:
            return present
        await asyncio.sleep(0)


def _match_all(
    call: Call, upload: UploadRecord, asked: list[dict[str, Any]], present: list[PartRecord]
) -> list[PartRecord]:
    found = {part.part_number: part for part in present}
    chosen = [_match(upload, entry, found.get(entry["PartNumber"])) for entry in asked]
    least = call.settings.multipart_min_part_bytes
    for part in chosen[:-1]:
        if part.size_bytes < least:
            raise errors.EntityTooSmall(
                ProposedSize=str(part.size_bytes), MinSizeAllowed=str(least), PartNumber=str(part.part_number)
            )
    return chosen


def _part_number(entry: dict[str, Any]) -> int:
    if not {"PartNumber", "ETag"} <= entry.keys():
        raise errors.MalformedXML("A <Part> has a PartNumber and an ETag.")
    number: int = entry["PartNumber"]
    require_part_number(number, "PartNumber")
    return number


def _match(upload: UploadRecord, entry: dict[str, Any], part: PartRecord | None) -> PartRecord:
    """Check a part against the tag and the checksums that the document gives it."""
    etag = str(entry["ETag"]).strip().strip('"')
    if part is None or etag != part.etag:
        raise errors.InvalidPart(
            UploadId=upload.upload_id, PartNumber=str(entry["PartNumber"]), ETag=etag[:100]
        )
    kept = unpack(part.checksums)
    for algorithm in ALGORITHMS.values():
        given = entry.get(algorithm.member)
        if given is not None and given != kept.get(algorithm.name):
            raise errors.InvalidPart(
                UploadId=upload.upload_id, PartNumber=str(part.part_number), Checksum=algorithm.member
            )
    return part


def _object(call: Call, upload: UploadRecord, chosen: list[PartRecord]) -> ObjectRecord:
    tags = b"".join(bytes.fromhex(part.etag) for part in chosen)
    return ObjectRecord(
        key=call.key,
        size_bytes=sum(part.size_bytes for part in chosen),
        etag=f"{md5(tags, usedforsecurity=False).hexdigest()}-{len(chosen)}",
        modified_at_ms=call.now_ms,
        owner_id=upload.owner_id,
        storage_class=upload.storage_class,
        content=Content("parts", upload.upload_id),
        checksums=_whole_checksums(upload, chosen),
        headers=upload.headers,
        metadata=upload.metadata,
        acl=upload.acl,
    )


def _whole_checksums(upload: UploadRecord, chosen: list[PartRecord]) -> str:
    """Join the parts' checksums: CRCs into the whole's own, others into a checksum of checksums."""
    kept = {"CRC64NVME": checksums.encode(_joined("CRC64NVME", chosen))}
    shown, kind = upload.checksum_algorithm or "CRC64NVME", upload.checksum_type or "FULL_OBJECT"
    if kind == "COMPOSITE":
        kept[shown] = checksums.composite(
            ALGORITHMS[shown], [digest for digest, _ in _digests(shown, chosen)]
        )
    elif shown not in kept:
        kept[shown] = checksums.encode(_joined(shown, chosen))
    return pack({**kept, "type": kind, "shown": shown})


def _joined(name: str, chosen: list[PartRecord]) -> bytes:
    return checksums.full_object(ALGORITHMS[name], _digests(name, chosen))


def _digests(name: str, chosen: list[PartRecord]) -> list[tuple[bytes, int]]:
    algorithm = ALGORITHMS[name]
    return [(checksums.decode(unpack(p.checksums)[name], algorithm), p.size_bytes) for p in chosen]


def _compare(
    record: ObjectRecord,
    given: dict[str, str],
    checksum_type: str | None,
    size_bytes: int | None,
    *,
    declared: bool,
) -> None:
    """Compare the whole with what the client says it is."""
    kept = unpack(record.checksums)
    if size_bytes is not None and size_bytes != record.size_bytes:
        raise errors.InvalidRequest(
            "The provided 'x-amz-mp-object-size' header does not match what was computed: "
            f"{record.size_bytes}."
        )
    if checksum_type is not None and checksum_type != kept["type"]:
        raise errors.InvalidRequest(f"The upload was created with the checksum type {kept['type']}.")
    if len(given) > 1:
        raise errors.InvalidRequest("Expecting a single x-amz-checksum- header. Multiple were sent.")
    for algorithm in ALGORITHMS.values():
        if algorithm.member in given:
            _compare_checksum(algorithm, given[algorithm.member], kept.get(algorithm.name), declared=declared)


def _compare_checksum(algorithm: Algorithm, given: str, kept: str | None, *, declared: bool) -> None:
    """Compare the whole's checksum; where none was declared, one that was not computed is ignored."""
    try:
        checksums.decode(given.strip().partition("-")[0], algorithm)
    except ValueError:
        raise errors.InvalidRequest(f"Value for {algorithm.header} header is invalid.") from None
    if kept is None and declared:
        raise errors.InvalidRequest(f"The upload was not created with {algorithm.name}.")
    if kept is not None and given.strip() not in (kept, kept.partition("-")[0]):
        raise errors.BadDigest(f"The {algorithm.name} you specified did not match the calculated checksum.")


async def _commit(
    call: Call,
    upload: UploadRecord,
    record: ObjectRecord,
    chosen: list[PartRecord],
    condition: Condition | None,
) -> None:
    places = await asyncio.to_thread(_places, chosen)
    try:
        if len(places) > _PAGE_PARTS:
            await _place(call, upload, places)
        await call.meta.write(
            uploads.complete_upload, upload.upload_id, record, places, condition, call.now_ms
        )
    except errors.Unmet as unmet:
        raise refused_write(unmet, condition, call.key) from None
    except errors.Conflict as conflict:
        raise errors.InvalidPart(UploadId=upload.upload_id, PartNumber=str(conflict.args[0])) from None
    except errors.Missing:
        raise errors.NoSuchUpload(UploadId=upload.upload_id) from None


def _places(chosen: list[PartRecord]) -> list[Place]:
    offsets = accumulate((part.size_bytes for part in chosen), initial=0)
    return [(part.part_number, part.etag, offset) for part, offset in zip(chosen, offsets, strict=False)]


async def _place(call: Call, upload: UploadRecord, places: list[Place]) -> None:
    """Write down where each part begins, a page at a time: other writers have their turn in between."""
    for start in range(0, len(places), _PAGE_PARTS):
        await call.meta.write(parts.place_parts, upload.upload_id, places[start : start + _PAGE_PARTS])


def _answer(call: Call, etag: str, shown: dict[str, str]) -> Answer:
    return {
        "Location": call.url_of(call.key),
        "Bucket": call.bucket_name,
        "Key": call.key.decode(),
        "ETag": quoted(etag),
        **shown,
    }
