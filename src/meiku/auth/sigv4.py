"""Signature Version 4, in the Authorization header or in a presigned URL: read the claim, judge the claim.

Any region is accepted, for the service has none of its own. No clock, no key lookup, no body is here.
Source: https://docs.aws.amazon.com/AmazonS3/latest/API/sig-v4-authenticating-requests.html
"""

from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace

from meiku import errors
from meiku.auth import clock, diagnose, hypotheses_v4
from meiku.auth.credential import Credential, admit, same_text, signing_key_of
from meiku.auth.payload import HEADER as PAYLOAD_HEADER
from meiku.auth.payload import ChunkSigner, Payload, declared
from meiku.auth.reading import ReadingV4, first_v4, other_v4
from meiku.auth.request import SignedRequest
from meiku.auth.suspects import suspects_v4
from meiku.signing import UNSIGNED_PAYLOAD, scope_v4, signature_v4, signing_key_v4, string_to_sign_v4
from meiku.signing.v4 import ALGORITHM_V4

MAX_EXPIRES_S = 7 * 24 * 3600
_REGION_LIMIT = 64  # scopes are cached: a client must not choose how much is kept
_PARAMETERS = (
    "X-Amz-Algorithm",
    "X-Amz-Credential",
    "X-Amz-Date",
    "X-Amz-Expires",
    "X-Amz-SignedHeaders",
    "X-Amz-Signature",
)
# Whoever holds a presigned URL must not be able to choose what the signer's rights are used on.
_SIGNED_ALWAYS = ("x-amz-", "x-zos-process-source")
_LOWERED = {name.lower(): name for name in (*_PARAMETERS, "X-Amz-Security-Token", "X-Amz-Content-Sha256")}


@dataclass(frozen=True, slots=True)
class ClaimV4:
    """That the holder of `access_key` made this request.

    `expires_s` is set where it is a presigned URL, `carried_payload` where that says what its body is.
    """

    request: SignedRequest
    access_key: str
    date: str
    region: str
    timestamp: str
    signed_at_s: float
    signed_headers: tuple[str, ...]
    signature: str
    session_token: str | None
    expires_s: int | None
    carried_payload: str | None = None

    @property
    def presigned(self) -> bool:
        """Tell whether the proof stands in the URL."""
        return self.expires_s is not None

    @property
    def version(self) -> int:
        """The version of the signature."""
        return 4

    def lifetime_s(self, now_s: float) -> float | None:  # noqa: ARG002 - V4 says how long, whenever that began
        """Tell for how long a URL is good from its date on."""
        return self.expires_s

    @property
    def lends_address_alone(self) -> bool:
        """Tell that nothing can be added: V4 signs the whole query."""
        return False

    @property
    def scope(self) -> str:
        """The credential scope as the client wrote it."""
        return scope_v4(self.date, self.region)

    def verify(self, credential: Credential, *, now_s: float, public_hosts: Sequence[str]) -> Payload:
        """Judge the claim and tell how the body must be; refusals are S3's own."""
        admit(credential, self.session_token, now_s)
        self.check_time(now_s)
        self._check_coverage()
        key = signing_key_of(credential, self.date, self.region)
        said = self._payload_header()
        signer = ChunkSigner(key, self.timestamp, self.scope, self.signature) if said else None
        payload = declared(said, signer)
        for reading in self._readings(public_hosts):
            expected = signature_v4(key, string_to_sign_v4(self.timestamp, self.scope, reading.text()))
            if same_text(expected, self.signature):
                return replace(payload, literal_plus=True) if reading.literal_plus else payload
        raise self._mismatch(credential, public_hosts)

    def check_time(self, now_s: float) -> None:
        """Refuse what was signed too long ago, or will only be valid later."""
        if self.expires_s is None:
            clock.check_skew(self.signed_at_s, now_s, self.timestamp)
            return
        expires_at_s = self.signed_at_s + self.expires_s
        if self.signed_at_s - clock.MAX_SKEW_S <= now_s <= expires_at_s:
            return
        expired = now_s > expires_at_s
        raise errors.AccessDenied(
            "Request has expired" if expired else "Request is not yet valid",
            headers=None,
            **{"X-Amz-Expires": str(self.expires_s)},
            Expires=clock.written(expires_at_s),
            ServerTime=clock.written(now_s),
        )

    def reading(self) -> ReadingV4:
        """Read the request as nearly all clients sign it."""
        return first_v4(self.request, self.signed_headers, self._payload_hashes()[0])

    def texts(self) -> tuple[str, str]:
        """Write the canonical request and the string to sign."""
        canonical = self.reading().text()
        return canonical, string_to_sign_v4(self.timestamp, self.scope, canonical)

    def _readings(self, public_hosts: Sequence[str]) -> Iterator[ReadingV4]:
        first = self.reading()
        yield first
        yield from other_v4(self.request, first, public_hosts, self._payload_hashes())

    def _mismatch(self, credential: Credential, public_hosts: Sequence[str]) -> errors.S3Error:
        canonical, string_to_sign = self.texts()
        finding = diagnose.find(
            credential.secret_key,
            provided=self.signature,
            server_text=canonical,
            trials=hypotheses_v4.trials(self.request, self.reading(), public_hosts, self.request.listening),
            signer=self._signer,
        )
        return diagnose.mismatch(
            finding or diagnose.Finding(suspects_v4(self.request, self.reading(), self.access_key)),
            access_key=self.access_key,
            provided=self.signature,
            string_to_sign=string_to_sign,
            language=self.request.language,
            canonical_request=canonical,
        )

    def _signer(self, secret_key: str) -> Callable[[str], str]:
        """Sign without the cache, which secrets that are only tried must not fill."""
        key = signing_key_v4(secret_key, self.date, self.region)
        return lambda canonical: signature_v4(key, string_to_sign_v4(self.timestamp, self.scope, canonical))

    def _payload_header(self) -> str | None:
        value = self.request.headers.get(PAYLOAD_HEADER)
        if value is not None:
            return value
        if self.expires_s is None:
            raise errors.InvalidRequest(
                f"Missing required header for this request: {PAYLOAD_HEADER}. Older curl leaves it out: add "
                f"-H '{PAYLOAD_HEADER}: {UNSIGNED_PAYLOAD}'."
            )
        return self.carried_payload

    def _payload_hashes(self) -> tuple[str, ...]:
        """List what the last line may be; a presigned URL is made before anyone knows the body."""
        value = self._payload_header() or UNSIGNED_PAYLOAD
        if self.expires_s is None or value == UNSIGNED_PAYLOAD:
            return (value,)
        signed = PAYLOAD_HEADER in self.signed_headers
        return (value, UNSIGNED_PAYLOAD) if signed else (UNSIGNED_PAYLOAD, value)

    def _check_coverage(self) -> None:
        unsigned = [] if "host" in self.signed_headers else ["host"]
        for name in self.request.headers:
            if (
                name.startswith(_SIGNED_ALWAYS)
                and name not in self.signed_headers
                and not self._excused(name)
            ):
                unsigned.append(name)
        if unsigned:
            raise errors.AccessDenied(
                "There were headers present in the request which were not signed",
                HeadersNotSigned=", ".join(unsigned),
            )

    def _excused(self, name: str) -> bool:
        """Tell whether a header is covered otherwise: the query, all of it signed, says the same."""
        if name == PAYLOAD_HEADER and self.expires_s is not None:
            return True
        said = {value for other, value in self.request.query if other.lower() == name}
        return said == {self.request.headers[name]}


def header_claim(request: SignedRequest, authorization: str) -> ClaimV4:
    """Read `AWS4-HMAC-SHA256 Credential=…, SignedHeaders=…, Signature=…`."""
    fault = errors.AuthorizationHeaderMalformed
    parts = _authorization_parts(authorization)
    headers = request.headers
    timestamp, signed_at_s = _header_moment(headers)
    access_key, date, region = _credential(parts["Credential"], timestamp, fault)
    return ClaimV4(
        request=request,
        access_key=access_key,
        date=date,
        region=region,
        timestamp=timestamp,
        signed_at_s=signed_at_s,
        signed_headers=tuple(parts["SignedHeaders"].lower().split(";")),
        signature=parts["Signature"],
        session_token=headers.get("x-amz-security-token"),
        expires_s=None,
    )


def query_claim(request: SignedRequest) -> ClaimV4:
    """Read the X-Amz-… parameters of a presigned URL."""
    fault = errors.AuthorizationQueryParametersError
    parameters = _parameters(request.query)
    if parameters["X-Amz-Algorithm"] != ALGORITHM_V4:
        raise fault(f"X-Amz-Algorithm only supports {ALGORITHM_V4}.")
    timestamp = parameters["X-Amz-Date"]
    signed_at_s = clock.moment_of_timestamp(timestamp)
    if signed_at_s is None:
        raise fault("X-Amz-Date must be in the form 20240102T030405Z.")
    access_key, date, region = _credential(parameters["X-Amz-Credential"], timestamp, fault)
    token = parameters.get("X-Amz-Security-Token", request.headers.get("x-amz-security-token"))
    return ClaimV4(
        request=request,
        access_key=access_key,
        date=date,
        region=region,
        timestamp=timestamp,
        signed_at_s=signed_at_s,
        signed_headers=tuple(parameters["X-Amz-SignedHeaders"].lower().split(";")),
        signature=parameters["X-Amz-Signature"],
        session_token=token,
        expires_s=_expires(parameters["X-Amz-Expires"]),
        carried_payload=parameters.get("X-Amz-Content-Sha256"),
    )


def _authorization_parts(authorization: str) -> dict[str, str]:
    parts: dict[str, str] = {}
    for part in authorization[len(ALGORITHM_V4) :].split(","):
        name, _, value = part.strip().partition("=")
        if name in parts:
            raise errors.AuthorizationHeaderMalformed(f"The authorization header gives {name} twice.")
        parts[name] = value
    for name in ("Credential", "SignedHeaders", "Signature"):
        if not parts.get(name):
            raise errors.AuthorizationHeaderMalformed(
                f"The authorization header has no {name}; it must read {ALGORITHM_V4} "
                "Credential=…, SignedHeaders=…, Signature=…"
            )
    return parts


def _parameters(query: Sequence[tuple[str, str]]) -> dict[str, str]:
    known = [(name, value) for sent, value in query if (name := _LOWERED.get(sent.lower())) is not None]
    parameters = dict(known)
    if len(parameters) != len(known):
        [(twice, _)] = Counter(name for name, _ in known).most_common(1)
        raise errors.AuthorizationQueryParametersError(f"{twice} is given more than once.")
    missing = [name for name in _PARAMETERS if not parameters.get(name)]
    if missing:
        raise errors.AuthorizationQueryParametersError(
            f"Query-string authentication with Signature V4 also needs {', '.join(missing)}."
        )
    return parameters


def _header_moment(headers: Mapping[str, str]) -> tuple[str, float]:
    """Find when a request was signed: x-amz-date, or Date where the client has no other."""
    text = headers.get("x-amz-date") or headers.get("date", "")
    moment_s = clock.moment_of_timestamp(text)
    if moment_s is not None:
        return text, moment_s
    moment_s = None if "x-amz-date" in headers else clock.moment_of_date(text)
    if moment_s is None:
        raise errors.AccessDenied("AWS authentication requires a valid Date or x-amz-date header")
    return clock.timestamp_of(moment_s), moment_s


def _credential(text: str, timestamp: str, fault: type[errors.S3Error]) -> tuple[str, str, str]:
    """Split a Credential into access key, date and region."""
    access_key, *scope = text.rsplit("/", 4)
    if len(scope) != 4 or not access_key or scope[3] != "aws4_request" or len(scope[1]) > _REGION_LIMIT:
        raise fault("The Credential must be <access key>/<yyyymmdd>/<region>/s3/aws4_request.")
    if scope[2] != "s3":
        raise fault("The service in the Credential must be 's3'.")
    if scope[0] != timestamp[:8]:
        raise fault(
            f"The date in the Credential must be the date that the request was signed on, {timestamp[:8]}."
        )
    return access_key, scope[0], scope[1]


def _expires(text: str) -> int:
    expires_s = clock.count_of(text)
    if expires_s is None or not 1 <= expires_s <= MAX_EXPIRES_S:
        raise errors.AuthorizationQueryParametersError(
            f"X-Amz-Expires must be a number of seconds from 1 to {MAX_EXPIRES_S} (a week)."
        )
    return expires_s
