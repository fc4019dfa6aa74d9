"""Names cannot be probed: to who may not list a bucket, a private object and a missing one answer alike.

Every operation on an object is tried, and every way to name one in a request for another; status, headers and
body are compared byte for byte, but for the name and the id of the request.
"""

import base64
import re
from typing import Any
from uuid import uuid4

import pytest
import pyvips

from browser_form import Key
from meiku.signing import Credentials, presign_v2
from plain_http import Answer, send
from running_server import ACCESS_KEY, SECRET_KEY, Server
from signed_request import sign

PIXEL = bytes(pyvips.Image.black(8, 8, bands=3).pngsave_buffer())
WAYS: dict[str, tuple[str, str, dict[str, str], bytes]] = {
    "GetObject": ("GET", "/{key}", {}, b""),
    "HeadObject": ("HEAD", "/{key}", {}, b""),
    "GetObject, a range": ("GET", "/{key}", {"Range": "bytes=0-0"}, b""),
    "GetObject, a range beyond": ("GET", "/{key}", {"Range": "bytes=900-"}, b""),
    "GetObject, a part": ("GET", "/{key}?partNumber=7", {}, b""),
    "GetObject, a condition": ("GET", "/{key}", {"If-Match": '"x"'}, b""),
    "GetObject, another condition": ("GET", "/{key}", {"If-None-Match": "*"}, b""),
    "GetObject, a version": ("GET", "/{key}?versionId=null", {}, b""),
    "GetObjectAcl": ("GET", "/{key}?acl", {}, b""),
    "PutObjectAcl": ("PUT", "/{key}?acl", {"x-amz-acl": "public-read"}, b""),
    "ProcessObject": ("GET", "/{key}?x-oss-process=image%2Finfo", {}, b""),
    "ProcessObject, broken": ("GET", "/{key}?x-oss-process=image%2Fnonsense", {}, b""),
    "PostProcessObject": ("POST", "/{key}?x-oss-process", {}, b"x-oss-process=image/info"),
}


def told(answer: Answer, key: str) -> tuple[int, dict[str, str], bytes]:
    """What a prober sees: all but the name, the moment and the request's id."""
    headers = {n: v for n, v in answer.headers.items() if n not in ("x-amz-request-id", "date")}
    body = re.sub(rb"<RequestId>.*?</RequestId>", b"", answer.body)
    return answer.status, headers, body.replace(key.encode(), b"KEY")


def ask(server: Server, user: Any, method: str, target: str, headers: dict[str, str], body: bytes) -> Answer:
    """Ask as a user, or as nobody."""
    if user is None:
        return send(server.port, method, target, body=body, headers=headers)
    key = Key(user["access_key"], user["secret_key"])
    return sign("v4-header", method, server.url + target, body=body, headers=headers, key=key).send(
        server.port
    )


@pytest.fixture
def private(s3: Any, bucket: str) -> tuple[str, str, str]:
    """A bucket that nobody else may list, the name of a private object in it, and one of nothing."""
    s3.put_object(Bucket=bucket, Key="priv", Body=b"secret" * 100)
    return bucket, "priv", "gone"


@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize("who", ["anonymous", "another user"])
def test_private_and_missing_answer_alike(
    server: Server, alice: Any, private: tuple[str, str, str], who: str, way: str
) -> None:
    """The object's own address tells nothing."""
    bucket, *keys = private
    user = alice.user if who == "another user" else None
    method, target, headers, body = WAYS[way]
    seen = [
        told(ask(server, user, method, f"/{bucket}{target.format(key=key)}", headers, body), key)
        for key in keys
    ]
    assert seen[0] == seen[1]
    assert seen[0][0] == 403


@pytest.mark.parametrize("header", ["x-amz-copy-source", "x-zos-process-source"])
@pytest.mark.parametrize(
    "more", [{}, {"x-amz-copy-source-if-match": '"x"'}, {"x-amz-copy-source-range": "bytes=9000-9001"}]
)
def test_a_source_tells_nothing(
    server: Server, alice: Any, private: tuple[str, str, str], header: str, more: dict[str, str]
) -> None:
    """What a copy, a part or a kept result would be made of tells nothing."""
    bucket, *keys = private
    own = f"own-{uuid4().hex[:10]}"
    alice.create_bucket(Bucket=own)
    target, method, body = f"/{own}/copy", "PUT", b""
    if "range" in str(more):
        upload_id = alice.create_multipart_upload(Bucket=own, Key="copy")["UploadId"]
        target += f"?partNumber=1&uploadId={upload_id}"
    if header == "x-zos-process-source":
        target, method, body, more = f"/{own}/copy?x-zos-process", "POST", b"image/info", {}
    seen = [
        told(ask(server, alice.user, method, target, {header: f"/{bucket}/{key}", **more}, body), key)
        for key in keys
    ]
    assert seen[0] == seen[1]
    assert seen[0][0] == 403


def test_a_watermark_tells_nothing(server: Server, s3: Any, private: tuple[str, str, str]) -> None:
    """A public picture's recipe that names another object of its bucket does not tell whether it is there."""
    bucket, *keys = private
    s3.put_object(Bucket=bucket, Key="open.png", Body=PIXEL, ACL="public-read")
    seen = []
    for key in keys:
        name = base64.urlsafe_b64encode(key.encode()).decode().rstrip("=")
        target = f"/{bucket}/open.png?x-oss-process=image/watermark,image_{name}"
        status, headers, body = told(ask(server, None, "GET", target, {}, b""), key)
        seen.append((status, headers, body.replace(name.encode(), b"KEY")))
    assert seen[0] == seen[1]
    assert seen[0][0] == 403


def test_a_v2_url_lends_no_watermark(server: Server, s3: Any, bucket: str) -> None:
    """A recipe that a stranger added to a V2 URL, which does not sign it, shows no other private object."""
    for key in ("open.png", "secret.png"):
        s3.put_object(Bucket=bucket, Key=key, Body=PIXEL)
    url = presign_v2(Credentials(ACCESS_KEY, SECRET_KEY), "GET", f"{server.url}/{bucket}/open.png")
    name = base64.urlsafe_b64encode(b"secret.png").decode().rstrip("=")
    target = url.removeprefix(server.url)
    assert send(server.port, "GET", f"{target}&x-oss-process=image/info").status == 200
    answer = send(server.port, "GET", f"{target}&x-oss-process=image/watermark,image_{name}")
    assert (answer.status, answer.code) == (403, "AccessDenied")


def test_who_may_list_is_told(server: Server, s3: Any, bucket: str) -> None:
    """Where names are open to all anyway, a missing key is NoSuchKey."""
    s3.put_bucket_acl(Bucket=bucket, ACL="public-read")
    answer = send(server.port, "GET", f"/{bucket}/gone")
    assert (answer.status, answer.code) == (404, "NoSuchKey")
