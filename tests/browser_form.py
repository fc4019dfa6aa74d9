"""Upload forms as browsers send them, signed with nothing but hmac, so that no code of the house helps.

Lives here: policies, their signatures, the encoding of a form. What a server answers is the tests' affair.
"""

import base64
import hashlib
import hmac
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

from plain_http import Answer, send
from running_server import ACCESS_KEY, SECRET_KEY

BOUNDARY = "----WebKitFormBoundary7MA4YWxkTrZu0gW"
CONTENT_TYPE = f"multipart/form-data; boundary={BOUNDARY}"
CONTENT = b"the bytes of a picture"


@dataclass(frozen=True)
class Key:
    """A key pair, with a session token where it is a temporary one."""

    access_key: str = ACCESS_KEY
    secret_key: str = SECRET_KEY
    token: str | None = None


ROOT = Key()


def policy(*conditions: Any, expires_in_s: float = 3600, **more: Any) -> str:
    """Write a policy document; where it names no bucket, it is one for the buckets that tests make."""
    if not any("bucket" in str(condition) for condition in conditions):
        conditions = (*conditions, ["starts-with", "$bucket", "test-"])
    expiration = (datetime.now(UTC) + timedelta(seconds=expires_in_s)).strftime("%Y-%m-%dT%H:%M:%SZ")
    return json.dumps({"expiration": expiration, "conditions": list(conditions), **more})


def signed_v2(document: str, key: Key = ROOT) -> dict[str, str]:
    """Sign a policy with Version 2, as the fields of a form."""
    return signed_text_v2(base64.b64encode(document.encode()).decode(), key)


def signed_text_v2(text: str, key: Key = ROOT) -> dict[str, str]:
    """Sign a policy field as it stands."""
    signature = hmac.digest(key.secret_key.encode(), text.encode(), "sha1")
    return {
        "policy": text,
        "AWSAccessKeyId": key.access_key,
        "signature": base64.b64encode(signature).decode(),
    }


def signed_v4(
    *conditions: Any, key: Key = ROOT, region: str = "us-east-1", timestamp: str | None = None, **more: Any
) -> dict[str, str]:
    """Sign a policy of these conditions with Version 4, which adds its own three."""
    timestamp = timestamp or datetime.now(UTC).strftime("%Y%m%dT%H%M%SZ")
    scope = [timestamp[:8], region, "s3", "aws4_request"]
    fields = {
        "x-amz-algorithm": "AWS4-HMAC-SHA256",
        "x-amz-credential": "/".join([key.access_key, *scope]),
        "x-amz-date": timestamp,
    }
    if key.token is not None:
        fields["x-amz-security-token"] = key.token
    document = policy(*conditions, *({name: value} for name, value in fields.items()), **more)
    text = base64.b64encode(document.encode())
    signing_key = b"AWS4" + key.secret_key.encode()
    for step in scope:
        signing_key = hmac.digest(signing_key, step.encode(), "sha256")
    signature = hmac.new(signing_key, text, hashlib.sha256).hexdigest()
    return {**fields, "policy": text.decode(), "x-amz-signature": signature}


def field(name: str, value: str | bytes) -> bytes:
    """Write one field of a form; browsers escape line breaks and quotes in a name."""
    name = name.replace("\r\n", "%0D%0A").replace('"', "%22")
    return part(f'name="{name}"', value if isinstance(value, bytes) else value.encode())


def file_part(
    content: bytes = CONTENT, filename: str = "a.png", content_type: str | None = "image/png"
) -> bytes:
    """Write the file of a form."""
    kind = f"\r\nContent-Type: {content_type}" if content_type else ""
    return part(f'name="file"; filename="{filename}"{kind}', content)


def part(disposition: str, value: bytes) -> bytes:
    """Write one part: its boundary, its disposition and what further headers that holds, its bytes."""
    return f"--{BOUNDARY}\r\nContent-Disposition: form-data; {disposition}\r\n\r\n".encode() + value + b"\r\n"


def encode(parts: Sequence[bytes]) -> bytes:
    """Write a whole form."""
    return b"".join(parts) + f"--{BOUNDARY}--\r\n".encode()


def post(
    port: int,
    bucket: str,
    fields: Mapping[str, str],
    file: bytes | None = None,
    *,
    after: Mapping[str, str] | None = None,
    headers: Mapping[str, str] | None = None,
) -> Answer:
    """Post a form to a bucket: fields, then the file part, then what comes after it."""
    parts = [field(name, value) for name, value in fields.items()]
    parts.append(file_part() if file is None else file)
    parts += [field(name, value) for name, value in (after or {}).items()]
    sent = {"Content-Type": CONTENT_TYPE, **(headers or {})}
    return send(port, "POST", f"/{bucket}", body=encode(parts), headers=sent)
