"""The explanations of the command line say what the server would do, and no secret."""

import json
from dataclasses import replace

import pytest

from auth.oracle import ACCESS_KEY, CREDENTIAL, FOUR_WAYS, HOST, NOW, NOW_S, SECRET, Call, sign
from meiku import signing
from meiku.auth.explain import Explanation, compare, explain_policy, explain_url
from meiku.signing import Policy, post_form_v2, post_form_v4, presign_v2, presign_v4

KEYS = signing.Credentials(ACCESS_KEY, SECRET)
URL = f"http://{HOST}/bucket/媒 体.png"
POLICY = Policy(expires_in_s=10**9).bucket("demo").key("a.png").content_length(1, 9)


def explained(way: str, secret: str = SECRET, *, known: bool = True, now_s: float = NOW_S) -> Explanation:
    """Explain a request that botocore signed."""
    request = sign(way, Call(key="媒 体.png"), secret=secret)
    url = f"http://{request.host}{request.raw_path}?{request.query_string}"
    return explain_url("GET", url, request.headers, credential=CREDENTIAL if known else None, now_s=now_s)


@pytest.mark.parametrize("way", FOUR_WAYS)
def test_a_good_signature_is_ok(way: str) -> None:
    """With the key at hand, what the server would accept is ok."""
    explanation = explained(way)
    assert explanation.verdict == "ok"
    assert ("Access key", ACCESS_KEY) in explanation.facts
    assert explanation.string_to_sign
    assert ("V4" in explanation.title or "Version 4" in explanation.title) is way.startswith("v4")


@pytest.mark.parametrize("way", FOUR_WAYS)
def test_without_a_key_it_is_unverified(way: str) -> None:
    """Without the key nothing is judged but the time."""
    assert explained(way, known=False).verdict == "unverified"
    late = explained(way, known=False, now_s=NOW_S + 10_000)
    assert late.verdict == "refused"
    assert late.cause


@pytest.mark.parametrize("way", FOUR_WAYS)
def test_a_wrong_key_is_refused_with_its_cause(way: str) -> None:
    """The cause is the server's own diagnosis, and no secret is told."""
    explanation = explained(way, secret=f"{SECRET}\n")
    assert explanation.verdict == "refused"
    assert "line feed" in str(explanation.cause)
    assert SECRET not in repr(explanation)


@pytest.mark.parametrize("presign", [presign_v2, presign_v4])
def test_our_own_urls_are_ok(presign: object) -> None:
    """What meiku.signing presigns, the server accepts."""
    url = presign(KEYS, "GET", URL, now=NOW)  # type: ignore[operator]
    assert explain_url("GET", url, {}, credential=CREDENTIAL, now_s=NOW_S).verdict == "ok"
    wrong = explain_url("PUT", url, {}, credential=CREDENTIAL, now_s=NOW_S)
    assert "method GET" in str(wrong.cause)


def test_two_mistakes_that_come_together_are_both_named() -> None:
    """A V2 URL to look, tried with PUT and a type that a library added."""
    url = presign_v2(KEYS, "GET", URL, now=NOW)
    headers = {"content-type": "application/octet-stream"}
    wrong = explain_url("PUT", url, headers, credential=CREDENTIAL, now_s=NOW_S, language="en")
    assert "signed the method GET, but sent PUT" in str(wrong.cause)
    assert "«application/octet-stream», but none was signed" in str(wrong.cause)


def test_a_host_style_v2_url_needs_its_bucket() -> None:
    """V2 signs the bucket, which only the caller knows when it stands in the host."""
    url = presign_v2(KEYS, "GET", "http://demo.example.com/k", bucket="demo", now=NOW)
    assert explain_url("GET", url, {}, credential=CREDENTIAL, now_s=NOW_S, bucket="demo").verdict == "ok"


@pytest.mark.parametrize(
    "url", ["http://[/", f"http://{HOST}/b?X-Amz-Algorithm=x", f"http://{HOST}/b?Signature=1"]
)
def test_a_url_that_is_not_understood_is_refused(url: str) -> None:
    """What the server would not read is explained by its error."""
    explanation = explain_url("GET", url, {}, credential=CREDENTIAL, now_s=NOW_S)
    assert explanation.verdict == "refused"
    assert explanation.cause


def test_a_url_without_signature_is_anonymous() -> None:
    """A plain address claims nothing."""
    explanation = explain_url("GET", URL, {}, credential=CREDENTIAL, now_s=NOW_S)
    assert (explanation.verdict, explanation.facts) == ("unverified", ())


def test_unsigned_headers_are_named() -> None:
    """A header that should have been signed is in the cause."""
    url = presign_v4(KEYS, "PUT", URL, now=NOW)
    explanation = explain_url("PUT", url, {"x-amz-acl": "private"}, credential=CREDENTIAL, now_s=NOW_S)
    assert "x-amz-acl" in str(explanation.cause)


@pytest.mark.parametrize("make", [post_form_v2, post_form_v4])
def test_a_signed_form_is_ok(make: object) -> None:
    """A form whose fields fit and whose signature is right is ok."""
    form = make(KEYS, POLICY, action="http://h/")  # type: ignore[operator]
    explanation = explain_policy(
        form.fields["policy"], form.fields, credential=CREDENTIAL, now_s=NOW_S, bucket="demo"
    )
    assert explanation.verdict == "ok"
    assert ("File size", "1 to 9 bytes") in explanation.facts
    other = explain_policy(
        form.fields["policy"],
        form.fields,
        credential=replace(CREDENTIAL, secret_key="another"),
        now_s=NOW_S,
        bucket="demo",
    )
    assert other.verdict == "refused"
    assert "SignatureDoesNotMatch" in str(other.cause)


def test_a_policy_as_json_is_unverified() -> None:
    """A policy that is still to be signed is judged by its conditions only."""
    explanation = explain_policy(POLICY.json(), {"key": "a.png"}, credential=CREDENTIAL, now_s=NOW_S)
    assert explanation.verdict == "unverified"


def test_unmet_conditions_are_told() -> None:
    """Each field that does not fit is told with what it should be."""
    explanation = explain_policy(
        POLICY.base64(), {"key": "b.png", "acl": "private"}, credential=None, now_s=NOW_S, bucket="other"
    )
    assert explanation.verdict == "refused"
    told = dict(explanation.facts)
    assert told["Field key"] == '"b.png"; expected: a.png'
    assert told["Field bucket"] == '"other"; expected: demo'
    assert "Extra input fields: acl" in str(explanation.cause)


@pytest.mark.parametrize("policy", ["", "%", "{", json.dumps({"conditions": []})])
def test_a_policy_that_is_not_understood_is_refused(policy: str) -> None:
    """What the server would not read is explained by its error."""
    explanation = explain_policy(policy, {}, credential=None, now_s=NOW_S)
    assert explanation.verdict == "refused"
    assert "InvalidPolicyDocument" in str(explanation.cause)


def test_an_expired_policy_is_refused() -> None:
    """The time is judged without any key."""
    explanation = explain_policy(POLICY.json(), {}, credential=None, now_s=NOW_S + 10**10)
    assert explanation.verdict == "refused"
    assert "expired" in str(explanation.cause)


def test_compare_tells_the_first_difference() -> None:
    """Two canonical requests can be held against each other."""
    assert compare("GET\n/a", "GET\n/b") == "line 2: client signed «/a», server sees «/b»"
