"""Parts: sent or copied into an upload, listed, and found again inside the object that they became."""

from typing import Any

from meiku import errors
from meiku.meta import parts
from meiku.meta.records import ObjectRecord, PartRecord, UploadRecord
from meiku.meta.uploads import find_upload
from meiku.operation import Answer, operation
from meiku.ops import content
from meiku.ops.call import Call
from meiku.ops.content import Incoming
from meiku.ops.copy_source import open_source
from meiku.ops.descriptions import checksums_of, etag_of, quoted, shown_checksum
from meiku.ops.grants import display_names
from meiku.ops.ranges import read_copy_range

LIST_LIMIT = 1000


async def require_upload(call: Call, upload_id: str) -> UploadRecord:
    """Find an upload in progress under the call's key, for who began it or owns the bucket."""
    upload = await call.meta.read(find_upload, upload_id)
    if upload is None or (upload.bucket_id, upload.key) != (call.bucket.bucket_id, call.key):
        raise errors.NoSuchUpload(UploadId=upload_id[:200])
    allowed = {call.bucket.owner_id, upload.initiator_id, upload.owner_id}
    if upload.initiator_id and call.caller.user_id not in allowed:
        raise errors.AccessDenied(Reason="Another user began this upload.")
    return upload


@operation("UploadPart", action="s3:PutObject")
async def upload_part(call: Call, body: Incoming, part_number: int, upload_id: str) -> Answer:
    """Store one part; a part that was sent before under the same number is replaced."""
    record = await _keep(call, body, part_number, await require_upload(call, upload_id))
    return {"ETag": quoted(record.etag), **_shown_part_checksum(record)}


@operation("UploadPartCopy", action="s3:PutObject")
async def upload_part_copy(
    call: Call,
    part_number: int,
    upload_id: str,
    copy_source: str,
    copy_source_range: str | None,
    copy_source_if_match: str | None,
    copy_source_if_none_match: str | None,
    copy_source_if_modified_since: int | None,
    copy_source_if_unmodified_since: int | None,
) -> Answer:
    """Make a part of an object that is stored already, or of a range of it."""
    upload = await require_upload(call, upload_id)
    conditions = (
        copy_source_if_match,
        copy_source_if_none_match,
        copy_source_if_modified_since,
        copy_source_if_unmodified_since,
    )
    source = await open_source(call, copy_source, conditions)
    start, stop = 0, source.record.size_bytes
    if copy_source_range is not None:
        start, stop = read_copy_range(copy_source_range, source.record.size_bytes)
    record = await _keep(call, await source.read(start, stop), part_number, upload)
    result = {"LastModified": record.modified_at_ms, "ETag": quoted(record.etag)}
    return {"CopyPartResult": {**result, **_shown_part_checksum(record)}}


async def _keep(call: Call, incoming: Incoming, part_number: int, upload: UploadRecord) -> PartRecord:
    if upload.checksum_algorithm:
        incoming.also_digest(upload.checksum_algorithm)
    async with content.put_away(call, incoming, inline=False) as stored:
        if upload.checksum_algorithm and incoming.checksum is not None:
            _require_same_algorithm(upload, incoming.checksum[0])
        record = PartRecord(
            upload_id=upload.upload_id,
            part_number=part_number,
            size_bytes=stored.size_bytes,
            etag=etag_of(incoming),
            modified_at_ms=call.now_ms,
            content_kind=stored.content.kind,
            content_id=stored.content.id,
            checksums=checksums_of(incoming, upload.checksum_algorithm),
        )
        try:
            await call.meta.write(parts.put_part, upload.upload_id, record, None)
        except errors.Missing:
            raise errors.NoSuchUpload(UploadId=upload.upload_id) from None
    return record


def _require_same_algorithm(upload: UploadRecord, algorithm: str) -> None:
    if algorithm != upload.checksum_algorithm:
        raise errors.InvalidRequest(
            f"Checksum Type mismatch occurred, expected checksum Type: {upload.checksum_algorithm}, "
            f"actual checksum Type: {algorithm}"
        )


def _shown_part_checksum(record: PartRecord) -> dict[str, str]:
    shown = shown_checksum(record.checksums)
    shown.pop("ChecksumType", None)
    return shown


@operation("ListParts", action="s3:ListMultipartUploadParts")
async def list_parts(
    call: Call, upload_id: str, max_parts: int | None, part_number_marker: int | None
) -> Answer:
    """List the parts that an upload holds so far."""
    upload = await require_upload(call, upload_id)
    limit = LIST_LIMIT if max_parts is None else min(max_parts, LIST_LIMIT)
    marker = part_number_marker or 0
    if limit < 0 or marker < 0:
        raise errors.InvalidArgument("max-parts and part-number-marker must not be negative.")
    found = await call.meta.read(parts.list_parts, upload_id, marker, limit + 1)
    page = found[:limit]
    owner = await _people(call, upload)
    return {
        "Bucket": call.bucket_name,
        "Key": call.key.decode(),
        "UploadId": upload_id,
        **owner,
        "StorageClass": upload.storage_class,
        "PartNumberMarker": marker,
        "NextPartNumberMarker": page[-1].part_number if page else marker,
        "MaxParts": limit,
        "IsTruncated": len(found) > len(page) > 0,
        "ChecksumAlgorithm": upload.checksum_algorithm,
        "ChecksumType": upload.checksum_type,
        "Parts": [_listed(part) for part in page],
    }


def _listed(part: PartRecord) -> dict[str, Any]:
    return {
        "PartNumber": part.part_number,
        "LastModified": part.modified_at_ms,
        "ETag": quoted(part.etag),
        "Size": part.size_bytes,
        **_shown_part_checksum(part),
    }


async def _people(call: Call, upload: UploadRecord) -> dict[str, Any]:
    names = await display_names(call, {upload.owner_id, upload.initiator_id} - {""})
    return {
        "Initiator": {"ID": upload.initiator_id, "DisplayName": names.get(upload.initiator_id, "")},
        "Owner": {"ID": upload.owner_id, "DisplayName": names.get(upload.owner_id, "")},
    }


async def part_range(call: Call, record: ObjectRecord, part_number: int) -> tuple[int, int, int | None]:
    """Tell where a part of an object begins and ends, and how many parts there are."""
    if record.content.kind != "parts":
        if part_number > 1:
            raise errors.InvalidPartNumber(PartNumberRequested=str(part_number), ActualPartCount="1")
        return 0, record.size_bytes, None
    count = int(record.etag.rpartition("-")[2])
    if part_number > count:
        raise errors.InvalidPartNumber(PartNumberRequested=str(part_number), ActualPartCount=str(count))
    part = await call.meta.read(parts.nth_part, record.content.id or "", part_number, count)
    if part is None:
        raise errors.Missing("content")
    return part.offset_bytes, part.offset_bytes + part.size_bytes, count
