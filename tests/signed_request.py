"""Requests signed by botocore's own signers, to be changed and sent by hand.

Lives here: the four ways to sign, and bodies in signed chunks. What a server answers is the tests' affair.
"""

import hashlib
import hmac
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from email.utils import format_datetime
from typing import Any
from urllib.parse import urlsplit

from botocore import auth
from botocore.awsrequest import AWSRequest
from botocore.credentials import Credentials

from browser_form import ROOT, Key
from plain_http import Answer, send

WAYS = ("v4-header", "v4-query", "v2-header", "v2-query")
EMPTY_SHA256 = hashlib.sha256(b"").hexdigest()


@dataclass(frozen=True)
class Signed:
    """A signed request as it would go over the wire, whoever it is sent to."""

    method: str
    target: str
    headers: Mapping[str, str]
    body: bytes = b""

    def send(self, port: int, **changes: Any) -> Answer:
        """Send it, with these of its facts changed."""
        sent = replace(self, **changes)
        return send(port, sent.method, sent.target, body=sent.body, headers=sent.headers)

    def with_headers(self, **headers: str | None) -> "Signed":
        """Change headers after the signature was made; None takes one away."""
        changed = {name.replace("_", "-").lower(): value for name, value in headers.items()}
        kept = {name: value for name, value in self.headers.items() if name.lower() not in changed}
        return replace(self, headers=kept | {n: v for n, v in changed.items() if v is not None})


def sign(
    way: str,
    method: str,
    url: str,
    *,
    body: bytes = b"",
    headers: Mapping[str, str] | None = None,
    key: Key = ROOT,
    region: str = "us-east-1",
    payload_hash: str | None = None,
    expires_in_s: int = 600,
) -> Signed:
    """Sign a request in one of `WAYS`; `payload_hash` goes before the body's own."""
    # An address is signed before anyone knows the body.
    data = b"" if way.endswith("query") else body
    request = AWSRequest(method=method, url=url, headers=dict(headers or {}), data=data)
    request.context["payload_signing_enabled"] = True
    request.auth_path = _resource(url)
    signer_of(way, key, region, payload_hash, expires_in_s).add_auth(request)
    return _signed(request, body)


def _resource(url: str) -> str | None:
    """Name what V2 signs where the bucket stands in the host; None where it stands in the path."""
    parts = urlsplit(url)
    bucket, _, domain = parts.netloc.partition(".localhost")
    return f"/{bucket}{parts.path}" if domain else None


def _signed(request: AWSRequest, body: bytes) -> Signed:
    parts = urlsplit(request.url)
    headers = {"Host": parts.netloc, **{name: str(value) for name, value in request.headers.items()}}
    target = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
    return Signed(request.method, target, headers, body)


def signer_of(way: str, key: Key, region: str, payload_hash: str | None, expires_in_s: int) -> Any:
    """Make botocore's signer for one of the ways."""
    credentials = Credentials(key.access_key, key.secret_key, key.token)
    if way == "v4-header":
        return HeaderV4(credentials, region, payload_hash)
    if way == "v4-query":
        return auth.S3SigV4QueryAuth(credentials, "s3", region, expires=expires_in_s)
    if way == "v2-header":
        return auth.HmacV1Auth(credentials)
    return auth.HmacV1QueryAuth(credentials, expires=expires_in_s)


class HeaderV4(auth.S3SigV4Auth):
    """Signs with the payload hash that it is told."""

    def __init__(self, credentials: Credentials, region: str, payload_hash: str | None = None) -> None:
        super().__init__(credentials, "s3", region)
        self._payload_hash = payload_hash

    def payload(self, request: AWSRequest) -> str:
        return self._payload_hash or str(super().payload(request))


class DatedV2(auth.HmacV1Auth):
    """Signs at a moment of one's own choice."""

    def __init__(self, credentials: Credentials, moment: datetime) -> None:
        super().__init__(credentials)
        self._moment = moment

    def _get_date(self) -> str:
        return format_datetime(self._moment, usegmt=True)


def sign_v2_at(moment: datetime, method: str, url: str) -> Signed:
    """Sign a request with Version 2 as if it were that moment."""
    request = AWSRequest(method=method, url=url)
    DatedV2(Credentials(ROOT.access_key, ROOT.secret_key), moment).add_auth(request)
    return _signed(request, b"")


def sign_chunks(
    url: str, chunks: Sequence[bytes], *, headers: Mapping[str, str], trailer: Mapping[str, str] | None = None
) -> Signed:
    """Sign a PUT whose body is sent in signed chunks, with a signed trailer where one is given.

    Source: https://docs.aws.amazon.com/AmazonS3/latest/API/sigv4-streaming.html
    """
    payload_hash = "STREAMING-AWS4-HMAC-SHA256-PAYLOAD" + ("-TRAILER" if trailer else "")
    about = {
        "Content-Encoding": "aws-chunked",
        "X-Amz-Decoded-Content-Length": str(sum(map(len, chunks))),
        **({"X-Amz-Trailer": ",".join(trailer)} if trailer else {}),
    }
    signed = sign("v4-header", "PUT", url, headers={**about, **headers}, payload_hash=payload_hash)
    lowered = {name.lower(): value for name, value in signed.headers.items()}
    chain = _Chain(lowered["x-amz-date"], lowered["authorization"].rpartition("=")[2])
    body = b"".join(chain.chunk(chunk) for chunk in (*chunks, b""))
    return replace(signed, body=body + (chain.trailer(trailer) if trailer else b"\r\n"))


class _Chain:
    """The chain of signatures, each over the one before."""

    def __init__(self, timestamp: str, seed_signature: str) -> None:
        self._timestamp, self._previous = timestamp, seed_signature
        self._scope = f"{timestamp[:8]}/us-east-1/s3/aws4_request"
        self._key = b"AWS4" + ROOT.secret_key.encode()
        for step in self._scope.split("/"):
            self._key = hmac.digest(self._key, step.encode(), "sha256")

    def chunk(self, data: bytes) -> bytes:
        """Write one chunk; an empty one is the last and has no end of its own."""
        signature = self._sign("PAYLOAD", EMPTY_SHA256, hashlib.sha256(data).hexdigest())
        end = b"\r\n" if data else b""
        return f"{len(data):x};chunk-signature={signature}\r\n".encode() + data + end

    def trailer(self, fields: Mapping[str, str]) -> bytes:
        """Write the trailer and its signature."""
        text = "".join(f"{name}:{value}\n" for name, value in fields.items())
        signature = self._sign("TRAILER", hashlib.sha256(text.encode()).hexdigest())
        lines = text.replace("\n", "\r\n")
        return f"{lines}x-amz-trailer-signature:{signature}\r\n\r\n".encode()

    def _sign(self, what: str, *hashes: str) -> str:
        lines = [f"AWS4-HMAC-SHA256-{what}", self._timestamp, self._scope, self._previous, *hashes]
        self._previous = hmac.digest(self._key, "\n".join(lines).encode(), "sha256").hex()
        return self._previous
