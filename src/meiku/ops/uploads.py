"""Multipart uploads: begin, abort, list. Parts and completion have files of their own."""

import secrets
from typing import Any

from meiku import errors
from meiku.meta import uploads
from meiku.meta.records import UploadRecord
from meiku.operation import Answer, operation
from meiku.ops.call import Call
from meiku.ops.descriptions import describe
from meiku.ops.grants import asked_acl, display_names
from meiku.ops.listings import NameWriter, name_writer, read_limit
from meiku.ops.parts import require_upload

CRCS = ("CRC32", "CRC32C", "CRC64NVME")


@operation("CreateMultipartUpload", action="s3:PutObject")
async def create_multipart_upload(
    call: Call,
    acl: str | None,
    grants: dict[str, str],
    system_headers: dict[str, str],
    metadata: dict[str, str],
    storage_class: str | None,
    checksum_algorithm: str | None,
    checksum_type: str | None,
) -> Answer:
    """Begin an upload in parts."""
    asked = await asked_acl(call, owner_id=call.owner_id, canned=acl, grants=grants)
    description = describe(system_headers, metadata, storage_class, asked)
    checksum_type = _checksum_type(checksum_algorithm, checksum_type)
    upload = UploadRecord(
        upload_id=_new_upload_id(call.now_ms),
        bucket_id=call.bucket.bucket_id,
        key=call.key,
        initiated_at_ms=call.now_ms,
        owner_id=call.owner_id,
        initiator_id=call.caller.user_id or "",
        storage_class=description.storage_class,
        headers=description.headers,
        metadata=description.metadata,
        acl=description.acl,
        checksum_algorithm=checksum_algorithm,
        checksum_type=checksum_type,
    )
    await call.meta.write(uploads.add_upload, upload)
    return {
        "Bucket": call.bucket_name,
        "Key": call.key.decode(),
        "UploadId": upload.upload_id,
        "ChecksumAlgorithm": checksum_algorithm,
        "ChecksumType": checksum_type,
    }


def _new_upload_id(now_ms: int) -> str:
    """Make an id that nobody guesses, and that sorts by age: uploads of a key are listed oldest first."""
    return f"2~{now_ms:012x}{secrets.token_urlsafe(24)}"


def _checksum_type(algorithm: str | None, asked: str | None) -> str | None:
    """Choose how the whole's checksum is made from its parts'; only CRCs can be joined.

    Source: https://docs.aws.amazon.com/AmazonS3/latest/userguide/checking-object-integrity-upload.html
    """
    if algorithm is None:
        if asked is not None:
            raise errors.InvalidRequest("x-amz-checksum-type needs x-amz-checksum-algorithm.")
        return None
    possible = {"CRC64NVME": ("FULL_OBJECT",)}.get(
        algorithm, ("COMPOSITE", "FULL_OBJECT") if algorithm in CRCS else ("COMPOSITE",)
    )
    if asked is not None and asked not in possible:
        raise errors.InvalidRequest(
            f"The {asked} checksum type cannot be used with the {algorithm} checksum algorithm."
        )
    return asked or possible[0]


@operation("AbortMultipartUpload", action="s3:AbortMultipartUpload")
async def abort_multipart_upload(call: Call, upload_id: str) -> Answer:
    """End an upload and let go of its parts."""
    await require_upload(call, upload_id)
    if not await call.meta.write(uploads.abort_upload, upload_id, call.now_ms):
        raise errors.NoSuchUpload(UploadId=upload_id)
    return {}


@operation("ListMultipartUploads", action="s3:ListBucketMultipartUploads")
async def list_multipart_uploads(
    call: Call,
    prefix: str | None,
    delimiter: str | None,
    key_marker: str | None,
    upload_id_marker: str | None,
    max_uploads: int | None,
    encoding_type: str | None,
) -> Answer:
    """List the uploads in progress, by key and then by age."""
    limit = read_limit("max-uploads", max_uploads)
    page = await call.meta.read(
        uploads.list_uploads,
        call.bucket.bucket_id,
        (prefix or "").encode(),
        (delimiter or "").encode(),
        (key_marker or "").encode(),
        upload_id_marker if key_marker and upload_id_marker else "",
        limit,
    )
    names = await display_names(
        call, {user for u in page.uploads for user in (u.owner_id, u.initiator_id) if user}
    )
    name = name_writer(encoding_type)
    return {
        "Bucket": call.bucket_name,
        "KeyMarker": name((key_marker or "").encode()),
        "UploadIdMarker": upload_id_marker or "",
        "NextKeyMarker": None if page.next_key_marker is None else name(page.next_key_marker),
        "NextUploadIdMarker": page.next_upload_id_marker,
        "Prefix": name((prefix or "").encode()),
        "Delimiter": name(delimiter.encode()) if delimiter else None,
        "MaxUploads": limit,
        "IsTruncated": page.truncated,
        "EncodingType": encoding_type,
        "Uploads": [_listed(upload, name, names) for upload in page.uploads],
        "CommonPrefixes": [{"Prefix": name(common)} for common in page.common_prefixes],
    }


def _listed(upload: UploadRecord, name: NameWriter, names: dict[str, str]) -> dict[str, Any]:
    return {
        "UploadId": upload.upload_id,
        "Key": name(upload.key),
        "Initiated": upload.initiated_at_ms,
        "StorageClass": upload.storage_class,
        "Owner": {"ID": upload.owner_id, "DisplayName": names.get(upload.owner_id, "")},
        "Initiator": {"ID": upload.initiator_id, "DisplayName": names.get(upload.initiator_id, "")},
        "ChecksumAlgorithm": upload.checksum_algorithm,
        "ChecksumType": upload.checksum_type,
    }
