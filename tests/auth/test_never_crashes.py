"""Whatever arrives, the answer is a verdict or one of S3's errors."""

import json
from base64 import b64encode
from typing import Any
from urllib.parse import urlencode

from hypothesis import given, settings
from hypothesis import strategies as st

from auth.oracle import ACCESS_KEY, CREDENTIAL, HOST, NOW_S, seen
from fuzzing import often
from meiku import errors
from meiku.auth import check_policy, claim_of, form_claim_of, payload_of
from meiku.auth.explain import explain_policy, explain_url

SCOPE = f"{ACCESS_KEY}/20240102/r/s3/aws4_request"
TEXTS = st.one_of(
    st.text(max_size=40),
    st.sampled_from(
        ["", "0", "1704164700", "9" * 400, "20240102T030405Z", "20249999T999999Z", SCOPE, "AWS4-HMAC-SHA256"]
    ),
    st.sampled_from(
        ["host", "host;x-amz-date;;", "UNSIGNED-PAYLOAD", "Tue, 02 Jan 2024 03:04:05 GMT", "a" * 64]
    ),
    st.sampled_from(["Tue, 32 Jan 2024 99:04:05 +9999", "Fri, 31 Dec 9999 23:59:59 -2359", "1 Jan 1 0:0 +1"]),
)
AUTHORIZATIONS = st.one_of(
    TEXTS,
    st.builds("AWS {}:{}".format, st.sampled_from([ACCESS_KEY, ""]), TEXTS),
    st.builds(
        "AWS4-HMAC-SHA256 Credential={}, SignedHeaders={}, Signature={}".format,
        st.one_of(st.just(SCOPE), TEXTS),
        TEXTS,
        TEXTS,
    ),
)
HEADERS = st.fixed_dictionaries(
    {},
    optional={
        "authorization": AUTHORIZATIONS,
        "date": TEXTS,
        "x-amz-date": TEXTS,
        "x-amz-content-sha256": TEXTS,
        "x-amz-security-token": TEXTS,
        "content-type": TEXTS,
        "x-forwarded-host": TEXTS,
        "x-amz-meta-a": TEXTS,
    },
)
NAMES = st.one_of(
    st.text(max_size=10),
    st.sampled_from(["AWSAccessKeyId", "Signature", "Expires", "acl", "append", "position", "x-amz-process"]),
    st.sampled_from(["X-Amz-Algorithm", "X-Amz-Credential", "X-Amz-Date", "X-Amz-Expires"]),
    st.sampled_from(["X-Amz-SignedHeaders", "X-Amz-Signature", "x-amz-security-token"]),
)
QUERIES = st.lists(st.tuples(NAMES, TEXTS), max_size=9)
PATHS = st.one_of(st.text("/%ab+é媒. 29", max_size=20), st.text(max_size=20)).map(lambda text: f"/{text}")
FIELDS = st.dictionaries(
    st.sampled_from(
        [
            "policy",
            "awsaccesskeyid",
            "signature",
            "x-amz-algorithm",
            "x-amz-credential",
            "x-amz-date",
            "x-amz-signature",
            "key",
        ]
    ),
    TEXTS,
)
JSON = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats()
    | TEXTS
    | st.sampled_from(["eq", "$key", "\ud800"]),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=12,
)


def judge(method: str, path: str, query: list[tuple[str, str]], headers: dict[str, str]) -> None:
    """Take a request through claim and verdict, as the pipeline does."""
    request = seen(method, f"http://{HOST}/", headers)
    request = type(request)(
        method, HOST, path, tuple(query), urlencode(query), {**headers, "host": HOST}, None, "http"
    )
    try:
        claim = claim_of(request)
        if claim is None:
            payload_of(headers)
        else:
            claim.verify(CREDENTIAL, now_s=NOW_S, public_hosts=("a", ""))
    except errors.S3Error as error:
        str(error.detail).encode()


@settings(max_examples=often(300), deadline=None)
@given(st.text(max_size=8), PATHS, QUERIES, HEADERS)
def test_any_request_gets_a_verdict(
    method: str, path: str, query: list[tuple[str, str]], headers: dict[str, str]
) -> None:
    """No header, query or path raises anything but an S3Error, and its details can be encoded."""
    judge(method, path, query, headers)


@settings(max_examples=often(200), deadline=None)
@given(PATHS, TEXTS, TEXTS, QUERIES)
def test_any_almost_right_url_gets_a_verdict(
    path: str, signed: str, signature: str, query: list[tuple[str, str]]
) -> None:
    """A URL that is right but for a few parts is taken through the whole diagnosis."""
    proof = [
        ("X-Amz-Algorithm", "AWS4-HMAC-SHA256"),
        ("X-Amz-Credential", SCOPE),
        ("X-Amz-Date", "20240102T030405Z"),
        ("X-Amz-Expires", "300"),
        ("X-Amz-SignedHeaders", f"host;content-type;{signed}"),
        ("X-Amz-Signature", f"0{signature}"),
    ]
    rest = [pair for pair in query if pair[0].lower() not in {name.lower() for name, _ in proof}]
    judge("GET", path, [*rest, *proof], {})
    v2 = [("AWSAccessKeyId", ACCESS_KEY), ("Expires", "1804164700"), ("Signature", f"0{signature}")]
    judge("GET", path, [*rest, *v2], {"content-type": signed})


@settings(max_examples=often(200), deadline=None)
@given(FIELDS)
def test_any_form_gets_a_verdict(fields: dict[str, str]) -> None:
    """No form field raises anything but an S3Error."""
    try:
        claim = form_claim_of(fields)
        if claim is not None:
            claim.verify(CREDENTIAL, NOW_S)
        check_policy(fields, bucket="demo", now_s=NOW_S)
    except errors.S3Error as error:
        str(error.detail).encode()


@settings(max_examples=often(300), deadline=None)
@given(JSON, st.one_of(st.just("2030-01-01T00:00:00Z"), JSON))
def test_any_policy_gets_a_verdict(conditions: Any, expiration: Any) -> None:
    """No policy document raises anything but an S3Error, and its refusal can be encoded."""
    text = json.dumps({"expiration": expiration, "conditions": [conditions]})
    fields = {"key": "a", "policy": b64encode(text.encode()).decode()}
    try:
        check_policy(fields, bucket="demo", now_s=NOW_S)
    except errors.S3Error as error:
        f"{error.message}{error.detail}".encode()


@settings(max_examples=often(200), deadline=None)
@given(TEXTS, st.text(max_size=60), st.text(max_size=60))
def test_any_text_is_explained(method: str, url: str, policy: str) -> None:
    """The command line's explanations do not raise at all."""
    assert explain_url(method, f"http://h/{url}", {}, credential=CREDENTIAL, now_s=NOW_S).title
    assert explain_url(method, url, {}, credential=CREDENTIAL, now_s=NOW_S).title
    assert explain_policy(policy, {"key": url}, credential=CREDENTIAL, now_s=NOW_S).title
