"""What a signature can cover: the facts of a request, as the wire gave them. Nothing here is judged."""

from collections.abc import Mapping
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class SignedRequest:
    """One request before anyone knows who sent it.

    `raw_path` is percent-encoded as sent; `query` is decoded, in order, with '+' as a space; `headers` has
    lower-case names, repeats joined by a comma; `bucket` is named only where the host carries it.
    """

    method: str
    host: str
    raw_path: str
    query: tuple[tuple[str, str], ...]
    query_string: str
    headers: Mapping[str, str]
    bucket: str | None
    scheme: str
