"""Policies and upload forms: the worked vectors, and the fields a page needs."""

import json
from base64 import b64decode
from datetime import UTC, datetime, timedelta, timezone

import pytest

from meiku.signing import Credentials, Policy, post_form_v2, post_form_v4

CREDENTIALS = Credentials("testak", "testsk")
END = datetime(2030, 1, 1, tzinfo=UTC)
NOW = datetime(2024, 1, 2, 3, 4, 5, tzinfo=UTC)
ACTION = "http://demo.example.com/"


def test_v2_form_equals_the_reference_vector() -> None:
    """The policy text, its base64 and the signature are those that the reference worked out."""
    form = post_form_v2(CREDENTIALS, Policy(expires_at=END).bucket("demo").key("a.png"), action=ACTION)
    assert form.action == ACTION
    assert form.fields == {
        "key": "a.png",
        "policy": "eyJleHBpcmF0aW9uIjoiMjAzMC0wMS0wMVQwMDowMDowMFoiLCJjb25kaXRpb25zIjpbeyJidWNr"
        "ZXQiOiJkZW1vIn0seyJrZXkiOiJhLnBuZyJ9XX0=",
        "AWSAccessKeyId": "testak",
        "signature": "EDKpA1PNaf1yfJKszhxbvpdwTcM=",
    }


def test_v4_form_equals_the_reference_vector() -> None:
    """The three conditions that V4 wants are added, and the signature is the reference's."""
    policy = Policy(expires_at=END).bucket("demo").starts_with("key", "")
    form = post_form_v4(CREDENTIALS, policy, action=ACTION, now=NOW)
    text = (
        '{"expiration":"2030-01-01T00:00:00Z","conditions":[{"bucket":"demo"},["starts-with","$key",""],'
        '{"x-amz-algorithm":"AWS4-HMAC-SHA256"},'
        '{"x-amz-credential":"testak/20240102/us-east-1/s3/aws4_request"},{"x-amz-date":"20240102T030405Z"}]}'
    )
    assert b64decode(form.fields.pop("policy")).decode() == text
    assert form.fields == {
        "x-amz-algorithm": "AWS4-HMAC-SHA256",
        "x-amz-credential": "testak/20240102/us-east-1/s3/aws4_request",
        "x-amz-date": "20240102T030405Z",
        "x-amz-signature": "bdd7163b1758c2258fc94bd0bc1d6b32fe4e5f737965337f4638e4a7f33ff0d0",
    }


@pytest.mark.parametrize("make", [post_form_v2, post_form_v4])
def test_session_token_becomes_condition_and_field(make: object) -> None:
    """A form of temporary credentials carries its token, and the policy names it."""
    credentials = Credentials("AKID", "secret", "token")
    form = make(credentials, Policy().key("k"), action=ACTION)  # type: ignore[operator]
    assert form.fields["x-amz-security-token"] == "token"
    assert {"x-amz-security-token": "token"} in json.loads(b64decode(form.fields["policy"]))["conditions"]


def test_policy_is_immutable() -> None:
    """Every method answers a new policy and leaves the one it was called on as it was."""
    start = Policy(expires_at=END)
    longer = start.eq("acl", "private").content_length(1, 10)
    assert json.loads(start.json())["conditions"] == []
    assert json.loads(longer.json())["conditions"] == [{"acl": "private"}, ["content-length-range", 1, 10]]


def test_expiry_is_written_in_utc() -> None:
    """A moment in any time zone is the same moment in the policy."""
    beijing = timezone(timedelta(hours=8))
    policy = Policy(expires_at=datetime(2030, 1, 1, 8, tzinfo=beijing))
    assert json.loads(policy.json())["expiration"] == "2030-01-01T00:00:00Z"


def test_expiry_without_a_time_zone_is_refused() -> None:
    """A naive moment would be read differently on another machine."""
    with pytest.raises(ValueError, match="time zone"):
        Policy(expires_at=datetime(2030, 1, 1))


def test_expiry_counts_from_now() -> None:
    """`expires_in_s` is counted from the moment the policy is made."""
    expires_at = Policy(expires_in_s=600).expires_at
    assert expires_at is not None
    assert 590 < (expires_at - datetime.now(UTC)).total_seconds() <= 600
