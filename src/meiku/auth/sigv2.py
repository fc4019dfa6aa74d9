"""Signature Version 2, in the Authorization header or in a presigned URL: read the claim, judge the claim.

No clock, no key lookup, no body is here.
Source: https://docs.aws.amazon.com/AmazonS3/latest/userguide/RESTAuthentication.html
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial

from meiku import errors
from meiku.auth import clock, diagnose, hypotheses_v2
from meiku.auth.credential import Credential, admit, same_text
from meiku.auth.payload import Payload, payload_of
from meiku.auth.reading import ReadingV2, first_v2, other_v2
from meiku.auth.request import SignedRequest
from meiku.auth.suspects import suspects_v2
from meiku.signing import signature_v2

_NEVER_SIGNED = ("x-zos-process-source",)
_PARAMETERS = ("AWSAccessKeyId", "Expires", "Signature")


@dataclass(frozen=True, slots=True)
class ClaimV2:
    """That the holder of `access_key` made this request; `expires_at_s` is set for a presigned URL."""

    request: SignedRequest
    access_key: str
    signature: str
    date: str
    signed_at_s: float | None
    session_token: str | None
    expires_at_s: int | None

    @property
    def presigned(self) -> bool:
        """Tell whether the proof stands in the URL."""
        return self.expires_at_s is not None

    @property
    def version(self) -> int:
        """The version of the signature."""
        return 2

    def lifetime_s(self, now_s: float) -> float | None:
        """Tell for how long a URL is still good; V2 does not say since when it is."""
        return None if self.expires_at_s is None else self.expires_at_s - now_s

    @property
    def lends_address_alone(self) -> bool:
        """Tell that whoever holds a V2 URL can add parameters to it."""
        return self.presigned

    def verify(self, credential: Credential, *, now_s: float, public_hosts: Sequence[str]) -> Payload:  # noqa: ARG002 - V2 does not sign the host
        """Judge the claim and tell how the body must be; refusals are S3's own."""
        admit(credential, self.session_token, now_s)
        self.check_time(now_s)
        payload = payload_of(self.reading().headers)
        self._check_coverage()
        for reading in self._readings():
            if same_text(signature_v2(credential.secret_key, reading.text()), self.signature):
                return replace(payload, literal_plus=True) if reading.literal_plus else payload
        raise self._mismatch(credential)

    def _check_coverage(self) -> None:
        """Refuse what would choose what the signer's rights are used on, where V2 does not sign it."""
        unsigned = [name for name in _NEVER_SIGNED if name in self.request.headers]
        if self.presigned and unsigned:
            raise errors.AccessDenied(
                "There were headers present in the request which were not signed",
                HeadersNotSigned=", ".join(unsigned),
            )

    def check_time(self, now_s: float) -> None:
        """Refuse what was signed too long ago, or far in the future."""
        if self.signed_at_s is not None:
            clock.check_skew(self.signed_at_s, now_s, self._request_time())
        if self.expires_at_s is not None and self.expires_at_s < now_s:
            raise errors.AccessDenied(
                "Request has expired",
                Expires=clock.written(self.expires_at_s),
                ServerTime=clock.written(now_s),
            )

    def reading(self) -> ReadingV2:
        """Read the request as nearly all clients sign it."""
        return first_v2(self.request, self.date)

    def _request_time(self) -> str:
        return self.request.headers.get("x-amz-date") or self.date

    def _readings(self) -> Iterator[ReadingV2]:
        first = self.reading()
        yield first
        yield from other_v2(self.request, first)

    def _mismatch(self, credential: Credential) -> errors.S3Error:
        text = self.reading().text()
        finding = diagnose.find(
            credential.secret_key,
            provided=self.signature,
            server_text=text,
            trials=hypotheses_v2.trials(self.request, self.reading()),
            signer=lambda secret_key: partial(signature_v2, secret_key),
        )
        return diagnose.mismatch(
            finding or diagnose.Finding(suspects_v2(self.reading(), self.access_key)),
            access_key=self.access_key,
            provided=self.signature,
            string_to_sign=text,
            language=self.request.language,
        )


def header_claim(request: SignedRequest, authorization: str) -> ClaimV2:
    """Read `AWS <access key>:<signature>`."""
    access_key, _, signature = authorization[len("AWS ") :].strip().rpartition(":")
    if not access_key or not signature:
        raise errors.InvalidArgument(
            "The authorization header must read AWS <access key>:<signature>.", ArgumentName="Authorization"
        )
    date, signed_at_s = _header_moment(request.headers)
    return ClaimV2(
        request=request,
        access_key=access_key,
        signature=signature,
        date=date,
        signed_at_s=signed_at_s,
        session_token=_token(request),
        expires_at_s=None,
    )


def query_claim(request: SignedRequest) -> ClaimV2:
    """Read AWSAccessKeyId, Expires and Signature of a presigned URL."""
    parameters = _parameters(request.query)
    expires_at_s = clock.count_of(parameters["Expires"])
    if expires_at_s is None:
        raise errors.AccessDenied("Expires must be a number of seconds since 1970.")
    return ClaimV2(
        request=request,
        access_key=parameters["AWSAccessKeyId"],
        # Base64 has no spaces: they are what an unencoded '+' becomes in a query.
        signature=parameters["Signature"].strip().replace(" ", "+"),
        date=parameters["Expires"],
        signed_at_s=None,
        session_token=_token(request),
        expires_at_s=expires_at_s,
    )


def _parameters(query: Sequence[tuple[str, str]]) -> dict[str, str]:
    parameters: dict[str, str] = {}
    for name, value in query:
        if name in _PARAMETERS:
            if name in parameters:
                raise errors.InvalidArgument(f"{name} is given more than once.", ArgumentName=name)
            parameters[name] = value
    missing = [name for name in _PARAMETERS if not parameters.get(name)]
    if missing:
        raise errors.AccessDenied(
            "Query-string authentication requires the Signature, Expires and AWSAccessKeyId parameters; "
            f"missing: {', '.join(missing)}."
        )
    return parameters


def _header_moment(headers: Mapping[str, str]) -> tuple[str, float]:
    """Find the date line that is signed, and the moment it was signed at."""
    amz_date, date = headers.get("x-amz-date"), headers.get("date", "")
    moment_s = clock.moment_of_date(date if amz_date is None else amz_date)
    if moment_s is None:
        raise errors.AccessDenied("AWS authentication requires a valid Date or x-amz-date header")
    return (date if amz_date is None else ""), moment_s


def _token(request: SignedRequest) -> str | None:
    """Find the session token; a presigned URL carries it in its query."""
    token = request.headers.get("x-amz-security-token")
    if token is not None:
        return token
    said = (value for name, value in request.query if name.lower() == "x-amz-security-token")
    return next(said, None)
