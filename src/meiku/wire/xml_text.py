"""Text inside answer documents: what XML needs or cannot hold becomes a reference, as in S3.

Knows characters and scalars only. A column of texts is escaped as one, so that an ordinary page costs one
look and a hostile one a pass for each kind of character instead of a call for each key.
"""

import re
from collections.abc import Callable, Sequence
from itertools import chain
from typing import Any

from meiku.model import Shape
from meiku.wire.timestamps import http_date, iso8601

_SPECIAL = re.compile("[&<>\x00-\x1f\x7f\ufffe\uffff]")
_UNWRITABLE = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\x7f\ufffe\uffff\ud800-\udfff]")
# In this order: an ampersand that stands for another character must not be replaced itself.
_NAMED = {"&": "&amp;", "<": "&lt;", ">": "&gt;", "\n": "\n", "\t": "\t"}
_REFERENCES = tuple(_NAMED.items()) + tuple(
    (character, f"&#x{ord(character):x};")
    for character in map(chr, (*range(0x20), 0x7F, 0xFFFE, 0xFFFF))
    if character not in _NAMED
)

_ENCODED_REFERENCES = tuple((c.encode(), r.encode()) for c, r in _REFERENCES if c != r)
# Marks the bytes with which a character to be replaced may begin.
_MARKS = bytes(byte in {character[0] for character, _ in _ENCODED_REFERENCES} for byte in range(256))
_MARK = 1
# A byte that is in no UTF-8, and so in no text.
_SEPARATOR = b"\xff"
# So many texts are escaped as one: few calls, and what they make stays in the processor's cache.
_GROUP = 100

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


def escape_attribute(text: str) -> str:
    """Write text between quotation marks; elsewhere they stand for themselves."""
    return escape(text).replace('"', "&quot;")


def escape_shown(text: str) -> str:
    """Write text that is only looked at; what XML 1.0 cannot hold is replaced, so any reader reads it."""
    return escape(_UNWRITABLE.sub("\ufffd", text))


def escape_column(texts: Sequence[bytes]) -> list[bytes]:
    """Escape many texts, given in UTF-8; as `escape` does it with each."""
    groups = (texts[start : start + _GROUP] for start in range(0, len(texts), _GROUP))
    return list(chain.from_iterable(map(_escape_group, groups)))


def _escape_group(texts: Sequence[bytes]) -> Sequence[bytes]:
    joined = _SEPARATOR.join(texts)
    if _MARK not in joined.translate(_MARKS):
        return texts
    for character, reference in _ENCODED_REFERENCES:
        joined = joined.replace(character, reference)
    return joined.split(_SEPARATOR)


def encode(text: str) -> bytes:
    """Encode text for the wire; a lone surrogate, which no key can hold, still becomes some bytes."""
    return text.encode("utf-8", "surrogatepass")


def write_scalar(shape: Shape) -> Callable[[Any], str]:
    """Choose how a scalar of this shape is written inside a document."""
    if shape.kind == "timestamp":
        return http_date if shape.timestamp_format == "rfc822" else iso8601
    if shape.kind == "boolean":
        return lambda value: "true" if value else "false"
    if shape.kind == "string":
        return escape
    return str
