"""Requests signed by botocore, as the server would see them: the oracle for the verifiers."""

from dataclasses import dataclass, replace
from datetime import UTC, datetime
from types import SimpleNamespace
from typing import Any
from urllib.parse import parse_qsl, quote, urlsplit

import pytest
from botocore import auth
from botocore.awsrequest import AWSRequest
from botocore.credentials import Credentials

from meiku.auth import Credential, Payload, SignedRequest, claim_of

ACCESS_KEY = "AKIAIOSFODNN7EXAMPLE"
SECRET = "wJalrXUtnFEMI/K7MDENG/bPxRfiCY+EXAMPLEKEY"
NOW = datetime(2024, 1, 2, 3, 4, 5, tzinfo=UTC)
NOW_S = NOW.timestamp()
HOST = "media.example.com:9000"
CREDENTIAL = Credential(ACCESS_KEY, SECRET, "user")
FOUR_WAYS = ("v4-header", "v4-query", "v2-header", "v2-query")
V4_WAYS = FOUR_WAYS[:2]
V2_WAYS = FOUR_WAYS[2:]


@dataclass(frozen=True)
class Call:
    """What a client asks botocore to sign."""

    method: str = "GET"
    key: str = "a.png"
    query: str = ""
    headers: tuple[tuple[str, str], ...] = ()
    body: bytes = b""
    token: str | None = None

    @property
    def url(self) -> str:
        """The address, encoded as SDKs encode it."""
        query = f"?{self.query}" if self.query else ""
        return f"http://{HOST}/bucket/{quote(self.key, safe='/~')}{query}"


def freeze(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let botocore sign at NOW."""
    monkeypatch.setattr(auth, "get_current_datetime", lambda *_: NOW)
    monkeypatch.setattr(auth, "time", SimpleNamespace(time=lambda: NOW_S))
    monkeypatch.setattr(auth, "formatdate", lambda *_, **__: "Tue, 02 Jan 2024 03:04:05 GMT")


def signer(way: str, token: str | None = None, *, secret: str = SECRET, expires: int = 300) -> Any:
    """Make botocore's signer for one of the four ways."""
    credentials = Credentials(ACCESS_KEY, secret, token)
    return {
        "v4-header": lambda: auth.S3SigV4Auth(credentials, "s3", "ap-east-1"),
        "v4-query": lambda: auth.S3SigV4QueryAuth(credentials, "s3", "ap-east-1", expires=expires),
        "v2-header": lambda: auth.HmacV1Auth(credentials),
        "v2-query": lambda: auth.HmacV1QueryAuth(credentials, expires=expires),
    }[way]()


def sign(way: str, call: Call, *, secret: str = SECRET) -> SignedRequest:
    """Sign a call and show it as the server receives it."""
    body = call.body if way == "v4-header" else b""  # the others do not cover it
    request = AWSRequest(method=call.method, url=call.url, headers=dict(call.headers), data=body)
    signer(way, call.token, secret=secret).add_auth(request)
    sent = {name.lower(): str(value) for name, value in request.headers.items()}
    if way == "v2-query":
        sent.pop("date", None)  # botocore keeps Expires there while it signs
    return seen(call.method, str(request.url), sent)


def seen(method: str, url: str, headers: dict[str, str]) -> SignedRequest:
    """Show a request as the pipeline reads it."""
    parts = urlsplit(url)
    return SignedRequest(
        method=method,
        host=parts.netloc,
        raw_path=parts.path,
        query=tuple(parse_qsl(parts.query, keep_blank_values=True)),
        query_string=parts.query,
        headers={**headers, "host": parts.netloc},
        bucket=None,
        scheme=parts.scheme,
    )


def with_query(request: SignedRequest, query_string: str) -> SignedRequest:
    """Change the query in both of its forms."""
    pairs = tuple(parse_qsl(query_string, keep_blank_values=True))
    return replace(request, query_string=query_string, query=pairs)


def with_headers(request: SignedRequest, **changes: str | None) -> SignedRequest:
    """Set headers, or leave out those that are None; `_` stands for a hyphen."""
    headers = dict(request.headers)
    for name, value in changes.items():
        headers.pop(name.replace("_", "-"), None)
        if value is not None:
            headers[name.replace("_", "-")] = value
    return replace(request, headers=headers)


def verify(
    request: SignedRequest,
    credential: Credential = CREDENTIAL,
    *,
    now_s: float = NOW_S,
    public_hosts: tuple[str, ...] = (),
) -> Payload:
    """Read the claim and judge it, as the pipeline does."""
    claim = claim_of(request)
    assert claim is not None, "the request is anonymous"
    assert claim.access_key == credential.access_key
    return claim.verify(credential, now_s=now_s, public_hosts=public_hosts)
