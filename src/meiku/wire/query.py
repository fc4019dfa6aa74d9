"""A request's query: its parameters, and the headers that a presigned URL carries among them.

Nothing here judges a signature; which parameters an operation takes is the model's.
"""

from collections.abc import Mapping
from functools import lru_cache
from urllib.parse import unquote

from meiku import checksums, errors
from meiku.auth.carried import CREDENTIAL, CREDENTIAL_AS_WRITTEN, carried_headers, is_presigned

Pairs = tuple[tuple[str, str], ...]

PARAMETERS_LIMIT = 200
_CHECKSUMS_OF_NOTHING = {
    algorithm.header: checksums.encode(algorithm.new().digest())
    for algorithm in checksums.ALGORITHMS.values()
}
_CHECKSUM_NAMES = {*_CHECKSUMS_OF_NOTHING, "x-amz-sdk-checksum-algorithm"}


def read_query(query_string: str) -> Pairs:
    """Decode a query into pairs in their order; `+` is a space, a name alone has the value ''."""
    if not query_string:
        return ()
    parts = query_string.split("&")
    if len(parts) > PARAMETERS_LIMIT:
        raise errors.InvalidURI("The query string has more parameters than any operation takes.")
    try:
        return tuple([_pair(part) for part in parts if part])
    except UnicodeDecodeError:
        raise errors.InvalidURI("The query string is not percent-encoded UTF-8.") from None


def _pair(part: str) -> tuple[str, str]:
    name, _, value = part.partition("=")
    return (_decoded(name), _decoded(value)) if "%" in part or "+" in part else (name, value)


def _decoded(text: str) -> str:
    return _remembered(text) if len(text) <= _REMEMBERED_LENGTH else _unquoted(text)


def _unquoted(text: str) -> str:
    return unquote(text.replace("+", " "), errors="strict")


# A client sends the same credential all day long.
_REMEMBERED_LENGTH = 128
_remembered = lru_cache(1024)(_unquoted)


def with_carried(sent: dict[str, str], query: Mapping[str, str], pairs: Pairs) -> dict[str, str]:
    """Let a presigned URL carry headers as query parameters, as the SDKs write them.

    V4 signs every parameter. V2 signs the `x-amz-*` headers, wherever they stand, and of the others just as
    much as if they were sent. A header of the same name must agree with what was signed. Of checksums only
    real ones are taken: whoever signs a URL has no body yet, and the JavaScript SDK writes the checksum of
    nothing.
    """
    # Nearly always there is nothing but the proof, and nothing more to look at.
    if not query or not is_presigned(query) or query.keys() <= CREDENTIAL_AS_WRITTEN:
        return sent
    carried = carried_headers(pairs)
    if not carried:
        return sent
    if any(_CHECKSUMS_OF_NOTHING.get(name) == value for name, value in carried.items()):
        carried = {name: value for name, value in carried.items() if name not in _CHECKSUM_NAMES}
    if "AWSAccessKeyId" not in query:
        _refuse_differing(carried, sent)
    return carried | sent


def _refuse_differing(carried: Mapping[str, str], sent: Mapping[str, str]) -> None:
    """Refuse a header that says other than the URL: V4 signs the one perhaps, and the other certainly."""
    for name, value in carried.items():
        if sent.get(name, value) != value:
            raise errors.InvalidArgument(
                "A header differs from the value that the URL was signed with.", ArgumentName=name
            )


def is_carried(name: str, query: Mapping[str, str], headers: Mapping[str, str]) -> bool:
    """Tell whether a parameter is part of the credential, or a header that a presigned URL carries."""
    lowered = name.lower()
    return (
        lowered in CREDENTIAL
        or lowered in headers
        or ("X-Amz-Signature" in query and lowered in _CHECKSUM_NAMES)
    )
