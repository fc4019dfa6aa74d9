"""The decision: who may do what. Whatever is not granted is refused, and says why."""

import pytest

from meiku import ops
from meiku.access.acl import ALL_USERS, AUTHENTICATED_USERS, LOG_DELIVERY, Acl, Grant, private
from meiku.access.caller import ANONYMOUS, Caller
from meiku.access.decision import (
    ANYBODY,
    BUCKET_GRANTS,
    OBJECT_GRANTS,
    decide_account,
    decide_bucket,
    decide_object,
)

OWNER, WRITER, OTHER = Caller("owner", "o"), Caller("writer", "w"), Caller("other", "x")
EVERYONE = (OWNER, WRITER, OTHER, ANONYMOUS)


def bucket(*grants: Grant) -> Acl:
    return Acl("owner", grants)


@pytest.mark.parametrize("action", [*BUCKET_GRANTS, "s3:DeleteBucket", "s3:PutBucketCORS", "s3:Unheard"])
def test_the_owner_may_everything(action: str) -> None:
    """The bucket's owner needs no grant, not even their own."""
    assert decide_bucket(OWNER, action, bucket()).allowed


@pytest.mark.parametrize("action", [*BUCKET_GRANTS, "s3:DeleteBucket", "s3:PutBucketCORS", "s3:Unheard"])
def test_nobody_else_may_anything_by_default(action: str) -> None:
    """Without a grant every action is refused, to users and strangers."""
    for caller in (OTHER, ANONYMOUS):
        assert not decide_bucket(caller, action, private("owner")).allowed


@pytest.mark.parametrize(("action", "permission"), BUCKET_GRANTS.items())
def test_a_grant_opens_its_actions_and_no_others(action: str, permission: str) -> None:
    """The permission that an action needs, or FULL_CONTROL, lets in; every other does not."""
    for granted in ("READ", "WRITE", "READ_ACP", "WRITE_ACP", "FULL_CONTROL"):
        decided = decide_bucket(OTHER, action, bucket(Grant(granted, user_id="other")))
        assert decided.allowed == (granted in (permission, "FULL_CONTROL"))


@pytest.mark.parametrize(
    ("grant", "allowed"),
    [
        (Grant("READ", group=ALL_USERS), EVERYONE),
        (Grant("READ", group=AUTHENTICATED_USERS), (OWNER, WRITER, OTHER)),
        (Grant("READ", group=LOG_DELIVERY), (OWNER,)),
        (Grant("READ", user_id="writer"), (OWNER, WRITER)),
    ],
)
def test_a_grant_is_for_its_grantee(grant: Grant, allowed: tuple[Caller, ...]) -> None:
    """AllUsers is everybody, AuthenticatedUsers every user, an id that user."""
    let_in = tuple(c for c in EVERYONE if decide_bucket(c, "s3:ListBucket", bucket(grant)).allowed)
    assert let_in == allowed


@pytest.mark.parametrize("action", ["s3:DeleteBucket", "s3:PutBucketCORS", "s3:Unheard"])
def test_what_no_grant_opens_stays_the_owners(action: str) -> None:
    """Full control granted to everybody does not open an action that ACLs know nothing of."""
    assert not decide_bucket(OTHER, action, bucket(Grant("FULL_CONTROL", group=ALL_USERS))).allowed


@pytest.mark.parametrize(("action", "permission"), OBJECT_GRANTS.items())
def test_an_object_is_opened_by_its_own_list(action: str, permission: str) -> None:
    """Owners of object and bucket may; others need the object's grant, the bucket's is no help."""
    own, public_bucket = private("writer"), bucket(Grant("FULL_CONTROL", group=ALL_USERS))
    let_in = tuple(c for c in EVERYONE if decide_object(c, action, public_bucket, own).allowed)
    assert let_in == (OWNER, WRITER)
    opened = Acl("writer", (Grant(permission, group=ALL_USERS),))
    assert all(decide_object(c, action, bucket(), opened).allowed for c in EVERYONE)


def test_an_anonymous_grant_is_for_nobody() -> None:
    """A grant without a user is not a grant to those without a user id."""
    assert not decide_bucket(ANONYMOUS, "s3:ListBucket", bucket(Grant("READ"))).allowed


def test_ones_own_account_needs_a_signature() -> None:
    """Every user may make and list buckets of their own; nobody in particular has none."""
    assert decide_account(OTHER, "s3:ListAllMyBuckets").allowed
    assert not decide_account(ANONYMOUS, "s3:ListAllMyBuckets").allowed


def test_a_refusal_names_who_what_and_why() -> None:
    """The reason names the caller, the missing permission and the action."""
    assert decide_bucket(OTHER, "s3:ListBucket", bucket()).reason == (
        "The user 'x' is not the owner, and the bucket's ACL does not grant them READ (s3:ListBucket)."
    )
    assert decide_bucket(ANONYMOUS, "s3:ListBucket", bucket()).reason == (
        "The request is anonymous, and the bucket's ACL does not grant everybody READ (s3:ListBucket)."
    )
    assert "anonymous" in decide_bucket(ANONYMOUS, "s3:DeleteBucket", bucket()).reason
    assert "only the bucket's owner" in decide_bucket(OTHER, "s3:DeleteBucket", bucket()).reason


def test_only_preflights_are_for_anybody() -> None:
    """No operation but a preflight is open without a decision."""
    open_names = {name for name, operation in ops.offered().items() if operation.action == ANYBODY}
    assert open_names == {"PreflightBucket", "PreflightObject"}


def test_every_object_action_is_decided_by_somebody() -> None:
    """An action that the object's list opens is not opened by the bucket's as well."""
    assert BUCKET_GRANTS.keys().isdisjoint(OBJECT_GRANTS)
