"""Lets a caller pass, or refuses in words: which list decides, and what a stranger may learn. Asks no store.

The bucket's owner may all. A refusal says the same of an object that is not there and of one that is private:
only who may list the bucket is told which it was, so that names can't be probed.
"""

from typing import NoReturn

from meiku import errors
from meiku.access import decision
from meiku.access.acl import Acl, acl_from_json, private
from meiku.access.caller import Caller
from meiku.access.decision import ANYBODY, OBJECT_GRANTS, Decision
from meiku.meta.records import BucketRecord, ObjectRecord

# Owns what is not there; no user has this id.
_NOBODY = ""


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


def is_of_object(action: str) -> bool:
    """Tell whether an action is decided by the list of the object that it is done to."""
    return action in OBJECT_GRANTS


def authorise(caller: Caller, action: str, bucket: BucketRecord | None) -> None:
    """Let the caller do what the bucket's list decides, or raise AccessDenied with the reason."""
    if action == ANYBODY:
        return
    if bucket is None:
        _demand(decision.decide_account(caller, action))
    elif caller.user_id is None or caller.user_id != bucket.owner_id:
        _demand(decision.decide_bucket(caller, action, bucket_acl(bucket)))


def authorise_object(
    caller: Caller,
    action: str,
    bucket: BucketRecord,
    key: bytes,
    record: ObjectRecord | None,
    *,
    inherits: bool,
) -> ObjectRecord:
    """Return the record that was found under the key, to a caller who may do this to it.

    Raises AccessDenied with the reason; NoSuchKey where there is none and the caller may know that.
    """
    if record is None:
        _refuse_missing(caller, action, bucket, key)
    if caller.user_id is None or caller.user_id != bucket.owner_id:
        acl = object_acl(record, bucket, inherits)
        _demand(decision.decide_object(caller, action, bucket_acl(bucket), acl))
    return record


def _refuse_missing(caller: Caller, action: str, bucket: BucketRecord, key: bytes) -> NoReturn:
    listed = bucket_acl(bucket)
    if not decision.decide_bucket(caller, "s3:ListBucket", listed).allowed:
        # Word for word what somebody else's private object would be refused with.
        _demand(decision.decide_object(caller, action, listed, private(_NOBODY)))
    raise errors.NoSuchKey(Key=key.decode())


def _demand(decided: Decision) -> None:
    if not decided.allowed:
        raise errors.AccessDenied(Reason=decided.reason)
