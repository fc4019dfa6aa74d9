"""The rows of a listing, written from columns into one template: no record and no call for each row.

Where the model has a list of structures at the root of a document, an answer may give `Columns` instead: one
column for each member that its rows have, all of the same length. None leaves an element out, and bytes stand
for the text that they encode. What comes out is what the rows, one by one, would have been.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any

from meiku.model import Member, Shape
from meiku.wire.xml_text import encode, escape_column, write_scalar

Columns = Mapping[str, Sequence[Any]]
# What a column adds to the row's template, and what is filled in there, row by row.
Filling = tuple[bytes, Iterable[Any]]
WriteColumn = Callable[[Sequence[Any]], Filling]
WriteMember = Callable[[Member], Callable[[Any], bytes]]

_WHOLE = b"%b"


def compile_rows(name: str, shape: Shape, write_member: WriteMember) -> Callable[[Columns], bytes]:
    """Make the function that writes rows of a shape; `write_member` writes members that are no scalars."""
    writers = {m.name: _compile_column(m, write_member) for m in shape.members.values() if not m.attribute}
    opening, closing = f"<{name}>".encode(), f"</{name}>".encode()

    def rows(columns: Columns) -> bytes:
        fillings = [writers[key](column) for key, column in columns.items()]
        template = opening + b"".join(part for part, _ in fillings) + closing
        return b"".join(map(template.__mod__, zip(*(values for _, values in fillings), strict=True)))

    return rows


def _compile_column(member: Member, write_member: WriteMember) -> WriteColumn:
    if member.shape.kind in ("structure", "list", "map"):
        return _compile_nested(write_member(member))
    return _compile_scalars(member)


def _compile_scalars(member: Member) -> WriteColumn:
    texts_of = _compile_texts(member.shape)
    element = f"<{member.wire_name}>%b</{member.wire_name}>".encode()

    def column(values: Sequence[Any]) -> Filling:
        distinct = set(values)
        if None not in distinct and 2 * len(distinct) > len(values):
            return element, texts_of(values)
        # Few different values, such as storage classes, or none in some rows.
        said = [value for value in distinct if value is not None]
        elements = dict(zip(said, map(element.__mod__, texts_of(said)), strict=True))
        return _WHOLE, map({**elements, None: b""}.__getitem__, values)

    return column


def _compile_texts(shape: Shape) -> Callable[[Sequence[Any]], Iterable[bytes]]:
    if shape.kind != "string":
        text_of = write_scalar(shape)
        return lambda values: map(str.encode, map(text_of, values))

    def texts(values: Sequence[Any]) -> Iterable[bytes]:
        encoded = bool(values) and isinstance(values[0], bytes)
        return escape_column(values if encoded else list(map(encode, values)))

    return texts


def _compile_nested(write: Callable[[Any], bytes]) -> WriteColumn:
    def column(values: Sequence[Any]) -> Filling:
        # Rows share their values, such as one owner: each is written once.
        distinct = {id(value): value for value in values}
        elements = {key: b"" if value is None else write(value) for key, value in distinct.items()}
        return _WHOLE, map(elements.__getitem__, map(id, values))

    return column
