"""One decision: may this caller do this action on this bucket, on this object? With its reasons.

Today owners and ACLs decide. What is not granted is refused, and an action that stands in no list below is
the owner's alone. Order of the house (reference, accounts.md, "Decision"): the bucket's owner may; else a
grant may; else AccessDenied.
"""

from dataclasses import dataclass

from meiku.access.acl import ALL_USERS, AUTHENTICATED_USERS, Acl
from meiku.access.caller import Caller

# Which permission of the bucket's list, or of the object's, opens an action to those who are not its owner.
BUCKET_GRANTS = {
    "s3:ListBucket": "READ",
    "s3:ListBucketVersions": "READ",
    "s3:ListBucketMultipartUploads": "READ",
    "s3:PutObject": "WRITE",
    "s3:DeleteObject": "WRITE",
    # Of these, a writer may do only what concerns an upload of their own; `ops.parts` sees to that.
    "s3:AbortMultipartUpload": "WRITE",
    "s3:ListMultipartUploadParts": "WRITE",
    "s3:GetBucketAcl": "READ_ACP",
    "s3:PutBucketAcl": "WRITE_ACP",
}
OBJECT_GRANTS = {
    "s3:GetObject": "READ",
    "s3:GetObjectAcl": "READ_ACP",
    "s3:PutObjectAcl": "WRITE_ACP",
}
ANYBODY = "anybody"  # a preflight asks nothing that needs a permission


@dataclass(frozen=True, slots=True)
class Decision:
    """Yes or no, and why, in words that may be shown to the caller."""

    allowed: bool
    reason: str


def decide_account(caller: Caller, action: str) -> Decision:
    """Decide an action on the caller's own account: making a bucket, listing one's buckets."""
    if caller.anonymous:
        return Decision(False, f"Anonymous callers may not {action}: sign the request.")
    return Decision(True, "every user may")


def decide_bucket(caller: Caller, action: str, bucket_acl: Acl) -> Decision:
    """Decide an action that the bucket's list governs."""
    if caller.user_id is not None and caller.user_id == bucket_acl.owner_id:
        return Decision(True, "the caller owns the bucket")
    permission = BUCKET_GRANTS.get(action)
    if permission and _granted(bucket_acl, caller, permission):
        return Decision(True, f"the bucket's ACL grants {permission}")
    return Decision(False, _refusal(caller, action, "bucket", permission))


def decide_object(caller: Caller, action: str, bucket_acl: Acl, object_acl: Acl) -> Decision:
    """Decide an action that the object's list governs; the bucket's owner may always."""
    if caller.user_id is not None and caller.user_id in (bucket_acl.owner_id, object_acl.owner_id):
        return Decision(True, "the caller owns the bucket or the object")
    permission = OBJECT_GRANTS[action]
    if _granted(object_acl, caller, permission):
        return Decision(True, f"the object's ACL grants {permission}")
    return Decision(False, _refusal(caller, action, "object", permission))


def _granted(acl: Acl, caller: Caller, permission: str) -> bool:
    return any(
        grant.permission in (permission, "FULL_CONTROL")
        and (
            grant.group == ALL_USERS
            or (not caller.anonymous and grant.group == AUTHENTICATED_USERS)
            or (grant.user_id is not None and grant.user_id == caller.user_id)
        )
        for grant in acl.grants
    )


def _refusal(caller: Caller, action: str, kind: str, permission: str | None) -> str:
    who = "The request is anonymous" if caller.anonymous else f"The user '{caller.name}' is not the owner"
    whom = "everybody" if caller.anonymous else "them"
    missing = f"the {kind}'s ACL does not grant {whom} {permission}"
    what = missing if permission else "only the bucket's owner may"
    return f"{who}, and {what} ({action})."
