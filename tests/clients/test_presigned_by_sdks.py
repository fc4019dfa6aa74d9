"""URLs as SDKs presign them that Python's does not: written byte for byte, signed with nothing but hmac.

aws-sdk-js v2 writes headers into its URLs: in V2 all of them, in V4 x-amz-*, Content-Type, Content-MD5 and
Cache-Control, and sends none. What is here must be honoured as if it had been sent.
"""

import base64
import hashlib
import hmac
import time
from datetime import UTC, datetime
from typing import Any
from urllib.parse import quote, urlencode

import pytest

from plain_http import Answer, send
from running_server import ACCESS_KEY, SECRET_KEY, Server

DATA = b"bytes of a picture"


def v2_url(
    method: str, path: str, signed: dict[str, str], query: dict[str, str], *, md5: str = "", kind: str = ""
) -> str:
    """Presign with V2: `signed` are x-amz-* headers that are signed, `query` what the URL says besides."""
    expires = str(int(time.time()) + 300)
    amz = "".join(f"{name}:{value}\n" for name, value in sorted(signed.items()))
    text = f"{method}\n{md5}\n{kind}\n{expires}\n{amz}{path}"
    signature = base64.b64encode(hmac.digest(SECRET_KEY.encode(), text.encode(), "sha1")).decode()
    said = {"AWSAccessKeyId": ACCESS_KEY, **query, "Expires": expires, "Signature": signature}
    return f"{path}?{urlencode(said, quote_via=quote)}"


def v4_url(server: Server, method: str, path: str, signed: dict[str, str], query: dict[str, str]) -> str:
    """Presign with V4: `signed` are headers that are signed beside the host."""
    stamp = datetime.now(UTC).strftime("%Y%m%dT%H%M%SZ")
    scope = f"{stamp[:8]}/us-east-1/s3/aws4_request"
    headers = {"host": f"127.0.0.1:{server.port}", **signed}
    names = ";".join(sorted(headers))
    said = {
        "X-Amz-Algorithm": "AWS4-HMAC-SHA256",
        "X-Amz-Credential": f"{ACCESS_KEY}/{scope}",
        "X-Amz-Date": stamp,
        "X-Amz-Expires": "300",
        "X-Amz-SignedHeaders": names,
        **query,
    }
    pairs = sorted((quote(n, safe=""), quote(v, safe="")) for n, v in said.items())
    canonical_query = "&".join(f"{name}={value}" for name, value in pairs)
    lines = "".join(f"{name}:{headers[name]}\n" for name in sorted(headers))
    canonical = f"{method}\n{path}\n{canonical_query}\n{lines}\n{names}\nUNSIGNED-PAYLOAD"
    text = f"AWS4-HMAC-SHA256\n{stamp}\n{scope}\n{hashlib.sha256(canonical.encode()).hexdigest()}"
    key = f"AWS4{SECRET_KEY}".encode()
    for step in scope.split("/"):
        key = hmac.digest(key, step.encode(), "sha256")
    signature = hmac.new(key, text.encode(), hashlib.sha256).hexdigest()
    return f"{path}?{canonical_query}&X-Amz-Signature={signature}"


def put(server: Server, target: str, **headers: str) -> Answer:
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    return send(server.port, "PUT", target, body=DATA, headers=named)


def test_v2_headers_in_the_url_alone(server: Server, s3: Any, bucket: str) -> None:
    """A V2 URL's headers are the object's: ACL, metadata, type, caching and disposition."""
    signed = {"x-amz-acl": "public-read", "x-amz-meta-a": "1"}
    standard = {"Cache-Control": "max-age=3600", "Content-Disposition": 'attachment; filename="a b.png"'}
    query = {**standard, "Content-Type": "image/png", **signed}
    assert put(server, v2_url("PUT", f"/{bucket}/k", signed, query, kind="image/png")).status == 200
    kept = s3.head_object(Bucket=bucket, Key="k")
    assert (kept["ContentType"], kept["Metadata"]) == ("image/png", {"a": "1"})
    assert (kept["CacheControl"], kept["ContentDisposition"]) == tuple(standard.values())
    assert send(server.port, "GET", f"/{bucket}/k").status == 200


def test_v2_content_md5_in_the_url_is_checked(server: Server, bucket: str) -> None:
    """What the URL says of the bytes is compared with them."""
    right, wrong = (base64.b64encode(hashlib.md5(data).digest()).decode() for data in (DATA, b"other"))
    for md5, status in ((right, 200), (wrong, 400)):
        target = v2_url("PUT", f"/{bucket}/k", {}, {"Content-MD5": md5}, md5=md5)
        assert put(server, target).status == status


def test_v2_signed_owner_in_the_url_counts(server: Server, s3: Any, bucket: str) -> None:
    """x-amz-expected-bucket-owner, signed as a header and sent as a parameter, is judged."""
    owner_id = s3.get_bucket_acl(Bucket=bucket)["Owner"]["ID"]
    for expected, status in ((owner_id, 200), ("somebody-else", 403)):
        said = {"x-amz-expected-bucket-owner": expected}
        assert put(server, v2_url("PUT", f"/{bucket}/k", said, said)).status == status


def test_v2_unsigned_amz_parameters_do_not_fit(server: Server, bucket: str) -> None:
    """A stranger adds no ACL to a V2 URL."""
    answer = put(server, v2_url("PUT", f"/{bucket}/k", {}, {"x-amz-acl": "public-read-write"}))
    assert (answer.status, answer.code) == (403, "SignatureDoesNotMatch")


def test_v4_signed_headers_in_the_url_alone(server: Server, s3: Any, bucket: str) -> None:
    """V4 headers that are named in SignedHeaders and written into the URL count as sent."""
    signed = {"x-amz-acl": "public-read", "x-amz-meta-a": "1", "cache-control": "no-store"}
    query = {"x-amz-acl": "public-read", "x-amz-meta-a": "1", "Cache-Control": "no-store"}
    target = v4_url(server, "PUT", f"/{bucket}/k", signed, query | {"Content-Type": "image/png"})
    assert put(server, target).status == 200
    kept = s3.head_object(Bucket=bucket, Key="k")
    assert (kept["ContentType"], kept["CacheControl"]) == ("image/png", "no-store")
    assert kept["Metadata"] == {"a": "1"}
    assert send(server.port, "GET", f"/{bucket}/k").status == 200


def test_v4_type_in_the_url_is_not_contradicted(server: Server, bucket: str) -> None:
    """Whoever holds the URL may not send another type than its signer wrote."""
    target = v4_url(server, "PUT", f"/{bucket}/k", {}, {"Content-Type": "image/png"})
    assert put(server, target, Content_Type="text/html").status == 400
    assert put(server, target, Content_Type="image/png").status == 200


def test_v4_signed_header_that_nobody_says(server: Server, bucket: str) -> None:
    """A header that was signed must stand somewhere."""
    answer = put(server, v4_url(server, "PUT", f"/{bucket}/k", {"x-amz-acl": "public-read"}, {}))
    assert (answer.status, answer.code) == (403, "SignatureDoesNotMatch")


@pytest.mark.parametrize("way", ["v4", "v2"])
def test_a_literal_plus_in_a_parameter(server: Server, s3: Any, bucket: str, way: str) -> None:
    """A %2B that was signed and arrives as '+' means the plus: what fits the signature is acted on."""
    s3.put_object(Bucket=bucket, Key="k", Body=b"x")
    said = {"response-content-type": "image/svg+xml"}
    if way == "v2":
        path = f"/{bucket}/k"
        expires = str(int(time.time()) + 300)
        text = f"GET\n\n\n{expires}\n{path}?response-content-type=image/svg+xml"
        signature = base64.b64encode(hmac.digest(SECRET_KEY.encode(), text.encode(), "sha1")).decode()
        pairs = {"AWSAccessKeyId": ACCESS_KEY, "Expires": expires, "Signature": signature}
        target = f"{path}?{urlencode(pairs)}&response-content-type=image/svg+xml"
    else:
        target = v4_url(server, "GET", f"/{bucket}/k", {}, said).replace("svg%2Bxml", "svg+xml")
    answer = send(server.port, "GET", target)
    assert (answer.status, answer.headers["content-type"]) == (200, "image/svg+xml")


def test_v2_presigned_lends_no_source(server: Server, s3: Any, bucket: str) -> None:
    """Whoever holds a V2 URL to keep a result does not choose what it is made of: V2 signs no such header."""
    s3.put_object(Bucket=bucket, Key="secret", Body=b"no picture")
    answer = send(
        server.port,
        "POST",
        v2_url("POST", f"/{bucket}/k", {}, {}) + "&x-zos-process",
        body=b"image/info",
        headers={"x-zos-process-source": f"/{bucket}/secret"},
    )
    assert (answer.status, answer.code) == (403, "AccessDenied")
    assert b"x-zos-process-source" in answer.body
