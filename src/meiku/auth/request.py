"""What a signature can cover: the facts of a request, as the wire gave them. Nothing here is judged."""

from collections.abc import Mapping
from dataclasses import dataclass

from meiku.auth.cause import Language, language_of


@dataclass(frozen=True, slots=True)
class SignedRequest:
    """One request before anyone knows who sent it.

    `raw_path` is percent-encoded as sent; `query` is decoded, in order, with '+' as a space; `headers` has
    lower-case names, repeats joined by a comma; `bucket` is named only where the host carries it.
    For whoever is told why it is refused: `listening` are this server's own names, each with its port, and
    `reads` is the language, where it is known otherwise than by the request.
    """

    method: str
    host: str
    raw_path: str
    query: tuple[tuple[str, str], ...]
    query_string: str
    headers: Mapping[str, str]
    bucket: str | None
    scheme: str
    listening: tuple[str, ...] = ()
    reads: Language | None = None

    @property
    def language(self) -> Language | None:
        """The language that a refusal is read in, None where nobody knows."""
        return self.reads or language_of(self.headers.get("accept-language"))
