"""CopyObject: one call, up to 5 GiB, bytes hashed anew on their way."""

from meiku import errors
from meiku.access.acl import Acl
from meiku.operation import Answer, operation
from meiku.ops.call import Call
from meiku.ops.conditions import write_condition
from meiku.ops.copy_source import Source, open_source
from meiku.ops.descriptions import Description, check_metadata, describe, quoted, shown_checksum, unpack
from meiku.ops.grants import asked_acl
from meiku.ops.objects import keep

NOT_COPIED = {"WebsiteRedirectLocation"}


@operation("CopyObject", action="s3:PutObject")
async def copy_object(
    call: Call,
    copy_source: str,
    copy_source_if_match: str | None,
    copy_source_if_none_match: str | None,
    copy_source_if_modified_since: int | None,
    copy_source_if_unmodified_since: int | None,
    metadata_directive: str | None,
    tagging_directive: str | None,  # noqa: ARG001 - objects have no tags yet: both directives mean the same
    checksum_algorithm: str | None,
    acl: str | None,
    grants: dict[str, str],
    system_headers: dict[str, str],
    metadata: dict[str, str],
    storage_class: str | None,
    if_match: str | None,
    if_none_match: str | None,
) -> Answer:
    """Copy an object, with its description or with the one in the request."""
    conditions = (
        copy_source_if_match,
        copy_source_if_none_match,
        copy_source_if_modified_since,
        copy_source_if_unmodified_since,
    )
    source = await open_source(call, copy_source, conditions)
    replaces = metadata_directive == "REPLACE"
    if not replaces and not storage_class and not system_headers.get("WebsiteRedirectLocation"):
        _refuse_to_itself(call, source)
    asked = await asked_acl(call, owner_id=call.owner_id, canned=acl, grants=grants)
    if replaces:
        description = describe(system_headers, metadata, storage_class, asked)
    else:
        check_metadata(metadata)
        description = _copied_description(source, system_headers, storage_class, asked)
    incoming = await source.read(0, source.record.size_bytes)
    algorithm = checksum_algorithm or unpack(source.record.checksums).get("shown")
    if algorithm:
        incoming.also_digest(algorithm)
    condition = write_condition(if_match, if_none_match)
    record = await keep(call, incoming, description, condition, algorithm)
    result = {"ETag": quoted(record.etag), "LastModified": record.modified_at_ms}
    return {"CopyObjectResult": {**result, **shown_checksum(record.checksums)}}


def _copied_description(
    source: Source, system_headers: dict[str, str], storage_class: str | None, asked: Acl | None
) -> Description:
    kept = {name: value for name, value in unpack(source.record.headers).items() if name not in NOT_COPIED}
    added = {name: value for name, value in system_headers.items() if name in NOT_COPIED}
    return describe({**kept, **added}, unpack(source.record.metadata), storage_class, asked)


def _refuse_to_itself(call: Call, source: Source) -> None:
    if (source.bucket.bucket_id, source.record.key) == (call.bucket.bucket_id, call.key):
        raise errors.InvalidRequest(
            "This copy request is illegal because it is trying to copy an object to itself without changing "
            "the object's metadata, storage class, website redirect location or encryption attributes."
        )
