"""Percent-encoding of names in listings: for clients whose XML cannot hold every character of a key.

Many names are encoded as one, byte after byte through a table, so that what a page costs depends on its size
and not on its characters.
"""

from collections.abc import Sequence
from itertools import chain
from operator import itemgetter

_PLAIN = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789/-_.~*"
# A byte that is in no UTF-8, and so in no name; it is left as it is.
_SEPARATOR = b"\xff"
_UNCHANGED = _PLAIN + _SEPARATOR
_WRITTEN = tuple(chr(byte) if byte in _UNCHANGED else f"%{byte:02X}" for byte in range(256))
# So many names are encoded as one: while that is done, each byte takes a few pointers of memory.
_GROUP = 100


def percent_encoded(names: Sequence[bytes]) -> list[bytes]:
    """Encode names as S3 does in a listing with encoding-type=url."""
    groups = (names[start : start + _GROUP] for start in range(0, len(names), _GROUP))
    return list(chain.from_iterable(map(_encode_group, groups)))


def _encode_group(names: Sequence[bytes]) -> Sequence[bytes]:
    joined = _SEPARATOR.join(names)
    if not joined.translate(None, _UNCHANGED):
        return names
    return "".join(itemgetter(*joined)(_WRITTEN)).encode("latin-1").split(_SEPARATOR)
