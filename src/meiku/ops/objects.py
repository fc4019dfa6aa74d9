"""Objects, one at a time: store, read, look, remove. Copies, parts and listings have files of their own."""

from typing import Any

from meiku import errors
from meiku.meta import objects
from meiku.meta.records import Condition, ObjectRecord
from meiku.operation import Answer, operation
from meiku.ops import content
from meiku.ops.call import Call
from meiku.ops.conditions import check_read, is_same, refused_write, write_condition
from meiku.ops.content import Incoming
from meiku.ops.descriptions import (
    Description,
    checksums_of,
    describe,
    etag_of,
    quoted,
    shown_checksum,
    unpack,
)
from meiku.ops.grants import asked_acl
from meiku.ops.parts import part_range
from meiku.ops.ranges import read_range
from meiku.ops.versions import check_version

DELETE_LIMIT = 1000
KEY_LIMIT_BYTES = 1023


@operation("PutObject", action="s3:PutObject")
async def put_object(
    call: Call,
    body: Incoming,
    acl: str | None,
    grants: dict[str, str],
    system_headers: dict[str, str],
    metadata: dict[str, str],
    storage_class: str | None,
    if_match: str | None,
    if_none_match: str | None,
) -> Answer:
    """Store an object; when this answers, it is on disk."""
    condition = write_condition(if_match, if_none_match)
    asked = await asked_acl(call, owner_id=call.owner_id, canned=acl, grants=grants)
    description = describe(system_headers, metadata, storage_class, asked)
    record = await keep(call, body, description, condition)
    return {"ETag": quoted(record.etag), **shown_checksum(record.checksums)}


async def keep(
    call: Call,
    incoming: Incoming,
    description: Description,
    condition: Condition | None = None,
    checksum_algorithm: str | None = None,
) -> ObjectRecord:
    """Put the bytes away and make them visible under the call's key, in place of what was there."""
    async with content.put_away(call, incoming) as stored:
        record = ObjectRecord(
            key=call.key,
            size_bytes=stored.size_bytes,
            etag=etag_of(incoming),
            modified_at_ms=call.now_ms,
            owner_id=call.owner_id,
            storage_class=description.storage_class,
            content=stored.content,
            checksums=checksums_of(incoming, checksum_algorithm),
            headers=description.headers,
            metadata=description.metadata,
            acl=description.acl,
        )
        try:
            return await call.meta.write(
                objects.put_object, call.bucket.bucket_id, record, stored.inline, condition, call.now_ms
            )
        except errors.Unmet as unmet:
            raise refused_write(unmet, condition, call.key) from None


@operation("GetObject", action="s3:GetObject", reads_bytes=True)
async def get_object(
    call: Call,
    range: str | None,
    if_range: str | None,
    part_number: int | None,
    version_id: str | None,
    checksum_mode: str | None,
    if_match: str | None,
    if_none_match: str | None,
    if_modified_since: int | None,
    if_unmodified_since: int | None,
    overrides: dict[str, str],
) -> Answer:
    """Answer with an object's bytes, or the range of them that was asked for."""
    check_version(version_id)
    record, inline = call.found.record, call.found.inline
    answer = describe_answer(record)
    check_read(record, if_match, if_none_match, if_modified_since, if_unmodified_since, answer)
    _override(call, answer, overrides)
    if if_range is not None and not is_same(if_range, record):
        range = None  # noqa: A001 - the model's name; the rest of another version is of no use
    start, stop = await _narrow(call, answer, record, range, part_number)
    _show_checksum(answer, record, checksum_mode)
    return {**answer, "Body": await content.read(call, record, start, stop, inline)}


@operation("HeadObject", action="s3:GetObject")
async def head_object(
    call: Call,
    range: str | None,
    part_number: int | None,
    version_id: str | None,
    checksum_mode: str | None,
    if_match: str | None,
    if_none_match: str | None,
    if_modified_since: int | None,
    if_unmodified_since: int | None,
    overrides: dict[str, str],
) -> Answer:
    """Answer as GetObject would, without the bytes."""
    check_version(version_id)
    record = call.found.record
    answer = describe_answer(record)
    check_read(record, if_match, if_none_match, if_modified_since, if_unmodified_since, answer)
    _override(call, answer, overrides)
    await _narrow(call, answer, record, range, part_number)
    _show_checksum(answer, record, checksum_mode)
    return answer


def describe_answer(record: ObjectRecord) -> Answer:
    """Describe an object as GetObject and HeadObject do."""
    return {
        "AcceptRanges": "bytes",
        "LastModified": record.modified_at_ms,
        "ContentLength": record.size_bytes,
        "ETag": quoted(record.etag),
        "StorageClass": record.storage_class,
        **unpack(record.headers),
        "Metadata": unpack(record.metadata),
    }


def _override(call: Call, answer: Answer, overrides: dict[str, str]) -> None:
    """Say what the request wants said in place of the object's own; an empty value asks for nothing."""
    given = {name.removeprefix("Response"): value for name, value in overrides.items() if value}
    if given and call.caller.anonymous:
        raise errors.InvalidRequest(
            "Request specific response headers cannot be used for anonymous GET requests."
        )
    answer.update(given)


async def _narrow(
    call: Call, answer: Answer, record: ObjectRecord, range_header: str | None, part_number: int | None
) -> tuple[int, int]:
    """Set the answer to the range that was asked for, and tell it."""
    if part_number is not None:
        if range_header is not None:
            raise errors.InvalidRequest("Cannot specify both Range header and partNumber query parameter.")
        start, stop, answer["PartsCount"] = await part_range(call, record, part_number)
    else:
        asked = read_range(range_header, record.size_bytes)
        if asked is None:
            return 0, record.size_bytes
        start, stop = asked
    answer["ContentLength"] = stop - start
    if stop > start:
        answer["ContentRange"] = f"bytes {start}-{stop - 1}/{record.size_bytes}"
    return start, stop


def _show_checksum(answer: Answer, record: ObjectRecord, checksum_mode: str | None) -> None:
    if checksum_mode == "ENABLED" and "ContentRange" not in answer:
        answer.update(shown_checksum(record.checksums))


@operation("DeleteObject", action="s3:DeleteObject")
async def delete_object(call: Call, version_id: str | None, if_match: str | None) -> Answer:
    """Remove an object; one that is not there is removed too."""
    check_version(version_id)
    condition = write_condition(if_match, None)
    try:
        await call.meta.write(objects.remove_object, call.bucket.bucket_id, call.key, condition, call.now_ms)
    except errors.Unmet as unmet:
        raise refused_write(unmet, condition, call.key) from None
    return {}


@operation("DeleteObjects", action="s3:DeleteObject")
async def delete_objects(call: Call, delete: dict[str, Any]) -> Answer:
    """Remove up to 1,000 objects in one transaction and say what became of each."""
    asked = delete["Objects"]
    if not 1 <= len(asked) <= DELETE_LIMIT:
        raise errors.MalformedXML(f"A Delete document names 1 to {DELETE_LIMIT} objects.")
    refusals = [_refusal(entry) for entry in asked]
    refused = [refusal for refusal in refusals if refusal is not None]
    keys = [entry["Key"] for entry, refusal in zip(asked, refusals, strict=True) if refusal is None]
    await call.meta.write(
        objects.remove_objects, call.bucket.bucket_id, [key.encode() for key in keys], call.now_ms
    )
    deleted = [] if delete.get("Quiet") else [{"Key": key} for key in keys]
    return {"Deleted": deleted, "Errors": refused}


def _refusal(entry: dict[str, Any]) -> dict[str, str] | None:
    """Refuse the entries that name no object, and those whose conditions are not evaluated here."""
    size_bytes = len(entry["Key"].encode("utf-8", "surrogatepass"))
    if not 1 <= size_bytes <= KEY_LIMIT_BYTES:
        return {"Key": entry["Key"], "Code": "KeyTooLongError", "Message": "A key has 1 to 1,023 bytes."}
    try:
        check_version(entry.get("VersionId"))
    except errors.S3Error as refusal:
        return {"Key": entry["Key"], "Code": refusal.code, "Message": refusal.message}
    if entry.keys() - {"Key", "VersionId"}:
        return {"Key": entry["Key"], "Code": "NotImplemented", "Message": "Conditions here are not offered."}
    return None
