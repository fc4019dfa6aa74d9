"""Signature Version 4 as S3 reads it: text in, text out, no clock and no request.

S3 differs from AWS's other services in one point: the path is encoded once and never normalised, because
`..` and `//` are part of a key.
Source: https://docs.aws.amazon.com/AmazonS3/latest/API/sig-v4-header-based-auth.html
"""

import hmac
import re
from collections.abc import Iterable, Mapping, Sequence
from hashlib import sha256
from urllib.parse import quote

ALGORITHM_V4 = "AWS4-HMAC-SHA256"
UNSIGNED_PAYLOAD = "UNSIGNED-PAYLOAD"
# Most texts need no encoding; to see that is ten times quicker than to encode them.
_PLAIN = re.compile(r"[A-Za-z0-9._~-]*")
_PLAIN_PATH = re.compile(r"[A-Za-z0-9._~/-]*")
EMPTY_SHA256 = sha256(b"").hexdigest()


def uri_encode(text: str, *, safe: str = "") -> str:
    """Percent-encode UTF-8, all but RFC 3986's unreserved characters and `safe`."""
    plain = _PLAIN_PATH if safe == "/" else _PLAIN
    return text if plain.fullmatch(text) else quote(text, safe=safe)


def canonical_query_v4(query: Iterable[tuple[str, str]]) -> str:
    """Encode and sort decoded pairs; X-Amz-Signature must already be left out."""
    encoded = sorted([(uri_encode(name), uri_encode(value)) for name, value in query])
    return "&".join([f"{name}={value}" for name, value in encoded])


def canonical_request_v4(
    method: str,
    path: str,
    query: Iterable[tuple[str, str]],
    headers: Mapping[str, str],
    signed_headers: Sequence[str],
    payload_hash: str,
) -> str:
    """Write the canonical request; `path` is decoded, header names are lower-case."""
    encoded_path = uri_encode(path, safe="/")
    return join_canonical_v4(
        method, encoded_path, canonical_query_v4(query), headers, signed_headers, payload_hash
    )


def join_canonical_v4(
    method: str,
    encoded_path: str,
    canonical_query: str,
    headers: Mapping[str, str],
    signed_headers: Sequence[str],
    payload_hash: str,
) -> str:
    """Write the canonical request from a path and a query that are canonical already."""
    names = sorted(signed_headers)
    lines = [f"{name}:{' '.join(headers.get(name, '').split())}\n" for name in names]
    joined = ";".join(names)
    return f"{method}\n{encoded_path}\n{canonical_query}\n{''.join(lines)}\n{joined}\n{payload_hash}"


def scope_v4(date: str, region: str, service: str = "s3") -> str:
    """Write the credential scope; `date` is yyyymmdd."""
    return f"{date}/{region}/{service}/aws4_request"


def string_to_sign_v4(timestamp: str, scope: str, canonical_request: str) -> str:
    """Write the string to sign; `timestamp` is in the form 20240102T030405Z."""
    return f"{ALGORITHM_V4}\n{timestamp}\n{scope}\n{sha256(canonical_request.encode()).hexdigest()}"


def signing_key_v4(secret_key: str, date: str, region: str, service: str = "s3") -> bytes:
    """Derive the key that signs one day's requests to one region."""
    key = f"AWS4{secret_key}".encode()
    for step in (date, region, service, "aws4_request"):
        key = hmac.digest(key, step.encode(), "sha256")
    return key


def signature_v4(signing_key: bytes, text: str) -> str:
    """Sign a text, as lower-case hex."""
    return hmac.digest(signing_key, text.encode(), "sha256").hex()
