"""How a request reads as the text that a signature covers, one frozen record for each version.

A reading is plain facts: replacing one gives another reading of the same request. The verifiers try the few
readings that a client may have meant; the diagnosis tries those that a mistaken one may have signed. Where a
reading fits that takes '+' in the query for itself (`literal_plus`), that is what the request then means.
"""

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import islice, product
from urllib.parse import parse_qsl, unquote

from meiku.auth.carried import carried_headers
from meiku.auth.request import SignedRequest
from meiku.signing import canonical_query_v4, join_canonical_v4, string_to_sign_v2, uri_encode

Pairs = Sequence[tuple[str, str]]
PUBLIC_HOSTS_LIMIT = 4  # every further one costs each refused request more hashing
LENIENT = frozenset({"x-amz-process", "x-oss-process", "x-zos-process", "x-amz-limitrate"})
# A query as uri_encode writes it, or nearly: where it is not quite, another reading is tried.
_CANONICAL = re.compile(r"[A-Za-z0-9._~=&-]*(?:%[0-9A-F]{2}[A-Za-z0-9._~=&-]*)*")
_SIGNED_BY_V2 = frozenset({"content-type", "content-md5"})
_APPEND = frozenset({"append", "position"})


@dataclass(frozen=True, slots=True)
class ReadingV4:
    """What V4 signs: path and query canonical, header names lower-case."""

    method: str
    path: str
    query: str
    headers: Mapping[str, str]
    signed_headers: tuple[str, ...]
    payload_hash: str
    literal_plus: bool = False

    def text(self) -> str:
        """Write the canonical request."""
        return join_canonical_v4(
            self.method, self.path, self.query, self.headers, self.signed_headers, self.payload_hash
        )

    def with_header(self, name: str, value: str) -> "ReadingV4":
        """Read one header differently."""
        return replace(self, headers={**self.headers, name: value})


@dataclass(frozen=True, slots=True)
class ReadingV2:
    """What V2 signs: `resource` is `/bucket/encoded-key`, `date` the third line of the text."""

    method: str
    resource: str
    query: Pairs
    headers: Mapping[str, str]
    date: str
    literal_plus: bool = False
    blank: frozenset[str] = frozenset()

    def text(self) -> str:
        """Write the string to sign."""
        return string_to_sign_v2(
            self.method, self.resource, self.query, self.headers, date=self.date, blank=self.blank
        )

    def with_header(self, name: str, value: str) -> "ReadingV2":
        """Read one header differently."""
        return replace(self, headers={**self.headers, name: value})


def canonical_path(raw_path: str) -> str:
    """Encode again what the server understands by a path."""
    return uri_encode(unquote(raw_path) if "%" in raw_path else raw_path, safe="/")


def _canonical_query(request: SignedRequest) -> str:
    """Write the query as V4 signs it; SDKs send it encoded so already, and then it is only put in order."""
    sent = request.query_string
    if not _CANONICAL.fullmatch(sent):
        return canonical_query_v4(signed_pairs(request.query))
    pairs = sorted([part.partition("=") for part in sent.split("&")])
    return "&".join([f"{name}={value}" for name, _, value in pairs if name != "X-Amz-Signature"])


def signed_pairs(pairs: Iterable[tuple[str, str]]) -> Pairs:
    """Leave out the one parameter that no V4 signature covers: itself."""
    return [pair for pair in pairs if pair[0].lower() != "x-amz-signature"]


def literal_pairs(request: SignedRequest) -> Pairs:
    """Decode the query as those do who mean a plus by '+'."""
    return parse_qsl(request.query_string.replace("+", "%2B"), keep_blank_values=True)


def hosts_of(request: SignedRequest, public_hosts: Sequence[str]) -> list[str]:
    """List the names the client may have called us by, the one it sent first."""
    prefix = f"{request.bucket}." if request.bucket else ""
    public = [f"{prefix}{host}" for host in public_hosts[:PUBLIC_HOSTS_LIMIT]]
    return list(dict.fromkeys([request.host, *public]))


def first_v4(request: SignedRequest, signed_headers: tuple[str, ...], payload_hash: str) -> ReadingV4:
    """Read a request as nearly all clients sign it."""
    headers = request.headers
    if headers.get("host") != request.host:
        headers = {**headers, "host": request.host}
    if not headers.keys() >= set(signed_headers):
        headers = {**_said_in_query(request, signed_headers), **headers}
    query = _canonical_query(request) if request.query else ""
    path = canonical_path(request.raw_path)
    return ReadingV4(request.method, path, query, headers, signed_headers, payload_hash)


def _said_in_query(request: SignedRequest, signed_headers: tuple[str, ...]) -> dict[str, str]:
    """Gather headers that were signed as such and then written into the URL, as the JavaScript SDK does."""
    if "x-amz-signature" not in {name.lower() for name, _ in request.query}:
        return {}
    carried = carried_headers(request.query)
    return {name: value for name, value in carried.items() if name in signed_headers}


def other_v4(
    request: SignedRequest, first: ReadingV4, public_hosts: Sequence[str], payload_hashes: Sequence[str]
) -> Iterator[ReadingV4]:
    """Read the same request as it may also be meant: before a proxy, as sent, with a literal plus."""
    queries = dict.fromkeys([first.query, canonical_query_v4(signed_pairs(request.query))], False)
    if "+" in request.query_string:
        queries.setdefault(canonical_query_v4(signed_pairs(literal_pairs(request))), True)
    choices = product(
        hosts_of(request, public_hosts),
        dict.fromkeys((first.path, request.raw_path)),
        queries.items(),
        payload_hashes,
    )
    for host, path, (query, is_literal), payload_hash in islice(choices, 1, None):  # the first is `first`
        headers = {**first.headers, "host": host}
        yield replace(
            first,
            path=path,
            query=query,
            headers=headers,
            payload_hash=payload_hash,
            literal_plus=is_literal,
        )


def first_v2(request: SignedRequest, date: str) -> ReadingV2:
    """Read a request as nearly all clients sign it."""
    resource = f"/{request.bucket}{request.raw_path}" if request.bucket else request.raw_path
    headers = {name: value for name, value in _amz_headers(request).items() if name not in LENIENT}
    return ReadingV2(request.method, resource, request.query, headers, date)


def other_v2(request: SignedRequest, first: ReadingV2) -> Iterator[ReadingV2]:
    """Read the same request as it may also be meant: encoded anew, with or without append and position.

    And where a parameter has an equals sign and no value, as it may be written: with the sign or without.
    """
    prefix = f"/{request.bucket}" if request.bucket else ""
    queries = [(first.query, False)]
    if "+" in request.query_string:
        queries.append((literal_pairs(request), True))
    if any(name in _APPEND for name, _ in first.query):
        queries += [([pair for pair in query if pair[0] not in _APPEND], said) for query, said in queries]
    resources = (first.resource, prefix + canonical_path(request.raw_path), *_bucket_alone(first.resource))
    choices = product(
        dict.fromkeys(resources),
        queries,
        (first.headers, _amz_headers(request)),
        dict.fromkeys((first.blank, _blank_names(request))),
    )
    for resource, (query, is_literal), headers, blank in islice(choices, 1, None):
        yield replace(
            first, resource=resource, query=query, headers=headers, literal_plus=is_literal, blank=blank
        )


def _blank_names(request: SignedRequest) -> frozenset[str]:
    """Name the parameters that are written as `name=`, with nothing behind it."""
    parts = request.query_string.split("&")
    return frozenset(unquote(part[:-1]) for part in parts if part.find("=") == len(part) - 1)


def _bucket_alone(resource: str) -> tuple[str, ...]:
    """Write a bucket without the slash behind it and with it: botocore sends the one and signs the other."""
    bucket, _, key = resource[1:].partition("/")
    return (f"/{bucket}", f"/{bucket}/") if bucket and not key else ()


def _amz_headers(request: SignedRequest) -> dict[str, str]:
    """Gather what V2 signs of the headers; a presigned URL carries `x-amz-*` headers in its query."""
    headers = {
        name: value
        for name, value in request.headers.items()
        if name.startswith("x-amz-") or name in _SIGNED_BY_V2
    }
    if not any(name == "Signature" for name, _ in request.query):
        return headers
    for name, value in request.query:
        lowered = name.lower()
        if lowered.startswith("x-amz-") or lowered in _SIGNED_BY_V2:
            headers.setdefault(lowered, value)
    return headers
