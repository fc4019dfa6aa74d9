"""Requests as SDKs of other languages sign and send them, written with nothing but hmac.

minio-go signs V2 over encoded paths and V4 with its own list of headers; boto (2) signs a Date, and writes
what its addresses carry decoded into the text.
"""

import base64
import hashlib
import hmac
import time
from datetime import UTC, datetime
from email.utils import format_datetime
from typing import Any
from urllib.parse import quote

import pytest

from plain_http import Answer, send
from running_server import ACCESS_KEY, SECRET_KEY, Server

DATA = b"bytes"
KEYS = ["plain.png", "a b.png", "a+b.png", "媒体/图.png", "a!(b)*'.png", "a//b", "a=b&c;d@e:f"]


def sha1(text: str) -> str:
    return base64.b64encode(hmac.digest(SECRET_KEY.encode(), text.encode(), "sha1")).decode()


def date() -> str:
    return format_datetime(datetime.now(UTC), usegmt=True)


@pytest.mark.parametrize("key", KEYS)
def test_minio_go_v2_header(server: Server, s3: Any, bucket: str, key: str) -> None:
    """minio-go signs V2 over the encoded path, with Date and its own type."""
    path = f"/{bucket}/{quote(key, safe='/-_.~')}"
    now, kind = date(), "application/octet-stream"
    headers = {
        "Host": f"127.0.0.1:{server.port}",
        "User-Agent": "MinIO (linux; amd64) minio-go/v7.0.70",
        "Content-Type": kind,
        "Date": now,
        "X-Amz-Meta-A": "1",
        "Authorization": f"AWS {ACCESS_KEY}:" + sha1(f"PUT\n\n{kind}\n{now}\nx-amz-meta-a:1\n{path}"),
        "Accept-Encoding": "gzip",
    }
    assert send(server.port, "PUT", path, body=DATA, headers=headers).status == 200
    assert s3.get_object(Bucket=bucket, Key=key)["Body"].read() == DATA


@pytest.mark.parametrize("key", KEYS)
def test_minio_go_v2_presigned(server: Server, s3: Any, bucket: str, key: str) -> None:
    """minio-go writes AWSAccessKeyId and Expires first, Signature last, and signs overrides decoded."""
    s3.put_object(Bucket=bucket, Key=key, Body=DATA)
    path = f"/{bucket}/{quote(key, safe='/-_.~')}"
    expires = int(time.time()) + 300
    shown = 'attachment; filename="a b+c.png"'
    text = f"GET\n\n\n{expires}\n{path}?response-content-disposition={shown}"
    query = f"AWSAccessKeyId={ACCESS_KEY}&Expires={expires}"
    query += f"&response-content-disposition={quote(shown, safe='')}"
    answer = send(server.port, "GET", f"{path}?{query}&Signature={quote(sha1(text), safe='')}")
    assert (answer.status, answer.headers["content-disposition"]) == (200, shown)


def minio_v4(server: Server, method: str, path: str, query: str, payload: str, **more: str) -> Answer:
    """Send as minio-go does: Host, x-amz-* and what was asked for are signed, its own headers are not."""
    stamp = datetime.now(UTC).strftime("%Y%m%dT%H%M%SZ")
    scope = f"{stamp[:8]}/us-east-1/s3/aws4_request"
    signed = {
        "host": f"127.0.0.1:{server.port}",
        "x-amz-content-sha256": payload,
        "x-amz-date": stamp,
        **{name.replace("_", "-"): value for name, value in more.items()},
    }
    names = ";".join(sorted(signed))
    lines = "".join(f"{name}:{signed[name]}\n" for name in sorted(signed))
    canonical = f"{method}\n{path}\n{query}\n{lines}\n{names}\n{payload}"
    text = f"AWS4-HMAC-SHA256\n{stamp}\n{scope}\n{hashlib.sha256(canonical.encode()).hexdigest()}"
    key = f"AWS4{SECRET_KEY}".encode()
    for step in scope.split("/"):
        key = hmac.digest(key, step.encode(), "sha256")
    signature = hmac.new(key, text.encode(), hashlib.sha256).hexdigest()
    proof = f"Credential={ACCESS_KEY}/{scope}, SignedHeaders={names}, Signature={signature}"
    sent = {name.title(): value for name, value in signed.items()}
    headers = sent | {
        "Authorization": f"AWS4-HMAC-SHA256 {proof}",
        "User-Agent": "MinIO (linux; amd64) minio-go/v7.0.70",
        "Accept-Encoding": "gzip",
    }
    body = DATA if method == "PUT" else b""
    return send(server.port, method, f"{path}?{query}" if query else path, body=body, headers=headers)


@pytest.mark.parametrize("key", KEYS)
@pytest.mark.parametrize("payload", ["UNSIGNED-PAYLOAD", hashlib.sha256(DATA).hexdigest()])
def test_minio_go_v4_header(server: Server, s3: Any, bucket: str, key: str, payload: str) -> None:
    """minio-go's own list of signed headers, over keys with everything that encoders differ in."""
    path = f"/{bucket}/{quote(key, safe='/-_.~')}"
    assert (
        minio_v4(server, "PUT", path, "", payload, content_type="image/png", x_amz_meta_a="1").status == 200
    )
    assert s3.get_object(Bucket=bucket, Key=key)["Body"].read() == DATA


def test_minio_go_v4_listing(server: Server, s3: Any, bucket: str) -> None:
    """A listing's parameters as minio-go orders and encodes them, empty ones too."""
    s3.put_object(Bucket=bucket, Key="a+b c/k", Body=DATA)
    empty = hashlib.sha256(b"").hexdigest()
    query = "delimiter=%2F&encoding-type=url&fetch-owner=true&list-type=2&prefix=a%2Bb%20c%2F"
    answer = minio_v4(server, "GET", f"/{bucket}/", query, empty)
    assert (answer.status, answer.element("Contents") != "", b"k</Key>" in answer.body) == (200, False, True)
    assert minio_v4(server, "GET", f"/{bucket}/", "location=", empty).status == 200


@pytest.mark.parametrize("key", KEYS)
def test_boto_v2_header(server: Server, s3: Any, bucket: str, key: str) -> None:
    """boto signs content-md5, type, Date and x-amz-* in lower case, over the path that it sends."""
    path = f"/{bucket}/{quote(key)}"
    now, md5 = date(), base64.b64encode(hashlib.md5(DATA).digest()).decode()
    text = f"PUT\n{md5}\nimage/png\n{now}\nx-amz-acl:public-read\n{path}"
    headers = {
        "Host": f"127.0.0.1:{server.port}",
        "User-Agent": "Boto/2.49.0 Python/2.7.18 Linux/5.10",
        "Content-MD5": md5,
        "Content-Type": "image/png",
        "Date": now,
        "x-amz-acl": "public-read",
        "Expect": "100-Continue",
        "Authorization": f"AWS {ACCESS_KEY}:{sha1(text)}",
    }
    assert send(server.port, "PUT", path, body=DATA, headers=headers).status == 200
    assert send(server.port, "GET", path).body == DATA


@pytest.mark.parametrize("key", KEYS)
def test_boto_v2_presigned(server: Server, s3: Any, bucket: str, key: str) -> None:
    """boto puts Signature first, and signs response-* as they are meant."""
    s3.put_object(Bucket=bucket, Key=key, Body=DATA)
    path, expires = f"/{bucket}/{quote(key)}", int(time.time()) + 300
    signature = quote(sha1(f"GET\n\n\n{expires}\n{path}?response-content-type=image/svg+xml"), safe="")
    query = f"Signature={signature}&Expires={expires}&AWSAccessKeyId={ACCESS_KEY}"
    answer = send(server.port, "GET", f"{path}?{query}&response-content-type=image%2Fsvg%2Bxml")
    assert (answer.status, answer.body) == (200, DATA)
    assert answer.headers["content-type"] == "image/svg+xml"
