"""Explain a URL or a form policy to a person: what it says, whether it would be accepted, and if not, why.

Pure functions for the command line. They judge with the same code as the server, and nothing that they
answer holds a secret key.
"""

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Literal
from urllib.parse import parse_qsl, urlsplit

from meiku import errors
from meiku.auth import clock, post_policy
from meiku.auth.cause import Language
from meiku.auth.claims import claim_of
from meiku.auth.credential import Credential
from meiku.auth.diagnose import compare
from meiku.auth.form_claim import FormClaim, form_claim_of
from meiku.auth.request import SignedRequest
from meiku.auth.sigv2 import ClaimV2
from meiku.auth.sigv4 import ClaimV4

__all__ = ["Explanation", "compare", "explain_policy", "explain_url"]

Verdict = Literal["ok", "refused", "unverified"]
Facts = tuple[tuple[str, str], ...]


@dataclass(frozen=True, slots=True)
class Explanation:
    """What there is to say; `unverified` means that nothing speaks against it, but no key was at hand."""

    title: str
    verdict: Verdict
    facts: Facts
    canonical_request: str | None = None
    string_to_sign: str | None = None
    cause: str | None = None


def explain_url(
    method: str,
    url: str,
    headers: Mapping[str, str],
    *,
    credential: Credential | None,
    now_s: float,
    bucket: str | None = None,
    language: Language | None = None,
) -> Explanation:
    """Explain a presigned URL, or a signed request; name the `bucket` where it stands in the host."""
    try:
        claim = claim_of(replace(_request(method, url, headers, bucket), reads=language))
    except errors.S3Error as error:
        return Explanation("A request that is not understood", "refused", (), cause=_cause(error))
    if isinstance(claim, ClaimV4):
        canonical, string_to_sign = _texts_v4(claim)
        facts, title = tuple(_facts_v4(claim)), "Signature Version 4"
    elif isinstance(claim, ClaimV2):
        canonical, string_to_sign = None, claim.reading().text()
        facts, title = tuple(_facts_v2(claim)), "Signature Version 2"
    else:
        return Explanation("An anonymous request", "unverified", (), cause="It carries no signature.")
    title = f"{title}, {'presigned URL' if claim.presigned else 'Authorization header'}"
    verdict, cause = _judge_request(claim, credential, now_s)
    return Explanation(title, verdict, facts, canonical, string_to_sign, cause)


def explain_policy(
    policy: str,
    fields: Mapping[str, str],
    *,
    credential: Credential | None,
    now_s: float,
    bucket: str | None = None,
    language: Language | None = None,
) -> Explanation:
    """Explain a form policy, given as base64 or as JSON, against the fields that would come with it.

    Where the policy is JSON, its signature is not judged. Where no field is given, no condition is. The
    x-amz-* fields that the policy fixes are taken as given: nobody types those.
    """
    is_json = policy.lstrip().startswith("{")
    sent = {name.lower(): value for name, value in fields.items()}
    if not is_json:
        sent["policy"] = policy
    try:
        text = policy if is_json else post_policy.decode_policy(policy)
        document = post_policy.read_policy(text)
    except errors.S3Error as error:
        return Explanation("A policy that is not understood", "refused", (), cause=_cause(error))
    assumed = _assumed(document, sent) if fields else {}
    sent |= assumed
    results = post_policy.evaluate_policy(document, sent, bucket=bucket) if fields else []
    facts = tuple(_facts_of_policy(document, results, assumed, now_s))
    signed = None if is_json else sent
    verdict, cause = _judge_form(document, results, signed, credential, now_s, language)
    return Explanation("Form policy", verdict, facts, None, None if is_json else policy, cause)


def _request(method: str, url: str, headers: Mapping[str, str], bucket: str | None) -> SignedRequest:
    try:
        parts = urlsplit(url)
    except ValueError:
        raise errors.InvalidURI(URI=url) from None
    lowered = {name.lower(): value for name, value in headers.items()}
    host = lowered.get("host", parts.netloc.rpartition("@")[2].lower())
    return SignedRequest(
        method=method.upper(),
        host=host,
        raw_path=parts.path or "/",
        query=tuple(parse_qsl(parts.query, keep_blank_values=True)),
        query_string=parts.query,
        headers=lowered,
        bucket=bucket,
        scheme=parts.scheme,
    )


def _judge_request(
    claim: ClaimV4 | ClaimV2, credential: Credential | None, now_s: float
) -> tuple[Verdict, str | None]:
    try:
        if credential is None:
            claim.check_time(now_s)
            return "unverified", None
        claim.verify(credential, now_s=now_s, public_hosts=())
    except errors.S3Error as error:
        return "refused", _cause(error)
    return "ok", None


def _judge_form(
    document: post_policy.PolicyDocument,
    results: list[post_policy.ConditionResult],
    signed: Mapping[str, str] | None,
    credential: Credential | None,
    now_s: float,
    language: Language | None,
) -> tuple[Verdict, str | None]:
    try:
        post_policy.check_expiry(document, now_s)
        claim = form_claim_of(signed) if signed and _is_signed(signed) else None
        if claim is not None and credential is not None:
            claim.verify(credential, now_s, language)
    except errors.S3Error as error:
        return "refused", _cause(error)
    unmet = [result for result in results if not result.met]
    missing = [result for result in unmet if _is_missing(result)]
    told = [*post_policy.failures([result for result in unmet if not _is_missing(result)])]
    if missing:
        told.append(f"Not given, and the form needs it: {', '.join(result.field for result in missing)}")
    if unmet:
        return ("unverified" if len(missing) == len(unmet) else "refused"), "; ".join(told)
    return ("ok" if isinstance(claim, FormClaim) and credential is not None else "unverified"), None


def _is_missing(result: post_policy.ConditionResult) -> bool:
    """Tell a field that was not given to us from one that the policy refuses."""
    return result.value is None and bool(result.condition)


def _assumed(document: post_policy.PolicyDocument, sent: Mapping[str, str]) -> dict[str, str]:
    """Take the x-amz-* fields that a policy fixes as given, where they are not."""
    return {
        condition.field: condition.operand
        for condition in document.conditions
        if condition.kind == "eq" and condition.field.startswith("x-amz-") and condition.field not in sent
    }


def _is_signed(fields: Mapping[str, str]) -> bool:
    return any(name in fields for name in ("signature", "x-amz-signature"))


def _texts_v4(claim: ClaimV4) -> tuple[str | None, str | None]:
    try:
        return claim.texts()
    except errors.S3Error:
        return None, None  # what is missing, the verdict says


def _facts_v4(claim: ClaimV4) -> Iterator[tuple[str, str]]:
    yield "Access key", claim.access_key
    yield "Region", claim.region
    yield "Method", claim.request.method
    yield "Host", claim.request.host
    yield "Path", claim.request.raw_path
    yield "Signed at", clock.written(claim.signed_at_s)
    if claim.expires_s is not None:
        yield "Expires at", clock.written(claim.signed_at_s + claim.expires_s)
    yield "Signed headers", ", ".join(claim.signed_headers)


def _facts_v2(claim: ClaimV2) -> Iterator[tuple[str, str]]:
    yield "Access key", claim.access_key
    yield "Method", claim.request.method
    yield "Resource", claim.reading().resource
    if claim.signed_at_s is not None:
        yield "Signed at", clock.written(claim.signed_at_s)
    if claim.expires_at_s is not None:
        yield "Expires at", clock.written(claim.expires_at_s)


def _facts_of_policy(
    document: post_policy.PolicyDocument,
    results: list[post_policy.ConditionResult],
    assumed: Mapping[str, str],
    now_s: float,
) -> Iterator[tuple[str, str]]:
    left_s = int(document.expires_at_s - now_s)
    state = f"in {left_s:,} s" if left_s > 0 else "over"
    yield "Expires at", f"{clock.written(document.expires_at_s)} ({state})"
    if document.length_range is not None:
        sizes = document.length_range
        yield "File size", f"{sizes.minimum_bytes:,} to {sizes.maximum_bytes:,} bytes"
    for condition in document.conditions:
        yield "Condition", condition.source
    if assumed:
        yield "Taken as given", ", ".join(assumed)
    for result in results:
        if not result.met:
            value = "not given" if result.value is None else json.dumps(result.value, ensure_ascii=False)
            yield f"Field {result.field}", f"{value}; expected: {result.expected}"


def _cause(error: errors.S3Error) -> str:
    """Say why in as much detail as there is."""
    likely, difference = error.detail.get("LikelyCause"), error.detail.get("FirstDifference")
    told = [f"{error.code}: {error.message}", *(str(part) for part in (likely, difference) if part)]
    unsigned = error.detail.get("HeadersNotSigned")
    return "\n".join(told if unsigned is None else [*told, f"Not signed: {unsigned}"])
