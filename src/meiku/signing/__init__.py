"""Sign upload forms, URLs and requests in your own application server.

Standard library only, and nothing else of meiku: these files may be copied into any project. The server
verifies with the same functions, so what is signed here is what is checked there. Nothing here sends
anything, and nothing here judges a signature.

    credentials = Credentials("AK", "SK")
    policy = Policy(expires_in_s=600).bucket("media").starts_with("key", "photos/")
    form = post_form_v4(credentials, policy, action="https://media.example.com/media")
"""

from meiku.signing.credentials import Credentials
from meiku.signing.form import Form, post_form_v2, post_form_v4
from meiku.signing.policy import Policy
from meiku.signing.url import presign_v2, presign_v4
from meiku.signing.v2 import canonical_resource_v2, signature_v2, string_to_sign_v2
from meiku.signing.v4 import (
    UNSIGNED_PAYLOAD,
    canonical_query_v4,
    canonical_request_v4,
    join_canonical_v4,
    scope_v4,
    signature_v4,
    signing_key_v4,
    string_to_sign_v4,
    uri_encode,
)

__all__ = [
    "UNSIGNED_PAYLOAD",
    "Credentials",
    "Form",
    "Policy",
    "canonical_query_v4",
    "canonical_request_v4",
    "canonical_resource_v2",
    "join_canonical_v4",
    "post_form_v2",
    "post_form_v4",
    "presign_v2",
    "presign_v4",
    "scope_v4",
    "signature_v2",
    "signature_v4",
    "signing_key_v4",
    "string_to_sign_v2",
    "string_to_sign_v4",
    "uri_encode",
]
