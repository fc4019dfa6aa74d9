"""Who signed a form: both versions, botocore's forms, and what the refusals tell."""

import hmac
from base64 import b64decode, b64encode
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest
from botocore import auth
from botocore.awsrequest import AWSRequest
from botocore.credentials import Credentials

from auth.oracle import ACCESS_KEY, CREDENTIAL, NOW, NOW_S, SECRET
from meiku import errors, signing
from meiku.auth import Credential, FormClaim, check_policy, form_claim_of
from meiku.signing import Policy, post_form_v2, post_form_v4

KEYS = signing.Credentials(ACCESS_KEY, SECRET)
POLICY = Policy(expires_in_s=10**9).bucket("demo").starts_with("key", "").starts_with("x-amz-meta-图", "")
VERSIONS = ("v2", "v4")


def lowered(fields: dict[str, str]) -> dict[str, str]:
    """Show form fields as the server reads them."""
    return {name.lower(): value for name, value in fields.items()}


def form(version: str, keys: signing.Credentials = KEYS) -> dict[str, str]:
    """Sign POLICY in one of the two versions."""
    if version == "v2":
        return lowered(post_form_v2(keys, POLICY, action="http://h/").fields)
    return lowered(post_form_v4(keys, POLICY, action="http://h/", now=NOW).fields)


def claim_of_form(fields: dict[str, str]) -> FormClaim:
    """Read the claim that must be there."""
    claim = form_claim_of(fields)
    assert claim is not None
    return claim


def refusal(fields: dict[str, str], credential: Credential = CREDENTIAL) -> dict[str, str]:
    """Verify what must be refused, and answer what the refusal tells."""
    with pytest.raises(errors.SignatureDoesNotMatch) as caught:
        claim_of_form(fields).verify(credential, NOW_S)
    return {name: str(value) for name, value in caught.value.detail.items()}


def signature_field(version: str) -> str:
    """Name the field that holds the signature."""
    return "signature" if version == "v2" else "x-amz-signature"


@pytest.mark.parametrize("token", [None, "to/k+en"])
@pytest.mark.parametrize("version", VERSIONS)
def test_our_own_forms_are_accepted(version: str, token: str | None) -> None:
    """What meiku.signing makes, signature and policy, is accepted here."""
    fields = form(version, replace(KEYS, session_token=token))
    credential = replace(CREDENTIAL, session_token=token)
    claim_of_form(fields).verify(credential, NOW_S)
    check_policy({**fields, "key": "a", "x-amz-meta-图": "x"}, bucket="demo", now_s=NOW_S)


@pytest.mark.parametrize("token", [None, "to/k+en"])
@pytest.mark.parametrize("version", VERSIONS)
def test_botocores_forms_are_accepted(version: str, token: str | None) -> None:
    """What botocore's generate_presigned_post makes is accepted here."""
    keys = Credentials(ACCESS_KEY, SECRET, token)
    signer: Any = (
        auth.HmacV1PostAuth(keys) if version == "v2" else auth.S3SigV4PostAuth(keys, "s3", "cn-north-1")
    )
    request = AWSRequest(method="POST", url="http://h/demo")
    request.context["s3-presign-post-fields"] = {"key": "媒/${filename}", "acl": "private"}
    conditions: list[Any] = [{"bucket": "demo"}, ["starts-with", "$key", "媒/"], {"acl": "private"}]
    request.context["s3-presign-post-policy"] = {
        "expiration": "2030-01-01T00:00:00Z",
        "conditions": conditions,
    }
    signer.add_auth(request)
    fields = lowered(request.context["s3-presign-post-fields"])
    credential = replace(CREDENTIAL, session_token=token)
    claim_of_form(fields).verify(credential, NOW_S)
    assert check_policy({**fields, "key": "媒/a"}, bucket="demo", now_s=NOW_S) is None


def test_reference_vectors_are_accepted() -> None:
    """The worked V2 form of the reference verifies, with the line feed that the seed's page leaves on."""
    policy = (
        "eyJleHBpcmF0aW9uIjoiMjAzMC0wMS0wMVQwMDowMDowMFoiLCJjb25kaXRpb25zIjpbeyJidWNrZXQiOiJkZW1vIn0seyJrZXki"
        "OiJhLnBuZyJ9XX0="
    )
    fields = {"policy": policy, "awsaccesskeyid": "testak", "signature": "EDKpA1PNaf1yfJKszhxbvpdwTcM=\n"}
    claim_of_form(fields).verify(Credential("testak", "testsk", "u"), NOW_S)
    assert check_policy({**fields, "key": "a.png"}, bucket="demo", now_s=NOW_S) is None


def test_a_form_without_policy_and_proof_is_anonymous() -> None:
    """Empty fields are as good as none: the seed's form leaves them in."""
    assert form_claim_of({"key": "a"}) is None
    assert form_claim_of({"key": "a", "policy": "", "awsaccesskeyid": " ", "signature": ""}) is None


@pytest.mark.parametrize("missing", ["policy", "AWSAccessKeyId", "signature"])
def test_an_incomplete_v2_form_is_refused_by_name(missing: str) -> None:
    """Policy, key and signature go together."""
    fields = form("v2")
    del fields[missing.lower()]
    with pytest.raises(errors.InvalidArgument, match=f"it has no {missing}"):
        form_claim_of(fields)


@pytest.mark.parametrize(
    "missing", ["policy", "x-amz-algorithm", "x-amz-credential", "x-amz-date", "x-amz-signature"]
)
def test_an_incomplete_v4_form_is_refused_by_name(missing: str) -> None:
    """V4's four fields and the policy go together."""
    fields = form("v4")
    fields[missing] = ""
    with pytest.raises(errors.InvalidArgument, match=f"it has no {missing}"):
        form_claim_of(fields)


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("x-amz-algorithm", "AWS4-HMAC-SHA1"),
        ("x-amz-date", "2024-01-02"),
        ("x-amz-date", "20240103T030405Z"),
        ("x-amz-credential", "x"),
        ("x-amz-credential", f"{ACCESS_KEY}/20240102/us-east-1/ec2/aws4_request"),
    ],
)
def test_a_malformed_v4_field_is_refused_by_name(name: str, value: str) -> None:
    """A field that V4 cannot work with is InvalidArgument."""
    with pytest.raises(errors.InvalidArgument) as caught:
        form_claim_of({**form("v4"), name: value})
    assert caught.value.detail["ArgumentName"] in (name, "x-amz-credential")


def test_a_form_signed_twice_is_refused() -> None:
    """Both versions at once leave open which counts."""
    with pytest.raises(errors.InvalidArgument, match="two versions"):
        form_claim_of(form("v2") | form("v4"))


@pytest.mark.parametrize("version", VERSIONS)
def test_another_policy_is_refused(version: str) -> None:
    """The signature is good for one policy text."""
    other = Policy().base64()
    told = refusal({**form(version), "policy": other})
    assert told["StringToSign"] == other
    assert told["AWSAccessKeyId"] == ACCESS_KEY


@pytest.mark.parametrize("version", VERSIONS)
def test_a_policy_in_lines_is_accepted(version: str) -> None:
    """An encoder that breaks lines after signing, or before, does no harm."""
    fields = form(version)
    text = fields["policy"]
    claim_of_form({**fields, "policy": f"{text[:20]}\r\n{text[20:]}\n"}).verify(CREDENTIAL, NOW_S)


@pytest.mark.parametrize("version", VERSIONS)
def test_inactive_keys_and_foreign_tokens_are_refused(version: str) -> None:
    """A form's key is held to the same rules as any other."""
    with pytest.raises(errors.InvalidAccessKeyId):
        claim_of_form(form(version)).verify(replace(CREDENTIAL, active=False), NOW_S)
    with pytest.raises(errors.InvalidToken):
        claim_of_form(form(version)).verify(replace(CREDENTIAL, session_token="t"), NOW_S)
    session = replace(CREDENTIAL, session_token="t", expires_at_s=int(NOW_S))
    with pytest.raises(errors.AccessDenied, match="expired"):
        claim_of_form(form(version, replace(KEYS, session_token="t"))).verify(session, NOW_S)


def _v2(text: str, algorithm: str = "sha1") -> bytes:
    return hmac.digest(SECRET.encode(), text.encode(), algorithm)


V2_MISTAKES: dict[str, tuple[Callable[[str], str], str]] = {
    "signed the JSON": (lambda p: b64encode(_v2(POLICY.json())).decode(), "signed the policy's JSON"),
    "signed a line feed": (lambda p: b64encode(_v2(f"{p}\n")).decode(), "line feed at its end"),
    "encoded twice": (lambda p: b64encode(_v2(b64encode(p.encode()).decode())).decode(), "base64 twice"),
    "hex": (lambda p: _v2(p).hex(), "in hex"),
    "base64 of hex": (lambda p: b64encode(_v2(p).hex().encode()).decode(), "base64 of the hex"),
    "sha256": (lambda p: b64encode(_v2(p, "sha256")).decode(), "HMAC-SHA256"),
}


@pytest.mark.parametrize("name", V2_MISTAKES)
def test_a_v2_mistake_is_named(name: str) -> None:
    """The usual mistakes of hand-written signers are recognised."""
    mistake, words = V2_MISTAKES[name]
    fields = form("v2")
    told = refusal({**fields, "signature": mistake(fields["policy"])})
    assert words in told["LikelyCause"]
    assert SECRET not in str(told)


def _v4_key() -> bytes:
    return signing.signing_key_v4(SECRET, "20240102", "us-east-1")


V4_MISTAKES: dict[str, tuple[Callable[[str], str], str]] = {
    "signed the JSON": (
        lambda p: signing.signature_v4(_v4_key(), b64decode(p).decode()),
        "the policy's JSON",
    ),
    "upper case": (lambda p: signing.signature_v4(_v4_key(), p).upper(), "upper case"),
    "base64": (lambda p: b64encode(hmac.digest(_v4_key(), p.encode(), "sha256")).decode(), "in base64"),
    "key not derived": (lambda p: _v2(p, "sha256").hex(), "secret key itself"),
    "signed as v2": (lambda p: signing.signature_v2(SECRET, p), "as V2 does"),
}


@pytest.mark.parametrize("name", V4_MISTAKES)
def test_a_v4_mistake_is_named(name: str) -> None:
    """The usual mistakes of hand-written signers are recognised."""
    mistake, words = V4_MISTAKES[name]
    fields = form("v4")
    told = refusal({**fields, "x-amz-signature": mistake(fields["policy"])})
    assert words in told["LikelyCause"]
    assert SECRET not in str(told)


@pytest.mark.parametrize("version", VERSIONS)
def test_a_wrong_secret_is_suspected_last(version: str) -> None:
    """Where no mistake explains it, the key pair does not belong together."""
    told = refusal({**form(version), signature_field(version): "é" * 10})
    assert "secret key is probably not the one that belongs to" in told["LikelyCause"]
    changed = refusal(form(version, replace(KEYS, secret_key=f"{SECRET}\n")))
    assert "line feed" in changed["LikelyCause"]
