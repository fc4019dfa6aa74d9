"""Copies: from one key to another, without the bytes travelling."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any
from urllib.parse import quote

import pytest

from ops.conftest import Send

Refusal = Callable[..., tuple[str, int]]


@pytest.fixture
def source(s3: Any, bucket: str) -> dict[str, str]:
    """Store an object with everything that can be said of one."""
    s3.put_object(
        Bucket=bucket,
        Key="from",
        Body=b"body" * 20000,
        ContentType="image/png",
        CacheControl="max-age=1",
        WebsiteRedirectLocation="/there",
        Metadata={"a": "1"},
        ACL="public-read",
    )
    return {"Bucket": bucket, "Key": "from"}


def test_a_copy_is_the_object_again(s3: Any, bucket: str, source: dict[str, str]) -> None:
    """Bytes, headers and metadata are copied; the tag is the same."""
    made = s3.copy_object(Bucket=bucket, Key="to", CopySource=source)["CopyObjectResult"]
    got = s3.get_object(Bucket=bucket, Key="to")
    assert got["Body"].read() == b"body" * 20000
    assert made["ETag"] == got["ETag"] == s3.head_object(**source)["ETag"]
    assert (got["ContentType"], got["CacheControl"], got["Metadata"]) == (
        "image/png",
        "max-age=1",
        {"a": "1"},
    )
    assert made["LastModified"] == got["LastModified"]


def test_what_a_copy_does_not_take_along(s3: Any, bucket: str, source: dict[str, str]) -> None:
    """The ACL, the class and the website redirect are the new object's own."""
    s3.copy_object(Bucket=bucket, Key="to", CopySource=source)
    assert "WebsiteRedirectLocation" not in s3.head_object(Bucket=bucket, Key="to")
    grants = s3.get_object_acl(Bucket=bucket, Key="to")["Grants"]
    assert [grant["Permission"] for grant in grants] == ["FULL_CONTROL"]


def test_replacing_the_description(s3: Any, bucket: str, source: dict[str, str]) -> None:
    """With REPLACE nothing of the old description is left."""
    s3.copy_object(
        Bucket=bucket, Key="to", CopySource=source, MetadataDirective="REPLACE", Metadata={"b": "2"}
    )
    head = s3.head_object(Bucket=bucket, Key="to")
    assert (head["ContentType"], head["Metadata"]) == ("binary/octet-stream", {"b": "2"})
    assert "CacheControl" not in head


def test_a_description_without_replace_is_not_taken(s3: Any, bucket: str, source: dict[str, str]) -> None:
    """Metadata in the request counts only with REPLACE, as in S3."""
    s3.copy_object(Bucket=bucket, Key="to", CopySource=source, Metadata={"b": "2"}, ContentType="text/plain")
    head = s3.head_object(Bucket=bucket, Key="to")
    assert (head["ContentType"], head["Metadata"]) == ("image/png", {"a": "1"})


def test_a_copy_to_itself_changes_something(
    s3: Any, bucket: str, source: dict[str, str], refusal: Refusal
) -> None:
    """Copying an object to itself is InvalidRequest, unless its description or class is replaced."""
    asked = {"Bucket": bucket, "Key": "from", "CopySource": source}
    assert refusal(s3.copy_object, **asked) == ("InvalidRequest", 400)
    s3.copy_object(**asked, MetadataDirective="REPLACE", ContentType="text/plain")
    got = s3.get_object(**source)
    assert (got["Body"].read(), got["ContentType"]) == (b"body" * 20000, "text/plain")
    s3.copy_object(**asked, StorageClass="STANDARD_IA")
    assert s3.head_object(**source)["StorageClass"] == "STANDARD_IA"


@pytest.mark.parametrize("key", ["a b+c", "媒库/图.png", "a%20b", "q?versionId=null", "a&b=c", "+"])
def test_any_key_may_be_copied(s3: Any, bucket: str, key: str) -> None:
    """A source's key means itself, whatever stands in it."""
    s3.put_object(Bucket=bucket, Key=key, Body=key.encode())
    s3.copy_object(Bucket=bucket, Key="to", CopySource={"Bucket": bucket, "Key": key})
    assert s3.get_object(Bucket=bucket, Key="to")["Body"].read() == key.encode()


@pytest.mark.parametrize(
    "form", ["{b}/from", "/{b}/from", "{b}%2Ffrom", "%2F{b}%2Ffrom", "{b}/from?versionId=null"]
)
def test_a_source_is_written_in_several_ways(
    raw: Send, bucket: str, source: dict[str, str], form: str
) -> None:
    """With or without a leading slash, encoded or not, with the version it has."""
    answer = raw("PUT", f"/{bucket}/to", b"", {"x-amz-copy-source": form.format(b=bucket)})
    assert (answer.status, bool(answer.element("ETag"))) == (200, True)
    assert answer.body.count(b"CopyObjectResult") == 2


@pytest.mark.parametrize(
    ("written", "code"),
    [
        ("nobucket", "InvalidArgument"),
        ("/", "InvalidArgument"),
        ("%ff/x", "InvalidArgument"),
        ("none-of-mine/k", "NoSuchBucket"),
        ("{b}/none", "NoSuchKey"),
        ("{b}/from?versionId=3sL4kqtJlcpXroDTDmJ-rmSpXd3dIbrH", "NoSuchVersion"),
    ],
)
def test_a_source_that_is_not_there(
    raw: Send, bucket: str, source: dict[str, str], written: str, code: str
) -> None:
    """What is not a source is refused and nothing is stored."""
    assert raw("PUT", f"/{bucket}/to", b"", {"x-amz-copy-source": written.format(b=bucket)}).code == code
    assert raw("GET", f"/{bucket}/to").code == "NoSuchKey"


def test_conditions_on_the_source(s3: Any, bucket: str, source: dict[str, str], refusal: Refusal) -> None:
    """Every failed condition of a copy is 412."""
    tag = s3.head_object(**source)["ETag"]
    past, future = datetime(2001, 1, 1, tzinfo=UTC), datetime.now(UTC) + timedelta(days=1)
    asked = {"Bucket": bucket, "Key": "to", "CopySource": source}
    for failed in (
        {"CopySourceIfMatch": '"other"'},
        {"CopySourceIfNoneMatch": tag},
        {"CopySourceIfModifiedSince": future},
        {"CopySourceIfUnmodifiedSince": past},
    ):
        assert refusal(s3.copy_object, **asked, **failed) == ("PreconditionFailed", 412)
    s3.copy_object(**asked, CopySourceIfMatch=tag, CopySourceIfUnmodifiedSince=past)


def test_conditions_on_the_target(s3: Any, bucket: str, source: dict[str, str], refusal: Refusal) -> None:
    """If-None-Match guards what a copy would replace."""
    asked = {"Bucket": bucket, "Key": "to", "CopySource": source, "IfNoneMatch": "*"}
    s3.copy_object(**asked)
    assert refusal(s3.copy_object, **asked) == ("PreconditionFailed", 412)


def test_a_copy_needs_to_read_the_source(s3: Any, alice: Any, bucket: str, refusal: Refusal) -> None:
    """A caller who may write here but not read there is refused, until the source is opened."""
    s3.put_object(Bucket=bucket, Key="secret", Body=b"x")
    alice.create_bucket(Bucket=f"{bucket}-alice")
    asked = {"Bucket": f"{bucket}-alice", "Key": "to", "CopySource": {"Bucket": bucket, "Key": "secret"}}
    assert refusal(alice.copy_object, **asked) == ("AccessDenied", 403)
    s3.put_object_acl(Bucket=bucket, Key="secret", ACL="authenticated-read")
    alice.copy_object(**asked)
    owner = alice.get_object_acl(Bucket=f"{bucket}-alice", Key="to")["Owner"]["ID"]
    assert owner == alice.user["user_id"]


@pytest.mark.parametrize("algorithm", ["CRC32", "SHA256"])
def test_a_copy_may_ask_for_a_checksum(s3: Any, bucket: str, source: dict[str, str], algorithm: str) -> None:
    """The checksum asked for is that of the same bytes put directly."""
    put = s3.put_object(Bucket=bucket, Key="put", Body=b"body" * 20000, ChecksumAlgorithm=algorithm)
    made = s3.copy_object(Bucket=bucket, Key="to", CopySource=source, ChecksumAlgorithm=algorithm)
    assert made["CopyObjectResult"][f"Checksum{algorithm}"] == put[f"Checksum{algorithm}"]


def test_a_copy_keeps_the_sources_checksum(s3: Any, bucket: str) -> None:
    """Without a wish of its own, a copy shows the algorithm that its source shows."""
    put = s3.put_object(Bucket=bucket, Key="from", Body=b"x", ChecksumAlgorithm="SHA1")
    s3.copy_object(Bucket=bucket, Key="to", CopySource={"Bucket": bucket, "Key": "from"})
    head = s3.head_object(Bucket=bucket, Key="to", ChecksumMode="ENABLED")
    assert head["ChecksumSHA1"] == put["ChecksumSHA1"]


def test_an_empty_object_is_copied(s3: Any, bucket: str) -> None:
    """Nothing is copied to nothing, not refused."""
    s3.put_object(Bucket=bucket, Key="from")
    s3.copy_object(Bucket=bucket, Key="to", CopySource=f"{bucket}/{quote('from')}")
    assert s3.head_object(Bucket=bucket, Key="to")["ContentLength"] == 0
