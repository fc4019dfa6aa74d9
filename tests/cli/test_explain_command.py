"""`meiku explain`: why a URL or a form is refused, said offline by the code that the server judges with."""

import json
import re
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from meiku.signing import Credentials, Policy, post_form_v2, post_form_v4, presign_v2, presign_v4

Meiku = Callable[..., Any]
OWNER = Credentials("AKowner", "SKowner-and-long")
SECRET = ("--secret-key", OWNER.secret_key)
URL = "http://127.0.0.1:9000/photos/a b.jpg"
YESTERDAY = datetime.now(UTC) - timedelta(days=1)


def flat(text: str) -> str:
    return " ".join(text.split())


@pytest.mark.parametrize("presign", [presign_v2, presign_v4])
def test_a_good_url_is_accepted(meiku: Meiku, presign: Callable[..., str]) -> None:
    """With the right secret the verdict is that the server would accept it, and the exit code 0."""
    said = meiku("explain", "url", presign(OWNER, "GET", URL), *SECRET)
    assert said.code == 0 and "accepted" in said.out and "string to sign" in said.out
    version = "Version 4" if presign is presign_v4 else "Version 2"
    assert version in said.out and OWNER.access_key in said.out and OWNER.secret_key not in said.out


@pytest.mark.parametrize("text", ["nonsense", "photos/cat.jpg?Signature=x", ""])
def test_what_is_no_url_is_called_so(meiku: Meiku, text: str) -> None:
    """One sentence and exit code 1, not the verdict on a request without a signature."""
    said = meiku("explain", "url", text)
    assert said.code == 1 and "is no URL" in said.err and said.err.count("\n") == 1 and not said.out


@pytest.mark.parametrize("presign", [presign_v2, presign_v4])
def test_without_a_secret_it_is_shown_and_not_judged(meiku: Meiku, presign: Callable[..., str]) -> None:
    """What the server would sign is shown, and the verdict says that the signature was not checked."""
    said = meiku("explain", "url", presign(OWNER, "GET", URL), "--json")
    assert said.code == 0 and said.json["verdict"] == "unverified"
    assert "photos/a%20b.jpg" in said.json["string_to_sign"] + (said.json["canonical_request"] or "")


@pytest.mark.parametrize("presign", [presign_v2, presign_v4])
def test_a_wrong_secret_is_named_as_the_cause(meiku: Meiku, presign: Callable[..., str]) -> None:
    """A signature of another secret is refused, with exit code 1, and neither secret is printed."""
    said = meiku("explain", "url", presign(OWNER, "GET", URL), "--secret-key", "SKof-somebody-else")
    assert said.code == 1 and "refused" in said.out and "SignatureDoesNotMatch" in said.out
    assert "secret key" in flat(said.out)
    assert "SKof-somebody-else" not in said.out and OWNER.secret_key not in said.out


@pytest.mark.parametrize("presign", [presign_v2, presign_v4])
def test_an_expired_url_says_when_it_ended(meiku: Meiku, presign: Callable[..., str]) -> None:
    """Expiry is told with and without the secret, and the moment with it."""
    url = presign(OWNER, "GET", URL, now=YESTERDAY, expires_in_s=60)
    for arguments in ((), SECRET):
        said = meiku("explain", "url", url, *arguments, "--json")
        assert said.code == 1 and "expired" in said.json["cause"]
        ends = dict(said.json["facts"])["Expires at"]
        assert ends.startswith((YESTERDAY + timedelta(seconds=60)).strftime("%Y-%m-%dT%H:%M"))


def test_a_wrong_method_is_recognised(meiku: Meiku) -> None:
    """A URL signed for PUT and used with GET is refused, and the cause says so."""
    url = presign_v4(OWNER, "PUT", URL)
    said = meiku("explain", "url", url, "--method", "get", *SECRET, "--json")
    assert said.code == 1 and "PUT" in said.json["cause"]
    assert meiku("explain", "url", url, "--method", "put", *SECRET).code == 0


def test_a_signed_header_must_be_given(meiku: Meiku) -> None:
    """--header brings what was signed; without it the URL is refused, as the server would."""
    url = presign_v4(OWNER, "PUT", URL, headers={"Content-Type": "image/jpeg"})
    given = ("--method", "PUT", *SECRET)
    assert meiku("explain", "url", url, *given, "--header", "Content-Type=image/jpeg").code == 0
    refused = meiku("explain", "url", url, *given, "--json")
    assert refused.code == 1 and "ontent-" in refused.json["cause"]
    assert "name=value" in meiku("explain", "url", url, "--header", "broken").err


def test_the_clients_own_text_is_compared(meiku: Meiku, tmp_path: Path) -> None:
    """Given what the client signed, the first line that differs is shown."""
    url = presign_v4(OWNER, "GET", URL)
    ours = meiku("explain", "url", url, "--json").json["canonical_request"]
    text = tmp_path / "client.txt"
    text.write_text(ours.replace("a%20b", "a+b"))
    said = meiku("explain", "url", url, "--client-text", str(text), "--json").json
    assert "a+b" in said["first_difference"] and "a%20b" in said["first_difference"]
    text.write_text(ours)
    same = meiku("explain", "url", url, "--client-text", str(text), "--json").json
    assert same["first_difference"] == "no line differs"


def test_the_secret_is_found_in_the_data_folder(meiku: Meiku) -> None:
    """--access-key looks the secret up where the server keeps it, and does not print it."""
    pair = ("--access-key", OWNER.access_key, "--secret-key", OWNER.secret_key)
    assert meiku("user", "add", "alice", *pair).code == 0
    url = presign_v4(OWNER, "GET", URL)
    said = meiku("explain", "url", url, "--access-key", OWNER.access_key)
    assert said.code == 0 and "accepted" in said.out and OWNER.secret_key not in said.out
    unknown = meiku("explain", "url", url, "--access-key", "AKnobody")
    assert unknown.code == 1 and "AKnobody" in unknown.err


def test_what_is_no_signed_url_is_said_so(meiku: Meiku) -> None:
    """An anonymous URL, and half a signature, are told apart."""
    assert "no signature" in meiku("explain", "url", URL).out
    half = meiku("explain", "url", f"{URL}?X-Amz-Algorithm=AWS4-HMAC-SHA256", "--json")
    assert half.code == 1 and "AuthorizationQueryParametersError" in half.json["cause"]


POLICY = Policy().bucket("photos").starts_with("key", "user/").eq("acl", "private").content_length(1, 1000)


@pytest.mark.parametrize("post_form", [post_form_v2, post_form_v4])
def test_a_good_form_is_accepted(meiku: Meiku, post_form: Callable[..., Any]) -> None:
    """Policy, fields and signature of either version fit: the form would be accepted."""
    form = post_form(OWNER, POLICY, action="http://127.0.0.1:9000/photos")
    fields = {**form.fields, "key": "user/a.jpg"}
    policy = fields.pop("policy")
    given = [part for name, value in fields.items() for part in ("--field", f"{name}={value}")]
    said = meiku("explain", "policy", policy, *given, "--bucket", "photos", *SECRET)
    assert said.code == 0 and "accepted" in said.out and OWNER.secret_key not in said.out
    wrong = meiku("explain", "policy", policy, *given, "--secret-key", "SKof-another", "--json")
    assert wrong.code == 1 and "SignatureDoesNotMatch" in wrong.json["cause"]
    assert "SKof-another" not in wrong.out


def test_every_condition_is_listed_and_every_failure_named(meiku: Meiku) -> None:
    """All that a form breaks is told at once: a wrong key, a missing field, an extra one, another bucket."""
    fields = ("--field", "key=other/a.jpg", "--field", "x-amz-meta-extra=1", "--bucket", "videos")
    said = meiku("explain", "policy", POLICY.json(), *fields, "--json").json
    assert [json.loads(condition) for condition in conditions_of(said)[:3]] == [
        {"bucket": "photos"},
        ["starts-with", "$key", "user/"],
        {"acl": "private"},
    ]
    assert ["File size", "1 to 1,000 bytes"] in said["facts"]
    failed = {label.removeprefix("Field ") for label, _ in said["facts"] if label.startswith("Field ")}
    assert {"key", "acl", "bucket", "x-amz-meta-extra"} <= failed
    assert said["verdict"] == "refused"
    assert all(name in said["cause"] for name in ("key", "acl", "bucket", "x-amz-meta-extra"))


def test_a_policy_is_read_as_base64_as_json_and_from_a_pipe(meiku: Meiku) -> None:
    """The same policy in three ways gives the same facts."""
    as_base64 = meiku("explain", "policy", POLICY.base64(), "--json").json
    as_json = meiku("explain", "policy", POLICY.json(), "--json").json
    piped = meiku("explain", "policy", "-", "--json", stdin=POLICY.base64() + "\n").json
    assert conditions_of(as_base64) == conditions_of(as_json) == conditions_of(piped) != []


def conditions_of(said: Any) -> list[str]:
    return [text for label, text in said["facts"] if label == "Condition"]


def test_an_expired_policy_and_one_that_is_no_policy(meiku: Meiku) -> None:
    """Expiry is the cause that is told; what cannot be read is named as such."""
    old = Policy(expires_at=YESTERDAY).bucket("photos")
    said = meiku("explain", "policy", old.base64(), "--json")
    assert said.code == 1 and re.search("expired", said.json["cause"])
    assert dict(said.json["facts"])["Expires at"].endswith("(over)")
    for broken in ("{half", "AAAA", "[]"):
        refused = meiku("explain", "policy", broken, "--json")
        assert refused.code == 1 and "InvalidPolicyDocument" in refused.json["cause"], broken


def test_the_page_s_other_fields_are_taken_as_given(meiku: Meiku) -> None:
    """A form of our own is not refused for the proof's fields, which the policy fixes and nobody types."""
    policy = Policy().bucket("photos").starts_with("key", "cats/").content_length(1, 10_000_000)
    form = post_form_v4(OWNER, policy, action="http://photos.localhost:9000/")
    given = ("--field", "key=cats/a.png", "--bucket", "photos")
    said = meiku("explain", "policy", form.fields["policy"], *given, "--json")
    assert (said.code, said.json["verdict"], said.json["cause"]) == (0, "unverified", None)
    assert dict(said.json["facts"])["Taken as given"] == "x-amz-algorithm, x-amz-credential, x-amz-date"
    wrong = meiku("explain", "policy", form.fields["policy"], *given, "--field", "x-amz-date=x", "--json")
    assert wrong.code == 1 and "x-amz-date" in wrong.json["cause"]


def test_what_is_not_given_is_told_from_what_is_refused(meiku: Meiku) -> None:
    """A field that the form needs and nobody gave is no refusal; beside one that is, both are named."""
    given = ("--field", "key=user/a.jpg", "--bucket", "photos", "--json")
    said = meiku("explain", "policy", POLICY.json(), *given)
    assert (said.code, said.json["verdict"]) == (0, "unverified")
    assert "Not given, and the form needs it: acl" in said.json["cause"]
    assert dict(said.json["facts"])["Field acl"] == "not given; expected: private"
    wrong = meiku("explain", "policy", POLICY.json(), *given, "--field", "x-amz-meta-extra=1")
    assert (wrong.code, wrong.json["verdict"]) == (1, "refused")
    assert "Extra input fields: x-amz-meta-extra" in wrong.json["cause"]
    assert "needs it: acl" in wrong.json["cause"]
