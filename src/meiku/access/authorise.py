"""Asks the stores what a decision needs, and no more than it needs, then decides.

The owner of a bucket is let in without a look at the object. An object that is not there is NoSuchKey only
for those who may list the bucket; to others it is AccessDenied, so that names can't be probed.
"""

from meiku import errors
from meiku.access import decision
from meiku.access.acl import Acl, acl_from_json, canned_acl, private
from meiku.access.caller import Caller
from meiku.access.decision import ANYBODY, Decision
from meiku.meta import Meta
from meiku.meta.objects import find_object
from meiku.meta.records import BucketRecord, ObjectRecord


def bucket_acl(bucket: BucketRecord) -> Acl:
    """Read the bucket's list."""
    text = bucket.settings.get("acl")
    return acl_from_json(text) if text else private(bucket.owner_id)


def object_acl(record: ObjectRecord, bucket: BucketRecord, inherits: bool) -> Acl:
    """Read the object's list; one that was never set is private, or as open to reads as its bucket."""
    if record.acl is not None:
        return acl_from_json(record.acl)
    if not inherits:
        return private(record.owner_id)
    own = private(record.owner_id)
    opened = tuple(g for g in bucket_acl(bucket).grants if g.permission == "READ")
    return Acl(own.owner_id, (*own.grants, *opened))


async def authorise(
    meta: Meta, caller: Caller, action: str, bucket: BucketRecord | None, key: bytes, *, inherits: bool
) -> None:
    """Let the caller pass or raise AccessDenied with the reason (NoSuchKey where that may be known)."""
    if action == ANYBODY:
        return
    if bucket is None:
        _demand(decision.decide_account(caller, action))
    elif caller.user_id is not None and caller.user_id == bucket.owner_id:
        return
    elif action in decision.OBJECT_GRANTS and key:
        await _authorise_object(meta, caller, action, bucket, key, inherits)
    else:
        _demand(decision.decide_bucket(caller, action, bucket_acl(bucket)))


async def _authorise_object(
    meta: Meta, caller: Caller, action: str, bucket: BucketRecord, key: bytes, inherits: bool
) -> None:
    record = await meta.read(find_object, bucket.bucket_id, key)
    if record is None:
        _demand(decision.decide_bucket(caller, "s3:ListBucket", bucket_acl(bucket)))
        raise errors.NoSuchKey(Key=key.decode())
    _demand(decision.decide_object(caller, action, bucket_acl(bucket), object_acl(record, bucket, inherits)))


def _demand(decided: Decision) -> None:
    if not decided.allowed:
        raise errors.AccessDenied(Reason=decided.reason)


__all__ = ["authorise", "bucket_acl", "canned_acl", "object_acl"]
