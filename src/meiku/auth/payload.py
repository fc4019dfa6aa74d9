"""How a body must be checked, as the signed headers say. The body itself is read in `wire`."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from meiku import errors
from meiku.signing import UNSIGNED_PAYLOAD, signature_v4
from meiku.signing.v4 import EMPTY_SHA256

HEADER = "x-amz-content-sha256"
_SIGNED_CHUNKS = "STREAMING-AWS4-HMAC-SHA256-PAYLOAD"
_UNSIGNED_CHUNKS = "STREAMING-UNSIGNED-PAYLOAD-TRAILER"
_HEX = frozenset("0123456789abcdef")


@dataclass(frozen=True, slots=True)
class ChunkSigner:
    """Signs the chunks of one streamed body, each with the signature before it.

    Source: https://docs.aws.amazon.com/AmazonS3/latest/API/sigv4-streaming.html
    """

    signing_key: bytes = field(repr=False)
    timestamp: str
    scope: str
    seed_signature: str

    def chunk(self, previous_signature: str, chunk_sha256_hex: str) -> str:
        """Sign one chunk of the body."""
        return self._sign("PAYLOAD", f"{previous_signature}\n{EMPTY_SHA256}\n{chunk_sha256_hex}")

    def trailer(self, previous_signature: str, trailer_sha256_hex: str) -> str:
        """Sign the trailing headers; the hash is over `name:value` lines, each ended by a line feed."""
        return self._sign("TRAILER", f"{previous_signature}\n{trailer_sha256_hex}")

    def _sign(self, what: str, rest: str) -> str:
        head = f"AWS4-HMAC-SHA256-{what}\n{self.timestamp}\n{self.scope}\n"
        return signature_v4(self.signing_key, head + rest)


@dataclass(frozen=True, slots=True)
class Payload:
    """What the body must be: of this SHA-256 (None: unsigned), and in aws-chunked framing or not."""

    sha256: str | None
    streaming: bool = False
    trailer: bool = False
    chunk_signer: ChunkSigner | None = None
    # The signature fits the query only where '+' in it stands for itself, and so that is what it means.
    literal_plus: bool = False


UNSIGNED = Payload(None)


def payload_of(headers: Mapping[str, str]) -> Payload:
    """Read what an unsigned (or V2-signed) request says of its body; signed chunks have no key here."""
    return declared(headers.get(HEADER), None)


def declared(value: str | None, signer: ChunkSigner | None) -> Payload:
    """Turn the value of x-amz-content-sha256 into what the body must be."""
    if value is None or value == UNSIGNED_PAYLOAD:
        return UNSIGNED
    if value == _UNSIGNED_CHUNKS:
        return Payload(None, streaming=True, trailer=True)
    if value in (_SIGNED_CHUNKS, f"{_SIGNED_CHUNKS}-TRAILER"):
        if signer is None:
            raise errors.InvalidRequest("Signed chunks need a request that is signed with Signature V4.")
        return Payload(None, streaming=True, trailer=value != _SIGNED_CHUNKS, chunk_signer=signer)
    return Payload(_hex(value))


def _hex(value: str) -> str:
    lowered = value.lower()
    if len(lowered) != 64 or not _HEX.issuperset(lowered):
        raise errors.InvalidArgument(
            f"{HEADER} must be {UNSIGNED_PAYLOAD}, {_UNSIGNED_CHUNKS}, {_SIGNED_CHUNKS}, "
            f"{_SIGNED_CHUNKS}-TRAILER or 64 hexadecimal digits.",
            ArgumentName=HEADER,
            ArgumentValue=value,
        )
    return lowered
