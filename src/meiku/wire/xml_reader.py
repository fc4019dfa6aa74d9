"""Request documents: XML from strangers, read into the plain values that the model names.

expat does the parsing. Document types are refused outright, so there are no entities to expand; depth and
element count are bounded; what the model does not know is refused, not skipped.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any
from xml.parsers import expat

from meiku import errors
from meiku.model import Shape
from meiku.wire.timestamps import read_time

# The model lists AWS's regions; a region here is whatever name its owner gives it.
_OPEN = {"LocationConstraint"}
DEPTH_LIMIT = 16
# An upload of 10,000 parts with a checksum each is 40,001 elements.
ELEMENT_LIMIT = 100_000
# The parser holds the interpreter while it looks for a token's end.
_FED_BYTES = 64 * 1024
_TOKEN_LIMIT_BYTES = 2 * _FED_BYTES


@dataclass(slots=True)
class Element:
    """One element as it was written, without its namespace prefix."""

    name: str
    attributes: Mapping[str, str]
    children: list["Element"] = field(default_factory=list)
    pieces: list[str] = field(default_factory=list)

    @property
    def text(self) -> str:
        """All character data directly inside this element."""
        return "".join(self.pieces)


def read_document(data: bytes, shape: Shape, root_name: str) -> dict[str, Any]:
    """Read a document of this shape into a dict by member name, or raise MalformedXML saying where."""
    root = parse(data)
    if root.name != root_name:
        raise errors.MalformedXML(f"The document's root element is <{root.name}>, expected <{root_name}>.")
    value: dict[str, Any] = _read_structure(root, shape)
    return value


def parse(data: bytes) -> Element:
    """Parse a document into its elements."""
    builder = _Builder()
    parser = expat.ParserCreate()
    parser.StartElementHandler = builder.start
    parser.EndElementHandler = builder.end
    parser.CharacterDataHandler = builder.text
    parser.StartDoctypeDeclHandler = builder.doctype
    parser.buffer_text = True
    try:
        for start in range(0, len(data), _FED_BYTES):
            parser.Parse(data[start : start + _FED_BYTES], False)
            if start - max(parser.CurrentByteIndex, 0) > _TOKEN_LIMIT_BYTES:
                raise errors.MalformedXML("A tag or a comment of the XML that you provided is too long.")
        parser.Parse(b"", True)
    except (expat.ExpatError, LookupError, ValueError) as error:  # LookupError: an encoding nobody knows
        raise errors.MalformedXML(f"The XML that you provided was not well-formed: {error}.") from None
    return builder.document.children[0]


class _Builder:
    """Collects expat's events into elements, within bounds."""

    def __init__(self) -> None:
        self.document = Element("", {})
        self._open = [self.document]
        self._count = 0

    def start(self, name: str, attributes: dict[str, str]) -> None:
        self._count += 1
        if len(self._open) > DEPTH_LIMIT or self._count > ELEMENT_LIMIT:
            raise errors.MalformedXML(
                "The XML that you provided is nested too deeply or has too many elements."
            )
        element = Element(name.rpartition(":")[2], attributes)
        self._open[-1].children.append(element)
        self._open.append(element)

    def end(self, _name: str) -> None:
        self._open.pop()

    def text(self, data: str) -> None:
        self._open[-1].pieces.append(data)

    def doctype(self, *_: object) -> None:
        raise errors.MalformedXML("A document type declaration is not allowed.")


def _read_structure(element: Element, shape: Shape) -> dict[str, Any]:
    names = {member.wire_name: member for member in shape.members.values()}
    result: dict[str, Any] = {}
    for name, text in element.attributes.items():
        if name in names and names[name].attribute:
            result[names[name].name] = _read_scalar(text, names[name].shape, name)
    for child in element.children:
        member = names.get(child.name)
        if member is None or member.attribute:
            raise errors.MalformedXML(f"<{child.name}> is not known inside <{element.name}>.")
        if member.shape.kind == "list" and member.shape.flattened:
            result.setdefault(member.name, []).append(_read_value(child, member.shape.item or member.shape))
        elif member.name in result:
            raise errors.MalformedXML(f"<{child.name}> appears twice inside <{element.name}>.")
        else:
            result[member.name] = _read_value(child, member.shape)
    for member in shape.members.values():
        if member.required and member.name not in result:
            raise errors.MalformedXML(f"<{element.name}> has no {member.wire_name}.")
    return result


def _read_value(element: Element, shape: Shape) -> Any:
    if shape.kind == "structure":
        return _read_structure(element, shape)
    if shape.kind == "list":
        return [_read_item(child, shape) for child in element.children]
    if element.children:
        raise errors.MalformedXML(f"<{element.name}> holds elements, expected text.")
    return _read_scalar(element.text, shape, element.name)


def _read_item(element: Element, shape: Shape) -> Any:
    if shape.item is None or element.name != shape.item_name:
        raise errors.MalformedXML(f"<{element.name}> is not expected here; <{shape.item_name}> is.")
    return _read_value(element, shape.item)


def _read_scalar(text: str, shape: Shape, name: str) -> Any:
    if shape.kind in ("integer", "long"):
        return _read_integer(text, name)
    if shape.kind == "boolean":
        return _read_boolean(text.strip().lower(), name)
    if shape.kind == "timestamp":
        return _read_timestamp(text.strip(), name)
    if shape.choices and text not in shape.choices and name not in _OPEN:
        raise errors.MalformedXML(f"'{text[:100]}' is not a value of <{name}>.")
    return text


def _read_integer(text: str, name: str) -> int:
    digits = text.strip()
    if len(digits) > 18 or not digits.removeprefix("-").isdecimal() or not digits.isascii():
        raise errors.MalformedXML(f"'{digits[:100]}' is not a whole number, in <{name}>.")
    return int(digits)


def _read_boolean(text: str, name: str) -> bool:
    if text not in ("true", "false"):
        raise errors.MalformedXML(f"'{text[:100]}' is neither true nor false, in <{name}>.")
    return text == "true"


def _read_timestamp(text: str, name: str) -> int:
    time_ms = read_time(text)
    if time_ms is None:
        raise errors.MalformedXML(f"'{text[:100]}' is not a time, in <{name}>.")
    return time_ms
