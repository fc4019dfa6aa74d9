"""A key pair as the server knows it, and whether it may be used now. Signatures are judged elsewhere."""

import hmac
from dataclasses import dataclass, field
from functools import lru_cache

from meiku import errors
from meiku.signing import signing_key_v4


@dataclass(frozen=True, slots=True)
class Credential:
    """A key pair, whose it is, and for temporary ones the session token and the expiry."""

    access_key: str
    secret_key: str = field(repr=False)
    user_id: str
    session_token: str | None = field(default=None, repr=False)
    expires_at_s: int | None = None
    active: bool = True


_REGION_LIMIT = 64  # what is remembered must not be as long as a client likes
_remembered_key = lru_cache(1024)(signing_key_v4)


def signing_key_of(credential: Credential, date: str, region: str) -> bytes:
    """Derive a credential's key for a day and a region, once; not for secrets that are only tried."""
    derive = _remembered_key if len(region) <= _REGION_LIMIT else signing_key_v4
    return derive(credential.secret_key, date, region)


def same_text(left: str, right: str) -> bool:
    """Compare two texts in a time that does not tell where they differ."""
    return hmac.compare_digest(left.encode("utf-8", "surrogatepass"), right.encode("utf-8", "surrogatepass"))


def admit(credential: Credential, session_token: str | None, now_s: float) -> None:
    """Refuse a key that is inactive, came with another session's token, or has expired."""
    if not credential.active:
        raise errors.InvalidAccessKeyId(
            "The access key ID that you provided is inactive.", AWSAccessKeyId=credential.access_key
        )
    if credential.session_token is None and session_token is None:
        return
    if not same_text(credential.session_token or "", session_token or ""):
        raise errors.InvalidToken(_token_fault(credential, session_token))
    if credential.expires_at_s is not None and credential.expires_at_s <= now_s:
        # The product answers AccessDenied here, where AWS says ExpiredToken.
        raise errors.AccessDenied("The temporary credentials have expired; ask for new ones.")


def _token_fault(credential: Credential, session_token: str | None) -> str:
    if session_token is None:
        return "This access key is temporary: the request must carry its session token too."
    if credential.session_token is None:
        return "The request carries a session token, but this access key is not a temporary one."
    return "The session token does not belong to this access key."
