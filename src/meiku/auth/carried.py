"""Headers that a presigned URL carries in its query, as SDKs write them: which they are, and what they say.

A signature is judged over them and a request is answered by them, so both read them here: what were found
twice, in two ways, could be signed in the one and acted on in the other.
"""

from collections.abc import Iterable, Mapping

from meiku import errors

CREDENTIAL_AS_WRITTEN = frozenset(
    {
        "X-Amz-Algorithm",
        "X-Amz-Credential",
        "X-Amz-Date",
        "X-Amz-Expires",
        "X-Amz-Signature",
        "X-Amz-SignedHeaders",
        "X-Amz-Security-Token",
    }
)
CREDENTIAL = frozenset(name.lower() for name in CREDENTIAL_AS_WRITTEN)
# Headers that the JavaScript SDK writes into a presigned URL beside x-amz-*.
_STANDARD = frozenset(
    {
        "cache-control",
        "content-disposition",
        "content-encoding",
        "content-language",
        "content-md5",
        "content-type",
    }
)
# Parameters that look like headers, and which V2 does not sign: they stay what they are.
_NEVER_HEADERS = frozenset({"x-amz-process", "x-amz-limitrate"})


def is_presigned(query: Mapping[str, str]) -> bool:
    """Tell whether a query holds a proof, in the cases that its readers take."""
    if "X-Amz-Signature" in query or ("AWSAccessKeyId" in query and "Signature" in query):
        return True
    return any(name.lower() == "x-amz-signature" for name in query)


def may_be_carried(name: str) -> bool:
    """Tell whether a parameter of this lower-case name is a header that a presigned URL carries."""
    if name in _STANDARD:
        return True
    return name.startswith("x-amz-") and name not in CREDENTIAL and name not in _NEVER_HEADERS


def carried_headers(pairs: Iterable[tuple[str, str]]) -> dict[str, str]:
    """Return the headers among a presigned URL's parameters; InvalidArgument for one that is given twice.

    Names are compared in lower case: V2 signs one value, and whoever holds the URL could add another.
    """
    carried: dict[str, str] = {}
    for sent, value in pairs:
        name = sent.lower()
        if may_be_carried(name):
            if name in carried:
                raise errors.InvalidArgument(
                    "A header is given twice in the query of a presigned URL.", ArgumentName=name
                )
            carried[name] = value
    return carried
