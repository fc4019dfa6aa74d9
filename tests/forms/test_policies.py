"""What a policy allows, and what is said when it is not met; seen from the browser's side."""

import base64
import json
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from browser_form import file_part, policy, post, signed_text_v2, signed_v2, signed_v4

ANY_KEY = ["starts-with", "$key", ""]
Outcome = tuple[int, str]
STORED, DENIED = (204, ""), (403, "AccessDenied")


# -- conditions


@pytest.mark.parametrize(
    ("condition", "expected"),
    [
        ({"key": "user/k"}, STORED),
        ({"key": "user/other"}, DENIED),
        ({"KEY": "user/k"}, STORED),
        (["eq", "$key", "user/k"], STORED),
        (["EQ", "$key", "user/k"], STORED),
        (["eq", "$key", "USER/K"], DENIED),
        (["starts-with", "$key", "user/"], STORED),
        (["starts-with", "$key", ""], STORED),
        (["starts-with", "$key", "other/"], DENIED),
    ],
)
@pytest.mark.parametrize("version", [2, 4])
def test_conditions_on_the_key(outcome: Any, condition: Any, expected: Outcome, version: int) -> None:
    """Exact in two notations, and by prefix; names have no case, values do."""
    signed = signed_v2(policy(condition)) if version == 2 else signed_v4(condition)
    assert outcome(signed) == expected


def test_the_key_is_judged_with_its_filename(outcome: Any) -> None:
    """A condition on the key is met, or not, by the key that the object will have."""
    signed = signed_v2(policy(["starts-with", "$key", "user/a"]))
    fields = {"key": "user/${filename}", **signed}
    assert outcome(fields, file_part(filename="a.png")) == STORED
    assert outcome(fields, file_part(filename="b.png")) == DENIED


def test_the_bucket_is_the_one_addressed(outcome: Any, bucket: str) -> None:
    """The bucket's condition is compared with the address, whatever a field of that name says."""
    assert outcome(signed_v2(policy({"bucket": bucket}, ANY_KEY))) == STORED
    assert outcome(signed_v2(policy({"bucket": "other"}, ANY_KEY))) == DENIED
    assert outcome({"bucket": "other", **signed_v2(policy({"bucket": "other"}, ANY_KEY))}) == DENIED
    assert outcome(signed_v2(policy(ANY_KEY))) == STORED


@pytest.mark.parametrize(
    ("size_bytes", "expected"),
    [(2, (400, "EntityTooSmall")), (3, STORED), (5, STORED), (6, (400, "EntityTooLarge"))],
)
def test_the_file_s_size(outcome: Any, size_bytes: int, expected: Outcome) -> None:
    """content-length-range counts the file's bytes, and both ends are inside."""
    signed = signed_v2(policy(ANY_KEY, ["content-length-range", 3, 5]))
    assert outcome(signed, file_part(b"x" * size_bytes)) == expected


@pytest.mark.parametrize(
    ("value", "expected"),
    [("image/png", STORED), ("image/png, image/webp", STORED), ("image/png, text/html", DENIED)],
)
def test_types_are_judged_one_by_one(outcome: Any, value: str, expected: Outcome) -> None:
    """starts-with on Content-Type looks at each element of a list."""
    signed = signed_v2(policy(ANY_KEY, ["starts-with", "$Content-Type", "image/"]))
    assert outcome({"Content-Type": value, **signed}) == expected


def test_a_condition_needs_its_field(outcome: Any) -> None:
    """A field that a condition names and the form does not send fulfils nothing."""
    assert outcome(signed_v2(policy(ANY_KEY, ["starts-with", "$acl", ""]))) == DENIED


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("x-ignore-anything", STORED),
        ("X-Ignore-", STORED),
        ("submit", STORED),
        ("acl", DENIED),
        ("x-amz-meta-a", DENIED),
        ("anything", DENIED),
        ("success_action_status", DENIED),
    ],
)
def test_every_field_is_covered(outcome: Any, name: str, expected: Outcome) -> None:
    """A field before the file is named by a condition, save what signs, x-ignore-* and the page's button."""
    assert outcome({name: "private", **signed_v2(policy(ANY_KEY))}) == expected


def test_fields_behind_the_file_need_no_condition(server: Any, bucket: str) -> None:
    """Coverage is of what comes before the file."""
    fields = {"key": "k", **signed_v2(policy(ANY_KEY))}
    assert post(server.port, bucket, fields, after={"acl": "public-read", "x": "y"}).status == 204


def test_unknown_keys_of_a_policy_are_ignored(outcome: Any) -> None:
    """Version and Statement, which people copy from other policies, mean nothing here."""
    assert outcome(signed_v2(policy(ANY_KEY, Version="2012-10-17", Statement=[]))) == STORED


def test_every_failure_is_named(server: Any, bucket: str) -> None:
    """The refusal lists each condition with its field's value, and each field that none names."""
    document = policy({"key": "other"}, ["eq", "$acl", "private"], ["starts-with", "$bucket", "t"])
    answer = post(server.port, bucket, {"key": "k", "acl": "public-read", "x": "y", **signed_v2(document)})
    message = answer.element("Message")
    for part in ("Invalid according to Policy", '{"key": "other"}', '"$acl"', "Extra input fields: x"):
        assert part in message
    judged = {entry["Field"]: entry for entry in answer.entries("Condition") if "Field" in entry}
    assert (judged["key"]["Value"], judged["key"]["Expected"]) == ("k", "other")
    assert {field: entry["Met"] for field, entry in judged.items()} == {
        "key": "false",
        "acl": "false",
        "bucket": "true",
        "x": "false",
    }


# -- expiry


@pytest.mark.parametrize("form", ["%Y-%m-%dT%H:%M:%SZ", "%Y-%m-%dT%H:%M:%S.000Z"])
@pytest.mark.parametrize(("offset_s", "expected"), [(60, STORED), (-60, DENIED)])
def test_a_policy_expires(outcome: Any, bucket: str, form: str, offset_s: int, expected: Outcome) -> None:
    """The expiration is read with milliseconds and without; a minute too late is too late."""
    expiration = (datetime.now(UTC) + timedelta(seconds=offset_s)).strftime(form)
    document = json.dumps({"expiration": expiration, "conditions": [{"bucket": bucket}, ANY_KEY]})
    assert outcome(signed_v2(document)) == expected


def test_an_expired_policy_says_so(server: Any, bucket: str) -> None:
    """The reason, the expiry and the server's time are in the answer."""
    fields = {"key": "k", **signed_v2(policy(ANY_KEY, expires_in_s=-60))}
    answer = post(server.port, bucket, fields)
    assert answer.element("Message") == "Invalid according to Policy: Policy expired."
    assert answer.element("Expires") < answer.element("ServerTime")


# -- policies that are none


@pytest.mark.parametrize(
    "document",
    [
        "not json",
        "[]",
        "null",
        '"text"',
        "{}",
        '{"conditions": []}',
        '{"expiration": "2099-01-01T00:00:00Z"}',
        '{"expiration": "2099-01-01T00:00:00Z", "conditions": {}}',
        '{"expiration": "tomorrow", "conditions": []}',
        '{"expiration": 4070908800, "conditions": []}',
        '{"expiration": "2099-01-01T00:00:00Z", "conditions": ["key"]}',
        '{"expiration": "2099-01-01T00:00:00Z", "conditions": [["matches", "$key", ".*"]]}',
        '{"expiration": "2099-01-01T00:00:00Z", "conditions": [["eq", "key", "k"]]}',
        '{"expiration": "2099-01-01T00:00:00Z", "conditions": [{"key": 1}]}',
        '{"expiration": "2099-01-01T00:00:00Z", "conditions": [{"key": "k", "acl": "private"}]}',
        '{"expiration": "2099-01-01T00:00:00Z", "conditions": [["content-length-range", 5, 1]]}',
        '{"expiration": "2099-01-01T00:00:00Z", "conditions": [["content-length-range", NaN, 1]]}',
        '{"expiration": "2099-01-01T00:00:00Z", "conditions": [["content-length-range", 0, 1e400]]}',
        '{"expiration": "2099-01-01T00:00:00Z", "conditions": ' + "[" * 9000 + "]" * 9000 + "}",
    ],
)
def test_a_policy_that_is_not_understood_is_refused(outcome: Any, document: str) -> None:
    """What is not JSON, has no expiration or no conditions, or a condition of another kind: 400."""
    signed = signed_v2(document)
    expected = "MaxPostPreDataLengthExceededError" if len(document) > 15_000 else "InvalidPolicyDocument"
    assert outcome(signed) == (400, expected)


@pytest.mark.parametrize("text", ["%%%", "a", "//8="])
def test_a_policy_that_is_not_base64_of_text_is_refused(outcome: Any, text: str) -> None:
    """Signed or not, what cannot be decoded is no policy."""
    assert outcome(signed_text_v2(text)) == (400, "InvalidPolicyDocument")


def test_a_policy_in_the_url_safe_alphabet_is_read(outcome: Any) -> None:
    """The text is signed as it was sent, and decoded from either alphabet, padded or not."""
    document = policy(ANY_KEY, note="??>>~~图")
    text = base64.urlsafe_b64encode(document.encode()).decode().rstrip("=")
    assert "-" in text or "_" in text
    assert outcome(signed_text_v2(text)) == STORED
