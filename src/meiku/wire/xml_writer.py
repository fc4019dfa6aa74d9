"""Answer documents: plain values written as XML, in the shape that the model gives them.

A writer is compiled once for each shape, so that a listing of 1,000 objects does not walk the model.
"""

from collections.abc import Callable, Mapping
from typing import Any

from meiku.model import NAMESPACE, Member, Shape
from meiku.wire.xml_columns import compile_rows
from meiku.wire.xml_text import encode, escape_attribute, write_scalar

Write = Callable[[Any, list[str]], None]

DECLARATION = '<?xml version="1.0" encoding="UTF-8"?>\n'


def compile_document(
    root_name: str,
    shape: Shape,
    names: frozenset[str] | None = None,
    namespace: str | None = NAMESPACE,
) -> Callable[[Any], bytes]:
    """Make the function that writes one whole document; `names` keeps only some members."""
    writers = {
        m.name: _compile_root_member(m) for m in shape.members.values() if names is None or m.name in names
    }
    declared = f' xmlns="{namespace}"' if namespace else ""
    opening = f"{DECLARATION}<{root_name}{declared}>".encode()
    closing = f"</{root_name}>".encode()

    def document(value: Any) -> bytes:
        # Each member by itself: columns become bytes at once, and are not to be decoded for their neighbours.
        elements = [writers[key](item) for key, item in value.items() if item is not None]
        return b"".join((opening, *elements, closing))

    return document


def _compile_root_member(member: Member) -> Callable[[Any], bytes]:
    """Make the writer of a member at the root; a list of structures may be given there as columns."""
    write, shape = _compile_element(member), member.shape
    if shape.item is None or shape.item.kind != "structure" or not shape.flattened:
        return write
    rows = compile_rows(member.wire_name, shape.item, _compile_element)
    return lambda value: rows(value) if isinstance(value, Mapping) else write(value)


def _compile_element(member: Member) -> Callable[[Any], bytes]:
    write = _compile_member(member)

    def element(value: Any) -> bytes:
        pieces: list[str] = []
        write(value, pieces)
        return encode("".join(pieces))

    return element


def _compile_structure(name: str, shape: Shape) -> Write:
    members = shape.members.values()
    attribute = next((m for m in members if m.attribute), None)
    # Most members are scalars; they are written here, without a call for each.
    scalars = {m.name: _compile_scalar(m) for m in members if not m.attribute and _is_scalar(m.shape)}
    writers = {m.name: _compile_member(m) for m in members if not m.attribute and m.name not in scalars}
    opening, closing = f"<{name}>", f"</{name}>"

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
