"""One HTTP request, read once from its ASGI scope into plain, decoded, immutable facts.

Addresses are understood here (path-style and host-style), and nowhere else. Keys are taken literally: `..`,
`//` and every other byte stand for themselves. Nothing here reads a body or judges a signature.
"""

from collections.abc import Awaitable, Callable, Mapping, MutableMapping, Sequence
from dataclasses import dataclass
from typing import Any
from urllib.parse import parse_qsl, unquote_to_bytes

from meiku import checksums, errors
from meiku.model import Level

Scope = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[MutableMapping[str, Any]]]
Send = Callable[[MutableMapping[str, Any]], Awaitable[None]]

KEY_LIMIT_BYTES = 1023
_QUERY_FIELDS_LIMIT = 200
CREDENTIAL_PARAMETERS = {
    "x-amz-algorithm",
    "x-amz-credential",
    "x-amz-date",
    "x-amz-expires",
    "x-amz-signature",
    "x-amz-signedheaders",
    "x-amz-security-token",
}

_CHECKSUMS_OF_NOTHING = {
    algorithm.header: checksums.encode(algorithm.new().digest())
    for algorithm in checksums.ALGORITHMS.values()
}


@dataclass(frozen=True, slots=True)
class Request:
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
    """Read the scope; a path that is not UTF-8 is refused as InvalidURI."""
    headers = read_headers(scope["headers"])
    host = headers.get("host", "")
    raw_path = scope["raw_path"].decode("latin-1")
    query_string = scope["query_string"].decode("latin-1")
    pairs = read_query(query_string)
    bucket = bucket_of_host(host, domains)
    host_style = bucket is not None
    bucket, key = read_address(raw_path, bucket)
    client = scope.get("client")
    return Request(
        method=scope["method"],
        scheme=scope["scheme"],
        host=host,
        raw_path=raw_path,
        query_string=query_string,
        query_pairs=pairs,
        query=dict(reversed(pairs)),
        sent_headers=headers,
        headers=_with_hoisted(headers, pairs),
        bucket=bucket,
        key=key,
        host_style=host_style,
        client=client[0] if client else "",
        receive=receive,
    )


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


def read_query(query_string: str) -> tuple[tuple[str, str], ...]:
    """Decode a query into pairs in their order; `+` is a space, a name alone has the value ''."""
    if not query_string:
        return ()
    try:
        return tuple(
            parse_qsl(
                query_string, keep_blank_values=True, errors="strict", max_num_fields=_QUERY_FIELDS_LIMIT
            )
        )
    except (UnicodeDecodeError, ValueError):
        raise errors.InvalidURI(
            "The query string is not UTF-8, or has more parameters than any operation takes."
        ) from None


def bucket_of_host(host: str, domains: Sequence[str]) -> str | None:
    """Find the bucket that a Host header names in front of one of our domains."""
    name = host.lower()
    if not name.endswith("]"):
        name = name.rpartition(":")[0] or name if ":" in name else name
    for domain in domains:
        if name.endswith(domain) and len(name) > len(domain) + 1 and name[-len(domain) - 1] == ".":
            return name[: -len(domain) - 1]
    return None


def read_address(raw_path: str, host_bucket: str | None) -> tuple[str | None, str | None]:
    """Split a percent-encoded path into bucket and key."""
    try:
        path = unquote_to_bytes(raw_path).decode()[1:] if "%" in raw_path else raw_path[1:]
    except UnicodeDecodeError:
        raise errors.InvalidURI("The path is not percent-encoded UTF-8.", URI=raw_path) from None
    if host_bucket is not None:
        return host_bucket, check_key(path)
    if not path:
        return None, None
    bucket, _, key = path.partition("/")
    return bucket, check_key(key)


def check_key(key: str) -> str | None:
    """Refuse a key that is too long; an empty one is no key at all."""
    if len(key) > KEY_LIMIT_BYTES or len(key.encode()) > KEY_LIMIT_BYTES:
        raise errors.KeyTooLongError(Size=str(len(key.encode())), MaxSizeAllowed=str(KEY_LIMIT_BYTES))
    return key or None


def _with_hoisted(sent: dict[str, str], pairs: tuple[tuple[str, str], ...]) -> dict[str, str]:
    """Let a V4 presigned URL carry `x-amz-*` headers as query parameters, as the SDKs write them.

    V4 signs every parameter; V2 signs few, so there a stranger could add them and they stay parameters.
    A header of the same name must agree with what was signed. Of checksums only real ones are taken: whoever
    signs a URL has no body yet, and the JavaScript SDK writes the checksum of nothing.
    """
    if not any(name == "X-Amz-Signature" for name, _ in pairs):
        return sent
    headers = dict(sent)
    unmeant = set(CREDENTIAL_PARAMETERS)
    if any(_CHECKSUMS_OF_NOTHING.get(name.lower()) == value for name, value in pairs):
        unmeant |= {*_CHECKSUMS_OF_NOTHING, "x-amz-sdk-checksum-algorithm"}
    for name, value in pairs:
        lowered = name.lower()
        if lowered.startswith("x-amz-") and lowered not in unmeant:
            if headers.get(lowered, value) != value:
                raise errors.InvalidArgument(
                    "A header differs from the value that the URL was signed with.", ArgumentName=name
                )
            headers[lowered] = value
    return headers


def is_carried_header(request: Request, name: str) -> bool:
    """Tell whether a query parameter is a header that a presigned URL carries, or its checksum of nothing."""
    lowered = name.lower()
    return lowered in request.headers or (
        "X-Amz-Signature" in request.query
        and (lowered in _CHECKSUMS_OF_NOTHING or lowered == "x-amz-sdk-checksum-algorithm")
    )
