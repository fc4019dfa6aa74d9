"""Who sent a request: signatures in four forms, and the policy of an upload form.

Pure functions: no I/O, no clock, no key lookup; all three are passed in. What the caller may do is decided
in `access`, never here.

    claim = claim_of(request)
    credential = await find(claim.access_key)
    payload = claim.verify(credential, now_s=now_s, public_hosts=hosts)
"""

from meiku.auth.claims import Claim, claim_of
from meiku.auth.credential import Credential
from meiku.auth.form_claim import FormClaim, form_claim_of
from meiku.auth.payload import ChunkSigner, Payload, payload_of
from meiku.auth.post_policy import ConditionResult, LengthRange, check_policy, evaluate_policy
from meiku.auth.request import SignedRequest

__all__ = [
    "ChunkSigner",
    "Claim",
    "ConditionResult",
    "Credential",
    "FormClaim",
    "LengthRange",
    "Payload",
    "SignedRequest",
    "check_policy",
    "claim_of",
    "evaluate_policy",
    "form_claim_of",
    "payload_of",
]
