"""From a request to the plain arguments of an operation, compiled once per operation.

An argument's place on the wire is the model's; which arguments there are is the function's. A member that
the model knows, that the request carries, and that the function does not take is refused: nothing that could
change the meaning of a request is ever ignored.
"""

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from meiku import checksums, errors
from meiku.model import Member
from meiku.operation import GROUPS, Operation
from meiku.wire.request import Request
from meiku.wire.timestamps import read_time
from meiku.wire.xml_reader import read_document

DOCUMENT_LIMIT_BYTES = 4 * 1024 * 1024

# Members that the edge itself honours, or that change nothing here (nobody is billed).
ANSWERED_BY_THE_EDGE = {
    "ContentLength",
    "ContentMD5",
    "ChecksumAlgorithm",
    "ExpectedBucketOwner",
    "MFA",
    "OptionalObjectAttributes",
    "RequestPayer",
    *(algorithm.member for algorithm in checksums.ALGORITHMS.values()),
}
_REFUSED_AS = {"StorageClass": errors.InvalidStorageClass}
_TOKEN = re.compile(r"[A-Za-z0-9!#$%&'*+.^_`|~-]+")
_IGNORED_WHEN_UNREADABLE = {"IfModifiedSince", "IfUnmodifiedSince"}  # RFC 9110, 13.1.3 and 13.1.4


@dataclass(frozen=True, slots=True)
class Given:
    """What a request gives to bind from: itself, its form's fields, and its body."""

    request: Request
    fields: Mapping[str, str]
    body: Any
    document: bytes


Source = Callable[[Given], Any]


class Binder:
    """Makes the keyword arguments of one operation."""

    def __init__(self, operation: Operation) -> None:
        members = operation.model.input.members
        grouped = {name for group in operation.arguments for name in GROUPS.get(group, ())}
        taken = {m.name for m in members.values() if m.argument in operation.arguments} | grouped
        self._name = operation.name
        self._sources = [
            (m.argument, _source(m, operation)) for m in members.values() if m.argument in operation.arguments
        ]
        self._groups = [
            (group, [(name, _source(members[name], operation)) for name in GROUPS[group] if name in members])
            for group in operation.arguments
            if group in GROUPS
        ]
        ignored = [m for m in members.values() if m.name not in taken | ANSWERED_BY_THE_EDGE]
        self._refused_headers = {m.wire_name.lower(): m for m in ignored if m.location == "header"}
        self._refused_query = {m.wire_name: m for m in ignored if m.location == "querystring"}
        self._refused_fields = {m.wire_name: m for m in ignored if m.location == "form"}

    def bind(self, given: Given) -> dict[str, Any]:
        """Make the arguments, or raise the S3 error for the one that is wrong or not offered."""
        self._refuse(self._refused_headers, given.request.headers)
        if given.request.query:
            self._refuse(self._refused_query, given.request.query)
        if given.fields:
            self._refuse(self._refused_fields, given.fields)
        arguments = {argument: source(given) for argument, source in self._sources}
        for group, sources in self._groups:
            read = ((name, source(given)) for name, source in sources)
            arguments[group] = {name: value for name, value in read if value is not None}
        return arguments

    def _refuse(self, refused: Mapping[str, Member], present: Mapping[str, str]) -> None:
        if refused.keys().isdisjoint(present):
            return
        for name in sorted(refused.keys() & present.keys()):
            if not (refused[name].shape.kind == "boolean" and present[name].lower() == "false"):
                raise errors.NotImplemented(
                    f"'{name}' is not offered for {self._name}; it was not ignored, because it would change "
                    "the meaning of the request.",
                    ArgumentName=name,
                )


def _source(member: Member, operation: Operation) -> Source:
    if member.location == "uri":
        return (lambda given: given.request.bucket) if member.name == "Bucket" else _read_key
    if member.name == operation.model.payload:
        return _payload_source(member)
    if member.location in ("headers", "forms"):
        return _prefixed_source(member)
    place: Callable[[Given], Mapping[str, str]] = {
        "header": lambda given: given.request.headers,
        "querystring": lambda given: given.request.query,
        "form": lambda given: given.fields,
    }[member.location]
    name = member.wire_name.lower() if member.location == "header" else member.wire_name
    convert = _converter(member)

    def source(given: Given) -> Any:
        text = place(given).get(name)
        return None if text is None else convert(text)

    return source


def _read_key(given: Given) -> bytes:
    return (given.request.key or "").encode()


def _payload_source(member: Member) -> Source:
    if member.shape.kind == "blob":
        return lambda given: given.body
    shape, root = member.shape, member.wire_name

    def source(given: Given) -> Any:
        if not given.document.strip():
            if member.required:
                raise errors.MalformedXML(f"The request has no body; <{root}> is expected.")
            return None
        return read_document(given.document, shape, root)

    return source


def _prefixed_source(member: Member) -> Source:
    prefix, form = member.wire_name.lower(), member.location == "forms"

    def source(given: Given) -> dict[str, str]:
        place = given.fields if form else given.request.headers
        prefixed = ((name, text) for name, text in place.items() if name.startswith(prefix))
        return {_checked_name(name)[len(prefix) :]: _checked_text(text, name) for name, text in prefixed}

    return source


def _checked_name(name: str) -> str:
    """Let no name through that can not be a header's (RFC 9110, 5.6.2): forms and URLs can carry any."""
    if not _TOKEN.fullmatch(name):
        raise errors.InvalidArgument("A metadata name can not be a header's name.", ArgumentName=name[:100])
    return name


def _converter(member: Member) -> Callable[[str], Any]:
    kind, name = member.shape.kind, member.wire_name
    if kind in ("integer", "long"):
        return lambda text: _read_integer(text, name)
    if kind == "boolean":
        return lambda text: _read_boolean(text, name)
    if kind == "timestamp":
        return lambda text: _read_timestamp(text, member)
    if member.shape.choices:
        return lambda text: _read_choice(text, member)
    return lambda text: _checked_text(text, name)


def _read_integer(text: str, name: str) -> int:
    if len(text) > 18 or not text.isascii() or not text.removeprefix("-").isdecimal():
        raise errors.InvalidArgument(
            f"'{name}' must be a whole number.", ArgumentName=name, ArgumentValue=text[:100]
        )
    return int(text)


def _read_boolean(text: str, name: str) -> bool:
    if text.lower() not in ("true", "false"):
        raise errors.InvalidArgument(
            f"'{name}' must be true or false.", ArgumentName=name, ArgumentValue=text[:100]
        )
    return text.lower() == "true"


def _read_timestamp(text: str, member: Member) -> int | None:
    time_ms = read_time(text)
    if time_ms is None and member.name.removeprefix("CopySource") not in _IGNORED_WHEN_UNREADABLE:
        raise errors.InvalidArgument(
            f"'{member.wire_name}' is not a time.", ArgumentName=member.wire_name, ArgumentValue=text[:100]
        )
    return time_ms


def _read_choice(text: str, member: Member) -> str | None:
    if not text:
        return None
    if text not in member.shape.choices:
        raise _REFUSED_AS.get(member.name, errors.InvalidArgument)(
            f"'{text[:100]}' is not a value of '{member.wire_name}'; it is one of "
            + ", ".join(member.shape.choices),
            ArgumentName=member.wire_name,
            ArgumentValue=text[:100],
        )
    return text


def _checked_text(text: str, name: str) -> str:
    """Let no control character through: what is stored from a header is sent as a header again."""
    if not text.isprintable() and any((c < " " and c != "\t") or c == "\x7f" for c in text):
        raise errors.InvalidArgument(f"'{name}' holds a control character.", ArgumentName=name)
    return text
