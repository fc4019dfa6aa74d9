"""Answer documents: plain values written as XML, in the shape that the model gives them.

A writer is compiled once for each shape, so that a listing of 1,000 objects does not walk the model.
"""

import re
from collections.abc import Callable
from typing import Any

from meiku.model import NAMESPACE, Member, Shape
from meiku.wire.timestamps import iso8601

Write = Callable[[Any, list[str]], None]

DECLARATION = '<?xml version="1.0" encoding="UTF-8"?>\n'
_SPECIAL = re.compile("[&<>\x00-\x1f\x7f\ufffe\uffff]")
_UNWRITABLE = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\x7f\ufffe\uffff\ud800-\udfff]")
# In this order: an ampersand that stands for another character must not be replaced itself.
_NAMED = {"&": "&amp;", "<": "&lt;", ">": "&gt;", "\n": "\n", "\t": "\t"}

_search = _SPECIAL.search


def escape(text: str) -> str:
    """Write text so that a reader gets it back; what XML 1.0 cannot hold becomes a reference, as in S3."""
    return _escape_all(text) if _search(text) else text


def _escape_all(text: str) -> str:
    """Replace one kind of character after the other: one by one, a hostile listing would take 0.2 s."""
    present = set(text)
    for character, reference in _REFERENCES:
        if character in present:
            text = text.replace(character, reference)
    return text


_REFERENCES = tuple(_NAMED.items()) + tuple(
    (character, f"&#x{ord(character):x};")
    for character in map(chr, (*range(0x20), 0x7F, 0xFFFE, 0xFFFF))
    if character not in _NAMED
)


def escape_attribute(text: str) -> str:
    """Write text between quotation marks; elsewhere they stand for themselves."""
    return escape(text).replace('"', "&quot;")


def escape_shown(text: str) -> str:
    """Write text that is only looked at; what XML 1.0 cannot hold is replaced, so any reader reads it."""
    return escape(_UNWRITABLE.sub("\ufffd", text))


def compile_document(
    root_name: str, shape: Shape, names: frozenset[str] | None = None
) -> Callable[[Any], bytes]:
    """Make the function that writes one whole document; `names` keeps only some members."""
    write = _compile_structure(root_name, shape, f' xmlns="{NAMESPACE}"', names)

    def document(value: Any) -> bytes:
        pieces = [DECLARATION]
        write(value, pieces)
        return "".join(pieces).encode("utf-8", "surrogatepass")

    return document


def _compile_structure(
    name: str, shape: Shape, attributes: str = "", names: frozenset[str] | None = None
) -> Write:
    members = [m for m in shape.members.values() if names is None or m.name in names]
    attribute = next((m for m in members if m.attribute), None)
    # Most members are scalars; they are written here, without a call for each.
    scalars = {m.name: _compile_scalar(m) for m in members if not m.attribute and _is_scalar(m.shape)}
    writers = {m.name: _compile_member(m) for m in members if not m.attribute and m.name not in scalars}
    opening, closing = f"<{name}{attributes}>", f"</{name}>"

    def write(value: Any, pieces: list[str]) -> None:
        pieces.append(opening if attribute is None else _opening(name, attribute, value))
        for key, item in value.items():
            if item is None or (attribute is not None and key == attribute.name):
                continue
            if key in scalars:
                before, text_of, after = scalars[key]
                pieces.append(f"{before}{text_of(item)}{after}")
            else:
                writers[key](item, pieces)
        pieces.append(closing)

    return write


def _opening(name: str, attribute: Member, value: Any) -> str:
    prefix, uri = attribute.wire_name.partition(":")[0], "http://www.w3.org/2001/XMLSchema-instance"
    text = escape_attribute(value[attribute.name])
    return f'<{name} xmlns:{prefix}="{uri}" {attribute.wire_name}="{text}">'


def _is_scalar(shape: Shape) -> bool:
    return shape.kind not in ("structure", "list", "map")


def _compile_scalar(member: Member) -> tuple[str, Callable[[Any], str], str]:
    return f"<{member.wire_name}>", write_scalar(member.shape), f"</{member.wire_name}>"


def _compile_member(member: Member) -> Write:
    shape = member.shape
    if shape.kind == "list" and shape.item is not None:
        return _compile_list(member.wire_name, shape, shape.item)
    return _compile_value(member.wire_name, shape)


def _compile_list(name: str, shape: Shape, item: Shape) -> Write:
    write_item = _compile_value(name if shape.flattened else shape.item_name, item)

    def write(value: Any, pieces: list[str]) -> None:
        if not shape.flattened:
            pieces.append(f"<{name}>")
        for entry in value:
            write_item(entry, pieces)
        if not shape.flattened:
            pieces.append(f"</{name}>")

    return write


def _compile_value(name: str, shape: Shape) -> Write:
    if shape.kind == "structure":
        return _compile_structure(name, shape)
    scalar = write_scalar(shape)
    opening, closing = f"<{name}>", f"</{name}>"

    def write(value: Any, pieces: list[str]) -> None:
        pieces.append(f"{opening}{scalar(value)}{closing}")

    return write


def write_scalar(shape: Shape) -> Callable[[Any], str]:
    """Choose how a scalar of this shape is written inside a document."""
    if shape.kind == "timestamp":
        return iso8601
    if shape.kind == "boolean":
        return lambda value: "true" if value else "false"
    if shape.kind == "string":
        return escape
    return str
