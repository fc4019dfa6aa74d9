"""The code by which S3 names each mistake: clients decide by it whether to try again, and what to tell."""

from base64 import b64encode
from collections.abc import Callable
from typing import Any
from urllib.parse import quote
from zlib import crc32

import pytest

from ops.conftest import Send
from running_server import Server
from signed_request import Signed, sign

Refusal = Callable[..., tuple[str, int]]
INSTANCE = 'xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance"'
UNSIGNED_CHUNKS = "STREAMING-UNSIGNED-PAYLOAD-TRAILER"
CRC32 = "x-amz-checksum-crc32"


def crc32_of(data: bytes) -> str:
    return b64encode(crc32(data).to_bytes(4, "big")).decode()


def begun(raw: Send, bucket: str, **headers: str) -> str:
    """Begin an upload of `k`."""
    sent = {name.replace("_", "-"): value for name, value in headers.items()}
    return raw("POST", f"/{bucket}/k?uploads", headers=sent).element("UploadId")


def with_part(raw: Send, bucket: str, **headers: str) -> tuple[str, str]:
    """Begin an upload of `k` with one part; gives its address and the part's tag."""
    address = f"/{bucket}/k?uploadId={begun(raw, bucket, **headers)}"
    return address, raw("PUT", f"{address}&partNumber=1", b"part").headers["etag"]


def completion(*parts: str) -> bytes:
    return f"<CompleteMultipartUpload>{''.join(parts)}</CompleteMultipartUpload>".encode()


def part(etag: str) -> str:
    return f"<Part><PartNumber>1</PartNumber><ETag>{etag}</ETag></Part>"


def chunked(server: Server, bucket: str, body: bytes, **headers: str) -> tuple[int, str]:
    """Put `k` in unsigned chunks of five bytes in all."""
    about = {
        "Content-Encoding": "aws-chunked",
        "X-Amz-Decoded-Content-Length": "5",
        **{name.replace("_", "-"): value for name, value in headers.items()},
    }
    request: Signed = sign(
        "v4-header", "PUT", f"{server.url}/{bucket}/k", headers=about, payload_hash=UNSIGNED_CHUNKS
    )
    answer = request.send(server.port, body=body)
    return answer.status, answer.code


@pytest.mark.parametrize(
    "behind",
    [
        b"no field\r\n\r\n",
        b"x-amz-checksum-crc32 AAAAAA==\r\n\r\n",
        "x-amz-checksum-crc32:é\r\n\r\n".encode(),
        b"x-amz-checksum-sha1:qvTGHdzF6KLavt4PO0gs2a6pQ00=\r\n\r\n",
        b"\r\n",
        b"x-amz-checksum-crc32:" + b"A" * 9000 + b"\r\n\r\n",
    ],
)
def test_a_malformed_trailer(server: Server, bucket: str, behind: bytes) -> None:
    """What follows the chunks and is not what was announced is MalformedTrailerError."""
    body = b"5\r\nhello\r\n0\r\n" + behind
    assert chunked(server, bucket, body, x_amz_trailer=CRC32) == (400, "MalformedTrailerError")


def test_a_trailer_that_was_not_announced(server: Server, bucket: str) -> None:
    """A trailer that nothing announced is MalformedTrailerError."""
    body = f"5\r\nhello\r\n0\r\n{CRC32}:{crc32_of(b'hello')}\r\n\r\n".encode()
    assert chunked(server, bucket, body) == (400, "MalformedTrailerError")


@pytest.mark.parametrize(
    "body",
    [
        b"5\r\nhello\r\n",
        b"5\r\nhel",
        b"5\r\nhello\r\n0\r\n",
        b"4\r\nhell\r\n0\r\n\r\n",
        b"6\r\nhello!\r\n0\r\n\r\n",
        b"5\r\nhello\r\n1\r\n!\r\n0\r\n\r\n",
        b"5\r\nhello!\r\n0\r\n\r\n",
        b"",
    ],
)
def test_chunks_that_are_not_what_was_declared(server: Server, bucket: str, body: bytes) -> None:
    """A chunked body that ends early, or is longer or shorter than declared, is IncompleteBody."""
    assert chunked(server, bucket, body) == (400, "IncompleteBody")


@pytest.mark.parametrize(
    ("method", "target", "headers"),
    [
        ("POST", "?uploads", {"x-amz-checksum-algorithm": "MD4"}),
        ("POST", "?uploads", {"x-amz-checksum-algorithm": "CRC32", "x-amz-checksum-type": "WHOLE"}),
        ("POST", "?uploads", {"x-amz-checksum-type": "WHOLE"}),
        ("PUT", "", {"x-amz-checksum-algorithm": "MD4"}),
        ("PUT", "", {"x-amz-sdk-checksum-algorithm": "MD4"}),
        ("PUT", "?uploadId=u&partNumber=1", {"x-amz-checksum-algorithm": "MD4"}),
        ("PUT", "", {"x-amz-copy-source": "{bucket}/k", "x-amz-checksum-algorithm": "MD4"}),
        ("GET", "", {"x-amz-checksum-mode": "PERHAPS"}),
    ],
)
def test_checksum_words_that_nobody_knows(
    raw: Send, bucket: str, method: str, target: str, headers: dict[str, str]
) -> None:
    """An unknown algorithm, type or mode is InvalidRequest, wherever it is said."""
    raw("PUT", f"/{bucket}/k", b"x")
    headers = {name: value.format(bucket=bucket) for name, value in headers.items()}
    answer = raw(method, f"/{bucket}/k{target}", headers=headers)
    assert (answer.status, answer.code) == (400, "InvalidRequest")


@pytest.mark.parametrize("number", ["0", "-1", "10001", "one", ""])
@pytest.mark.parametrize("method", ["GET", "HEAD", "PUT", "copy"])
def test_part_numbers_are_judged_first(raw: Send, bucket: str, method: str, number: str) -> None:
    """A part number that there can not be is InvalidArgument, without a look at key or upload."""
    target, headers = f"/{bucket}/none?partNumber={number}", {}
    if method in ("PUT", "copy"):
        target += "&uploadId=none"
    if method == "copy":
        method, headers = "PUT", {"x-amz-copy-source": f"{bucket}/none"}
    answer = raw(method, target, headers=headers)
    assert answer.status == 400
    assert method == "HEAD" or answer.code == "InvalidArgument"


@pytest.mark.parametrize("version", ["abc", "../..", "null0", "x" * 31, "x" * 33, "é" * 32])
def test_a_malformed_version_id(raw: Send, bucket: str, version: str) -> None:
    """What can be no version's id is InvalidArgument, for every way of naming a version, key or no key."""
    version = quote(version, safe="")
    for key in ("k", "none"):
        for method, target in (
            ("GET", f"/{bucket}/{key}?versionId={version}"),
            ("DELETE", f"/{bucket}/{key}?versionId={version}"),
            ("GET", f"/{bucket}/{key}?acl&versionId={version}"),
            ("GET", f"/{bucket}/{key}?versionId={version}&x-oss-process=image%2Finfo"),
        ):
            answer = raw(method, target)
            assert (answer.status, answer.code) == (400, "InvalidArgument"), target
        assert raw("HEAD", f"/{bucket}/{key}?versionId={version}").status == 400
    raw("PUT", f"/{bucket}/k", b"x")
    copied = raw("PUT", f"/{bucket}/copy", headers={"x-amz-copy-source": f"{bucket}/k?versionId={version}"})
    assert (copied.status, copied.code) == (400, "InvalidArgument")


def test_a_version_that_is_not_there(raw: Send, bucket: str) -> None:
    """What might be a version's id, and is none here, stays NoSuchVersion."""
    raw("PUT", f"/{bucket}/k", b"x")
    answer = raw("GET", f"/{bucket}/k?versionId={'3sL4kqtJlcpXroDTDmJ-rmSpXd3dIbrH'}")
    assert (answer.status, answer.code) == (404, "NoSuchVersion")


@pytest.mark.parametrize("written", ["bytes=0-1", "bytes=1-9", "bytes=9-9", "bytes=1-0", "bytes=0-", "0-0"])
def test_a_copy_range_beyond_its_source(raw: Send, bucket: str, written: str) -> None:
    """A range that does not lie within its source is InvalidArgument."""
    raw("PUT", f"/{bucket}/from", b"x")
    target = f"/{bucket}/k?uploadId={begun(raw, bucket)}&partNumber=1"
    headers = {"x-amz-copy-source": f"{bucket}/from", "x-amz-copy-source-range": written}
    answer = raw("PUT", target, headers=headers)
    assert (answer.status, answer.code) == (400, "InvalidArgument")


@pytest.mark.parametrize(
    "written", ["", "/", "bucket", "/bucket/", "//key", "%FF/key", "b/100%", "b/%zz", "b/%2"]
)
def test_a_malformed_copy_source(raw: Send, bucket: str, written: str) -> None:
    """A copy source that names no bucket and key, or is not percent-encoded, is InvalidArgument."""
    answer = raw("PUT", f"/{bucket}/k", headers={"x-amz-copy-source": written})
    assert (answer.status, answer.code) == (400, "InvalidArgument")


@pytest.mark.parametrize(
    "entry", ["<Part><PartNumber>1</PartNumber></Part>", "<Part><ETag>00</ETag></Part>", "<Part/>"]
)
def test_a_part_that_is_half_named(raw: Send, bucket: str, entry: str) -> None:
    """A part without a tag, or without a number, is MalformedXML."""
    address, _ = with_part(raw, bucket)
    answer = raw("POST", address, completion(entry))
    assert (answer.status, answer.code) == (400, "MalformedXML")


OWNER = "<Owner><ID>{me}</ID></Owner>"
USER = f'<Grantee {INSTANCE} xsi:type="CanonicalUser"><ID>{{me}}</ID></Grantee>'
GRANT = f"<Grant>{USER}<Permission>READ</Permission></Grant>"


def grants(grant: str = GRANT, owner: str = OWNER) -> str:
    return f"{owner}<AccessControlList>{grant}</AccessControlList>"


MALFORMED_ACLS = {
    "unknown permission": grants(GRANT.replace("READ", "LOOK")),
    "permission in lower case": grants(GRANT.replace("READ", "read")),
    "no permission": grants(f"<Grant>{USER}</Grant>"),
    "no grantee": grants("<Grant><Permission>READ</Permission></Grant>"),
    "unknown kind of grantee": grants(GRANT.replace("CanonicalUser", "Friend")),
    "grantee without its kind": grants(GRANT.replace(' xsi:type="CanonicalUser"', "")),
    "grantee without an id": grants(GRANT.replace("<ID>{me}</ID>", "")),
    "grantee of another kind": grants(GRANT.replace("CanonicalUser", "Group")),
    "no owner": grants(owner=""),
    "owner without an id": grants(owner="<Owner/>"),
    "no list": OWNER,
    "unknown element": grants() + "<More/>",
}


@pytest.mark.parametrize("name", MALFORMED_ACLS)
def test_a_malformed_acl(s3: Any, raw: Send, bucket: str, name: str) -> None:
    """An ACL document that is not as S3's schema has it is MalformedACLError, and changes nothing."""
    raw("PUT", f"/{bucket}/k", b"x")
    me = s3.get_bucket_acl(Bucket=bucket)["Owner"]["ID"]
    document = f"<AccessControlPolicy>{MALFORMED_ACLS[name]}</AccessControlPolicy>".replace("{me}", me)
    for target in (f"/{bucket}?acl", f"/{bucket}/k?acl"):
        before = raw("GET", target).body
        answer = raw("PUT", target, document.encode())
        assert (answer.status, answer.code) == (400, "MalformedACLError")
        assert raw("GET", target).body == before


def test_an_acl_that_is_no_xml(raw: Send, bucket: str) -> None:
    """A document that is not even XML is MalformedACLError as well."""
    assert raw("PUT", f"/{bucket}?acl", b"<AccessControlPolicy>").code == "MalformedACLError"


@pytest.mark.parametrize("header", [{"x-amz-acl": "private"}, {"x-amz-grant-read": 'id="{me}"'}])
def test_an_acl_said_in_two_ways(s3: Any, raw: Send, bucket: str, header: dict[str, str]) -> None:
    """A document beside a canned ACL, or beside grants, is UnexpectedContent."""
    me = s3.get_bucket_acl(Bucket=bucket)["Owner"]["ID"]
    headers = {name: value.format(me=me) for name, value in header.items()}
    document = f"<AccessControlPolicy>{grants()}</AccessControlPolicy>".replace("{me}", me).encode()
    raw("PUT", f"/{bucket}/k", b"x")
    for target in (f"/{bucket}?acl", f"/{bucket}/k?acl"):
        answer = raw("PUT", target, document, headers)
        assert (answer.status, answer.code) == (400, "UnexpectedContent")


LOCATION = "x-amz-website-redirect-location"


@pytest.mark.parametrize("written", ["elsewhere", "ftp://a/b", "javascript:alert(1)", "http:a", "?x"])
def test_a_redirect_to_nowhere(raw: Send, bucket: str, written: str) -> None:
    """A website's redirect that is neither a path nor an address is InvalidRedirectLocation."""
    raw("PUT", f"/{bucket}/from", b"x")
    for method, target, headers in (
        ("PUT", f"/{bucket}/k", {}),
        ("PUT", f"/{bucket}/k", {"x-amz-copy-source": f"{bucket}/from"}),
        ("POST", f"/{bucket}/k?uploads", {}),
    ):
        answer = raw(method, target, headers={**headers, LOCATION: written})
        assert (answer.status, answer.code) == (400, "InvalidRedirectLocation"), (method, headers)


@pytest.mark.parametrize("written", ["/a/b", "http://a/b", "https://a/b"])
def test_a_redirect_that_is_kept(raw: Send, bucket: str, written: str) -> None:
    """A path or an address is kept and told again."""
    assert raw("PUT", f"/{bucket}/k", b"x", headers={LOCATION: written}).status == 200
    assert raw("HEAD", f"/{bucket}/k").headers[LOCATION] == written


@pytest.mark.parametrize("directive", ["REPLACE", "COPY"])
def test_a_copy_with_too_much_metadata(raw: Send, bucket: str, directive: str) -> None:
    """Metadata of more than 2 KB is MetadataTooLarge, also where it would not be kept."""
    raw("PUT", f"/{bucket}/from", b"x")
    headers = {
        "x-amz-copy-source": f"{bucket}/from",
        "x-amz-metadata-directive": directive,
        "x-amz-meta-a": "x" * 2048,
    }
    answer = raw("PUT", f"/{bucket}/k", headers=headers)
    assert (answer.status, answer.code) == (400, "MetadataTooLarge")


@pytest.mark.parametrize("method", ["GET", "PUT", "DELETE", "POST"])
@pytest.mark.parametrize("key", ["x" * 1024, "é" * 512, "x" * 4000])
def test_too_long_a_key(raw: Send, bucket: str, method: str, key: str) -> None:
    """A key that is too long is KeyTooLongError for whatever is to be done with it."""
    target = f"/{bucket}/{key}" if key.isascii() else f"/{bucket}/{'%C3%A9' * 512}"
    answer = raw(method, target + ("?uploads" if method == "POST" else ""))
    assert (answer.status, answer.code) == (400, "KeyTooLongError")


@pytest.mark.parametrize(
    ("method", "headers"),
    [
        ("PATCH", ""),
        ("get", ""),
        ("PUT, GET", ""),
        ("", ""),
        ("PUT", "a b"),
        ("PUT", "x-a, (b)"),
        ("PUT", "é"),
    ],
)
def test_a_preflight_that_asks_for_nonsense(
    s3: Any, anonymous: Send, bucket: str, method: str, headers: str
) -> None:
    """A preflight for a method that there is not, or for names that are no headers', is BadRequest."""
    rule = {"AllowedMethods": ["PUT"], "AllowedOrigins": ["*"], "AllowedHeaders": ["*"]}
    s3.put_bucket_cors(Bucket=bucket, CORSConfiguration={"CORSRules": [rule]})
    asked = {
        "Origin": "http://a.example",
        "Access-Control-Request-Method": method,
        "Access-Control-Request-Headers": headers.encode().decode("latin-1"),
    }
    answer = anonymous("OPTIONS", f"/{bucket}/k", headers=asked)
    assert (answer.status, answer.code) == (400, "BadRequest")


def test_several_final_checksums(raw: Send, bucket: str) -> None:
    """A Complete that gives the whole's checksum twice, in two algorithms, is InvalidRequest."""
    address, etag = with_part(
        raw, bucket, x_amz_checksum_algorithm="CRC32", x_amz_checksum_type="FULL_OBJECT"
    )
    headers = {CRC32: crc32_of(b"part"), "x-amz-checksum-crc32c": "AAAAAA=="}
    answer = raw("POST", address, completion(part(etag)), headers)
    assert (answer.status, answer.code) == (400, "InvalidRequest")
    assert raw("POST", address, completion(part(etag)), {CRC32: headers[CRC32]}).status == 200


@pytest.mark.parametrize("value", ["AAAA", "not base64", ""])
def test_a_malformed_final_checksum(raw: Send, bucket: str, value: str) -> None:
    """A final checksum that is none is InvalidRequest, as in a PUT."""
    address, etag = with_part(
        raw, bucket, x_amz_checksum_algorithm="CRC32", x_amz_checksum_type="FULL_OBJECT"
    )
    answer = raw("POST", address, completion(part(etag)), {CRC32: value})
    assert (answer.status, answer.code) == (400, "InvalidRequest")


def test_a_final_checksum_that_was_not_declared(raw: Send, bucket: str) -> None:
    """Where the upload declared no algorithm, a final checksum of one that was not computed is ignored."""
    address, etag = with_part(raw, bucket)
    assert raw("POST", address, completion(part(etag)), {CRC32: "AAAAAA=="}).status == 200


def test_the_final_checksum_that_everything_has(raw: Send, bucket: str) -> None:
    """CRC64NVME is computed of every upload, and what is given is compared."""
    address, etag = with_part(raw, bucket)
    answer = raw("POST", address, completion(part(etag)), {"x-amz-checksum-crc64nvme": "AAAAAAAAAAA="})
    assert (answer.status, answer.code) == (400, "BadDigest")


PAST, FUTURE = "Mon, 01 Jan 2001 00:00:00 GMT", "Fri, 01 Jan 2100 00:00:00 GMT"


@pytest.mark.parametrize(
    ("conditions", "status"),
    [
        ({"if-match": "{etag}", "if-unmodified-since": PAST}, 200),
        ({"if-none-match": "{etag}", "if-modified-since": PAST}, 412),
        ({"if-none-match": '"other"', "if-modified-since": FUTURE}, 200),
        ({"if-none-match": "{etag}"}, 412),
        ({"if-modified-since": FUTURE}, 412),
        ({"if-match": '"other"'}, 412),
        ({"if-unmodified-since": PAST}, 412),
    ],
)
def test_conditions_of_copies(raw: Send, bucket: str, conditions: dict[str, str], status: int) -> None:
    """What a copy's source must be, alone and in pairs, is answered as AWS's page on CopyObject has it."""
    etag = raw("PUT", f"/{bucket}/from", b"x").headers["etag"]
    headers = {f"x-amz-copy-source-{name}": text.format(etag=etag) for name, text in conditions.items()}
    headers["x-amz-copy-source"] = f"{bucket}/from"
    part_of = f"/{bucket}/k?uploadId={begun(raw, bucket)}&partNumber=1"
    for target in (f"/{bucket}/copy", part_of):
        answer = raw("PUT", target, headers=headers)
        assert answer.status == status
        assert status == 200 or answer.code == "PreconditionFailed"
