"""A form's policy: what it allows, what it refuses, and that all failures are told at once."""

import json
from base64 import b64encode, urlsafe_b64encode
from typing import Any

import pytest

from meiku import errors
from meiku.auth import LengthRange, check_policy, evaluate_policy
from meiku.auth.post_policy import read_policy

NOW_S = 1_704_164_645.0
END = "2030-01-01T00:00:00Z"
KEY: list[Any] = ["starts-with", "$key", "photos/"]
BUCKET = {"bucket": "demo"}


def field(conditions: list[Any], expiration: object = END, **more: object) -> str:
    """Write the form field `policy`."""
    document = {"expiration": expiration, "conditions": conditions, **more}
    return b64encode(json.dumps(document).encode()).decode()


def check(conditions: list[Any], *, bucket: str = "demo", **fields: str) -> LengthRange | None:
    """Judge a form that has a fitting key unless it names another."""
    sent = {"key": "photos/a.png", "policy": field([KEY, BUCKET, *conditions])}
    named = {name.replace("_", "-"): value for name, value in fields.items()}
    return check_policy({**sent, **named}, bucket=bucket, now_s=NOW_S)


def refused_text(text: str) -> str:
    """Judge a policy text that must not be understood; answer the reason."""
    with pytest.raises(errors.InvalidPolicyDocument) as caught:
        check_policy({"policy": b64encode(text.encode()).decode()}, bucket="demo", now_s=NOW_S)
    return caught.value.message


@pytest.mark.parametrize(
    ("condition", "fields"),
    [
        ({"acl": "private"}, {"acl": "private"}),
        (["eq", "$acl", "private"], {"acl": "private"}),
        (["EQ", "$ACL", "private"], {"acl": "private"}),
        (["starts-with", "$x-amz-meta-a", ""], {"x-amz-meta-a": "anything"}),
        (["Starts-With", "$Content-Type", "image/"], {"content-type": "image/png"}),
        (["starts-with", "$Content-Type", "image/"], {"content-type": "image/png, image/gif"}),
        ({"bucket": "demo"}, {}),
        (["starts-with", "$bucket", "de"], {}),
        ({"x-amz-meta-媒": "图"}, {"x-amz-meta-媒": "图"}),
    ],
)
def test_conditions_that_are_met(condition: Any, fields: dict[str, str]) -> None:
    """Names have no case; both forms of an exact match, prefixes and the addressed bucket are understood."""
    assert check([condition], **fields) is None


@pytest.mark.parametrize(
    ("condition", "fields"),
    [
        ({"acl": "private"}, {"acl": "public-read"}),
        ({"acl": "private"}, {"acl": "Private"}),
        ({"acl": "private"}, {}),
        (["starts-with", "$acl", ""], {}),
        (["starts-with", "$acl", "pub"], {"acl": "private"}),
        (["starts-with", "$Content-Type", "image/"], {"content-type": "image/png,text/html"}),
        ({"bucket": "other"}, {}),
    ],
)
def test_conditions_that_are_not_met(condition: Any, fields: dict[str, str]) -> None:
    """A wrong value, a missing field, and another bucket than the addressed one are AccessDenied."""
    with pytest.raises(errors.AccessDenied, match="Policy Condition failed"):
        check([condition], **fields)


def test_a_form_field_named_bucket_is_not_the_bucket() -> None:
    """The condition on the bucket is about the address; a field of that name cannot stand in for it."""
    fields = {"key": "photos/a.png", "bucket": "other", "policy": field([KEY, {"bucket": "other"}])}
    with pytest.raises(errors.AccessDenied, match="Policy Condition failed"):
        check_policy(fields, bucket="demo", now_s=NOW_S)


def test_all_failures_are_told_at_once() -> None:
    """The message names every condition that failed and every field that none names; the detail has all."""
    with pytest.raises(errors.AccessDenied) as caught:
        check([{"acl": "private"}], bucket="other", acl="public", x_amz_meta_a="1", tagging="t")
    message = caught.value.message
    assert message.startswith("Invalid according to Policy: ")
    assert 'Policy Condition failed: {"acl": "private"}' in message
    assert 'Policy Condition failed: {"bucket": "demo"}' in message
    assert "Extra input fields: x-amz-meta-a, tagging" in message
    rows = caught.value.detail["Conditions"]
    assert isinstance(rows, list)
    assert [(row["Field"], row["Met"]) for row in rows] == [
        ("key", "true"),
        ("bucket", "false"),
        ("acl", "false"),
        ("x-amz-meta-a", "false"),
        ("tagging", "false"),
    ]
    assert rows[2] == {
        "Condition": '{"acl": "private"}',
        "Field": "acl",
        "Value": "public",
        "Expected": "private",
        "Met": "false",
    }


@pytest.mark.parametrize(
    "name", ["awsaccesskeyid", "signature", "x-amz-signature", "file", "submit", "x-ignore-a", "x-ignore-"]
)
def test_fields_that_need_no_condition(name: str) -> None:
    """The proof, the file, the button and x-ignore-* may stand in a form without being named."""
    check([], **{name: "1"})


@pytest.mark.parametrize(
    "name", ["x-amz-algorithm", "x-amz-credential", "x-amz-date", "x-amz-security-token"]
)
def test_v4_fields_need_their_conditions(name: str) -> None:
    """V4's fields must be among the conditions, or they could be exchanged."""
    with pytest.raises(errors.AccessDenied, match=f"Extra input fields: {name}"):
        check([], **{name: "1"})


@pytest.mark.parametrize("expiration", [END, "2030-01-01T00:00:00.000Z", "2030-01-01T08:00:00+08:00"])
def test_expirations_are_read(expiration: str) -> None:
    """With or without milliseconds, in UTC or with an offset."""
    document = read_policy(json.dumps({"expiration": expiration, "conditions": []}))
    assert document.expires_at_s == 1_893_456_000


@pytest.mark.parametrize(
    "expiration",
    [
        None,
        1893456000,
        "",
        "2030-01-01",
        "2030-01-01T00:00:00",
        "2030-13-01T00:00:00Z",
        "soon",
        "2030-01-01 00:00:00Z",
        "20300101T000000Z",
        "2030-01-01T00:00Z",
        "2030-01-01T00Z",
        "2030-W01-1T00:00:00Z",
        "2030-01-01T00:00:00+0800",
        "2030-01-01t00:00:00z",
        "2030-01-01T00:00:00,5Z",
        " 2030-01-01T00:00:00Z",
        "2030-01-01T00:00:00Z\n",
        "２030-01-01T00:00:00Z",
    ],
)
def test_other_expirations_are_not_understood(expiration: object) -> None:
    """No expiration, or one that leaves the moment open, is InvalidPolicyDocument."""
    assert "expiration" in refused_text(json.dumps({"expiration": expiration, "conditions": []}))


def test_an_expired_policy_is_refused() -> None:
    """From its expiration on, a policy is AccessDenied."""
    fields = {"policy": field([BUCKET], "2024-01-02T03:04:05Z")}
    check_policy(fields, bucket="demo", now_s=NOW_S - 0.1)
    with pytest.raises(errors.AccessDenied, match="Policy expired") as caught:
        check_policy(fields, bucket="demo", now_s=NOW_S)
    assert caught.value.detail["Expires"] == "2024-01-02T03:04:05Z"


@pytest.mark.parametrize(
    ("ranges", "expected"),
    [
        ([[0, 10]], LengthRange(0, 10)),
        ([["1", "1048576"]], LengthRange(1, 1048576)),
        ([[0, 10], [5, 20]], LengthRange(5, 10)),
        ([[3, 3]], LengthRange(3, 3)),
    ],
)
def test_the_length_range_is_answered(ranges: list[Any], expected: LengthRange) -> None:
    """The range is judged while the file arrives; of several the narrowest counts."""
    assert check([["content-length-range", *ends] for ends in ranges]) == expected


@pytest.mark.parametrize(
    "condition",
    [
        ["content-length-range", 10, 1],
        ["content-length-range", -1, 1],
        ["content-length-range", 1],
        ["content-length-range", 1, 2, 3],
        ["content-length-range", 1.0, 2],
        ["content-length-range", True, 2],
        ["content-length-range", None, 2],
        ["content-length-range", "a", "b"],
        ["content-length-range", 0, 10**40],
        {"acl": 1},
        {"acl": None},
        {"acl": ["a"]},
        {"a": "1", "b": "2"},
        {},
        [],
        ["eq", "$acl"],
        ["eq", "acl", "private"],
        ["eq", 1, "private"],
        ["eq", "$acl", 1],
        ["eq", "$acl", "a", "b"],
        ["ends-with", "$key", ".png"],
        "acl",
        None,
        7,
        [["eq", "$acl", "a"]],
        ["eq", "$acl", "\ud800"],
    ],
)
def test_a_condition_that_is_not_understood_refuses_the_policy(condition: Any) -> None:
    """Nothing is skipped: a condition of unknown form is InvalidPolicyDocument."""
    assert refused_text(json.dumps({"expiration": END, "conditions": [condition]})).startswith(
        "Invalid Policy"
    )


@pytest.mark.parametrize(
    "text",
    [
        "",
        "x",
        "[]",
        "null",
        '{"expiration":"2030-01-01T00:00:00Z"}',
        '{"expiration":"2030-01-01T00:00:00Z","conditions":{}}',
        '{"expiration":"2030-01-01T00:00:00Z","conditions":[],"a":NaN}',
        '{"expiration":"2030-01-01T00:00:00Z","conditions":[],"a":-Infinity}',
        f'{{"a":{"9" * 5000}}}',
        "[" * 15000,
        '{"a":' * 3000,
        f'{{"expiration":"{END}","conditions":[{"[" * 900}{"]" * 900}]}}',
    ],
)
def test_a_document_that_is_no_policy_is_refused(text: str) -> None:
    """No JSON, no object, no conditions, numbers without end, nesting without end."""
    assert refused_text(text).startswith("Invalid Policy")


@pytest.mark.parametrize("text", ["%%%", "é", "AAA\x00", "/w==", "a"])
def test_what_is_not_base64_of_text_is_refused(text: str) -> None:
    """The field must be base64 of UTF-8."""
    with pytest.raises(errors.InvalidPolicyDocument):
        check_policy({"policy": text}, bucket="demo", now_s=NOW_S)


def test_a_policy_of_more_than_20_kib_is_refused() -> None:
    """The policy is bounded before it is parsed."""
    filler = "x" * (20 * 1024 - len(f'{{"expiration":"{END}","conditions":[{json.dumps(BUCKET)}],"a":""}}'))
    text = f'{{"expiration":"{END}","conditions":[{json.dumps(BUCKET)}],"a":"{filler}"}}'
    check_policy({"policy": b64encode(text.encode()).decode()}, bucket="demo", now_s=NOW_S)
    with pytest.raises(errors.InvalidPolicyDocument, match="larger"):
        check_policy(
            {"policy": b64encode(b" " * 20 * 1024 + text.encode()).decode()}, bucket="d", now_s=NOW_S
        )


def test_unknown_keys_of_the_policy_are_ignored() -> None:
    """People put Version and Statement beside the conditions; they mean nothing here."""
    fields = {"policy": field([BUCKET], Version="2012-10-17", Statement=[{"Effect": ["x"]}])}
    assert check_policy(fields, bucket="demo", now_s=NOW_S) is None


def test_either_alphabet_and_line_breaks_are_read() -> None:
    """URL-safe base64, base64 without padding and base64 in lines are the same policy."""
    text = json.dumps({"expiration": END, "conditions": [BUCKET], "a": "???>>>~~~"}).encode()
    encoded = urlsafe_b64encode(text).decode()
    assert "_" in encoded
    for written in (encoded, encoded.rstrip("="), f"{encoded[:40]}\r\n{encoded[40:]}\n"):
        assert check_policy({"policy": written}, bucket="demo", now_s=NOW_S) is None


@pytest.mark.parametrize("conditions", [[KEY], [KEY, ["starts-with", "$bucket", ""]]])
def test_a_policy_names_its_bucket(conditions: list[Any]) -> None:
    """A policy that is good for whatever bucket would be good for all of its signer's."""
    fields = {"key": "photos/a.png", "policy": field(conditions)}
    with pytest.raises(errors.AccessDenied, match="Extra input fields: bucket"):
        check_policy(fields, bucket="demo", now_s=NOW_S)


@pytest.mark.parametrize(
    "text",
    [
        f'{{"expiration": "{END}", "expiration": "2031-01-01T00:00:00Z", "conditions": []}}',
        f'{{"expiration": "{END}", "conditions": [], "conditions": [{{"bucket": "demo"}}]}}',
        f'{{"expiration": "{END}", "Expiration": "{END}", "conditions": []}}',
        f'{{"expiration": "{END}", "conditions": [{{"acl": "private", "acl": "public-read"}}]}}',
        f'{{"expiration": "{END}", "conditions": [], "Statement": [{{"a": 1, "a": 2}}]}}',
    ],
)
def test_a_name_given_twice_is_refused(text: str) -> None:
    """Of two values none is chosen, at any depth, in any case of its letters."""
    assert "twice" in refused_text(text)


@pytest.mark.parametrize(
    ("written", "meant"),
    [("a\\$b", "a$b"), ("\\\\\\$", "\\$"), ("a\\vb", "a\x0bb"), ("\\\\$", "\\$"), ("\\u0024", "$")],
)
def test_a_policy_s_own_escapes_are_read(written: str, meant: str) -> None:
    """S3 lets a dollar and a vertical tab be escaped, which JSON does not know."""
    text = f'{{"expiration": "{END}", "conditions": [{{"bucket": "demo"}}, {{"x-amz-meta-a": "{written}"}}]}}'
    fields = {"policy": b64encode(text.encode()).decode(), "x-amz-meta-a": meant}
    assert check_policy(fields, bucket="demo", now_s=NOW_S) is None


def test_a_checksum_needs_no_condition() -> None:
    """A checksum can only narrow what is stored; the page may add it to a policy that was signed before."""
    check([], x_amz_checksum_crc32="AAAAAA==", x_amz_checksum_sha256="x")


def test_without_a_bucket_its_condition_is_not_judged() -> None:
    """The command line may explain a policy without knowing where it will be posted."""
    document = read_policy(json.dumps({"expiration": END, "conditions": [{"bucket": "demo"}]}))
    assert [result.met for result in evaluate_policy(document, {}, bucket=None)] == [True]
