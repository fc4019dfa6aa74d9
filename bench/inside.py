"""meiku's pipeline without a socket: stores in a temporary folder, requests handed over as ASGI would.

For `micro` only: what a request costs between the server's parser and its writer.
"""

from collections.abc import AsyncIterator, MutableMapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from botocore.auth import SigV4Auth
from botocore.awsrequest import AWSRequest
from botocore.credentials import Credentials as BotocoreCredentials

from bench.tally import BadAnswer
from meiku import data_folder
from meiku.app import open_meta, open_pipeline
from meiku.blobs.files import make_files
from meiku.config import Settings
from meiku.counters import Counters
from meiku.media.jobs import Jobs
from meiku.ops.accounts import KeyPair, ensure_root
from meiku.pipeline import Pipeline
from meiku.signing import Credentials, presign_v4
from meiku.wire.answer import send_response

CREDENTIALS = Credentials("benchak", "benchsk-of-forty-characters-or-so-long-xx")
_HOST = "127.0.0.1:9000"
Scope = MutableMapping[str, Any]


@dataclass(frozen=True, slots=True)
class Request:
    """A request as the server's parser would hand it over."""

    scope: Scope
    body: bytes = b""


@dataclass(frozen=True, slots=True)
class Inside:
    """The open pipeline, and a way to ask it."""

    pipeline: Pipeline

    async def ask(self, request: Request) -> int:
        """Answer a request to the last byte; tells how many bytes its body had."""
        status, size_bytes = 0, 0

        async def receive() -> dict[str, Any]:
            return {"type": "http.request", "body": request.body, "more_body": False}

        async def send(message: MutableMapping[str, Any]) -> None:
            nonlocal status, size_bytes
            status = message.get("status", status)
            size_bytes += len(message.get("body", b""))

        scope = dict(request.scope)
        await send_response(await self.pipeline.answer(scope, receive), scope, receive, send)
        if status not in (200, 204):
            raise BadAnswer(f"{scope['method']} {scope['raw_path'].decode()} was answered {status}")
        return size_bytes


@asynccontextmanager
async def opened(folder: Path) -> AsyncIterator[Inside]:
    """Open the stores and make one bucket."""
    settings = Settings(data_folder=folder)
    pair = KeyPair(CREDENTIALS.access_key, CREDENTIALS.secret_key)
    async with open_meta(settings) as meta:
        await ensure_root(meta, pair, 1)
    data_id = data_folder.begin(settings.data_folder, None)
    make_files(settings.data_folder)
    async with open_pipeline(settings, Jobs(), Counters(1), data_id) as pipeline:
        inside = Inside(pipeline)
        await inside.ask(presigned("PUT", "/bucket"))
        yield inside


def presigned(method: str, target: str, body: bytes = b"") -> Request:
    """Sign a request in its query."""
    url = presign_v4(CREDENTIALS, method, f"http://{_HOST}{target}")
    return _request(method, url, {}, body)


def header_signed(method: str, target: str, body: bytes = b"") -> Request:
    """Sign a request in its headers, as botocore does."""
    url = f"http://{_HOST}{target}"
    sent = AWSRequest(method, url, {"x-amz-content-sha256": sha256(body).hexdigest()}, body)
    pair = BotocoreCredentials(CREDENTIALS.access_key, CREDENTIALS.secret_key)
    SigV4Auth(pair, "s3", "us-east-1").add_auth(sent)
    return _request(method, url, dict(sent.headers.items()), body)


def _request(method: str, url: str, headers: dict[str, str], body: bytes) -> Request:
    parts = urlsplit(url)
    sent = {"host": _HOST} | ({"content-length": str(len(body))} if body else {}) | headers
    scope: Scope = {
        "type": "http",
        "method": method,
        "scheme": "http",
        "path": parts.path,
        "raw_path": parts.path.encode(),
        "query_string": parts.query.encode(),
        "headers": [(name.lower().encode(), value.encode()) for name, value in sent.items()],
        "client": ("127.0.0.1", 1),
    }
    return Request(scope, body)
