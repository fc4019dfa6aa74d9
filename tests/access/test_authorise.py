"""Letting pass and refusing: which list decides, and nothing told to those who may not know."""

from dataclasses import replace

import pytest
from msgspec.structs import replace as changed

from meiku import errors
from meiku.access.acl import ALL_USERS, canned_acl, private
from meiku.access.authorise import authorise, authorise_object, bucket_acl, object_acl
from meiku.access.caller import ANONYMOUS, Caller
from meiku.access.decision import ANYBODY, OBJECT_GRANTS
from meiku.meta.records import EMPTY, BucketRecord, ObjectRecord

OWNER, OTHER = Caller("owner"), Caller("other")
BUCKET = BucketRecord(1, "bbb", "owner", 0, "us-east-1", {})
PUBLIC = replace(BUCKET, settings={"acl": canned_acl("public-read", "owner", "owner").to_json()})
OBJECT = ObjectRecord(b"k", 0, "", 0, "owner", "STANDARD", EMPTY)


def ask(caller: Caller, bucket: BucketRecord, record: ObjectRecord | None) -> ObjectRecord:
    """Ask to read an object that was found, or was not."""
    return authorise_object(caller, "s3:GetObject", bucket, b"k", record, inherits=False)


def refusal_of(caller: Caller, bucket: BucketRecord, action: str, record: ObjectRecord | None) -> object:
    """Be refused, and return every word of it."""
    with pytest.raises(errors.AccessDenied) as caught:
        authorise_object(caller, action, bucket, b"k", record, inherits=False)
    return caught.value.message, caught.value.detail


def test_the_bucket_owner_is_let_in() -> None:
    """The owner of the bucket may have what others put there."""
    assert ask(OWNER, BUCKET, changed(OBJECT, owner_id="other")).owner_id == "other"


def test_others_are_judged_by_the_record_that_was_found() -> None:
    """The very record whose list let the caller in is returned."""
    opened = changed(OBJECT, acl=canned_acl("public-read", "owner", "owner").to_json())
    assert ask(ANONYMOUS, BUCKET, opened) is opened
    refusal_of(ANONYMOUS, BUCKET, "s3:GetObject", OBJECT)


def test_a_missing_key_is_told_only_to_those_who_may_list() -> None:
    """Names can be probed by those only who can list them anyway."""
    with pytest.raises(errors.NoSuchKey):
        ask(ANONYMOUS, PUBLIC, None)
    with pytest.raises(errors.NoSuchKey):
        ask(OWNER, BUCKET, None)


@pytest.mark.parametrize("action", sorted(OBJECT_GRANTS))
@pytest.mark.parametrize("caller", [ANONYMOUS, OTHER], ids=["anonymous", "other"])
def test_missing_and_private_are_refused_alike(caller: Caller, action: str) -> None:
    """To who may not list, a key that is not there and one that is somebody's read the same."""
    missing = refusal_of(caller, BUCKET, action, None)
    assert missing == refusal_of(caller, BUCKET, action, OBJECT)
    assert missing == refusal_of(caller, BUCKET, action, changed(OBJECT, owner_id="writer"))


def test_a_preflight_asks_nothing() -> None:
    """What is open to anybody looks at no list."""
    authorise(ANONYMOUS, ANYBODY, BUCKET)


def test_without_a_bucket_the_account_decides() -> None:
    """Making and listing buckets is every user's, and no stranger's."""
    authorise(OTHER, "s3:ListAllMyBuckets", None)
    with pytest.raises(errors.AccessDenied):
        authorise(ANONYMOUS, "s3:CreateBucket", None)


def test_a_bucket_without_a_list_is_private() -> None:
    """No setting means the owner alone."""
    assert bucket_acl(BUCKET) == private("owner")
    assert bucket_acl(PUBLIC) == canned_acl("public-read", "owner", "owner")


def test_an_object_inherits_reads_only_when_told_to() -> None:
    """With the setting, an object without a list takes its bucket's READ grants, but not WRITE."""
    bucket = replace(BUCKET, settings={"acl": canned_acl("public-read-write", "owner", "owner").to_json()})
    written = changed(OBJECT, owner_id="writer")
    assert object_acl(written, bucket, inherits=False) == private("writer")
    inherited = object_acl(written, bucket, inherits=True)
    assert inherited.owner_id == "writer"
    assert [(g.permission, g.group) for g in inherited.grants[1:]] == [("READ", ALL_USERS)]


def test_an_object_with_a_list_inherits_nothing() -> None:
    """What was said of the object stands, whatever the bucket says."""
    closed = changed(OBJECT, acl=private("owner").to_json())
    assert object_acl(closed, PUBLIC, inherits=True) == private("owner")
