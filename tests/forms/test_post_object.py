"""What a browser's form stores: its fields, its file, and who may post it at all."""

import base64
import hashlib
import zlib
from typing import Any

import pytest

from browser_form import (
    CONTENT,
    Key,
    field,
    file_part,
    policy,
    post,
    signed_v2,
)
from plain_http import Answer, send

MIB = 1 << 20


@pytest.fixture
def public_bucket(s3: Any, bucket: str) -> str:
    """A bucket that anyone may write to."""
    s3.put_bucket_acl(Bucket=bucket, ACL="public-read-write")
    return bucket


def stored(s3: Any, bucket: str, key: str = "k") -> Any:
    return s3.get_object(Bucket=bucket, Key=key)


# -- fields


@pytest.mark.parametrize("name", ["key", "Key", "KEY"])
def test_names_of_fields_have_no_case(server: Any, s3: Any, bucket: str, name: str) -> None:
    """Fields and the policy's conditions meet whatever the case of their names."""
    signed = {key.upper(): value for key, value in signed_v2(policy(["eq", "$kEy", "k"])).items()}
    assert post(server.port, bucket, {name: "k", **signed}).status == 204
    assert stored(s3, bucket)["Body"].read() == CONTENT


@pytest.mark.parametrize(
    ("filename", "key"),
    [
        ("a.png", "user/a.png"),
        ("C:\\fakepath\\b.png", "user/b.png"),
        ("folder/图片 1.png", "user/图片 1.png"),
        ("say %22hi%22.png", 'user/say "hi".png'),
    ],
)
def test_filename_in_the_key(post_signed: Any, s3: Any, bucket: str, filename: str, key: str) -> None:
    """${filename} becomes the name of the browser's file, without its folders of either kind."""
    answer = post_signed({"key": "user/${filename}"}, file_part(filename=filename))
    assert answer.status == 204
    assert stored(s3, bucket, key)["Body"].read() == CONTENT


def test_a_key_is_text_of_any_kind(post_signed: Any, s3: Any, bucket: str) -> None:
    """A key stands for itself, byte by byte: dots, double slashes, percent signs, plus, Chinese."""
    key = "../a//b/./%2F+ 图片?&#.png"
    assert post_signed({"key": key}).status == 204
    assert [entry["Key"] for entry in s3.list_objects_v2(Bucket=bucket)["Contents"]] == [key]


def test_headers_among_the_fields_are_stored(post_signed: Any, s3: Any, bucket: str) -> None:
    """What S3 keeps of a form's fields comes back as headers, as it was sent."""
    fields = {
        "Content-Type": "image/webp",
        "Cache-Control": "max-age=60",
        "Content-Disposition": 'attachment; filename="a.webp"',
        "Content-Encoding": "gzip",
        "Content-Language": "zh-CN",
        "Expires": "Thu, 01 Jan 2099 00:00:00 GMT",
    }
    assert post_signed(fields).status == 204
    headers = stored(s3, bucket)["ResponseMetadata"]["HTTPHeaders"]
    assert {name: headers[name.lower()] for name in fields} == fields


def test_metadata_among_the_fields_is_stored(post_signed: Any, s3: Any, bucket: str) -> None:
    """x-amz-meta-* fields become the object's metadata."""
    assert post_signed({"x-amz-meta-Who": "me", "X-AMZ-META-two": "2"}).status == 204
    assert stored(s3, bucket)["Metadata"] == {"who": "me", "two": "2"}


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("x-amz-meta-a%0D%0AInjected: 1", "v"),
        ("x-amz-meta-a: b", "v"),
        ("x-amz-meta-键", "v"),
        ("x-amz-meta-a", "v\r\nInjected: 1"),
        ("content-type", "a/b\r\nInjected: 1"),
        ("cache-control", "a\x00b"),
    ],
)
def test_a_field_cannot_become_another_header(
    post_signed: Any, s3: Any, bucket: str, name: str, value: str
) -> None:
    """What is stored from a field is sent as a header again: what could be two is refused."""
    answer = post_signed({name.replace("%0D%0A", "\r\n"): value})
    assert (answer.status, answer.code) == (400, "InvalidArgument")
    assert s3.list_objects_v2(Bucket=bucket)["KeyCount"] == 0


def test_the_class_among_the_fields_is_stored(post_signed: Any, s3: Any, bucket: str) -> None:
    """x-amz-storage-class is honoured, and an unknown one is refused."""
    assert post_signed({"x-amz-storage-class": "STANDARD_IA"}).status == 204
    assert stored(s3, bucket)["StorageClass"] == "STANDARD_IA"
    assert post_signed({"x-amz-storage-class": "CARDBOARD"}).code == "InvalidStorageClass"


@pytest.mark.parametrize("name", ["acl", "x-amz-acl"])
def test_the_acl_among_the_fields_is_set(post_signed: Any, server: Any, bucket: str, name: str) -> None:
    """An object is private unless the form's canned ACL says otherwise."""
    assert post_signed({"key": "private"}).status == 204
    assert post_signed({"key": "public", name: "public-read"}).status == 204
    assert anonymous_get(server, bucket, "private").status == 403
    assert anonymous_get(server, bucket, "public").body == CONTENT
    assert post_signed({name: "public-typo"}).code == "InvalidArgument"


def anonymous_get(server: Any, bucket: str, key: str) -> Answer:
    return send(server.port, "GET", f"/{bucket}/{key}")


@pytest.mark.parametrize(
    ("sent", "kept"),
    [
        ("image/png", "image/png"),
        ("video/mp4", "video/mp4"),
        ("text/html", "binary/octet-stream"),
        ("image/svg+xml", "binary/octet-stream"),
        ("", "binary/octet-stream"),
    ],
)
def test_the_file_s_own_type(post_signed: Any, s3: Any, bucket: str, sent: str, kept: str) -> None:
    """Without a Content-Type field the file's own type is kept, if a browser would only show it."""
    assert post_signed({}, file_part(content_type=sent)).status == 204
    assert stored(s3, bucket)["ContentType"] == kept


@pytest.mark.parametrize(
    "name", ["tagging", "x-amz-tagging", "x-amz-server-side-encryption", "x-amz-object-lock-mode"]
)
def test_a_field_that_is_not_offered_is_refused(post_signed: Any, s3: Any, bucket: str, name: str) -> None:
    """What would change the meaning of the upload and is not offered is refused, never ignored."""
    answer = post_signed({name: "AES256"})
    assert (answer.status, answer.code) == (501, "NotImplemented")
    assert s3.list_objects_v2(Bucket=bucket)["KeyCount"] == 0


def test_a_website_redirect_among_the_fields_is_stored(post_signed: Any, s3: Any, bucket: str) -> None:
    """x-amz-website-redirect-location comes back as it was sent."""
    assert post_signed({"x-amz-website-redirect-location": "/other"}).status == 204
    assert stored(s3, bucket)["WebsiteRedirectLocation"] == "/other"


def test_what_comes_after_the_file_is_ignored(post_signed: Any, s3: Any, bucket: str) -> None:
    """The button and every other field behind the file mean nothing, and need no condition."""
    answer = post_signed({}, after={"submit": "Upload", "key": "other", "acl": "public-read", "x": "y"})
    assert answer.status == 204
    assert [entry["Key"] for entry in s3.list_objects_v2(Bucket=bucket)["Contents"]] == ["k"]


def test_a_file_may_be_empty_or_without_a_filename(server: Any, s3: Any, bucket: str) -> None:
    """An empty file is a file, and so is a part named `file` that a script sends as a plain field."""
    signed = signed_v2(policy(["starts-with", "$key", ""]))
    assert post(server.port, bucket, {"key": "empty", **signed}, file_part(b"")).status == 204
    assert post(server.port, bucket, {"key": "plain", **signed}, field("file", CONTENT)).status == 204
    assert stored(s3, bucket, "empty")["ContentLength"] == 0
    assert stored(s3, bucket, "plain")["Body"].read() == CONTENT


# -- checksums


def test_checksums_among_the_fields_are_checked(post_signed: Any, s3: Any, bucket: str) -> None:
    """x-amz-checksum-* and Content-MD5 prove the file; a right checksum is kept and shown."""
    crc32 = base64.b64encode(zlib.crc32(CONTENT).to_bytes(4, "big")).decode()
    md5 = base64.b64encode(hashlib.md5(CONTENT).digest()).decode()
    answer = post_signed({"x-amz-checksum-crc32": crc32, "Content-MD5": md5})
    assert (answer.status, answer.headers["x-amz-checksum-crc32"]) == (204, crc32)
    assert s3.head_object(Bucket=bucket, Key="k", ChecksumMode="ENABLED")["ChecksumCRC32"] == crc32


@pytest.mark.parametrize(
    ("name", "value", "code"),
    [
        ("x-amz-checksum-crc32", "AAAAAA==", "BadDigest"),
        ("x-amz-checksum-sha256", base64.b64encode(bytes(32)).decode(), "BadDigest"),
        ("content-md5", base64.b64encode(bytes(16)).decode(), "BadDigest"),
        ("x-amz-checksum-crc32", "nonsense", "InvalidRequest"),
        ("content-md5", "nonsense", "InvalidDigest"),
    ],
)
def test_a_wrong_checksum_among_the_fields_is_refused(
    post_signed: Any, s3: Any, bucket: str, name: str, value: str, code: str
) -> None:
    """A file that is not what its form says is not stored."""
    answer = post_signed({name: value})
    assert (answer.status, answer.code) == (400, code)
    assert s3.list_objects_v2(Bucket=bucket)["KeyCount"] == 0


# -- who may post


@pytest.mark.parametrize("extra", [{}, {"policy": "", "AWSAccessKeyId": "", "signature": ""}])
def test_anyone_posts_to_a_public_bucket(
    server: Any, s3: Any, public_bucket: str, extra: dict[str, str]
) -> None:
    """On public-read-write the policy, the key and the signature may be absent or empty."""
    assert post(server.port, public_bucket, {"key": "k", "x-any-field": "v", **extra}).status == 204
    assert stored(s3, public_bucket)["Body"].read() == CONTENT


def test_a_policy_for_a_public_bucket_is_checked(server: Any, public_bucket: str) -> None:
    """A policy that is there must be signed and met, even where none is needed."""
    signed = signed_v2(policy({"key": "other"}))
    assert post(server.port, public_bucket, {"key": "k", **signed}).code == "AccessDenied"
    forged = signed_v2(policy({"key": "k"}), Key(secret_key="wrong"))
    assert post(server.port, public_bucket, {"key": "k", **forged}).code == "SignatureDoesNotMatch"
    alone = {"policy": signed["policy"]}
    assert post(server.port, public_bucket, {"key": "k", **alone}).code == "InvalidArgument"


@pytest.mark.parametrize("acl", ["private", "public-read", "authenticated-read"])
def test_nobody_posts_unsigned_to_another_bucket(server: Any, s3: Any, bucket: str, acl: str) -> None:
    """Without a policy only public-read-write takes a form."""
    s3.put_bucket_acl(Bucket=bucket, ACL=acl)
    answer = post(server.port, bucket, {"key": "k"})
    assert (answer.status, answer.code) == (403, "AccessDenied")
    assert s3.list_objects_v2(Bucket=bucket)["KeyCount"] == 0


def test_another_account_needs_a_write_grant(server: Any, s3: Any, bucket: str, alice: Any) -> None:
    """A signed form is its signer's: an account without WRITE on the bucket is refused."""
    key = Key(alice.user["access_key"], alice.user["secret_key"])
    fields = {"key": "k", **signed_v2(policy({"key": "k"}), key)}
    assert post(server.port, bucket, fields).code == "AccessDenied"
    s3.put_bucket_acl(Bucket=bucket, GrantWrite=f"id={alice.user['user_id']}")
    assert post(server.port, bucket, fields).status == 204


def test_an_anonymous_form_may_set_an_acl(server: Any, s3: Any, public_bucket: str) -> None:
    """What a stranger uploads is private unless its form says otherwise; the bucket's owner removes it."""
    assert post(server.port, public_bucket, {"key": "open", "acl": "public-read"}).status == 204
    assert post(server.port, public_bucket, {"key": "closed"}).status == 204
    assert anonymous_get(server, public_bucket, "open").body == CONTENT
    assert anonymous_get(server, public_bucket, "closed").status == 403
    s3.delete_object(Bucket=public_bucket, Key="closed")


@pytest.mark.parametrize("authorization", ["AWS testak:forged", "Bearer x", "AWS4-HMAC-SHA256 Credential=a"])
def test_a_header_does_not_sign_a_form(post_signed: Any, authorization: str) -> None:
    """A form is signed by its own fields; a second proof beside them is refused, whatever it says."""
    assert 400 <= post_signed({}, headers={"Authorization": authorization}).status < 500


def test_a_signed_address_does_not_sign_a_form(server: Any, s3: Any, bucket: str) -> None:
    """A presigned query is not a form's signature, and nothing stands in two of them."""
    url = s3.generate_presigned_url("put_object", Params={"Bucket": bucket, "Key": "k"})
    answer = post(server.port, f"{bucket}?{url.partition('?')[2]}", {"key": "k"})
    assert (answer.status, answer.code) == (400, "InvalidArgument")
