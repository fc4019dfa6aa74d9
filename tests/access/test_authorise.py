"""Asking the stores: no more than a decision needs, and nothing told to those who may not know."""

import asyncio
from dataclasses import replace
from typing import Any, cast

import pytest

from meiku import errors
from meiku.access.acl import ALL_USERS, canned_acl, private
from meiku.access.authorise import authorise, bucket_acl, object_acl
from meiku.access.caller import ANONYMOUS, Caller
from meiku.access.decision import ANYBODY
from meiku.meta import Meta
from meiku.meta.records import EMPTY, BucketRecord, ObjectRecord

OWNER, OTHER = Caller("owner"), Caller("other")
BUCKET = BucketRecord(1, "bbb", "owner", 0, "us-east-1", {})
PUBLIC = replace(BUCKET, settings={"acl": canned_acl("public-read", "owner", "owner").to_json()})
OBJECT = ObjectRecord(b"k", 0, "", 0, "owner", "STANDARD", EMPTY)


class Asked:
    """Answers every read with one record, and counts the reads."""

    def __init__(self, record: ObjectRecord | None) -> None:
        self.record, self.reads = record, 0

    async def read(self, *_: Any) -> ObjectRecord | None:
        self.reads += 1
        return self.record


def ask(caller: Caller, action: str, bucket: BucketRecord | None, record: ObjectRecord | None = None) -> int:
    """Authorise and tell how often the store was asked."""
    meta = Asked(record)
    asyncio.run(authorise(cast(Meta, meta), caller, action, bucket, b"k", inherits=False))
    return meta.reads


def test_the_bucket_owner_is_let_in_unseen() -> None:
    """The owner's request costs no look at the object."""
    assert ask(OWNER, "s3:GetObject", BUCKET) == 0


def test_others_cost_one_look() -> None:
    """Another caller is decided by the object's own list, with one read."""
    opened = replace(OBJECT, acl=canned_acl("public-read", "owner", "owner").to_json())
    assert ask(ANONYMOUS, "s3:GetObject", BUCKET, opened) == 1
    with pytest.raises(errors.AccessDenied):
        ask(ANONYMOUS, "s3:GetObject", BUCKET, OBJECT)


def test_a_missing_key_is_told_only_to_those_who_may_list() -> None:
    """Names can be probed by those only who can list them anyway."""
    with pytest.raises(errors.NoSuchKey):
        ask(ANONYMOUS, "s3:GetObject", PUBLIC, None)
    with pytest.raises(errors.AccessDenied) as caught:
        ask(OTHER, "s3:GetObject", BUCKET, None)
    assert "ListBucket" in str(caught.value.detail["Reason"])


def test_a_preflight_asks_nothing() -> None:
    """What is open to anybody looks at neither bucket nor object."""
    assert ask(ANONYMOUS, ANYBODY, BUCKET) == 0


def test_without_a_bucket_the_account_decides() -> None:
    """Making and listing buckets is every user's, and no stranger's."""
    assert ask(OTHER, "s3:ListAllMyBuckets", None) == 0
    with pytest.raises(errors.AccessDenied):
        ask(ANONYMOUS, "s3:CreateBucket", None)


def test_a_bucket_without_a_list_is_private() -> None:
    """No setting means the owner alone."""
    assert bucket_acl(BUCKET) == private("owner")
    assert bucket_acl(PUBLIC) == canned_acl("public-read", "owner", "owner")


def test_an_object_inherits_reads_only_when_told_to() -> None:
    """With the setting, an object without a list takes its bucket's READ grants, but not WRITE."""
    bucket = replace(BUCKET, settings={"acl": canned_acl("public-read-write", "owner", "owner").to_json()})
    written = replace(OBJECT, owner_id="writer")
    assert object_acl(written, bucket, inherits=False) == private("writer")
    inherited = object_acl(written, bucket, inherits=True)
    assert inherited.owner_id == "writer"
    assert [(g.permission, g.group) for g in inherited.grants[1:]] == [("READ", ALL_USERS)]


def test_an_object_with_a_list_inherits_nothing() -> None:
    """What was said of the object stands, whatever the bucket says."""
    closed = replace(OBJECT, acl=private("owner").to_json())
    assert object_acl(closed, PUBLIC, inherits=True) == private("owner")
