"""Which host a request names: what a Host field may hold, and the target that overrides it; no buckets."""

import re
from collections.abc import Sequence

import httptools

Fields = Sequence[tuple[bytes, bytes]]

# A name or an address, and a port (RFC 3986, 3.2.2). No comma: several Host fields are joined by one.
_HOST = re.compile(r"(?:[A-Za-z0-9._~%!$&'()*+;=-]*|\[[0-9A-Fa-f:.]+(?:%25[A-Za-z0-9]+)?\])(?::[0-9]*)?")


def is_host(text: str) -> bool:
    """Tell whether a Host field's value names a host."""
    return _HOST.fullmatch(text) is not None


def with_host_of_target(url: bytes, fields: Fields) -> list[tuple[bytes, bytes]]:
    """Return the header fields with the host that an absolute target names (RFC 9112, 3.2.2).

    One Host has to be there all the same, and to be one: a broken head stays so, and is refused.
    """
    said = [value for name, value in fields if name == b"host"]
    if len(said) != 1 or not is_host(said[0].decode("latin-1")):
        return list(fields)
    target = httptools.parse_url(url)
    port = b":%d" % target.port if target.port else b""
    others = [field for field in fields if field[0] != b"host"]
    return [*others, (b"host", (target.host or b"") + port)]
