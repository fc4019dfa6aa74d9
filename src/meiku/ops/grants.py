"""The ACL that a request asks for: a canned name, grant headers or a document, but only one of the three."""

from collections.abc import Mapping
from typing import Any

from meiku import errors
from meiku.access.acl import (
    Acl,
    Grant,
    Grantee,
    canned_acl,
    check_number,
    group_grant,
    read_acl_document,
    read_grant_header,
)
from meiku.meta.users import find_user, find_user_by_email
from meiku.ops.call import Call

_PERMISSIONS = {
    "GrantFullControl": "FULL_CONTROL",
    "GrantRead": "READ",
    "GrantReadACP": "READ_ACP",
    "GrantWrite": "WRITE",
    "GrantWriteACP": "WRITE_ACP",
}


async def asked_acl(
    call: Call,
    *,
    owner_id: str,
    canned: str | None = None,
    grants: Mapping[str, str] | None = None,
    document: Mapping[str, Any] | None = None,
) -> Acl | None:
    """Read the ACL that was asked for, None where none was; `grants` is the group of that name."""
    if document is not None and (canned is not None or grants):
        raise errors.UnexpectedContent("An ACL in headers and another in a document are one too many.")
    if canned is not None and grants:
        raise errors.InvalidRequest("Specifying both canned ACLs and header grants is not allowed.")
    if canned is not None:
        bucket_owner_id = call.found_bucket.owner_id if call.found_bucket else owner_id
        return canned_acl(canned, owner_id, bucket_owner_id)
    if grants:
        asked = [
            pair for name, text in grants.items() for pair in read_grant_header(_PERMISSIONS[name], text)
        ]
        check_number(asked)
        return Acl(owner_id, await _grants(call, asked))
    if document is not None:
        named_owner_id, asked = read_acl_document(document)
        if named_owner_id != owner_id:
            raise errors.AccessDenied("An ACL document can not change the owner.", OwnerID=named_owner_id)
        return Acl(owner_id, await _grants(call, asked))
    return None


async def _grants(call: Call, asked: list[tuple[str, Grantee]]) -> tuple[Grant, ...]:
    return tuple([await _grant(call, permission, grantee) for permission, grantee in asked])


async def _grant(call: Call, permission: str, grantee: Grantee) -> Grant:
    if grantee.kind == "uri":
        return group_grant(permission, grantee.value)
    if grantee.kind == "emailaddress":
        if not call.settings.grants_by_email:
            raise errors.NotImplemented("Grants by e-mail address are switched off here; name users by id.")
        user = await call.meta.read(find_user_by_email, grantee.value)
        if user is None:
            raise errors.UnresolvableGrantByEmailAddress(EmailAddress=grantee.value)
        return Grant(permission, user_id=user.user_id)
    if await call.meta.read(find_user, grantee.value) is None:
        raise errors.InvalidArgument("Invalid id", ArgumentName="ID", ArgumentValue=grantee.value)
    return Grant(permission, user_id=grantee.value)


async def display_names(call: Call, user_ids: set[str]) -> dict[str, str]:
    """Look up the names that answers show beside user ids."""
    names = {}
    for user_id in user_ids:
        user = await call.meta.read(find_user, user_id)
        names[user_id] = user.name if user else ""
    return names
