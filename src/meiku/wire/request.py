"""One HTTP request, read once from its ASGI scope into plain, decoded, immutable facts.

Addresses are understood here (path-style and host-style), and nowhere else. Keys are taken literally: `..`,
`//` and every other byte stand for themselves. Nothing here reads a body or judges a signature.
"""

from collections.abc import Awaitable, Callable, Coroutine, Mapping, MutableMapping, Sequence
from typing import Any
from urllib.parse import unquote, unquote_to_bytes

from msgspec import Struct
from msgspec.structs import replace

from meiku import errors
from meiku.model import Level
from meiku.wire.host import is_host
from meiku.wire.query import read_query, with_carried

Scope = MutableMapping[str, Any]
Receive = Callable[[], Coroutine[Any, Any, MutableMapping[str, Any]]]
Send = Callable[[MutableMapping[str, Any]], Awaitable[None]]

KEY_LIMIT_BYTES = 1023


class Request(Struct, frozen=True):
    """What a client asked, as the wire says it.

    Headers have lower-case names, repeats joined by a comma: `sent_headers` as they were sent, `headers` with
    those that a presigned URL carries in its query.
    """

    method: str
    scheme: str
    host: str
    raw_path: str
    query_string: str
    query_pairs: tuple[tuple[str, str], ...]
    query: Mapping[str, str]
    sent_headers: Mapping[str, str]
    headers: Mapping[str, str]
    bucket: str | None
    key: str | None
    host_style: bool
    client: str
    receive: Receive

    @property
    def level(self) -> Level:
        """Tell what the address names: the service, a bucket, or an object."""
        return "object" if self.key is not None else "bucket" if self.bucket is not None else "service"

    @property
    def content_length(self) -> int | None:
        """The declared length of the body in bytes, None where it is not declared."""
        value = self.headers.get("content-length")
        return int(value) if value is not None and value.isdecimal() and len(value) <= 18 else None

    @property
    def origin(self) -> str | None:
        """The origin of the page that a browser sends this for."""
        return self.headers.get("origin")


def read_request(scope: Scope, receive: Receive, domains: Sequence[str]) -> Request:
    """Read the scope; InvalidURI for a path that is not UTF-8, BadRequest for a Host that is none.

    A preflight asks about a request that is yet to come: its key and query are judged when that comes.
    """
    headers = read_headers(scope["headers"])
    host = headers.get("host")
    if host is None or not is_host(host):
        host = _unusual_host(host, scope)
    raw_path = scope["raw_path"].decode("latin-1")
    is_preflight = scope["method"] == "OPTIONS"
    query_string = "" if is_preflight else scope["query_string"].decode("latin-1")
    pairs = read_query(query_string)
    query = dict(reversed(pairs)) if pairs else {}
    bucket = bucket_of_host(host, domains)
    host_style = bucket is not None
    bucket, key = (split_address if is_preflight else read_address)(raw_path, bucket)
    client = scope.get("client")
    return Request(
        method=scope["method"],
        scheme=scope["scheme"],
        host=host,
        raw_path=raw_path,
        query_string=query_string,
        query_pairs=pairs,
        query=query,
        sent_headers=headers,
        headers=with_carried(headers, query, pairs),
        bucket=bucket,
        key=key,
        host_style=host_style,
        client=client[0] if client else "",
        receive=receive,
    )


def _unusual_host(host: str | None, scope: Scope) -> str:
    """Refuse a request without one Host that is one (RFC 9112, 3.2); HTTP/1.0 knows none."""
    if host is None and scope.get("http_version") == "1.0":
        return ""
    raise errors.BadRequest("A request names its host once, as <name> or <name>:<port>.")


def with_literal_plus(request: Request) -> Request:
    """Return the same request, with every '+' of its query read as itself: so it was signed."""
    string = request.query_string.replace("+", "%2B")
    pairs = read_query(string)
    query = dict(reversed(pairs))
    if query.keys() != request.query.keys():
        raise errors.InvalidURI("The query string can be read in two ways: write a plus as %2B.")
    headers = with_carried(dict(request.sent_headers), query, pairs)
    return replace(request, query_pairs=pairs, query=query, headers=headers)


def read_headers(raw: Sequence[tuple[bytes, bytes]]) -> dict[str, str]:
    """Decode header fields, as UTF-8 where they are, and join those that repeat."""
    headers: dict[str, str] = {}
    for name_bytes, value_bytes in raw:
        name = name_bytes.decode("latin-1")
        try:
            value = value_bytes.decode()
        except UnicodeDecodeError:
            value = value_bytes.decode("latin-1")
        headers[name] = f"{headers[name]},{value}" if name in headers else value
    return headers


def bucket_of_host(host: str, domains: Sequence[str]) -> str | None:
    """Find the bucket that a Host header names in front of one of our domains."""
    name = host_name(host)
    for domain in domains:
        if name.endswith(domain) and len(name) > len(domain) + 1 and name[-len(domain) - 1] == ".":
            return name[: -len(domain) - 1]
    return None


def host_name(host: str) -> str:
    """Read the name in a Host header: without its port, and the dot that it may end with."""
    name = host.lower()
    if not name.endswith("]"):
        name = name.rpartition(":")[0] or name if ":" in name else name
    return name.removesuffix(".")


def read_address(raw_path: str, host_bucket: str | None) -> tuple[str | None, str | None]:
    """Split a percent-encoded path into bucket and key."""
    path = raw_path[1:]
    if host_bucket is not None:
        return host_bucket, check_key(_decoded(path))
    if not path:
        return None, None
    bucket, _, key = path.partition("/")
    return _decoded(bucket), check_key(_decoded(key))


def split_address(raw_path: str, host_bucket: str | None) -> tuple[str | None, str | None]:
    """Split a path as `read_address` does, whatever its key may be: for whoever asks for the bucket alone."""
    bucket, _, key = (host_bucket, "", raw_path[1:]) if host_bucket else raw_path[1:].partition("/")
    return unquote(bucket) or None, unquote(key) or None


class Page(Struct, frozen=True):
    """What CORS rules judge of a request, also of one that cannot be read: who asks for what, and how."""

    bucket: str | None
    method: str
    origin: str | None


def read_page(scope: Scope, domains: Sequence[str]) -> Page:
    """Read no more of a scope than may be told to a page about a refusal; refuses nothing."""
    headers = read_headers(scope["headers"])
    host_bucket = bucket_of_host(headers.get("host", ""), domains)
    bucket, _ = split_address(scope["raw_path"].decode("latin-1"), host_bucket)
    return Page(bucket, scope["method"], headers.get("origin"))


def _decoded(path: str) -> str:
    if "%" not in path:
        return path
    try:
        return unquote_to_bytes(path).decode()
    except UnicodeDecodeError:
        raise errors.InvalidURI("The path is not percent-encoded UTF-8.", URI=path) from None


def check_key(key: str) -> str | None:
    """Refuse a key that is too long; an empty one is no key at all."""
    if len(key) > KEY_LIMIT_BYTES or len(key.encode()) > KEY_LIMIT_BYTES:
        raise errors.KeyTooLongError(Size=str(len(key.encode())), MaxSizeAllowed=str(KEY_LIMIT_BYTES))
    return key or None
