"""Who signed a form: either version, any region, temporary keys, and everything that is no signature."""

import base64
import hmac
import json
import sqlite3
from typing import Any

import pytest

from browser_form import SECRET_KEY, Key, policy, post, signed_v2, signed_v4

ANY_KEY = ["starts-with", "$key", ""]
STORED, DENIED = (204, ""), (403, "AccessDenied")


@pytest.mark.parametrize("version", [2, 4])
def test_a_wrong_signature_is_refused(outcome: Any, version: int) -> None:
    """Another secret, or a policy changed after it was signed: 403, and never anonymous."""
    key = Key(secret_key="another")
    signed = signed_v2(policy(ANY_KEY), key) if version == 2 else signed_v4(ANY_KEY, key=key)
    assert outcome(signed) == (403, "SignatureDoesNotMatch")
    right = signed_v2(policy(ANY_KEY)) if version == 2 else signed_v4(ANY_KEY)
    changed = {**right, "policy": signed_v2(policy(ANY_KEY, ANY_KEY))["policy"]}
    assert outcome(changed) == (403, "SignatureDoesNotMatch")


@pytest.mark.parametrize("version", [2, 4])
def test_an_unknown_key_is_refused(outcome: Any, version: int) -> None:
    """A key that nobody has: 403 InvalidAccessKeyId."""
    key = Key("NOSUCHKEY", "x")
    signed = signed_v2(policy(ANY_KEY), key) if version == 2 else signed_v4(ANY_KEY, key=key)
    assert outcome(signed) == (403, "InvalidAccessKeyId")


@pytest.mark.parametrize("region", ["us-east-1", "cn-north-1", "ap-east-1", "default", "Asia/无"])
def test_any_region_is_accepted(outcome: Any, region: str) -> None:
    """The service has no region of its own: what the client signed with is good, if it is a name."""
    expected = (400, "InvalidArgument") if "/" in region else STORED
    assert outcome(signed_v4(ANY_KEY, region=region)) == expected


@pytest.mark.parametrize(
    ("version", "missing"),
    [
        (2, "policy"),
        (2, "AWSAccessKeyId"),
        (2, "signature"),
        (4, "policy"),
        (4, "x-amz-credential"),
        (4, "x-amz-algorithm"),
        (4, "x-amz-date"),
        (4, "x-amz-signature"),
    ],
)
def test_a_form_that_is_half_signed_is_refused(server: Any, bucket: str, version: int, missing: str) -> None:
    """Where some of a signature's fields are given, the answer names the one that is not: 400."""
    signed = signed_v2(policy(ANY_KEY)) if version == 2 else signed_v4(ANY_KEY)
    del signed[missing]
    answer = post(server.port, bucket, {"key": "k", **signed})
    assert (answer.status, answer.code, answer.element("ArgumentName")) == (400, "InvalidArgument", missing)


@pytest.mark.parametrize("missing", ["x-amz-algorithm", "x-amz-credential", "x-amz-date"])
def test_version_4_wants_its_fields_in_the_policy(server: Any, bucket: str, missing: str) -> None:
    """The three fields of Version 4 are fields like any other: conditions must name them."""
    signed = signed_v4(ANY_KEY)
    document = json.loads(base64.b64decode(signed["policy"]))
    kept = [condition for condition in document["conditions"] if missing not in condition]
    again = signed_v2(json.dumps({**document, "conditions": kept}))
    fields = {name: signed[name] for name in ("x-amz-algorithm", "x-amz-credential", "x-amz-date")}
    resigned = {**fields, "policy": again["policy"], "x-amz-signature": signature_of(again["policy"], fields)}
    answer = post(server.port, bucket, {"key": "k", **resigned})
    assert (answer.code, missing in answer.element("Message")) == ("AccessDenied", True)


def signature_of(text: str, fields: dict[str, str]) -> str:
    """Sign a policy field in the scope that the fields name."""
    key = b"AWS4" + SECRET_KEY.encode()
    for step in fields["x-amz-credential"].split("/")[1:]:
        key = hmac.digest(key, step.encode(), "sha256")
    return hmac.digest(key, text.encode(), "sha256").hex()


# -- temporary keys


def test_a_temporary_key_signs_with_its_token(outcome: Any, temporary_key: Key) -> None:
    """The token is a field, named by a condition; without it, or with another, the form is refused."""
    assert outcome(signed_v4(ANY_KEY, key=temporary_key)) == STORED
    without = Key(temporary_key.access_key, temporary_key.secret_key)
    assert outcome(signed_v4(ANY_KEY, key=without)) == (403, "InvalidToken")
    other = Key(temporary_key.access_key, temporary_key.secret_key, "another")
    assert outcome(signed_v4(ANY_KEY, key=other)) == (403, "InvalidToken")
    assert outcome(signed_v4(ANY_KEY, key=Key(token="made-up"))) == (403, "InvalidToken")


def test_a_temporary_key_ends(server: Any, outcome: Any, temporary_key: Key) -> None:
    """A form of a key whose time is over is AccessDenied, as the product says."""
    with sqlite3.connect(server.data / "meta.sqlite3", timeout=30) as database:
        database.execute("UPDATE keys SET expires_at_s = 1 WHERE access_key = ?", (temporary_key.access_key,))
    database.close()
    assert outcome(signed_v4(ANY_KEY, key=temporary_key)) == DENIED
