"""Buckets: list, make, look, locate, remove. Their settings are in files of their own nouns."""

import ipaddress
import re
from typing import Any

from meiku import errors
from meiku.access.acl import private
from meiku.meta import buckets
from meiku.meta.records import BucketRecord
from meiku.operation import Answer, operation
from meiku.ops.call import Call
from meiku.ops.grants import asked_acl

DEFAULT_REGION = "us-east-1"
LIST_LIMIT = 10_000
_NAME = re.compile(r"[a-z0-9][a-z0-9.-]{1,61}[a-z0-9]")


@operation("ListBuckets", action="s3:ListAllMyBuckets")
async def list_buckets(
    call: Call, max_buckets: int | None, continuation_token: str | None, prefix: str | None
) -> Answer:
    """List the caller's own buckets by name."""
    limit = LIST_LIMIT if max_buckets is None else max_buckets
    if not 1 <= limit <= LIST_LIMIT:
        raise errors.InvalidArgument(
            f"max-buckets must be 1 to {LIST_LIMIT}.", ArgumentName="max-buckets", ArgumentValue=str(limit)
        )
    owner_id = call.caller.user_id or ""
    found = await call.meta.read(
        buckets.list_buckets, owner_id, continuation_token or "", limit + 1, prefix or ""
    )
    return {
        "Owner": {"DisplayName": call.caller.name, "ID": owner_id},
        "Buckets": [_listed(bucket) for bucket in found[:limit]],
        "ContinuationToken": found[limit - 1].name if len(found) > limit else None,
        "Prefix": prefix,
    }


def _listed(bucket: BucketRecord) -> dict[str, Any]:
    return {"Name": bucket.name, "CreationDate": bucket.created_at_ms, "BucketRegion": bucket.location}


@operation("CreateBucket", action="s3:CreateBucket", creates_bucket=True)
async def create_bucket(
    call: Call,
    acl: str | None,
    create_bucket_configuration: dict[str, Any] | None,
    grants: dict[str, str],
    object_ownership: str | None,
) -> Answer:
    """Make a bucket that the caller owns."""
    check_bucket_name(call.bucket_name)
    if object_ownership == "BucketOwnerEnforced":
        raise errors.NotImplemented("ACLs are alive here: BucketOwnerEnforced is not offered.")
    owner_id = call.caller.user_id or ""
    asked = await asked_acl(call, owner_id=owner_id, canned=acl, grants=grants) or private(owner_id)
    location = _location(create_bucket_configuration, call.settings.region)
    try:
        await call.meta.write(
            buckets.add_bucket, call.bucket_name, owner_id, call.now_ms, location, {"acl": asked.to_json()}
        )
    except errors.Conflict:
        await _accept_again(call, owner_id, location)
    return {"Location": f"/{call.bucket_name}"}


async def _accept_again(call: Call, owner_id: str, location: str) -> None:
    """Raise that the name is taken; S3's first region lets an owner make the same bucket again.

    Source: https://docs.aws.amazon.com/AmazonS3/latest/API/API_CreateBucket.html, BucketAlreadyOwnedByYou
    """
    existing = await call.meta.read(buckets.find_bucket, call.bucket_name)
    if existing is None or existing.owner_id != owner_id:
        raise errors.BucketAlreadyExists(BucketName=call.bucket_name)
    if not existing.location == location == DEFAULT_REGION:
        raise errors.BucketAlreadyOwnedByYou(BucketName=call.bucket_name)


def _location(configuration: dict[str, Any] | None, region: str) -> str:
    """Take any location that is asked for: regions are names here, as in every V4 scope."""
    asked = configuration or {}
    for member in asked.keys() - {"LocationConstraint"}:
        raise errors.NotImplemented(f"'{member}' of CreateBucketConfiguration is not offered.")
    location: str = asked.get("LocationConstraint") or region
    if len(location) > 64:
        raise errors.InvalidLocationConstraint(LocationConstraint=location[:64])
    return location


def check_bucket_name(name: str) -> None:
    """Refuse a name that S3 would refuse.

    Source: https://docs.aws.amazon.com/AmazonS3/latest/userguide/bucketnamingrules.html
    """
    if not _NAME.fullmatch(name) or ".." in name or name.startswith("xn--") or _is_address(name):
        raise errors.InvalidBucketName(BucketName=name[:100])


def _is_address(name: str) -> bool:
    try:
        ipaddress.IPv4Address(name)
    except ValueError:
        return False
    return True


@operation("HeadBucket", action="s3:ListBucket")
async def head_bucket(call: Call) -> Answer:
    """Tell that the bucket is there, to who may list it; its owner also what it holds, as RGW does."""
    answer: Answer = {"BucketRegion": call.bucket.location}
    if call.caller.user_id == call.bucket.owner_id:
        usage = await call.meta.read(buckets.bucket_usage, call.bucket.bucket_id)
        answer["ObjectCount"], answer["BytesUsed"] = usage
    return answer


@operation("GetBucketLocation", action="s3:GetBucketLocation")
async def get_bucket_location(call: Call) -> Answer:
    """Tell the bucket's region; S3 writes its first one as nothing."""
    location = call.bucket.location
    return {"LocationConstraint": None if location == DEFAULT_REGION else location}


@operation("DeleteBucket", action="s3:DeleteBucket")
async def delete_bucket(call: Call) -> Answer:
    """Remove a bucket that holds no objects; its unfinished uploads are given up, as S3 does."""
    with_uploads = not call.settings.uploads_keep_buckets
    try:
        await call.meta.write(
            buckets.remove_bucket, call.bucket.bucket_id, call.now_ms, with_uploads=with_uploads
        )
    except errors.Conflict:
        raise errors.BucketNotEmpty(BucketName=call.bucket_name) from None
    return {}
