"""Objects: what was stored is what is read, with what was said of it."""

from collections.abc import Callable
from hashlib import md5
from typing import Any
from urllib.parse import quote

import pytest

from ops.conftest import Send

Refusal = Callable[..., tuple[str, int]]
VERSION = "3sL4kqtJlcpXroDTDmJ-rmSpXd3dIbrH"


@pytest.mark.parametrize("size_bytes", [0, 1, 32 * 1024, 32 * 1024 + 1, 3 * 1024 * 1024])
def test_bytes_come_back_as_they_went(s3: Any, bucket: str, size_bytes: int) -> None:
    """Every size is read back whole, on whichever side of the inline limit it lies; the tag is its MD5."""
    data = bytes(range(256)) * (size_bytes // 256 + 1)
    data = data[:size_bytes]
    put = s3.put_object(Bucket=bucket, Key="k", Body=data)
    got = s3.get_object(Bucket=bucket, Key="k")
    assert got["Body"].read() == data
    assert got["ContentLength"] == size_bytes
    assert put["ETag"] == got["ETag"] == f'"{md5(data).hexdigest()}"'


def test_an_object_is_described_as_it_was_stored(s3: Any, bucket: str) -> None:
    """System headers and metadata come back on GET and HEAD alike."""
    said = {
        "ContentType": "text/plain; charset=utf-8",
        "CacheControl": "max-age=60",
        "ContentDisposition": 'attachment; filename="a.txt"',
        "ContentEncoding": "gzip",
        "ContentLanguage": "zh-CN",
        "WebsiteRedirectLocation": "/elsewhere",
        "StorageClass": "STANDARD_IA",
        "Metadata": {"one": "1", "two": "a, b"},
    }
    s3.put_object(Bucket=bucket, Key="k", Body=b"x", **said)
    for read in (s3.get_object, s3.head_object):
        answer = read(Bucket=bucket, Key="k")
        assert {name: answer[name] for name in said} == said
        assert answer["AcceptRanges"] == "bytes"


def test_expires_is_sent_back_as_it_was_sent(raw: Send, bucket: str) -> None:
    """Expires is the client's text, not a time of ours."""
    raw("PUT", f"/{bucket}/k", b"x", {"Expires": "Thu, 01 Dec 1994 16:00:00 GMT"})
    assert raw("GET", f"/{bucket}/k").headers["expires"] == "Thu, 01 Dec 1994 16:00:00 GMT"


def test_an_object_without_a_type_is_octets(s3: Any, raw: Send, bucket: str) -> None:
    """The default type is S3's binary/octet-stream; the empty default class is STANDARD."""
    raw("PUT", f"/{bucket}/k", b"x")
    head = s3.head_object(Bucket=bucket, Key="k")
    assert head["ContentType"] == "binary/octet-stream"
    assert head.get("StorageClass", "STANDARD") == "STANDARD"


def test_aws_chunked_is_not_part_of_the_object(raw: Send, bucket: str) -> None:
    """What Content-Encoding says of the transfer is not stored; the rest is."""
    raw("PUT", f"/{bucket}/k", b"x", {"Content-Encoding": "gzip,aws-chunked"})
    assert raw("HEAD", f"/{bucket}/k").headers["content-encoding"] == "gzip"


@pytest.mark.parametrize(
    "key",
    [
        "a b+c",
        "媒库/图片.png",
        "..",
        "a/../b",
        "./a",
        "//a//",
        "a/",
        "%2F%41",
        "?#&=;",
        "\x01\n\r\t",
        "😀",
        "\x00",
        "-/x",
    ],
)
def test_keys_are_taken_literally(raw: Send, bucket: str, key: str) -> None:
    """No byte of a key means anything but itself."""
    path = f"/{bucket}/{quote(key, safe='/')}"
    assert raw("PUT", path, key.encode()).status == 200
    assert raw("GET", path).body == key.encode()
    listed = raw("GET", f"/{bucket}?encoding-type=url&list-type=2")
    assert listed.element("Key") == quote(key, safe="/-_.~*")
    assert raw("DELETE", path).status == 204


def test_the_longest_key(s3: Any, raw: Send, bucket: str) -> None:
    """1,023 bytes of UTF-8 are a key; one more is KeyTooLongError."""
    s3.put_object(Bucket=bucket, Key="é" * 511 + "a", Body=b"x")
    answer = raw("PUT", f"/{bucket}/{quote('é' * 512)}", b"x")
    assert (answer.status, answer.code) == (400, "KeyTooLongError")


def test_a_path_that_is_not_utf8_is_refused(raw: Send, bucket: str) -> None:
    """A key is UTF-8."""
    assert raw("GET", f"/{bucket}/%ff").code == "InvalidURI"


def test_a_missing_key(s3: Any, bucket: str, refusal: Refusal) -> None:
    """The owner is told NoSuchKey; HEAD can only say 404; removing it succeeds."""
    assert refusal(s3.get_object, Bucket=bucket, Key="none") == ("NoSuchKey", 404)
    assert refusal(s3.head_object, Bucket=bucket, Key="none") == ("404", 404)
    assert s3.delete_object(Bucket=bucket, Key="none")["ResponseMetadata"]["HTTPStatusCode"] == 204


def test_a_second_put_replaces_everything(s3: Any, bucket: str) -> None:
    """Bytes, type and metadata are those of the last PUT alone."""
    s3.put_object(Bucket=bucket, Key="k", Body=b"first" * 20000, ContentType="image/png", Metadata={"a": "1"})
    s3.put_object(Bucket=bucket, Key="k", Body=b"second")
    got = s3.get_object(Bucket=bucket, Key="k")
    assert (got["Body"].read(), got["ContentType"], got["Metadata"]) == (b"second", "binary/octet-stream", {})


def test_metadata_has_a_limit(s3: Any, bucket: str, refusal: Refusal) -> None:
    """2,048 bytes of names and values are kept, one more is MetadataTooLarge and nothing is stored."""
    s3.put_object(Bucket=bucket, Key="fits", Metadata={"a": "x" * 2047})
    asked = {"Bucket": bucket, "Key": "over", "Metadata": {"a": "x" * 2048}}
    assert refusal(s3.put_object, **asked) == ("MetadataTooLarge", 400)
    assert refusal(s3.head_object, Bucket=bucket, Key="over") == ("404", 404)


@pytest.mark.parametrize("name", ["a%0D%0Aset-cookie%3A%20b", "a%20b", "a%3Ab", "%C3%A9"])
def test_a_metadata_name_is_a_headers_name(server: Any, s3: Any, bucket: str, name: str) -> None:
    """A URL that carries what no header can be named is refused, or the object could not be read."""
    from urllib.parse import unquote

    from signed_http import SignedHttp

    client = SignedHttp(server.url)
    answer = client.send("PUT", f"{bucket}/k", b"x", **{f"x-amz-meta-{unquote(name)}": "v"})
    client.close()
    assert (answer.status, answer.code) == (400, "InvalidArgument")


@pytest.mark.parametrize(
    ("header", "value"),
    [
        ("x-amz-server-side-encryption", "AES256"),
        ("x-amz-tagging", "a=b"),
        ("x-amz-object-lock-mode", "GOVERNANCE"),
        ("x-amz-write-offset-bytes", "0"),
        ("x-amz-server-side-encryption-customer-algorithm", "AES256"),
    ],
)
def test_what_is_not_honoured_is_refused(raw: Send, bucket: str, header: str, value: str) -> None:
    """A header that would change what is stored, and that is not offered, is never ignored."""
    answer = raw("PUT", f"/{bucket}/k", b"x", {header: value})
    assert (answer.status, answer.code) == (501, "NotImplemented")
    assert answer.element("ArgumentName") == header
    assert raw("GET", f"/{bucket}/k").code == "NoSuchKey"


@pytest.mark.parametrize("name", ["GLACIER", "NONSENSE"])
def test_a_class_that_is_not_offered_is_refused(raw: Send, bucket: str, name: str) -> None:
    """An object is never kept in another class than the one asked for."""
    assert raw("PUT", f"/{bucket}/k", b"x", {"x-amz-storage-class": name}).code == "InvalidStorageClass"


def test_a_put_says_its_length(server: Any, s3: Any, bucket: str) -> None:
    """A PUT with neither length nor chunks is MissingContentLength."""
    from plain_http import answer_on, connect, head

    s3.put_bucket_acl(Bucket=bucket, ACL="public-read-write")
    with connect(server.port) as connection:
        connection.sendall(head("PUT", f"/{bucket}/k", {"Host": "localhost"}))
        refused = answer_on(connection)
    assert (refused.status, refused.code) == (411, "MissingContentLength")


@pytest.mark.parametrize(
    ("headers", "code"),
    [
        ({"Content-MD5": "AAAAAAAAAAAAAAAAAAAAAA=="}, "BadDigest"),
        ({"Content-MD5": "short"}, "InvalidDigest"),
        ({"x-amz-checksum-crc32": "AAAAAA=="}, "BadDigest"),
        ({"x-amz-checksum-sha256": "AAAA"}, "InvalidRequest"),
    ],
)
def test_bytes_that_differ_are_not_stored(raw: Send, bucket: str, headers: dict[str, str], code: str) -> None:
    """A digest that does not match is refused, and what was there stays."""
    raw("PUT", f"/{bucket}/k", b"before")
    assert raw("PUT", f"/{bucket}/k", b"after", headers).code == code
    assert raw("GET", f"/{bucket}/k").body == b"before"


@pytest.mark.parametrize("algorithm", ["CRC32", "CRC32C", "CRC64NVME", "SHA1", "SHA256"])
def test_a_checksum_is_kept_and_told(s3: Any, bucket: str, algorithm: str) -> None:
    """The client's checksum is answered, and told again to whoever enables checksum mode."""
    put = s3.put_object(Bucket=bucket, Key="k", Body=b"123456789", ChecksumAlgorithm=algorithm)
    known = {"CRC32": "y/Q5Jg==", "CRC32C": "4waSgw==", "CRC64NVME": "rosUhgp5mIg="}
    member = f"Checksum{algorithm}"
    assert put[member] == known.get(algorithm, put[member])
    for read in (s3.get_object, s3.head_object):
        answer = read(Bucket=bucket, Key="k", ChecksumMode="ENABLED")
        assert (answer[member], answer["ChecksumType"]) == (put[member], "FULL_OBJECT")


def test_checksums_are_told_only_when_asked_for(raw: Send, bucket: str) -> None:
    """Without checksum mode, and for a range, no checksum is sent; S3 adds CRC64NVME to what has none."""
    raw("PUT", f"/{bucket}/k", b"123456789")
    enabled = {"x-amz-checksum-mode": "ENABLED"}
    assert raw("GET", f"/{bucket}/k", b"", enabled).headers["x-amz-checksum-crc64nvme"] == "rosUhgp5mIg="
    assert "x-amz-checksum-crc64nvme" not in raw("GET", f"/{bucket}/k").headers
    ranged = raw("GET", f"/{bucket}/k", b"", enabled | {"Range": "bytes=0-3"})
    assert "x-amz-checksum-crc64nvme" not in ranged.headers


def test_answers_may_be_overridden_by_who_signs(s3: Any, bucket: str) -> None:
    """response-* parameters replace what the object says of itself."""
    s3.put_object(Bucket=bucket, Key="k", Body=b"x", ContentType="text/html")
    answer = s3.get_object(
        Bucket=bucket, Key="k", ResponseContentType="text/plain", ResponseContentDisposition="attachment"
    )
    assert (answer["ContentType"], answer["ContentDisposition"]) == ("text/plain", "attachment")


def test_strangers_override_nothing(s3: Any, anonymous: Send, bucket: str) -> None:
    """An anonymous GET with response-* parameters is InvalidRequest."""
    s3.put_object(Bucket=bucket, Key="k", Body=b"x", ACL="public-read")
    answer = anonymous("GET", f"/{bucket}/k?response-content-type=text/html")
    assert (answer.status, answer.code) == (400, "InvalidRequest")


def test_an_override_holds_no_second_header(raw: Send, bucket: str) -> None:
    """A line break in an override is refused, or it would begin a header of the client's choice."""
    raw("PUT", f"/{bucket}/k", b"x")
    answer = raw("GET", f"/{bucket}/k?response-content-type=a%0D%0Aset-cookie%3Ab")
    assert (answer.status, answer.code) == (400, "InvalidArgument")


def test_versions_that_are_not_there(s3: Any, bucket: str, refusal: Refusal) -> None:
    """The only version goes by `null`; another is NoSuchVersion, for GET, HEAD and DELETE."""
    s3.put_object(Bucket=bucket, Key="k", Body=b"x")
    assert s3.get_object(Bucket=bucket, Key="k", VersionId="null")["Body"].read() == b"x"
    assert refusal(s3.get_object, Bucket=bucket, Key="k", VersionId=VERSION) == ("NoSuchVersion", 404)
    assert refusal(s3.delete_object, Bucket=bucket, Key="k", VersionId=VERSION) == ("NoSuchVersion", 404)
    assert s3.head_object(Bucket=bucket, Key="k")["ContentLength"] == 1
