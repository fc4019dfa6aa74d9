"""ACLs: asked for in three ways, told in one, and what they open to others and to strangers."""

from collections.abc import Callable
from typing import Any

import pytest

from ops.conftest import Send

Refusal = Callable[..., tuple[str, int]]
ALL_USERS = "http://acs.amazonaws.com/groups/global/AllUsers"
AUTHENTICATED = "http://acs.amazonaws.com/groups/global/AuthenticatedUsers"


def grants_of(answer: Any) -> list[tuple[str, str]]:
    """Give (grantee, permission) of an ACL, users by id and groups by URI."""
    return [
        (grant["Grantee"].get("URI") or grant["Grantee"]["ID"], grant["Permission"])
        for grant in answer["Grants"]
    ]


@pytest.fixture
def me(s3: Any) -> str:
    """The root user's id."""
    user_id: str = s3.list_buckets()["Owner"]["ID"]
    return user_id


@pytest.mark.parametrize(
    ("canned", "extra"),
    [
        ("private", []),
        ("public-read", [(ALL_USERS, "READ")]),
        ("public-read-write", [(ALL_USERS, "READ"), (ALL_USERS, "WRITE")]),
        ("authenticated-read", [(AUTHENTICATED, "READ")]),
    ],
)
def test_a_canned_name_stands_for_grants(
    s3: Any, bucket: str, me: str, canned: str, extra: list[tuple[str, str]]
) -> None:
    """The owner keeps FULL_CONTROL in every one; for buckets and objects, when made and later."""
    s3.put_bucket_acl(Bucket=bucket, ACL=canned)
    s3.put_object(Bucket=bucket, Key="made", ACL=canned)
    s3.put_object(Bucket=bucket, Key="later")
    s3.put_object_acl(Bucket=bucket, Key="later", ACL=canned)
    for answer in (
        s3.get_bucket_acl(Bucket=bucket),
        s3.get_object_acl(Bucket=bucket, Key="made"),
        s3.get_object_acl(Bucket=bucket, Key="later"),
    ):
        assert answer["Owner"]["ID"] == me
        # Groups stand first, as the family's servers list them.
        assert grants_of(answer) == [*extra, (me, "FULL_CONTROL")]


def test_grant_headers_replace_the_list(s3: Any, alice: Any, bucket: str, me: str) -> None:
    """Grants by id, e-mail and group are kept; the owner's own grant must be named to stay."""
    user = alice.user
    s3.put_bucket_acl(
        Bucket=bucket,
        GrantFullControl=f'id="{me}"',
        GrantRead=f'emailAddress="{user["email"]}", uri="{ALL_USERS}"',
        GrantWriteACP=f"id={user['user_id']}",
    )
    assert sorted(grants_of(s3.get_bucket_acl(Bucket=bucket))) == sorted(
        [
            (me, "FULL_CONTROL"),
            (user["user_id"], "READ"),
            (ALL_USERS, "READ"),
            (user["user_id"], "WRITE_ACP"),
        ]
    )


def test_a_document_replaces_the_list(s3: Any, alice: Any, bucket: str, me: str) -> None:
    """What GetObjectAcl answers may be changed and put back."""
    s3.put_object(Bucket=bucket, Key="k", Body=b"x")
    told = s3.get_object_acl(Bucket=bucket, Key="k")
    grantee = {"Type": "CanonicalUser", "ID": alice.user["user_id"]}
    asked = {"Owner": told["Owner"], "Grants": [*told["Grants"], {"Grantee": grantee, "Permission": "READ"}]}
    s3.put_object_acl(Bucket=bucket, Key="k", AccessControlPolicy=asked)
    assert grants_of(s3.get_object_acl(Bucket=bucket, Key="k"))[1:] == [(alice.user["user_id"], "READ")]
    assert alice.get_object(Bucket=bucket, Key="k")["Body"].read() == b"x"


@pytest.mark.parametrize(
    ("asked", "code"),
    [
        ({"GrantRead": 'id="nobody-of-this-id"'}, "InvalidArgument"),
        ({"GrantRead": 'emailAddress="nobody@nowhere.invalid"'}, "UnresolvableGrantByEmailAddress"),
        ({"GrantRead": 'uri="http://acs.amazonaws.com/groups/global/Nobody"'}, "InvalidArgument"),
        ({"GrantRead": "everybody"}, "InvalidArgument"),
        ({"ACL": "public-read", "GrantRead": f'uri="{ALL_USERS}"'}, "InvalidRequest"),
        ({}, "MissingSecurityHeader"),
    ],
)
def test_a_wish_that_cannot_be_met(
    s3: Any, bucket: str, me: str, refusal: Refusal, asked: dict[str, str], code: str
) -> None:
    """An unknown grantee, two ways at once or none are refused, and the list stays."""
    assert refusal(s3.put_bucket_acl, Bucket=bucket, **asked) == (code, 400)
    assert grants_of(s3.get_bucket_acl(Bucket=bucket)) == [(me, "FULL_CONTROL")]


def test_an_unknown_canned_name(raw: Send, bucket: str) -> None:
    """A canned ACL that S3 does not have is InvalidArgument, on objects nothing is stored."""
    assert raw("PUT", f"/{bucket}?acl", b"", {"x-amz-acl": "everybody"}).code == "InvalidArgument"
    assert raw("PUT", f"/{bucket}/k", b"x", {"x-amz-acl": "everybody"}).code == "InvalidArgument"
    assert raw("GET", f"/{bucket}/k").code == "NoSuchKey"


def test_a_document_cannot_change_the_owner(
    s3: Any, alice: Any, bucket: str, me: str, refusal: Refusal
) -> None:
    """An AccessControlPolicy with another owner is AccessDenied."""
    asked = {"Owner": {"ID": alice.user["user_id"]}, "Grants": []}
    assert refusal(s3.put_bucket_acl, Bucket=bucket, AccessControlPolicy=asked) == ("AccessDenied", 403)


def test_a_document_names_its_grantees(raw: Send, bucket: str, me: str) -> None:
    """A grant without permission or with an unknown one is refused as malformed."""
    schema = 'xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance" xsi:type="CanonicalUser"'
    for permission in ("", "<Permission>EVERYTHING</Permission>"):
        grant = f"<Grant><Grantee {schema}><ID>{me}</ID></Grantee>{permission}</Grant>"
        body = f"<AccessControlPolicy><AccessControlList>{grant}</AccessControlList></AccessControlPolicy>"
        assert raw("PUT", f"/{bucket}?acl", body.encode()).code in ("MalformedACLError", "MalformedXML")


def test_a_private_object_is_its_owners(
    s3: Any, alice: Any, anonymous: Send, bucket: str, refusal: Refusal
) -> None:
    """Others and strangers may neither read, look, replace nor remove it, nor see or change its ACL."""
    s3.put_object(Bucket=bucket, Key="k", Body=b"x")
    at = {"Bucket": bucket, "Key": "k"}
    assert refusal(alice.get_object, **at) == ("AccessDenied", 403)
    assert refusal(alice.head_object, **at)[1] == 403
    assert refusal(alice.put_object, **at, Body=b"y") == ("AccessDenied", 403)
    assert refusal(alice.delete_object, **at) == ("AccessDenied", 403)
    assert refusal(alice.get_object_acl, **at) == ("AccessDenied", 403)
    assert refusal(alice.put_object_acl, **at, ACL="public-read") == ("AccessDenied", 403)
    for method in ("GET", "HEAD", "PUT", "DELETE"):
        assert anonymous(method, f"/{bucket}/k").status == 403
    assert s3.get_object(**at)["Body"].read() == b"x"


def test_a_public_object_is_read_by_strangers(s3: Any, anonymous: Send, bucket: str) -> None:
    """public-read opens GET and HEAD of that object, and nothing else."""
    s3.put_object(Bucket=bucket, Key="k", Body=b"x", ACL="public-read")
    assert anonymous("GET", f"/{bucket}/k").body == b"x"
    assert anonymous("HEAD", f"/{bucket}/k").status == 200
    assert anonymous("GET", f"/{bucket}/k?acl").code == "AccessDenied"
    assert anonymous("GET", f"/{bucket}").code == "AccessDenied"
    assert anonymous("DELETE", f"/{bucket}/k").code == "AccessDenied"


def test_authenticated_read_is_for_users(s3: Any, alice: Any, anonymous: Send, bucket: str) -> None:
    """authenticated-read lets every user in, and no stranger."""
    s3.put_object(Bucket=bucket, Key="k", Body=b"x", ACL="authenticated-read")
    assert alice.get_object(Bucket=bucket, Key="k")["Body"].read() == b"x"
    assert anonymous("GET", f"/{bucket}/k").code == "AccessDenied"


def test_a_public_bucket_does_not_open_its_objects(s3: Any, anonymous: Send, bucket: str) -> None:
    """New objects are private whatever the bucket's ACL says, as in S3."""
    s3.put_bucket_acl(Bucket=bucket, ACL="public-read")
    s3.put_object(Bucket=bucket, Key="k", Body=b"x")
    assert anonymous("GET", f"/{bucket}/k").code == "AccessDenied"


def test_objects_take_their_buckets_list_when_told_to(own_server: Callable[..., Any]) -> None:
    """With the setting, an object without an ACL is as open to reads as its bucket; no other is."""
    import urllib.request
    from urllib.error import HTTPError

    server = own_server(MEIKU_OBJECTS_INHERIT_BUCKET_ACL="true", MEIKU_WORKERS="1")
    client = server.client()
    client.create_bucket(Bucket="bbb", ACL="public-read")
    client.put_object(Bucket="bbb", Key="open", Body=b"x")
    client.put_object(Bucket="bbb", Key="closed", Body=b"x", ACL="private")
    assert urllib.request.urlopen(f"{server.url}/bbb/open").read() == b"x"
    with pytest.raises(HTTPError, match="403"):
        urllib.request.urlopen(f"{server.url}/bbb/closed")


def test_missing_keys_are_told_to_those_who_may_list(
    s3: Any, alice: Any, anonymous: Send, bucket: str
) -> None:
    """404 for a missing key needs READ on the bucket; to all others it is 403, so names cannot be probed."""
    assert anonymous("GET", f"/{bucket}/none").code == "AccessDenied"
    assert anonymous("HEAD", f"/{bucket}/none").status == 403
    s3.put_bucket_acl(Bucket=bucket, ACL="public-read")
    assert anonymous("GET", f"/{bucket}/none").code == "NoSuchKey"
    assert anonymous("HEAD", f"/{bucket}/none").status == 404


def test_a_stranger_writes_into_a_public_bucket(s3: Any, anonymous: Send, bucket: str, me: str) -> None:
    """public-read-write takes objects from nobody in particular; they belong to the bucket's owner."""
    s3.put_bucket_acl(Bucket=bucket, ACL="public-read-write")
    assert anonymous("PUT", f"/{bucket}/k", b"x").status == 200
    assert s3.get_object_acl(Bucket=bucket, Key="k")["Owner"]["ID"] == me
    assert anonymous("DELETE", f"/{bucket}/k").status == 204


def test_a_writer_owns_what_they_write(s3: Any, alice: Any, bucket: str) -> None:
    """An object in another's bucket belongs to who wrote it; bucket-owner-full-control shares it."""
    s3.put_bucket_acl(Bucket=bucket, ACL="public-read-write")
    alice.put_object(Bucket=bucket, Key="k", Body=b"x", ACL="bucket-owner-full-control")
    answer = alice.get_object_acl(Bucket=bucket, Key="k")
    assert answer["Owner"]["ID"] == alice.user["user_id"]
    assert [permission for _, permission in grants_of(answer)] == ["FULL_CONTROL", "FULL_CONTROL"]


@pytest.mark.parametrize(
    ("canned", "permission"), [("bucket-owner-read", "READ"), ("bucket-owner-full-control", "FULL_CONTROL")]
)
def test_the_bucket_owner_is_named(
    s3: Any, alice: Any, bucket: str, me: str, canned: str, permission: str
) -> None:
    """What another gives the bucket's owner is listed with that owner's ID and name, however it was given."""
    owner = s3.get_bucket_acl(Bucket=bucket)["Owner"]
    s3.put_bucket_acl(Bucket=bucket, ACL="public-read-write")
    given = {"Grantee": {**owner, "Type": "CanonicalUser"}, "Permission": permission}
    alice.put_object(Bucket=bucket, Key="k", Body=b"x", ACL=canned)
    assert given in alice.get_object_acl(Bucket=bucket, Key="k")["Grants"]
    alice.copy_object(Bucket=bucket, Key="copy", CopySource=f"{bucket}/k", ACL=canned)
    assert given in alice.get_object_acl(Bucket=bucket, Key="copy")["Grants"]
    alice.put_object_acl(Bucket=bucket, Key="k", ACL="private")
    alice.put_object_acl(Bucket=bucket, Key="k", ACL=canned)
    assert given in alice.get_object_acl(Bucket=bucket, Key="k")["Grants"]
    assert owner["ID"] == me


def test_acp_grants_open_the_list_alone(s3: Any, alice: Any, bucket: str, me: str, refusal: Refusal) -> None:
    """READ_ACP reads the ACL, WRITE_ACP replaces it, and neither opens the bucket."""
    user = f'id="{alice.user["user_id"]}"'
    s3.put_bucket_acl(Bucket=bucket, GrantFullControl=f'id="{me}"', GrantReadACP=user)
    assert alice.get_bucket_acl(Bucket=bucket)["Owner"]["ID"] == me
    assert refusal(alice.put_bucket_acl, Bucket=bucket, ACL="public-read") == ("AccessDenied", 403)
    s3.put_bucket_acl(Bucket=bucket, GrantFullControl=f'id="{me}"', GrantWriteACP=user)
    assert refusal(alice.list_objects_v2, Bucket=bucket) == ("AccessDenied", 403)
    alice.put_bucket_acl(Bucket=bucket, ACL="public-read")
    assert alice.list_objects_v2(Bucket=bucket)["KeyCount"] == 0


def test_an_acl_of_nothing(s3: Any, bucket: str, refusal: Refusal) -> None:
    """The ACL of a missing key is NoSuchKey, to read and to replace."""
    assert refusal(s3.get_object_acl, Bucket=bucket, Key="none") == ("NoSuchKey", 404)
    assert refusal(s3.put_object_acl, Bucket=bucket, Key="none", ACL="private") == ("NoSuchKey", 404)


def test_a_refusal_says_why(anonymous: Send, bucket: str) -> None:
    """AccessDenied carries the reason in words."""
    assert "anonymous" in anonymous("GET", f"/{bucket}").element("Reason")
