"""Who a request says it is from, and by which proof: exactly one of the four that S3 knows, or none.

A claim is only read here; whether it is true its own `verify` says, once the key has been looked up.
"""

from collections.abc import Sequence
from typing import Protocol

from meiku import errors
from meiku.auth import sigv2, sigv4
from meiku.auth.credential import Credential
from meiku.auth.payload import Payload
from meiku.auth.request import SignedRequest

_V4_MARKS = frozenset({"x-amz-algorithm", "x-amz-credential", "x-amz-signature"})
_V2_MARKS = frozenset({"AWSAccessKeyId", "Signature"})


class Claim(Protocol):
    """A request's proof of its sender."""

    @property
    def access_key(self) -> str:
        """The key that the sender says it holds."""

    @property
    def session_token(self) -> str | None:
        """The session token that came with it."""

    @property
    def presigned(self) -> bool:
        """Tell whether the proof stands in the URL."""

    @property
    def version(self) -> int:
        """The version of the signature."""

    def lifetime_s(self, now_s: float) -> float | None:
        """Tell for how long it is good, where it stands in a URL."""

    @property
    def lends_address_alone(self) -> bool:
        """Tell whether a stranger may have added to what was signed: a V2 URL's query is not all signed."""

    def verify(self, credential: Credential, *, now_s: float, public_hosts: Sequence[str]) -> Payload:
        """Judge the claim and tell how the body must be; refusals are S3's own."""


def claim_of(request: SignedRequest) -> Claim | None:
    """Read a request's claim; None where it is anonymous. A malformed or a second one is refused."""
    authorization = request.headers.get("authorization")
    if not request.query:
        return None if authorization is None else _header_claim(request, authorization)
    names = [name for name, _ in request.query]
    in_v4, in_v2 = not _V4_MARKS.isdisjoint(map(str.lower, names)), not _V2_MARKS.isdisjoint(names)
    if (authorization is not None) + in_v4 + in_v2 > 1:
        raise errors.InvalidArgument(
            "Only one authentication mechanism is allowed: the Authorization header, the X-Amz-Algorithm "
            "query parameter, or the Signature query parameter.",
            ArgumentName="Authorization",
        )
    if in_v4:
        return sigv4.query_claim(request)
    if in_v2:
        return sigv2.query_claim(request)
    return None if authorization is None else _header_claim(request, authorization)


def _header_claim(request: SignedRequest, authorization: str) -> Claim:
    if authorization.startswith("AWS4-HMAC-SHA256 "):
        return sigv4.header_claim(request, authorization)
    if authorization.startswith("AWS "):
        return sigv2.header_claim(request, authorization)
    # The value itself may be some other service's password, so it is not repeated.
    raise errors.InvalidArgument(
        "Unsupported authorization type: AWS4-HMAC-SHA256 and AWS (Signature V2) are understood.",
        ArgumentName="Authorization",
    )
