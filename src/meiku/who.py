"""Who is calling: from a request, or from a form's own fields, to a caller whose signature holds.

Joins what `auth` reads (without I/O) with the keys that the directory knows. A bad signature never falls back
to anonymous.
"""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from functools import lru_cache

from meiku import errors
from meiku.access.caller import ANONYMOUS, Caller
from meiku.auth import Credential, Payload, SignedRequest, claim_of, form_claim_of, payload_of
from meiku.auth.cause import language_of
from meiku.auth.rules import SignatureRules
from meiku.ops.directory import Directory, Identity
from meiku.wire.request import Request

IDENTITIES_LIMIT = 1024


async def caller_of_request(
    request: Request,
    directory: Directory,
    now_s: float,
    public_hosts: Sequence[str],
    rules: SignatureRules,
    listening: tuple[str, ...] = (),
) -> tuple[Caller, Payload]:
    """Find out who sent a request, and how its body must be checked."""
    claim = claim_of(signed_request(request, listening))
    if claim is None:
        return ANONYMOUS, payload_of(request.headers)
    rules.check_version(claim.version)
    rules.check_lifetime(claim.lifetime_s(now_s))
    identity = await _identity(directory, claim.access_key)
    payload = claim.verify(_credential(identity), now_s=now_s, public_hosts=public_hosts)
    return (_lender(identity) if claim.lends_address_alone else _caller(identity)), payload


async def caller_of_form(
    request: Request, fields: Mapping[str, str], directory: Directory, now_s: float, rules: SignatureRules
) -> Caller:
    """Find out who signed a form's policy; nobody where it has none. A form is proved by its fields alone."""
    if claim_of(signed_request(request)) is not None:
        raise errors.InvalidArgument(
            "Only one authentication mechanism is allowed: a form is signed in its fields.",
            ArgumentName="Authorization",
        )
    claim = form_claim_of(fields)
    if claim is None:
        return ANONYMOUS
    rules.check_version(2 if claim.scope is None else 4)
    identity = await _identity(directory, claim.access_key)
    claim.verify(_credential(identity), now_s, language_of(request.headers.get("accept-language")))
    return _caller(identity)


def signed_request(request: Request, listening: tuple[str, ...] = ()) -> SignedRequest:
    """Show a request as signatures see it."""
    return SignedRequest(
        method=request.method,
        host=request.host,
        raw_path=request.raw_path,
        query=request.query_pairs,
        query_string=request.query_string,
        headers=request.sent_headers,
        bucket=request.bucket if request.host_style else None,
        scheme=request.scheme,
        listening=listening,
    )


async def _identity(directory: Directory, access_key: str) -> Identity:
    identity = await directory.identity(access_key)
    if identity is None:
        raise errors.InvalidAccessKeyId(AWSAccessKeyId=access_key[:128])
    return identity


@lru_cache(IDENTITIES_LIMIT)
def _credential(identity: Identity) -> Credential:
    key = identity.key
    return Credential(
        access_key=key.access_key,
        secret_key=key.secret_key,
        user_id=key.user_id,
        session_token=key.session_token,
        expires_at_s=key.expires_at_s,
        active=key.active,
    )


@lru_cache(IDENTITIES_LIMIT)
def _lender(identity: Identity) -> Caller:
    return replace(_caller(identity), lends_address_alone=True)


@lru_cache(IDENTITIES_LIMIT)
def _caller(identity: Identity) -> Caller:
    if not identity.user.active:
        raise errors.UserSuspended(AWSAccessKeyId=identity.key.access_key)
    return Caller(identity.user.user_id, identity.user.name, identity.key.access_key)
