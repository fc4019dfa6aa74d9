"""Reading and replacing the ACLs of buckets and objects."""

from typing import Any

from meiku import errors
from meiku.access.acl import Acl, document_of, user_ids_in
from meiku.access.authorise import bucket_acl, object_acl
from meiku.meta import buckets, objects
from meiku.operation import Answer, operation
from meiku.ops.call import Call
from meiku.ops.grants import asked_acl, display_names
from meiku.ops.versions import check_version


@operation("GetBucketAcl", action="s3:GetBucketAcl")
async def get_bucket_acl(call: Call) -> Answer:
    """Tell the bucket's ACL."""
    acl = bucket_acl(call.bucket)
    return document_of(acl, await display_names(call, user_ids_in([acl])))


@operation("PutBucketAcl", action="s3:PutBucketAcl")
async def put_bucket_acl(
    call: Call,
    acl: str | None,
    access_control_policy: dict[str, Any] | None,
    grants: dict[str, str],
) -> Answer:
    """Replace the bucket's ACL, as long as it is the one that the caller was judged by."""
    asked = await _required_acl(call, call.bucket.owner_id, acl, grants, access_control_policy)
    judged_by = call.bucket.settings.get("acl")

    def replaced(present: str | None) -> str:
        if present != judged_by:
            raise errors.Replaced("bucket acl")
        return asked.to_json()

    await call.meta.write(buckets.change_setting, call.bucket.bucket_id, "acl", replaced)
    return {}


@operation("GetObjectAcl", action="s3:GetObjectAcl")
async def get_object_acl(call: Call, version_id: str | None) -> Answer:
    """Tell the object's ACL."""
    check_version(version_id)
    acl = object_acl(call.found.record, call.bucket, call.settings.objects_inherit_bucket_acl)
    return document_of(acl, await display_names(call, user_ids_in([acl])))


@operation("PutObjectAcl", action="s3:PutObjectAcl")
async def put_object_acl(
    call: Call,
    acl: str | None,
    access_control_policy: dict[str, Any] | None,
    grants: dict[str, str],
    version_id: str | None,
) -> Answer:
    """Replace the ACL of the object by whose list the caller was judged; of no other version."""
    check_version(version_id)
    record = call.found.record
    asked = await _required_acl(call, record.owner_id, acl, grants, access_control_policy)
    await call.meta.write(objects.replace_acl, call.bucket.bucket_id, record, asked.to_json())
    return {}


async def _required_acl(
    call: Call,
    owner_id: str,
    canned: str | None,
    grants: dict[str, str],
    document: dict[str, Any] | None,
) -> Acl:
    asked = await asked_acl(call, owner_id=owner_id, canned=canned, grants=grants, document=document)
    if asked is None:
        raise errors.MissingSecurityHeader(
            "Your request has no ACL: neither x-amz-acl, nor grants, nor a document."
        )
    return asked
