"""Spellings that SDKs of other languages send, and answers that they compare: each through the real wire."""

from base64 import b64encode
from concurrent.futures import ThreadPoolExecutor
from typing import Any
from urllib.parse import quote

import pytest

from ops.conftest import Send
from plain_http import send
from running_server import Server
from signed_http import SignedHttp

CRC32 = "x-amz-checksum-crc32"


def begun(raw: Send, bucket: str, key: str = "k", headers: dict[str, str] | None = None) -> str:
    return raw("POST", f"/{bucket}/{key}?uploads", headers=headers).element("UploadId")


@pytest.mark.parametrize("mode", ["enabled", "ENABLED", "Enabled"])
def test_checksum_mode_in_any_case(raw: Send, bucket: str, mode: str) -> None:
    """The C++ SDK and the CRT ask for checksums in lower case."""
    assert raw("PUT", f"/{bucket}/k", b"x").status == 200
    for method in ("GET", "HEAD"):
        answer = raw(method, f"/{bucket}/k", headers={"x-amz-checksum-mode": mode})
        assert (answer.status, "x-amz-checksum-crc64nvme" in answer.headers) == (200, True)


@pytest.mark.parametrize("name", ["Crc32", "crc32", "CRC32"])
def test_algorithms_in_any_case(raw: Send, bucket: str, name: str) -> None:
    """The name of an algorithm is read in any case, and answered as S3 writes it."""
    answer = raw("POST", f"/{bucket}/k?uploads", headers={"x-amz-checksum-algorithm": name})
    assert (answer.status, answer.headers["x-amz-checksum-algorithm"]) == (200, "CRC32")


def test_a_plus_in_a_copy_source_is_a_space(raw: Send, s3: Any, bucket: str) -> None:
    """Java, Ruby and PHP encode a source as a form's field."""
    s3.put_object(Bucket=bucket, Key="my file.txt", Body=b"space")
    s3.put_object(Bucket=bucket, Key="my+file.txt", Body=b"plus")
    for written, body in (("my+file.txt", b"space"), ("my%20file.txt", b"space"), ("my%2Bfile.txt", b"plus")):
        source = {"x-amz-copy-source": f"{bucket}/{written}"}
        assert raw("PUT", f"/{bucket}/copy", headers=source).status == 200
        assert s3.get_object(Bucket=bucket, Key="copy")["Body"].read() == body


@pytest.mark.parametrize("character", ["\x01", "\n", "\r", "\t", "\x7f", "\x85", "\u202e"])
def test_names_with_controls_are_listed_on(s3: Any, raw: Send, bucket: str, character: str) -> None:
    """A page that ends at such a key is followed by the next one, in every way of asking for it."""
    key = f"a{character}b"
    for name in (key, f"{key}/x", "z"):
        assert raw("PUT", f"/{bucket}/{quote(name)}", b"x").status == 200
    q = quote(key, safe="")
    for query in (
        f"marker={q}&encoding-type=url",
        f"list-type=2&start-after={q}&encoding-type=url",
        f"prefix={q}&encoding-type=url",
        f"delimiter={quote(character, safe='')}&encoding-type=url",
        f"uploads&key-marker={q}&encoding-type=url",
    ):
        assert raw("GET", f"/{bucket}?{query}").status == 200, query
    first = raw("GET", f"/{bucket}?list-type=2&max-keys=1&encoding-type=url")
    token = first.element("NextContinuationToken")
    following = raw("GET", f"/{bucket}?list-type=2&encoding-type=url&continuation-token={quote(token)}")
    assert following.entries("{http://s3.amazonaws.com/doc/2006-03-01/}Contents")


def test_an_empty_token_is_the_beginning(raw: Send, bucket: str) -> None:
    """A client that sends its token before it has one begins at the beginning."""
    raw("PUT", f"/{bucket}/k", b"x")
    assert raw("GET", f"/{bucket}?list-type=2&continuation-token=").element("Key") == "k"


def test_uploads_of_a_key_are_listed_by_age(raw: Send, s3: Any, bucket: str) -> None:
    """The oldest upload of a key stands first."""
    made = [begun(raw, bucket) for _ in range(6)]
    assert [u["UploadId"] for u in s3.list_multipart_uploads(Bucket=bucket)["Uploads"]] == made


def completed(http: SignedHttp, bucket: str, upload_id: str, etag: str) -> tuple[int, bytes]:
    part = f"<Part><PartNumber>1</PartNumber><ETag>{etag}</ETag></Part>"
    document = f"<CompleteMultipartUpload>{part}</CompleteMultipartUpload>".encode()
    answer = http.send("POST", f"{bucket}/k", document, uploadId=upload_id)
    return answer.status, answer.body


def test_a_complete_is_answered_again(server: Any, raw: Send, bucket: str) -> None:
    """Whoever lost the answer, or asks twice at once, is told the same with the same checksums."""
    upload_id = begun(raw, bucket, headers={"x-amz-checksum-algorithm": "CRC32"})
    part = SignedHttp(server.url).send(
        "PUT",
        f"{bucket}/k",
        b"x",
        headers={CRC32: b64encode((0x8CDC1683).to_bytes(4, "big")).decode()},
        partNumber="1",
        uploadId=upload_id,
    )
    assert part.status == 200
    with ThreadPoolExecutor(8) as threads:
        told = list(
            threads.map(lambda _: completed(SignedHttp(server.url), bucket, upload_id, part.etag), range(8))
        )
    told.append(completed(SignedHttp(server.url), bucket, upload_id, part.etag))
    assert {status for status, _ in told} == {200}
    assert len({body for _, body in told}) == 1
    assert b"<ChecksumCRC32>" in told[0][1]


@pytest.mark.parametrize("place", ["PutObject", "UploadPart", "CompleteMultipartUpload"])
def test_an_unknown_checksum_is_refused(raw: Send, bucket: str, place: str) -> None:
    """A checksum that nobody can compute is not taken for one that was compared."""
    headers = {"x-amz-checksum-foo": "AAAA"}
    upload_id = begun(raw, bucket)
    target = {
        "PutObject": f"/{bucket}/k",
        "UploadPart": f"/{bucket}/k?partNumber=1&uploadId={upload_id}",
        "CompleteMultipartUpload": f"/{bucket}/k?uploadId={upload_id}",
    }[place]
    method = "POST" if place == "CompleteMultipartUpload" else "PUT"
    answer = raw(method, target, b"<CompleteMultipartUpload/>", headers=headers)
    assert (answer.status, answer.code) == (400, "InvalidRequest")


def test_head_overrides_as_get_does(raw: Send, bucket: str) -> None:
    """response-* is honoured by HEAD too, and an empty one blanks nothing."""
    raw("PUT", f"/{bucket}/k", b"x", headers={"content-type": "text/plain", "cache-control": "no-store"})
    for method in ("GET", "HEAD"):
        answer = raw(method, f"/{bucket}/k?response-content-type=image%2Fpng&response-cache-control=")
        assert answer.status == 200
        assert (answer.headers["content-type"], answer.headers["cache-control"]) == ("image/png", "no-store")


def test_metadata_beyond_ascii(raw: Send, s3: Any, bucket: str) -> None:
    """It is answered as encoded words, and what comes so is understood."""
    word = f"=?UTF-8?B?{b64encode('图片 é'.encode()).decode()}?="
    for sent in (word, "=?utf-8?Q?=E5=9B=BE=E7=89=87_=C3=A9?="):
        assert raw("PUT", f"/{bucket}/k", b"x", headers={"x-amz-meta-a": sent}).status == 200
        assert raw("HEAD", f"/{bucket}/k").headers["x-amz-meta-a"] == word
    assert raw("PUT", f"/{bucket}/k", b"x", headers={"x-amz-meta-a": "=?no such?="}).status == 200
    assert raw("GET", f"/{bucket}/k").headers["x-amz-meta-a"] == "=?no such?="


def test_grants_in_headers_are_counted(raw: Send, bucket: str) -> None:
    """A hundred grants are a list, however they are written."""
    header = ", ".join(f'id="{number}"' for number in range(101))
    answer = raw("PUT", f"/{bucket}/k", b"x", headers={"x-amz-grant-read": header})
    assert (answer.status, answer.code) == (400, "MalformedACLError")


@pytest.mark.parametrize("name", ["a&#10;b", "a&#13;&#10;Set-Cookie: x", "a b", "x,y", "é", ""])
def test_exposed_headers_are_names(raw: Send, bucket: str, name: str) -> None:
    """What is sent as a header of every answer must be a header's name."""
    rule = "<AllowedMethod>GET</AllowedMethod><AllowedOrigin>*</AllowedOrigin>"
    rule = f"<CORSRule>{rule}<ExposeHeader>{name}</ExposeHeader></CORSRule>"
    document = f"<CORSConfiguration>{rule}</CORSConfiguration>"
    answer = raw("PUT", f"/{bucket}?cors", document.encode())
    assert answer.status == 400
    raw("PUT", f"/{bucket}/k", b"x")
    assert raw("GET", f"/{bucket}/k", headers={"Origin": "http://page.example"}).status == 200


OVERRIDES = [
    ({"ResponseCacheControl": ""}, "max-age=3", "image/png"),
    ({"ResponseContentType": ""}, "max-age=3", "image/png"),
    ({"ResponseCacheControl": "", "ResponseContentType": "a/b"}, "max-age=3", "a/b"),
    ({"ResponseCacheControl": "no-cache"}, "no-cache", "image/png"),
]


@pytest.mark.parametrize(("asked", "cache_control", "content_type"), OVERRIDES)
@pytest.mark.parametrize("operation", ["get_object", "head_object"])
@pytest.mark.parametrize("version", ["s3", "s3v4"])
def test_overrides_in_presigned_urls(
    server: Server,
    bucket: str,
    version: str,
    operation: str,
    asked: dict[str, str],
    cache_control: str,
    content_type: str,
) -> None:
    """GET and HEAD say what a URL asks them to; an empty wish is signed as botocore does, and ignored."""
    client = server.client(signature_version=version)
    client.put_object(Bucket=bucket, Key="k", Body=b"x", CacheControl="max-age=3", ContentType="image/png")
    url = client.generate_presigned_url(operation, Params={"Bucket": bucket, "Key": "k", **asked})
    method = operation.partition("_")[0].upper()
    answer = send(server.port, method, url.removeprefix(server.url))
    assert answer.status == 200
    assert (answer.headers["cache-control"], answer.headers["content-type"]) == (cache_control, content_type)


def test_an_empty_override_of_nobody(anonymous: Send, s3: Any, bucket: str) -> None:
    """What asks for nothing needs no signature."""
    s3.put_object(Bucket=bucket, Key="k", Body=b"x", ACL="public-read")
    for method in ("GET", "HEAD"):
        assert anonymous(method, f"/{bucket}/k?response-content-type=").status == 200
        assert anonymous(method, f"/{bucket}/k?response-content-type=a%2Fb").status == 400
