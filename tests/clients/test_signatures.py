"""Who may speak: both versions of S3's signatures, in headers and in addresses, as botocore makes them."""

import hashlib
from datetime import UTC, datetime, timedelta
from typing import Any
from urllib.parse import quote

import botocore.auth
import pytest

from browser_form import Key
from plain_http import send
from signed_request import EMPTY_SHA256, WAYS, sign, sign_v2_at

CONTENT = b"some bytes"
VERSIONS = ("s3v4", "s3")
V4_WAYS = ("v4-header", "v4-query")


@pytest.fixture
def key(s3: Any, bucket: str) -> str:
    """An object that only its owner may read."""
    s3.put_object(Bucket=bucket, Key="k", Body=CONTENT)
    return "k"


@pytest.fixture
def temporary_key(server: Any) -> Key:
    """A key of the root user with a session token."""
    made = server.meiku("key", "add", "root", "--expires-in", "900")
    return Key(made["access_key"], made["secret_key"], made["session_token"])


# -- every method


@pytest.mark.parametrize("version", VERSIONS)
def test_a_client_lives_a_whole_life(server: Any, version: str) -> None:
    """PUT, HEAD, GET, POST and DELETE with sub-resources, signed in headers by either version."""
    client = server.client(signature_version=version)
    bucket = f"life-{version}"
    client.create_bucket(Bucket=bucket)
    client.put_object(Bucket=bucket, Key="a b/图+%2F.png", Body=CONTENT, Metadata={"who": "me"})
    assert client.head_object(Bucket=bucket, Key="a b/图+%2F.png")["Metadata"] == {"who": "me"}
    assert client.get_object(Bucket=bucket, Key="a b/图+%2F.png", Range="bytes=0-3")["Body"].read() == b"some"
    assert client.list_objects_v2(Bucket=bucket, Prefix="a b/", Delimiter="/")["KeyCount"] == 1
    client.put_bucket_acl(Bucket=bucket, ACL="private")
    assert client.get_object_acl(Bucket=bucket, Key="a b/图+%2F.png")["Grants"]
    upload = client.create_multipart_upload(Bucket=bucket, Key="m")["UploadId"]
    part = client.upload_part(Bucket=bucket, Key="m", UploadId=upload, PartNumber=1, Body=CONTENT)
    parts = {"Parts": [{"PartNumber": 1, "ETag": part["ETag"]}]}
    client.complete_multipart_upload(Bucket=bucket, Key="m", UploadId=upload, MultipartUpload=parts)
    objects = {"Objects": [{"Key": "m"}, {"Key": "a b/图+%2F.png"}]}
    assert len(client.delete_objects(Bucket=bucket, Delete=objects)["Deleted"]) == 2
    client.delete_bucket(Bucket=bucket)


@pytest.mark.parametrize("version", VERSIONS)
@pytest.mark.parametrize(
    ("operation", "method", "more", "status"),
    [
        ("put_object", "PUT", {"Key": "new"}, 200),
        ("get_object", "GET", {"Key": "k", "ResponseContentType": "text/x"}, 200),
        ("head_object", "HEAD", {"Key": "k"}, 200),
        ("delete_object", "DELETE", {"Key": "k"}, 204),
        ("list_objects_v2", "GET", {"Prefix": "a b+c"}, 200),
        ("create_multipart_upload", "POST", {"Key": "new"}, 200),
        ("get_bucket_acl", "GET", {}, 200),
        ("put_object", "PUT", {"Key": "图 +%2F//../x", "ContentType": "text/plain"}, 200),
    ],
)
def test_an_address_is_signed_for_every_method(
    server: Any, bucket: str, key: str, version: str, operation: str, method: str, more: Any, status: int
) -> None:
    """generate_presigned_url gives an address that works without any other credentials."""
    client = server.client(signature_version=version)
    url = client.generate_presigned_url(operation, Params={"Bucket": bucket, **more}, HttpMethod=method)
    headers = {"Content-Type": more["ContentType"]} if "ContentType" in more else {}
    target = url.removeprefix(server.url)
    body = CONTENT if method == "PUT" else b""
    answer = send(server.port, method, target, body=body, headers=headers)
    assert answer.status == status, answer.body
    if "ResponseContentType" in more:
        assert answer.headers["content-type"] == "text/x"


@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize("name", ["k", "a b/图+~.png", "..//x"])
def test_a_bucket_may_stand_in_the_host(server: Any, bucket: str, way: str, name: str) -> None:
    """Signed for bucket.host, in all four ways, with keys that need encoding."""
    url = f"http://{bucket}.localhost:{server.port}/{quote(name)}"
    assert sign(way, "PUT", url, body=CONTENT).send(server.port).status == 200
    assert sign(way, "GET", url).send(server.port).body == CONTENT


# -- time


@pytest.mark.parametrize(
    ("minutes", "code"), [(-20, "RequestTimeTooSkewed"), (-10, ""), (20, "RequestTimeTooSkewed")]
)
@pytest.mark.parametrize("version", [4, 2])
def test_clocks_may_differ_by_15_minutes(
    server: Any, bucket: str, monkeypatch: pytest.MonkeyPatch, minutes: int, code: str, version: int
) -> None:
    """More than that is refused in either version, with both clocks in the answer."""
    moment = datetime.now(UTC) + timedelta(minutes=minutes)
    url = f"{server.url}/{bucket}"
    if version == 2:
        signed = sign_v2_at(moment, "GET", url)
    else:
        monkeypatch.setattr(botocore.auth, "get_current_datetime", lambda: moment.replace(tzinfo=None))
        signed = sign("v4-header", "GET", url)
    answer = signed.send(server.port)
    assert answer.code == code
    if code:
        assert answer.element("RequestTime")
        assert answer.element("ServerTime")
        assert answer.element("MaxAllowedSkewMilliseconds") == "900000"


@pytest.mark.parametrize("way", ["v4-query", "v2-query"])
def test_an_address_expires(server: Any, bucket: str, key: str, way: str, monkeypatch: Any) -> None:
    """After its time an address is AccessDenied, and says when it ended."""
    past = datetime.now(UTC) - timedelta(minutes=11)
    monkeypatch.setattr(botocore.auth, "get_current_datetime", lambda: past.replace(tzinfo=None))
    monkeypatch.setattr("time.time", past.timestamp)
    signed = sign(way, "GET", f"{server.url}/{bucket}/k", expires_in_s=600)
    monkeypatch.undo()
    answer = signed.send(server.port)
    assert (answer.status, answer.code) == (403, "AccessDenied")
    assert answer.element("Message") == "Request has expired"
    assert answer.element("Expires") < answer.element("ServerTime")


@pytest.mark.parametrize(("expires_in_s", "status"), [(1, 200), (604_800, 200), (604_801, 400), (0, 400)])
def test_an_address_lives_a_week_at_most(
    server: Any, bucket: str, key: str, expires_in_s: int, status: int
) -> None:
    """X-Amz-Expires is 1 to 604,800 seconds."""
    signed = sign("v4-query", "GET", f"{server.url}/{bucket}/k", expires_in_s=expires_in_s)
    assert signed.send(server.port).status == status


# -- keys


@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize("region", ["us-east-1", "cn-north-1", "ap-east-1", "default"])
def test_any_region_is_good(server: Any, bucket: str, key: str, way: str, region: str) -> None:
    """Clients name whatever region they were configured with; Version 2 has none."""
    signed = sign(way, "GET", f"{server.url}/{bucket}/k", region=region)
    assert signed.send(server.port).body == CONTENT


@pytest.mark.parametrize("way", WAYS)
def test_a_key_must_be_known(server: Any, bucket: str, key: str, way: str) -> None:
    """A key that nobody has is InvalidAccessKeyId, and its name is in the answer."""
    answer = sign(way, "GET", f"{server.url}/{bucket}/k", key=Key("NOBODY", "x")).send(server.port)
    assert (answer.status, answer.code, answer.element("AWSAccessKeyId")) == (
        403,
        "InvalidAccessKeyId",
        "NOBODY",
    )


@pytest.mark.parametrize("way", WAYS)
def test_a_bad_signature_is_not_anonymous(server: Any, s3: Any, bucket: str, way: str) -> None:
    """What anyone may read is still refused to whoever signs wrongly."""
    s3.put_object(Bucket=bucket, Key="public", Body=CONTENT, ACL="public-read")
    url = f"{server.url}/{bucket}/public"
    assert send(server.port, "GET", f"/{bucket}/public").body == CONTENT
    answer = sign(way, "GET", url, key=Key(secret_key="wrong")).send(server.port)
    assert (answer.status, answer.code) == (403, "SignatureDoesNotMatch")


@pytest.mark.parametrize(
    "headers",
    [
        {"Authorization": "Basic dGVzdGFrOng="},
        {"Authorization": "AWS testak"},
        {"Authorization": "AWS4-HMAC-SHA256 Credential=testak"},
        {"Authorization": ""},
    ],
)
def test_a_header_that_is_no_signature_is_refused(
    server: Any, s3: Any, bucket: str, headers: dict[str, str]
) -> None:
    """Another scheme, or half a signature: an error, and never a look at what anyone may read."""
    s3.put_object(Bucket=bucket, Key="public", Body=CONTENT, ACL="public-read")
    assert send(server.port, "GET", f"/{bucket}/public", headers=headers).status == 400


@pytest.mark.parametrize("way", V4_WAYS)
def test_two_signatures_are_refused(server: Any, bucket: str, key: str, way: str) -> None:
    """A request is signed in one way; with two, nobody could say which one counts."""
    signed = sign("v4-query", "GET", f"{server.url}/{bucket}/k")
    other = sign("v4-header", "GET", f"{server.url}/{bucket}/k").headers
    answer = signed.send(server.port, headers={**signed.headers, **other})
    assert (answer.status, answer.code) == (400, "InvalidArgument")


# -- session tokens


@pytest.mark.parametrize("way", WAYS)
def test_a_temporary_key_needs_its_token(
    server: Any, bucket: str, key: str, temporary_key: Key, way: str
) -> None:
    """With its token a temporary key is as good as any; with none or another it is refused."""
    url = f"{server.url}/{bucket}/k"
    assert sign(way, "GET", url, key=temporary_key).send(server.port).body == CONTENT
    pair = (temporary_key.access_key, temporary_key.secret_key)
    for wrong in (Key(*pair), Key(*pair, "another"), Key(token="made-up")):
        answer = sign(way, "GET", url, key=wrong).send(server.port)
        assert (answer.status, answer.code) == (403, "InvalidToken")


@pytest.mark.parametrize("version", VERSIONS)
def test_a_client_with_a_token_uploads(
    server: Any, s3: Any, bucket: str, temporary_key: Key, version: str
) -> None:
    """boto3 with a session token stores an object and signs addresses, in either version."""
    pair = (temporary_key.access_key, temporary_key.secret_key, temporary_key.token)
    client = server.client(*pair, signature_version=version)
    client.put_object(Bucket=bucket, Key="k", Body=CONTENT)
    url = client.generate_presigned_url("get_object", Params={"Bucket": bucket, "Key": "k"})
    assert send(server.port, "GET", url.removeprefix(server.url)).body == CONTENT


# -- what a signature covers


@pytest.mark.parametrize("way", ["v4-header", "v2-header"])
def test_headers_are_covered(server: Any, bucket: str, way: str) -> None:
    """An x-amz-* header that was added or changed on the way breaks the signature."""
    url = f"{server.url}/{bucket}/k"
    signed = sign(way, "PUT", url, body=CONTENT, headers={"x-amz-meta-a": "1"})
    assert signed.send(server.port).status == 200
    assert signed.with_headers(x_amz_meta_a="2").send(server.port).code == "SignatureDoesNotMatch"
    added = signed.with_headers(x_amz_acl="public-read").send(server.port)
    assert added.code == ("AccessDenied" if way in V4_WAYS else "SignatureDoesNotMatch")


@pytest.mark.parametrize("way", WAYS)
def test_the_address_is_covered(server: Any, bucket: str, key: str, way: str) -> None:
    """A signature for one object is none for another, nor for one of its sub-resources."""
    signed = sign(way, "GET", f"{server.url}/{bucket}/k")
    assert (
        signed.send(server.port, target=signed.target.replace("/k", "/l", 1)).code == "SignatureDoesNotMatch"
    )
    sub = f"{signed.target}{'&' if '?' in signed.target else '?'}acl"
    assert signed.send(server.port, target=sub).code == "SignatureDoesNotMatch"


def test_process_parameters_may_follow_a_v2_address(server: Any, bucket: str, key: str) -> None:
    """V2 signs sub-resources only: what the product's clients append to a finished address is no forgery."""
    signed = sign("v2-query", "GET", f"{server.url}/{bucket}/k")
    answer = signed.send(server.port, target=f"{signed.target}&x-amz-limitrate=1024")
    assert answer.body == CONTENT
    for name in ("x-amz-process", "x-oss-process", "x-zos-process"):
        answer = signed.send(server.port, target=f"{signed.target}&{name}=image/resize,w_1")
        assert answer.code != "SignatureDoesNotMatch"


@pytest.mark.parametrize("way", ["v4-header", "v4-query"])
@pytest.mark.parametrize("payload", [hashlib.sha256(CONTENT).hexdigest(), "UNSIGNED-PAYLOAD"])
def test_the_body_is_covered_where_it_was_hashed(server: Any, bucket: str, way: str, payload: str) -> None:
    """A signed body cannot be changed; UNSIGNED-PAYLOAD takes any."""
    url = f"{server.url}/{bucket}/k"
    headers = {"x-amz-content-sha256": payload} if way == "v4-query" else {}
    signed = sign(way, "PUT", url, body=CONTENT, headers=headers, payload_hash=payload)
    assert signed.send(server.port).status == 200
    answer = signed.send(server.port, body=b"OTHER BYTE")
    expected = (200, "") if payload == "UNSIGNED-PAYLOAD" else (400, "XAmzContentSHA256Mismatch")
    assert (answer.status, answer.code) == expected


def test_an_empty_body_may_be_hashed(server: Any, bucket: str) -> None:
    """The hash of nothing is the hash of an empty object."""
    signed = sign("v4-header", "PUT", f"{server.url}/{bucket}/k", payload_hash=EMPTY_SHA256)
    assert signed.send(server.port, headers={**signed.headers, "Content-Length": "0"}).status == 200
