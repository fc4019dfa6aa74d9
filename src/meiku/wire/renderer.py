"""From an operation's answer, or an error, to status, headers and body; compiled once per operation.

This is the only file that writes S3's answers. An answer names members of the model's output; a name that
the model does not have is a mistake of ours and fails loudly.
"""

from collections.abc import AsyncIterator, Callable, Mapping
from typing import Any

from msgspec import Struct

from meiku import errors
from meiku.model import NAMESPACE, Member, OperationModel
from meiku.operation import Answer
from meiku.wire.encoded_words import encoded_word
from meiku.wire.timestamps import http_date, iso8601, past_http_date
from meiku.wire.xml_text import escape_shown, write_scalar
from meiku.wire.xml_writer import DECLARATION, compile_document

Header = tuple[bytes, bytes]
Headers = list[Header]
Body = bytes | AsyncIterator[bytes]


class Response(Struct, frozen=True):
    """What goes back on the wire."""

    status: int
    headers: Headers
    body: Body


class Renderer:
    """Writes the answers of one operation."""

    def __init__(self, model: OperationModel) -> None:
        members = model.output.members
        self._status = model.status
        self._head = model.method == "HEAD"
        self._header_writers = {n: w for n, m in members.items() if (w := _header_writer(m)) is not None}
        self._status_member = next((n for n, m in members.items() if m.location == "statusCode"), None)
        self._blob = _blob_member(model)
        self._document = None if self._blob else _compile_body(model)

    def render(self, answer: Answer) -> Response:
        """Write one answer; bytes are sent as they are, a stream keeps the length the answer declares."""
        headers: Headers = []
        rest: dict[str, Any] = {}
        for name, value in answer.items():
            writer = self._header_writers.get(name)
            if writer is None:
                rest[name] = value
            elif value is not None:
                writer(value, headers)
        status = rest.pop(self._status_member, None) if self._status_member else None
        status = status or (206 if "ContentRange" in answer else self._status)
        if self._blob:
            return Response(status, headers, rest.get(self._blob, b""))
        if self._document is None or self._head or status in (204, 303):
            return Response(status, headers, b"")
        if not rest and self._status_member:
            return Response(status, headers, b"")
        body = self._document(rest)
        headers.append((b"content-type", b"application/xml"))
        return Response(status, headers, body)


def _blob_member(model: OperationModel) -> str | None:
    payload = model.output_payload
    return payload if payload and model.output.members[payload].shape.kind in ("blob", "string") else None


def _header_writer(member: Member) -> Callable[[Any, Headers], None] | None:
    if member.location == "headers":
        return _prefixed_writer(member.wire_name.lower())
    if member.location != "header":
        return None
    name, scalar = member.wire_name.encode(), _header_scalar(member)
    if scalar is str and member.shape.kind == "string":
        return lambda value, headers: headers.append((name, value.encode()))
    return lambda value, headers: headers.append((name, scalar(value).encode()))


def _prefixed_writer(prefix: str) -> Callable[[Any, Headers], None]:
    def write(value: Mapping[str, str], headers: Headers) -> None:
        headers.extend(
            (f"{prefix}{name}".encode(), encoded_word(text).encode()) for name, text in value.items()
        )

    return write


def _header_scalar(member: Member) -> Callable[[Any], str]:
    kind, timestamp_format = member.shape.kind, member.shape.timestamp_format
    if member.wire_name == "Last-Modified":
        return past_http_date
    if kind == "timestamp":
        return iso8601 if timestamp_format == "iso8601" else http_date
    if kind == "boolean":
        return lambda value: "true" if value else "false"
    return str


def _compile_body(model: OperationModel) -> Callable[[dict[str, Any]], bytes] | None:
    output, payload = model.output, model.output_payload
    if payload is not None:
        shape = output.members[payload].shape
        document = compile_document(model.root_name, shape, namespace=model.root_namespace)
        return lambda rest: document(rest[payload])
    names = frozenset(n for n, m in output.members.items() if m.location == "body")
    if not names:
        return None
    if model.root_name in names:  # GetBucketLocation: the root element is the member itself
        scalar = write_scalar(output.members[model.root_name].shape)
        return lambda rest: _document_of_one(model.root_name, scalar(rest.get(model.root_name) or ""))
    return compile_document(model.root_name, output, names, model.root_namespace)


def _document_of_one(name: str, text: str) -> bytes:
    return f'{DECLARATION}<{name} xmlns="{NAMESPACE}">{text}</{name}>'.encode()


def render_error(error: errors.S3Error, *, resource: str, request_id: str, host_id: str) -> Response:
    """Write an error as S3 does: code, message, what it is about, and everything that explains it."""
    headers: Headers = [(name.encode(), value.encode()) for name, value in error.headers.items()]
    if error.status == 304:
        return Response(304, headers, b"")
    elements = [("Code", error.code), ("Message", error.message), *error.detail.items()]
    elements += [("Resource", resource), ("RequestId", request_id), ("HostId", host_id)]
    body = "".join(_element(name, value) for name, value in elements)
    headers.append((b"content-type", b"application/xml"))
    return Response(error.status, headers, f"{DECLARATION}<Error>{body}</Error>".encode(errors="replace"))


def _element(name: str, value: errors.Detail) -> str:
    if isinstance(value, str):
        return f"<{name}>{escape_shown(value)}</{name}>"
    return f"<{name}>{''.join(_entry(_singular(name), entry) for entry in value)}</{name}>"


def _entry(name: str, entry: Mapping[str, str]) -> str:
    return f"<{name}>{''.join(_element(key, text) for key, text in entry.items())}</{name}>"


def _singular(name: str) -> str:
    return name.removesuffix("s")
