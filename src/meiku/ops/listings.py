"""Listing a bucket's objects, in both of S3's versions, in the byte order of their keys."""

import base64
import binascii
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from meiku import errors
from meiku.meta.listing import list_objects as list_page
from meiku.meta.records import ListedObjects, ObjectPage
from meiku.operation import Answer, operation
from meiku.ops.call import Call
from meiku.ops.descriptions import quoted, shown_kind
from meiku.ops.grants import display_names
from meiku.ops.percent import percent_encoded

PAGE_LIMIT = 1000
NameWriter = Callable[[bytes], str]
# A column for each member that the listed entries have.
Columns = dict[str, Sequence[Any]]


def name_writer(encoding_type: str | None) -> NameWriter:
    """Choose how keys are written: as they are, or percent-encoded for what XML cannot hold."""
    return _encoded if encoding_type == "url" else bytes.decode


def _encoded(name: bytes) -> str:
    return percent_encoded([name])[0].decode()


def _names(names: Sequence[bytes], encoding_type: str | None) -> Sequence[bytes]:
    """Write a page's names, still in UTF-8; as `name_writer` does it with each."""
    return percent_encoded(names) if encoding_type == "url" else names


def read_limit(argument: str, asked: int | None) -> int:
    """Read how many entries a page may have; more than S3 gives is cut to that."""
    if asked is None:
        return PAGE_LIMIT
    if asked < 0:
        raise errors.InvalidArgument(
            f"{argument} must not be negative.", ArgumentName=argument, ArgumentValue=str(asked)
        )
    return min(asked, PAGE_LIMIT)


@operation("ListObjects", action="s3:ListBucket")
async def list_objects(
    call: Call,
    prefix: str | None,
    delimiter: str | None,
    marker: str | None,
    max_keys: int | None,
    encoding_type: str | None,
) -> Answer:
    """List a page of objects behind a marker, each with its owner."""
    limit, name = read_limit("max-keys", max_keys), name_writer(encoding_type)
    page = await _page(call, prefix, delimiter, (marker or "").encode(), limit)
    owners = await display_names(call, set(page.objects.owner_ids))
    next_marker = page.next_after if page.truncated and delimiter else None
    return {
        "Name": call.bucket_name,
        "Prefix": name((prefix or "").encode()),
        "Marker": name((marker or "").encode()),
        "NextMarker": None if next_marker is None else name(next_marker),
        "MaxKeys": limit,
        "Delimiter": name(delimiter.encode()) if delimiter else None,
        "IsTruncated": page.truncated,
        "EncodingType": encoding_type,
        "Contents": _contents(page.objects, encoding_type, owners),
        "CommonPrefixes": {"Prefix": _names(page.common_prefixes, encoding_type)},
    }


@operation("ListObjectsV2", action="s3:ListBucket")
async def list_objects_v2(
    call: Call,
    prefix: str | None,
    delimiter: str | None,
    start_after: str | None,
    continuation_token: str | None,
    max_keys: int | None,
    fetch_owner: bool | None,
    encoding_type: str | None,
) -> Answer:
    """List a page of objects behind a token or a key."""
    limit, name = read_limit("max-keys", max_keys), name_writer(encoding_type)
    after = _read_token(continuation_token) if continuation_token else (start_after or "").encode()
    page = await _page(call, prefix, delimiter, after, limit)
    owners = await display_names(call, set(page.objects.owner_ids)) if fetch_owner else None
    token = page.next_after if page.truncated else None
    return {
        "Name": call.bucket_name,
        "Prefix": name((prefix or "").encode()),
        "StartAfter": None if start_after is None else name(start_after.encode()),
        "ContinuationToken": continuation_token,
        "NextContinuationToken": None if token is None else _write_token(token),
        "KeyCount": len(page.objects.keys) + len(page.common_prefixes),
        "MaxKeys": limit,
        "Delimiter": name(delimiter.encode()) if delimiter else None,
        "IsTruncated": page.truncated,
        "EncodingType": encoding_type,
        "Contents": _contents(page.objects, encoding_type, owners),
        "CommonPrefixes": {"Prefix": _names(page.common_prefixes, encoding_type)},
    }


async def _page(
    call: Call, prefix: str | None, delimiter: str | None, after: bytes, limit: int
) -> ObjectPage:
    if limit == 0:
        return ObjectPage()
    return await call.meta.read(
        list_page,
        call.bucket.bucket_id,
        (prefix or "").encode(),
        (delimiter or "").encode(),
        after,
        False,
        limit,
    )


def _contents(listed: ListedObjects, encoding_type: str | None, owners: Mapping[str, str] | None) -> Columns:
    kinds = [shown_kind(checksums) for checksums in listed.checksums]
    # One list for all rows with the same algorithm: what rows share is written once.
    algorithms = {algorithm: [algorithm] if algorithm else None for algorithm, _ in kinds}
    columns: Columns = {
        "Key": _names(listed.keys, encoding_type),
        "LastModified": listed.modified_at_ms,
        "ETag": [quoted(etag) for etag in listed.etags],
        "ChecksumAlgorithm": [algorithms[algorithm] for algorithm, _ in kinds],
        "ChecksumType": [checksum_type for _, checksum_type in kinds],
        "Size": listed.sizes_bytes,
        "StorageClass": listed.storage_classes,
    }
    if owners is not None:
        shown = {owner_id: {"ID": owner_id, "DisplayName": name} for owner_id, name in owners.items()}
        columns["Owner"] = [shown[owner_id] for owner_id in listed.owner_ids]
    return columns


def _write_token(after: bytes) -> str:
    return base64.urlsafe_b64encode(b"1" + after).decode()


def _read_token(token: str) -> bytes:
    try:
        opened = base64.b64decode(token.encode(), altchars=b"-_", validate=True)
    except (binascii.Error, ValueError):
        opened = b""
    if opened[:1] != b"1":
        raise errors.InvalidArgument(
            "The continuation token provided is incorrect", ArgumentName="continuation-token"
        )
    return opened[1:]
