"""A browser's form upload: first the fields, then the file, streamed.

The fields are known, and can be judged, before a byte of the file is taken. Nothing here knows policies or
signatures; how bytes are received, hashed and compared is `wire.verified`, the multipart grammar is the
library's.

Fields and their order: https://docs.aws.amazon.com/AmazonS3/latest/API/RESTObjectPOST.html
"""

import asyncio
import re
from collections.abc import Iterator
from dataclasses import dataclass
from enum import Enum
from typing import TYPE_CHECKING, TypeAlias

from multipart import MultipartError, MultipartSegment, PushMultipartParser, parse_options_header

from meiku import errors
from meiku.wire.verified import (
    Announced,
    BodyLimits,
    Incoming,
    VerifiedStream,
    refuse_unknown_checksums,
    too_large,
)

if TYPE_CHECKING:
    from meiku.auth import LengthRange
    from meiku.wire.request import Receive

FIELDS_LIMIT_BYTES = 20 * 1024
# Everything in the request that is not the file: its own part headers can take 33 KiB, the fields before it
# and what follows it 20 KiB each.
OVERHEAD_LIMIT_BYTES = 96 * 1024
DEFAULT_LIMITS = BodyLimits()
_AS_SENT = {"policy", "signature", "x-amz-signature"}
_VARIABLE = "${filename}"

_BOUNDARY = re.compile(r"[\x20-\x7e]{0,199}[\x21-\x7e]")
_CONTROL = re.compile(r"[\x00-\x08\x0a-\x1f\x7f]")


@dataclass(frozen=True, slots=True)
class Form:
    """What came before the file: fields by lower-case name, in order, and what the file part says of itself.

    `${filename}` stands replaced in them; `names` has each field's name as it was sent.
    """

    fields: dict[str, str]
    names: dict[str, str]
    filename: str | None = None
    file_content_type: str | None = None

    def key(self) -> str:
        """Give the object's key; InvalidArgument when there is none."""
        key = self.fields.get("key")
        if key is None:
            raise errors.InvalidArgument(
                "Bucket POST must contain a field named 'key', and it must come before the file.",
                ArgumentName="key",
            )
        if not key:
            raise errors.InvalidArgument("User key must have a length greater than 0.", ArgumentName="key")
        return key


def _without_folders(path: str) -> str:
    return path.replace("\\", "/").rpartition("/")[2]


async def read_form(
    receive: "Receive",
    content_type: str,
    content_length: int | None,
    *,
    limits: BodyLimits = DEFAULT_LIMITS,
    fields_timeout_s: float | None = None,
) -> tuple[Form, "FileStream"]:
    """Read up to the first byte of the file; the fields are this request's head, and have a head's time.

    Raises PreconditionFailed for what is no form, MalformedPOSTRequest, MaxPostPreDataLengthExceeded,
    RequestTimeout, and InvalidArgument for a form without a file or with a field given twice.
    """
    try:
        async with asyncio.timeout(fields_timeout_s):
            return await _read_form(receive, content_type, content_length, limits)
    except TimeoutError:
        raise errors.RequestTimeout(
            f"The fields of the form had not come after {fields_timeout_s:g} seconds."
        ) from None


async def _read_form(
    receive: "Receive", content_type: str, content_length: int | None, limits: BodyLimits
) -> tuple[Form, "FileStream"]:
    if content_length is not None and content_length > limits.max_bytes + OVERHEAD_LIMIT_BYTES:
        raise too_large(content_length, limits.max_bytes)
    incoming = Incoming(receive, content_length, limits.idle_s)
    parts = _Parts(incoming, _boundary(content_type))
    fields = _Fields()
    while isinstance(part := await parts.next(), MultipartSegment):
        if _name(part) == "file":
            form = Form(
                fields.filled(part.filename or ""), fields.names, part.filename, part.header("Content-Type")
            )
            refuse_unknown_checksums(form.fields)
            return form, FileStream(incoming, parts, Announced.by(form.fields), limits.max_bytes)
        await fields.take(part, parts)
    raise errors.InvalidArgument("POST requires exactly one file upload per request.", ArgumentName="file")


def _boundary(content_type: str) -> bytes:
    kind, options = parse_options_header(content_type)
    if kind != "multipart/form-data":
        raise errors.PreconditionFailed(
            Condition="Bucket POST must be of the enclosure-type multipart/form-data"
        )
    boundary: str = options.get("boundary", "")
    if not _BOUNDARY.fullmatch(boundary):
        raise errors.MalformedPOSTRequest("The Content-Type of the form has no usable boundary.")
    return boundary.encode("ascii")


class FileStream(VerifiedStream):
    """The bytes of the form's file; iterating to the end proves them, and that the form is whole.

    Set `length_range` before the first piece. Fields behind the file are ignored, a second file is not.
    """

    def __init__(self, incoming: Incoming, parts: "_Parts", announced: Announced, maximum_bytes: int) -> None:
        super().__init__(incoming, announced, maximum_bytes)
        self._parts = parts
        self._length_range: LengthRange | None = None

    @property
    def length_range(self) -> "LengthRange | None":
        """How many bytes the form's policy allows."""
        return self._length_range

    @length_range.setter
    def length_range(self, allowed: "LengthRange | None") -> None:
        self._length_range = allowed
        if allowed is not None:
            self.maximum_bytes = min(self.maximum_bytes, allowed.maximum_bytes)

    async def _next(self) -> bytes:
        event = await self._parts.next()
        if isinstance(event, bytes):
            return event
        await self._pass_the_rest()
        return b""

    async def _pass_the_rest(self) -> None:
        self._parts.ceiling_bytes = self.received_bytes + OVERHEAD_LIMIT_BYTES
        while (event := await self._parts.next()) is not _End.FORM:
            if isinstance(event, MultipartSegment) and _name(event) == "file":
                raise errors.IncorrectNumberOfFilesInPostRequest

    def _check_end(self) -> None:
        allowed = self._length_range
        if allowed is not None and self.received_bytes < allowed.minimum_bytes:
            raise errors.EntityTooSmall(
                ProposedSize=str(self.received_bytes), MinSizeAllowed=str(allowed.minimum_bytes)
            )


class _Fields:
    """The fields before the file, which may take 20 KiB together, their part headers included."""

    def __init__(self) -> None:
        self.values: dict[str, str] = {}
        self.names: dict[str, str] = {}
        self._size_bytes = 0

    async def take(self, part: MultipartSegment, parts: "_Parts") -> None:
        """Read one field; MaxPostPreDataLengthExceeded when all of them together are too large."""
        self._count(parts.boundary_bytes + sum(len(name) + len(value) for name, value in part.headerlist))
        pieces = []
        while isinstance(data := await parts.next(), bytes):
            self._count(len(data))
            pieces.append(data)
        self._keep(part.name, b"".join(pieces))

    def filled(self, filename: str) -> dict[str, str]:
        """Return the fields with ${filename} replaced, but for those that are signed as they stand.

        MaxPostPreDataLengthExceeded when that makes them too large: a name can stand in a field many times.
        """
        name = _without_folders(filename)
        if _VARIABLE not in "".join(self.values.values()):
            return self.values
        open_to_it = {field: value for field, value in self.values.items() if field not in _AS_SENT}
        times = sum(value.count(_VARIABLE) for value in open_to_it.values())
        self._count(times * max(0, len(name.encode()) - len(_VARIABLE)))
        return self.values | {field: value.replace(_VARIABLE, name) for field, value in open_to_it.items()}

    def _count(self, size_bytes: int) -> None:
        self._size_bytes += size_bytes
        if self._size_bytes > FIELDS_LIMIT_BYTES:
            raise errors.MaxPostPreDataLengthExceeded(MaxPostPreDataLengthBytes=str(FIELDS_LIMIT_BYTES))

    def _keep(self, name: str, value: bytes) -> None:
        if not name:
            raise errors.MalformedPOSTRequest("A field of the form has no name.")
        if name.lower() in self.names:
            raise errors.InvalidArgument(f"The field {name} is given twice.", ArgumentName=name)
        self.names[name.lower()] = name
        # Browsers announce their encoding in this one; it is about the form and not of it.
        if name != "_charset_":
            self.values[name.lower()] = _text(name, value)


def _text(name: str, value: bytes) -> str:
    try:
        return value.decode("utf-8")
    except UnicodeDecodeError:
        raise errors.InvalidArgument(f"The field {name} is not UTF-8.", ArgumentName=name) from None


def _name(part: MultipartSegment) -> str:
    return str(part.name).lower()


class _End(Enum):
    PART = "part"
    FORM = "form"


Event: TypeAlias = MultipartSegment | bytes | _End


class _FormParser(PushMultipartParser):  # type: ignore[misc]  # the library has no types for it
    """The library's parser; by itself it sees a lone line feed in a header only at the end of a packet."""

    def _on_segment_headerline(self, line: bytes) -> None:
        if b"\n" in line:
            raise MultipartError("Invalid line break in segment header")
        super()._on_segment_headerline(line)


class _Parts:
    """The parts of a form, as the parser finds them in what arrives."""

    def __init__(self, incoming: Incoming, boundary: bytes) -> None:
        self.ceiling_bytes: int | None = None
        self._incoming = incoming
        self._opening = b"--" + boundary
        self._parser: _FormParser | None = None
        self._found: Iterator[MultipartSegment | bytes | None] = iter(())

    @property
    def boundary_bytes(self) -> int:
        """The size of the line before each part."""
        return len(self._opening) + 2

    async def next(self) -> Event:
        """Give the next part, bytes or end; MalformedPOSTRequest for what is no form."""
        try:
            while True:
                for found in self._found:
                    return _event(found)
                if not await self._parse_more():
                    return _End.FORM
        except MultipartError as error:
            raise errors.MalformedPOSTRequest(f"{errors.MalformedPOSTRequest.message} {error}.") from None

    async def _parse_more(self) -> bool:
        piece = await (self._incoming.next() if self._parser else self._first())
        if self.ceiling_bytes is not None and self._incoming.received_bytes > self.ceiling_bytes:
            raise errors.MalformedPOSTRequest("Too much follows the file in the form.")
        if self._parser is None:
            self._parser = _FormParser(self._opening[2:])
        if piece:
            self._found = self._parser.parse(piece)
        else:
            self._parser.close()
        return bool(piece)

    async def _first(self) -> bytes:
        """Read as much as shows the first boundary.

        The library searches for it in whatever comes first, and finds it or not depending on how the bytes
        are cut; no client sends anything there.
        """
        data = b""
        while len(data) < len(self._opening) + 2 and (piece := await self._incoming.next()):
            data += piece
        if not data.removeprefix(b"\r\n").startswith(self._opening):
            raise errors.MalformedPOSTRequest("The form does not begin with its boundary.")
        return data


def _event(found: MultipartSegment | bytes | None) -> Event:
    if found is None:
        return _End.PART
    if isinstance(found, MultipartSegment) and any(_CONTROL.search(value) for _, value in found.headerlist):
        raise errors.MalformedPOSTRequest("The headers of a part hold control characters.")
    return found
