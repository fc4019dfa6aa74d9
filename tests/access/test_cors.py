"""CORS rules: what fits, which is first, and what is kept."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from meiku import errors
from meiku.access.cors import CorsRule, document_of, find_rule, read_rules, rules_from_json, rules_to_json

PLAIN = {"AllowedOrigins": ["https://a.com"], "AllowedMethods": ["GET"]}


@pytest.mark.parametrize(
    ("pattern", "origin", "fits"),
    [
        ("*", "https://any.thing", True),
        ("https://a.com", "https://a.com", True),
        ("https://a.com", "https://A.com", False),
        ("https://a.com", "https://a.com:8080", False),
        ("https://a.com", "https://a.com.evil.net", False),
        ("https://*.a.com", "https://x.a.com", True),
        ("https://*.a.com", "https://x.y.a.com", True),
        ("https://*.a.com", "https://a.com", False),
        ("http*", "https://a.com", True),
        ("https://a?com", "https://a.com", False),
        ("https://[ab].com", "https://a.com", False),
        ("https://[::1]", "https://[::1]", True),
        ("https://a.com", "https://axcom", False),
    ],
)
def test_an_origin_fits_with_one_wildcard(pattern: str, origin: str, fits: bool) -> None:
    """Only the asterisk means anything; the rest is compared letter by letter."""
    assert CorsRule((pattern,), ("GET",)).allows(origin, "GET", ()) is fits


@pytest.mark.parametrize(
    ("patterns", "headers", "fits"),
    [
        ((), (), True),
        ((), ("x-a",), False),
        (("*",), ("x-a", "y"), True),
        (("X-Amz-*",), ("x-amz-meta-a",), True),
        (("x-amz-*", "Content-Type"), ("content-type", "X-AMZ-DATE"), True),
        (("x-amz-*",), ("x-amz-date", "authorization"), False),
    ],
)
def test_every_header_must_fit(patterns: tuple[str, ...], headers: tuple[str, ...], fits: bool) -> None:
    """All headers that are asked for must fit some pattern, in any case of letters."""
    assert CorsRule(("*",), ("PUT",), patterns).allows("https://a.com", "PUT", headers) is fits


def test_the_first_rule_that_fits_is_found() -> None:
    """Order decides among rules that fit; without one there is none."""
    rules = [CorsRule(("*",), ("PUT",)), CorsRule(("*",), ("GET",)), CorsRule(("https://a.com",), ("GET",))]
    assert find_rule(rules, "https://a.com", "GET") is rules[1]
    assert find_rule(rules, "https://a.com", "DELETE") is None
    assert find_rule((), "https://a.com", "GET") is None


def test_a_rule_for_all_lets_no_credentials_travel() -> None:
    """`*` is answered with `*`, which browsers take without credentials only; a named origin with itself."""
    assert CorsRule(("https://a.com", "*"), ("GET",)).origin_answer("https://a.com") == ("*", False)
    assert CorsRule(("https://*",), ("GET",)).origin_answer("https://a.com") == ("https://a.com", True)


@pytest.mark.parametrize(
    "change",
    [
        {"AllowedMethods": ["PATCH"]},
        {"AllowedMethods": ["get"]},
        {"AllowedOrigins": ["*.*"]},
        {"AllowedHeaders": ["**"]},
        {"ExposeHeaders": ["*"]},
        {"MaxAgeSeconds": -1},
        {"MaxAgeSeconds": 2**31},
        {"ID": "i" * 256},
    ],
)
def test_a_rule_outside_s3s_limits_is_refused(change: dict[str, Any]) -> None:
    """What S3 would refuse is InvalidRequest."""
    with pytest.raises(errors.InvalidRequest):
        read_rules({"CORSRules": [PLAIN | change]})


@pytest.mark.parametrize("count", [0, 101])
def test_rules_are_counted(count: int) -> None:
    """One to a hundred rules make a configuration."""
    with pytest.raises(errors.InvalidRequest):
        read_rules({"CORSRules": [PLAIN] * count})
    assert len(read_rules({"CORSRules": [PLAIN] * 100})) == 100


@given(
    st.lists(st.text().filter(lambda text: text.count("*") < 2), min_size=1, max_size=3),
    st.integers(0, 2**31 - 1) | st.none(),
    st.text(max_size=255) | st.none(),
)
def test_rules_are_kept_as_they_are(origins: list[str], age_s: int | None, rule_id: str | None) -> None:
    """What was kept is what is read back, and what is told."""
    rules = read_rules(
        {"CORSRules": [PLAIN | {"AllowedOrigins": origins, "MaxAgeSeconds": age_s, "ID": rule_id}]}
    )
    assert rules_from_json(rules_to_json(rules)) == rules
    assert document_of(rules[0])["AllowedOrigins"] == origins
