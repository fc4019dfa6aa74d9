"""Buckets: made, named, found, listed and removed as S3 does."""

from collections.abc import Callable
from typing import Any
from uuid import uuid4

import pytest

from ops.conftest import Send
from running_server import Server

Refusal = Callable[..., tuple[str, int]]


def fresh() -> str:
    return f"test-{uuid4().hex[:12]}"


def test_a_new_bucket_says_where_it_is(s3: Any) -> None:
    """CreateBucket answers with the bucket's path as its Location."""
    name = fresh()
    assert s3.create_bucket(Bucket=name)["Location"] == f"/{name}"


def test_making_my_bucket_again(s3: Any, bucket: str, refusal: Refusal) -> None:
    """The owner's second CreateBucket is 200 in the first region, BucketAlreadyOwnedByYou elsewhere."""
    s3.put_object(Bucket=bucket, Key="k", Body=b"x")
    assert s3.create_bucket(Bucket=bucket)["Location"] == f"/{bucket}"
    assert s3.list_objects_v2(Bucket=bucket)["KeyCount"] == 1
    elsewhere = {"LocationConstraint": "eu-west-1"}
    assert refusal(s3.create_bucket, Bucket=bucket, CreateBucketConfiguration=elsewhere) == (
        "BucketAlreadyOwnedByYou",
        409,
    )
    other = f"{bucket}-eu"
    s3.create_bucket(Bucket=other, CreateBucketConfiguration=elsewhere)
    for configuration in ({}, {"CreateBucketConfiguration": elsewhere}):
        refused = refusal(s3.create_bucket, Bucket=other, **configuration)
        assert refused == ("BucketAlreadyOwnedByYou", 409)


def test_a_region_is_any_name(raw: Send, bucket: str) -> None:
    """A bucket may be asked for in a region that AWS never heard of."""
    region = "<LocationConstraint>home-1</LocationConstraint>"
    document = f"<CreateBucketConfiguration>{region}</CreateBucketConfiguration>"
    assert raw("PUT", f"/{bucket}-home", document.encode()).status == 200
    assert raw("GET", f"/{bucket}-home?location").element("LocationConstraint") == "home-1"


def test_names_are_global(alice: Any, bucket: str, refusal: Refusal) -> None:
    """Another account's CreateBucket for a name that is taken is BucketAlreadyExists."""
    assert refusal(alice.create_bucket, Bucket=bucket) == ("BucketAlreadyExists", 409)


@pytest.mark.parametrize(
    "name",
    [
        "ab",
        "a" * 64,
        "Upper",
        "under_score",
        "-begins",
        "ends-",
        "two..dots",
        "192.168.5.4",
        "xn--puny",
        "%E5%AA%92",
    ],
)
def test_names_that_s3_refuses_are_refused(raw: Send, name: str) -> None:
    """A name outside S3's rules is InvalidBucketName."""
    answer = raw("PUT", f"/{name}")
    assert (answer.status, answer.code) == (400, "InvalidBucketName")


@pytest.mark.parametrize("length", [3, 63])
def test_names_may_be_as_short_and_as_long_as_s3_allows(s3: Any, length: int) -> None:
    """Three to sixty-three characters make a name."""
    name = uuid4().hex[: min(length, 32)].ljust(length, "0")
    s3.create_bucket(Bucket=name)
    assert s3.head_bucket(Bucket=name)["ResponseMetadata"]["HTTPStatusCode"] == 200


def test_dots_and_digits_may_be_in_a_name(s3: Any) -> None:
    """Single dots and leading digits are part of S3's rules."""
    name = f"0.{uuid4().hex[:8]}.cn"
    s3.create_bucket(Bucket=name)
    assert name in [bucket["Name"] for bucket in s3.list_buckets()["Buckets"]]


def test_the_first_region_is_written_as_nothing(s3: Any, bucket: str) -> None:
    """GetBucketLocation answers an empty element for us-east-1."""
    assert s3.get_bucket_location(Bucket=bucket)["LocationConstraint"] is None


def test_a_location_that_was_asked_for_is_told(s3: Any) -> None:
    """A LocationConstraint is kept, and told by GetBucketLocation and HeadBucket."""
    name = fresh()
    s3.create_bucket(Bucket=name, CreateBucketConfiguration={"LocationConstraint": "cn-north-1"})
    assert s3.get_bucket_location(Bucket=name)["LocationConstraint"] == "cn-north-1"
    assert s3.head_bucket(Bucket=name)["BucketRegion"] == "cn-north-1"


@pytest.mark.parametrize(
    ("body", "code"),
    [
        (b"<CreateBucketConfiguration>", "MalformedXML"),
        (b"<Wrong/>", "MalformedXML"),
        (b"<CreateBucketConfiguration><Unknown>x</Unknown></CreateBucketConfiguration>", "MalformedXML"),
        (b"<CreateBucketConfiguration><Bucket/></CreateBucketConfiguration>", "NotImplemented"),
    ],
)
def test_a_document_that_is_not_understood_makes_no_bucket(raw: Send, body: bytes, code: str) -> None:
    """A bad or unoffered configuration is refused and nothing is made."""
    name = fresh()
    assert raw("PUT", f"/{name}", body).code == code
    assert raw("GET", f"/{name}").code == "NoSuchBucket"


def test_object_lock_is_refused_not_ignored(s3: Any, refusal: Refusal) -> None:
    """A bucket asked for with object lock is NotImplemented; `false` asks for nothing."""
    name = fresh()
    asked = {"Bucket": name, "ObjectLockEnabledForBucket": True}
    assert refusal(s3.create_bucket, **asked) == ("NotImplemented", 501)
    s3.create_bucket(Bucket=name, ObjectLockEnabledForBucket=False)


def test_anonymous_callers_make_and_list_no_buckets(anonymous: Send) -> None:
    """CreateBucket and ListBuckets need a signature."""
    assert anonymous("PUT", f"/{fresh()}").code == "AccessDenied"
    assert anonymous("GET", "/").code == "AccessDenied"


def test_a_listing_shows_only_my_own(alice: Any, bucket: str) -> None:
    """ListBuckets shows the caller's buckets and who the caller is."""
    own = fresh()
    alice.create_bucket(Bucket=own)
    answer = alice.list_buckets()
    assert [listed["Name"] for listed in answer["Buckets"]] == [own]
    assert answer["Owner"]["ID"] == alice.user["user_id"]


def test_a_listing_of_buckets_comes_in_pages(alice: Any) -> None:
    """MaxBuckets, Prefix and ContinuationToken page through buckets in the order of their names."""
    stem = fresh()
    names = [f"{stem}-{n}" for n in range(5)]
    for name in reversed(names):
        alice.create_bucket(Bucket=name)
    alice.create_bucket(Bucket=fresh())
    first = alice.list_buckets(MaxBuckets=3, Prefix=stem)
    assert first["Prefix"] == stem
    rest = alice.list_buckets(MaxBuckets=3, Prefix=stem, ContinuationToken=first["ContinuationToken"])
    assert [b["Name"] for page in (first, rest) for b in page["Buckets"]] == names
    assert "ContinuationToken" not in rest


def test_a_bucket_that_is_not_there(s3: Any, refusal: Refusal) -> None:
    """Whatever is asked of a missing bucket is NoSuchBucket; HEAD can only say 404."""
    for function in (s3.list_objects_v2, s3.get_bucket_location, s3.delete_bucket, s3.get_bucket_acl):
        assert refusal(function, Bucket=fresh()) == ("NoSuchBucket", 404)
    assert refusal(s3.head_bucket, Bucket=fresh()) == ("404", 404)
    assert refusal(s3.put_object, Bucket=fresh(), Key="k", Body=b"x") == ("NoSuchBucket", 404)


def test_head_of_anothers_bucket(alice: Any, bucket: str, refusal: Refusal) -> None:
    """HeadBucket of a private bucket of another account is 403."""
    assert refusal(alice.head_bucket, Bucket=bucket) == ("403", 403)


def test_an_empty_bucket_is_removed(s3: Any, bucket: str, refusal: Refusal) -> None:
    """DeleteBucket answers 204 and the bucket is gone, also for a second DeleteBucket."""
    answer = s3.delete_bucket(Bucket=bucket)
    assert answer["ResponseMetadata"]["HTTPStatusCode"] == 204
    assert refusal(s3.delete_bucket, Bucket=bucket) == ("NoSuchBucket", 404)


def test_a_bucket_with_objects_stays(s3: Any, bucket: str, refusal: Refusal) -> None:
    """DeleteBucket is BucketNotEmpty while an object is inside; unfinished uploads go with their bucket."""
    s3.put_object(Bucket=bucket, Key="k", Body=b"x")
    assert refusal(s3.delete_bucket, Bucket=bucket) == ("BucketNotEmpty", 409)
    s3.delete_object(Bucket=bucket, Key="k")
    upload_id = s3.create_multipart_upload(Bucket=bucket, Key="k")["UploadId"]
    part = {"Bucket": bucket, "Key": "k", "UploadId": upload_id, "PartNumber": 1}
    s3.upload_part(**part, Body=b"part")
    s3.delete_bucket(Bucket=bucket)
    s3.create_bucket(Bucket=bucket)
    assert "Uploads" not in s3.list_multipart_uploads(Bucket=bucket)
    assert refusal(s3.upload_part, **part, Body=b"part") == ("NoSuchUpload", 404)


def test_uploads_may_keep_their_bucket(own_server: Any, refusal: Refusal) -> None:
    """A server that is told so deletes no bucket with unfinished uploads."""
    s3 = own_server("--workers", "1", MEIKU_UPLOADS_KEEP_BUCKETS="yes").client()
    s3.create_bucket(Bucket="kept")
    upload_id = s3.create_multipart_upload(Bucket="kept", Key="k")["UploadId"]
    assert refusal(s3.delete_bucket, Bucket="kept") == ("BucketNotEmpty", 409)
    s3.abort_multipart_upload(Bucket="kept", Key="k", UploadId=upload_id)
    s3.delete_bucket(Bucket="kept")


def test_only_the_owner_removes_a_bucket(s3: Any, alice: Any, bucket: str, refusal: Refusal) -> None:
    """Not even public-read-write lets another account remove a bucket."""
    s3.put_bucket_acl(Bucket=bucket, ACL="public-read-write")
    assert refusal(alice.delete_bucket, Bucket=bucket) == ("AccessDenied", 403)


def test_a_name_that_was_freed_may_be_taken(s3: Any, alice: Any, bucket: str) -> None:
    """A removed bucket's name is anyone's, and nothing of the old settings is left."""
    s3.put_bucket_acl(Bucket=bucket, ACL="public-read")
    s3.delete_bucket(Bucket=bucket)
    alice.create_bucket(Bucket=bucket)
    grants = alice.get_bucket_acl(Bucket=bucket)["Grants"]
    assert [grant["Grantee"]["ID"] for grant in grants] == [alice.user["user_id"]]


def test_the_expected_owner_is_checked(s3: Any, alice: Any, bucket: str, refusal: Refusal) -> None:
    """x-amz-expected-bucket-owner refuses a bucket of somebody else."""
    owner = s3.list_buckets()["Owner"]["ID"]
    s3.head_bucket(Bucket=bucket, ExpectedBucketOwner=owner)
    asked = {"Bucket": bucket, "ExpectedBucketOwner": alice.user["user_id"]}
    assert refusal(s3.get_bucket_location, **asked) == ("AccessDenied", 403)


def test_host_style_reaches_the_same_bucket(s3: Any, bucket: str, server: Server, anonymous: Send) -> None:
    """A bucket in front of a served domain is the one in the path."""
    s3.put_object(Bucket=bucket, Key="k", Body=b"here", ACL="public-read")
    answer = anonymous("GET", "/k", headers={"Host": f"{bucket}.localhost:{server.port}"})
    assert answer.body == b"here"


USAGE = ("x-rgw-object-count", "x-rgw-bytes-used")


def usage_of(client: Any, bucket: str) -> tuple[str | None, ...]:
    headers = client.head_bucket(Bucket=bucket)["ResponseMetadata"]["HTTPHeaders"]
    return tuple(headers.get(name) for name in USAGE)


def test_an_owner_is_told_what_a_bucket_holds(s3: Any, alice: Any, anonymous: Send, bucket: str) -> None:
    """HEAD counts objects and bytes for the owner, as the product's engine does; for nobody else."""
    assert usage_of(s3, bucket) == ("0", "0")
    for key, size in (("a", 10), ("b", 200_000), ("c", 0), ("a", 7)):
        s3.put_object(Bucket=bucket, Key=key, Body=b"x" * size)
    s3.copy_object(Bucket=bucket, Key="d", CopySource=f"{bucket}/a")
    upload = {"Bucket": bucket, "Key": "m"}
    upload["UploadId"] = s3.create_multipart_upload(**upload)["UploadId"]
    part = s3.upload_part(**upload, PartNumber=1, Body=b"x" * 5)
    assert usage_of(s3, bucket) == ("4", "200014")
    named = [{"PartNumber": 1, "ETag": part["ETag"]}]
    s3.complete_multipart_upload(**upload, MultipartUpload={"Parts": named})
    assert usage_of(s3, bucket) == ("5", "200019")
    s3.delete_object(Bucket=bucket, Key="b")
    s3.delete_objects(Bucket=bucket, Delete={"Objects": [{"Key": "a"}, {"Key": "none"}]})
    assert usage_of(s3, bucket) == ("3", "12")
    s3.put_bucket_acl(Bucket=bucket, ACL="public-read-write")
    alice.put_object(Bucket=bucket, Key="hers", Body=b"xyz")
    assert usage_of(s3, bucket) == ("4", "15")
    assert usage_of(alice, bucket) == (None, None)
    assert not set(USAGE) & anonymous("HEAD", f"/{bucket}").headers.keys()
