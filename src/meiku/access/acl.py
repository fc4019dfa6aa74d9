"""Access control lists: an owner and grants, in the three ways that S3 lets them be written.

A canned name, `x-amz-grant-*` headers, or a document; only one in a request. How a list is kept (JSON) and
read back is here; whether it lets a caller in is `decision`'s.
Source: https://docs.aws.amazon.com/AmazonS3/latest/userguide/acl-overview.html; reference, accounts.md.
"""

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

from meiku import errors

ALL_USERS = "http://acs.amazonaws.com/groups/global/AllUsers"
AUTHENTICATED_USERS = "http://acs.amazonaws.com/groups/global/AuthenticatedUsers"
LOG_DELIVERY = "http://acs.amazonaws.com/groups/s3/LogDelivery"
GROUPS = (ALL_USERS, AUTHENTICATED_USERS, LOG_DELIVERY)
PERMISSIONS = ("READ", "WRITE", "READ_ACP", "WRITE_ACP", "FULL_CONTROL")
GRANTS_LIMIT = 100


@dataclass(frozen=True, slots=True)
class Grant:
    """One permission for one user (`user_id`) or one group (`group`, a URI)."""

    permission: str
    user_id: str | None = None
    group: str | None = None


@dataclass(frozen=True, slots=True)
class Acl:
    """An owner and what was granted."""

    owner_id: str
    grants: tuple[Grant, ...]

    def to_json(self) -> str:
        """Write the list as it is kept."""
        grants = [[g.permission, g.user_id, g.group] for g in self.grants]
        return json.dumps({"owner": self.owner_id, "grants": grants}, separators=(",", ":"))


@lru_cache(maxsize=4096)
def acl_from_json(text: str) -> Acl:
    """Read a list as it was kept."""
    document = json.loads(text)
    return Acl(document["owner"], tuple(Grant(*grant) for grant in document["grants"]))


def private(owner_id: str) -> Acl:
    """The list that a bucket or an object has when nothing else was said."""
    return canned_acl("private", owner_id, owner_id)


def canned_acl(name: str, owner_id: str, bucket_owner_id: str) -> Acl:
    """Make the list that a canned name stands for; the owner keeps full control in every one."""
    granted: Mapping[str, Sequence[Grant]] = {
        "private": (),
        "public-read": (Grant("READ", group=ALL_USERS),),
        "public-read-write": (Grant("READ", group=ALL_USERS), Grant("WRITE", group=ALL_USERS)),
        "authenticated-read": (Grant("READ", group=AUTHENTICATED_USERS),),
        "bucket-owner-read": (Grant("READ", user_id=bucket_owner_id),),
        "bucket-owner-full-control": (Grant("FULL_CONTROL", user_id=bucket_owner_id),),
        "log-delivery-write": (Grant("WRITE", group=LOG_DELIVERY), Grant("READ_ACP", group=LOG_DELIVERY)),
    }
    if name not in granted:
        raise errors.InvalidArgument(
            f"The canned ACL '{name}' is not offered; it is one of {', '.join(granted)}.",
            ArgumentName="x-amz-acl",
            ArgumentValue=name,
        )
    own = Grant("FULL_CONTROL", user_id=owner_id)
    extra = tuple(grant for grant in granted[name] if grant.user_id != owner_id)
    return Acl(owner_id, (own, *extra))


@dataclass(frozen=True, slots=True)
class Grantee:
    """Someone whom a request names, before it is known whether there is such a user."""

    kind: str
    value: str


def read_grant_header(permission: str, text: str) -> list[tuple[str, Grantee]]:
    """Read one `x-amz-grant-*` value: `id="…", emailAddress="…", uri="…"`."""
    grantees = []
    for part in text.split(","):
        kind, separator, value = part.strip().partition("=")
        if not separator or kind.lower() not in ("id", "uri", "emailaddress"):
            raise errors.InvalidArgument(
                'A grant header must look like id="…", emailAddress="…" or uri="…".',
                ArgumentName=f"x-amz-grant-{permission.lower().replace('_', '-')}",
                ArgumentValue=text[:200],
            )
        grantees.append((permission, Grantee(kind.lower(), value.strip().strip('"'))))
    return grantees


def read_acl_document(document: Mapping[str, Any]) -> tuple[str, list[tuple[str, Grantee]]]:
    """Read an AccessControlPolicy into its owner's id and its grants."""
    owner_id = (document.get("Owner") or {}).get("ID")
    if not owner_id or "Grants" not in document:
        raise errors.MalformedACLError("An ACL names its owner by ID, and has an AccessControlList.")
    grants = [_read_grant(grant) for grant in document["Grants"]]
    check_number(grants)
    return owner_id, grants


def check_number(grants: Sequence[object]) -> None:
    """Refuse more grants than a list holds, in whichever way it is written."""
    if len(grants) > GRANTS_LIMIT:
        raise errors.MalformedACLError(f"An ACL holds at most {GRANTS_LIMIT} grants.")


def _read_grant(grant: Mapping[str, Any]) -> tuple[str, Grantee]:
    grantee = grant.get("Grantee") or {}
    permission = grant.get("Permission")
    named = [(kind, grantee[member]) for kind, member in _GRANTEE_MEMBERS.items() if grantee.get(member)]
    if permission not in PERMISSIONS or [kind for kind, _ in named] != [
        _GRANTEE_TYPES.get(grantee.get("Type", ""))
    ]:
        raise errors.MalformedACLError(
            "A grant names one permission and one grantee: a CanonicalUser by ID, a Group by URI, or an "
            "AmazonCustomerByEmail by EmailAddress."
        )
    return permission, Grantee(*named[0])


_GRANTEE_MEMBERS = {"id": "ID", "uri": "URI", "emailaddress": "EmailAddress"}
_GRANTEE_TYPES = {"CanonicalUser": "id", "Group": "uri", "AmazonCustomerByEmail": "emailaddress"}


def group_grant(permission: str, uri: str) -> Grant:
    """Make a grant to a group, or refuse a group that S3 does not have."""
    if uri not in GROUPS:
        raise errors.InvalidArgument("Invalid group uri.", ArgumentName="uri", ArgumentValue=uri[:200])
    return Grant(permission, group=uri)


def document_of(acl: Acl, names: Mapping[str, str]) -> dict[str, Any]:
    """Write the list as GetBucketAcl and GetObjectAcl answer it; `names` maps user ids to display names."""
    return {
        "Owner": {"DisplayName": names.get(acl.owner_id, ""), "ID": acl.owner_id},
        "Grants": [
            {"Grantee": _grantee_of(grant, names), "Permission": grant.permission}
            # Groups first, as the family's servers list them: clients compare whole lists.
            for grant in sorted(acl.grants, key=lambda grant: grant.group is None)
        ],
    }


def _grantee_of(grant: Grant, names: Mapping[str, str]) -> dict[str, str]:
    if grant.group is not None:
        return {"Type": "Group", "URI": grant.group}
    user_id = grant.user_id or ""
    return {"Type": "CanonicalUser", "DisplayName": names.get(user_id, ""), "ID": user_id}


def user_ids_in(acls: Iterable[Acl]) -> set[str]:
    """Collect every user that the lists mention."""
    return {g.user_id for acl in acls for g in acl.grants if g.user_id} | {acl.owner_id for acl in acls}
