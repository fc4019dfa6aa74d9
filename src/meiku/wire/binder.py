"""From a request to the plain arguments of an operation, compiled once per operation.

An argument's place on the wire is the model's; which arguments there are is the function's. A member that
the model knows, that the request carries, and that the function does not take is refused: nothing that could
change the meaning of a request is ever ignored.
"""

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from msgspec import Struct

from meiku import checksums, errors
from meiku.model import Member
from meiku.operation import GROUPS, Operation
from meiku.wire.encoded_words import decoded_words
from meiku.wire.request import Request
from meiku.wire.timestamps import read_time
from meiku.wire.xml_reader import read_document

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
_REFUSED_AS = {
    "StorageClass": errors.InvalidStorageClass,
    "ChecksumAlgorithm": errors.InvalidRequest,
    "ChecksumMode": errors.InvalidRequest,
    "ChecksumType": errors.InvalidRequest,
}
_MALFORMED_AS = {"AccessControlPolicy": errors.MalformedACLError}
_TOKEN = re.compile(r"[A-Za-z0-9!#$%&'*+.^_`|~-]+")
_IGNORED_WHEN_UNREADABLE = {"IfModifiedSince", "IfUnmodifiedSince"}  # RFC 9110, 13.1.3 and 13.1.4


class Given(Struct, frozen=True):
    """What a request gives to bind from: itself, its form's fields, and its body."""

    request: Request
    fields: Mapping[str, str]
    body: Any
    document: bytes


Source = Callable[[Given], Any]


# What a listing is asked for are keys and pieces of keys, and a key may hold any character.
_NAMES_ASKED_FOR = {"prefix", "delimiter", "marker", "start-after", "key-marker", "continuation-token"}


@dataclass(frozen=True, slots=True)
class Taker:
    """Where a header, parameter or field goes: an argument, or an entry of the group that is one."""

    argument: str
    entry: str | None
    convert: Callable[[str], Any]


class Binder:
    """Makes the keyword arguments of one operation.

    Its cost follows what a request carries, not what the model knows: absent members are None beforehand.
    """

    def __init__(self, operation: Operation) -> None:
        members = operation.model.input.members
        self._name = operation.name
        self._absent: dict[str, None] = {}
        self._sources: list[tuple[str, Source]] = []
        self._takers: dict[str, dict[str, Taker]] = {"header": {}, "querystring": {}, "form": {}}
        self._groups = [group for group in operation.arguments if group in GROUPS]
        grouped = {name: group for group in self._groups for name in GROUPS[group] if name in members}
        for member in members.values():
            if member.name in grouped:
                self._take(member, Taker(grouped[member.name], member.name, _converter(member)))
            elif member.argument in operation.arguments:
                self._take_alone(member, operation)
        taken = grouped.keys() | {m.name for m in members.values() if m.argument in operation.arguments}
        ignored = [m for m in members.values() if m.name not in taken | ANSWERED_BY_THE_EDGE]
        self._refused = {
            place: {_name_of(m): m for m in ignored if m.location == place} for place in self._takers
        }

    def _take_alone(self, member: Member, operation: Operation) -> None:
        if member.location in self._takers and member.name != operation.model.payload:
            self._absent[member.argument] = None
            self._take(member, Taker(member.argument, None, _converter(member)))
        else:
            self._sources.append((member.argument, _source(member, operation)))

    def _take(self, member: Member, taker: Taker) -> None:
        self._takers[member.location][_name_of(member)] = taker

    def bind(self, given: Given) -> dict[str, Any]:
        """Make the arguments, or raise the S3 error for the one that is wrong or not offered."""
        arguments: dict[str, Any] = dict(self._absent)
        for group in self._groups:
            arguments[group] = {}
        self._bind_place("header", given.request.headers, arguments)
        if given.request.query:
            self._bind_place("querystring", given.request.query, arguments)
        if given.fields:
            self._bind_place("form", given.fields, arguments)
        for argument, source in self._sources:
            arguments[argument] = source(given)
        return arguments

    def _bind_place(self, place: str, present: Mapping[str, str], arguments: dict[str, Any]) -> None:
        refused, takers = self._refused[place], self._takers[place]
        if not refused.keys().isdisjoint(present):
            self._refuse(refused, present)
        for name in takers.keys() & present.keys():
            taker = takers[name]
            value = taker.convert(present[name])
            if taker.entry is None:
                arguments[taker.argument] = value
            elif value is not None:
                arguments[taker.argument][taker.entry] = value

    def _refuse(self, refused: Mapping[str, Member], present: Mapping[str, str]) -> None:
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
    return _prefixed_source(member)


def _name_of(member: Member) -> str:
    return member.wire_name.lower() if member.location == "header" else member.wire_name


def _read_key(given: Given) -> bytes:
    return (given.request.key or "").encode()


def _payload_source(member: Member) -> Source:
    if member.shape.kind == "blob":
        return lambda given: given.body
    if member.shape.kind == "string":
        return _read_text
    shape, root = member.shape, member.wire_name
    malformed_as = _MALFORMED_AS.get(member.name, errors.MalformedXML)

    def source(given: Given) -> Any:
        if not given.document.strip():
            if member.required:
                raise errors.MalformedXML(f"The request has no body; <{root}> is expected.")
            return None
        try:
            return read_document(given.document, shape, root)
        except errors.MalformedXML as malformed:
            raise malformed_as(malformed.message) from None

    return source


def _read_text(given: Given) -> str:
    try:
        return given.document.decode()
    except UnicodeDecodeError:
        raise errors.InvalidArgument("The body of the request is not UTF-8 text.") from None


def _prefixed_source(member: Member) -> Source:
    prefix, form = member.wire_name.lower(), member.location == "forms"

    def source(given: Given) -> dict[str, str]:
        place = given.fields if form else given.request.headers
        prefixed = ((name, text) for name, text in place.items() if name.startswith(prefix))
        return {_checked_name(name)[len(prefix) :]: _read_metadata(text, name) for name, text in prefixed}

    return source


def _read_metadata(text: str, name: str) -> str:
    """Read a value that is encoded as RFC 2047 has it for what it says; S3 answers such values so."""
    return _checked_text(decoded_words(text), name)


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
    if name in _NAMES_ASKED_FOR:
        return lambda text: text
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
    if member.name.startswith("Checksum"):  # S3 reads these in any case, and SDKs write them so
        text = text.upper()
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
