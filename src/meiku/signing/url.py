"""Presigned URLs: one method on one object, for as long as it says, without the secret.

The path of the given URL is encoded as S3 wants it, so an unencoded key may be given as it is. Whoever uses
the URL must send the same method and every header that was signed with it.
"""

from collections.abc import Mapping
from datetime import UTC, datetime
from urllib.parse import SplitResult, parse_qsl, unquote, urlsplit, urlunsplit

from meiku.signing.credentials import Credentials
from meiku.signing.v2 import signature_v2, string_to_sign_v2
from meiku.signing.v4 import (
    ALGORITHM_V4,
    UNSIGNED_PAYLOAD,
    canonical_request_v4,
    scope_v4,
    signature_v4,
    signing_key_v4,
    string_to_sign_v4,
    uri_encode,
)

_DEFAULT_PORTS = {"http": 80, "https": 443}
_NO_HEADERS: Mapping[str, str] = {}
Pairs = list[tuple[str, str]]


def presign_v2(
    credentials: Credentials,
    method: str,
    url: str,
    *,
    expires_in_s: int = 3600,
    headers: Mapping[str, str] = _NO_HEADERS,
    bucket: str | None = None,
    now: datetime | None = None,
) -> str:
    """Sign a URL the old way; name the `bucket` where it stands in the host instead of the path.

    `x-amz-*` headers become part of the URL; a Content-Type or Content-MD5 must be sent as it was signed.
    """
    parts = urlsplit(url)
    path, query = _encoded_path(parts), _pairs(parts)
    signed = {name.lower(): value for name, value in headers.items()}
    if credentials.session_token is not None:
        signed["x-amz-security-token"] = credentials.session_token
    expires = str(int((now or datetime.now(UTC)).timestamp()) + expires_in_s)
    resource = path if bucket is None else f"/{bucket}{path}"
    text = string_to_sign_v2(method.upper(), resource, query, signed, date=expires)
    hoisted = [(name, value) for name, value in signed.items() if name.startswith("x-amz-")]
    proof = [
        ("AWSAccessKeyId", credentials.access_key),
        ("Signature", signature_v2(credentials.secret_key, text)),
        ("Expires", expires),
    ]
    return _url(parts, path, [*query, *hoisted, *proof])


def presign_v4(
    credentials: Credentials,
    method: str,
    url: str,
    *,
    expires_in_s: int = 3600,
    headers: Mapping[str, str] = _NO_HEADERS,
    region: str = "us-east-1",
    now: datetime | None = None,
) -> str:
    """Sign a URL; at most 604,800 seconds. The `headers` must be sent with it exactly as given."""
    parts = urlsplit(url)
    path = _encoded_path(parts)
    timestamp = (now or datetime.now(UTC)).astimezone(UTC).strftime("%Y%m%dT%H%M%SZ")
    scope = scope_v4(timestamp[:8], region)
    signed = {name.lower(): value for name, value in headers.items()} | {"host": _host(parts)}
    query = [
        *_pairs(parts),
        ("X-Amz-Algorithm", ALGORITHM_V4),
        ("X-Amz-Credential", f"{credentials.access_key}/{scope}"),
        ("X-Amz-Date", timestamp),
        ("X-Amz-Expires", str(expires_in_s)),
        ("X-Amz-SignedHeaders", ";".join(sorted(signed))),
    ]
    if credentials.session_token is not None:
        query.append(("X-Amz-Security-Token", credentials.session_token))
    canonical = canonical_request_v4(
        method.upper(), unquote(path), query, signed, list(signed), UNSIGNED_PAYLOAD
    )
    key = signing_key_v4(credentials.secret_key, timestamp[:8], region)
    signature = signature_v4(key, string_to_sign_v4(timestamp, scope, canonical))
    return _url(parts, path, [*query, ("X-Amz-Signature", signature)])


def _encoded_path(parts: SplitResult) -> str:
    return uri_encode(unquote(parts.path), safe="/") or "/"


def _pairs(parts: SplitResult) -> Pairs:
    return parse_qsl(parts.query, keep_blank_values=True)


def _host(parts: SplitResult) -> str:
    """Write the Host header that every client sends: lower-case, without the scheme's own port."""
    host = parts.hostname or ""
    if ":" in host:
        host = f"[{host}]"
    port = parts.port
    return host if port in (None, _DEFAULT_PORTS.get(parts.scheme)) else f"{host}:{port}"


def _url(parts: SplitResult, path: str, query: Pairs) -> str:
    encoded = "&".join(f"{uri_encode(name)}={uri_encode(value)}" for name, value in query)
    return urlunsplit((parts.scheme, parts.netloc, path, encoded, ""))
