"""Signed upload forms: what a page needs to post a file straight into a bucket.

The page adds what the policy leaves open (a key under the allowed prefix), and the file as its last field.
"""

from dataclasses import dataclass
from datetime import UTC, datetime

from meiku.signing.credentials import Credentials
from meiku.signing.policy import Policy
from meiku.signing.v2 import signature_v2
from meiku.signing.v4 import ALGORITHM_V4, scope_v4, signature_v4, signing_key_v4


@dataclass(frozen=True, slots=True)
class Form:
    """Where a form is posted, and the fields that come before the file."""

    action: str
    fields: dict[str, str]


def post_form_v2(credentials: Credentials, policy: Policy, *, action: str) -> Form:
    """Sign a form the old way: AWSAccessKeyId and signature."""
    policy = _with_token(credentials, policy)
    text = policy.base64()
    fields = {
        **policy.exact_fields(),
        "policy": text,
        "AWSAccessKeyId": credentials.access_key,
        "signature": signature_v2(credentials.secret_key, text),
    }
    return Form(action, fields)


def post_form_v4(
    credentials: Credentials,
    policy: Policy,
    *,
    action: str,
    region: str = "us-east-1",
    now: datetime | None = None,
) -> Form:
    """Sign a form with the conditions that V4 wants in its policy added."""
    timestamp = (now or datetime.now(UTC)).astimezone(UTC).strftime("%Y%m%dT%H%M%SZ")
    date = timestamp[:8]
    policy = (
        _with_token(credentials, policy)
        .eq("x-amz-algorithm", ALGORITHM_V4)
        .eq("x-amz-credential", f"{credentials.access_key}/{scope_v4(date, region)}")
        .eq("x-amz-date", timestamp)
    )
    text = policy.base64()
    signature = signature_v4(signing_key_v4(credentials.secret_key, date, region), text)
    return Form(action, {**policy.exact_fields(), "policy": text, "x-amz-signature": signature})


def _with_token(credentials: Credentials, policy: Policy) -> Policy:
    if credentials.session_token is None:
        return policy
    return policy.eq("x-amz-security-token", credentials.session_token)
