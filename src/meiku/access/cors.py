"""CORS rules: which page of another origin may send what, and what its browser is told.

The first rule that fits origin, method and every header wins. Applied in one place for every answer, errors
included, because a browser hides an error without these headers from the page that caused it.
Source: https://docs.aws.amazon.com/AmazonS3/latest/userguide/ManageCorsUsing.html, and browser-upload.md §4
of the reference.
"""

import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from fnmatch import translate
from functools import lru_cache
from typing import Any

from meiku import errors

RULES_LIMIT = 100
ID_LIMIT = 255
_TOKEN = re.compile(r"[!#$%&'+.^_`|~0-9A-Za-z-]+")
METHODS = ("GET", "PUT", "HEAD", "POST", "DELETE")


@dataclass(frozen=True, slots=True)
class CorsRule:
    """One rule, in the words of the document."""

    allowed_origins: tuple[str, ...]
    allowed_methods: tuple[str, ...]
    allowed_headers: tuple[str, ...] = ()
    expose_headers: tuple[str, ...] = ()
    max_age_seconds: int | None = None
    rule_id: str | None = None

    def allows(self, origin: str, method: str, headers: Sequence[str]) -> bool:
        """Tell whether a page of this origin may send this method with all of these headers."""
        return (
            method in self.allowed_methods
            and any(_fits(pattern, origin) for pattern in self.allowed_origins)
            and all(any(_fits(p, name, True) for p in self.allowed_headers) for name in headers)
        )

    def origin_answer(self, origin: str) -> tuple[str, bool]:
        """Choose what Access-Control-Allow-Origin says, and whether credentials may travel."""
        return ("*", False) if "*" in self.allowed_origins else (origin, True)


def read_rules(document: Mapping[str, Any]) -> tuple[CorsRule, ...]:
    """Read and check a CORSConfiguration."""
    rules = document["CORSRules"]
    if not 1 <= len(rules) <= RULES_LIMIT:
        raise errors.InvalidRequest(f"A CORS configuration holds 1 to {RULES_LIMIT} rules.")
    return tuple(_read_rule(rule) for rule in rules)


def _read_rule(rule: Mapping[str, Any]) -> CorsRule:
    read = _rule(rule)
    _check_methods(read)
    _check_names(read)
    if read.max_age_seconds is not None and not 0 <= read.max_age_seconds <= 2**31 - 1:
        raise errors.InvalidRequest("MaxAgeSeconds must be a number of seconds that is not negative.")
    if read.rule_id is not None and len(read.rule_id) > ID_LIMIT:
        raise errors.InvalidRequest(f"A rule's ID has at most {ID_LIMIT} characters.")
    return read


def _rule(rule: Mapping[str, Any]) -> CorsRule:
    return CorsRule(
        allowed_origins=tuple(rule["AllowedOrigins"]),
        allowed_methods=tuple(rule["AllowedMethods"]),
        allowed_headers=tuple(rule.get("AllowedHeaders", ())),
        expose_headers=tuple(rule.get("ExposeHeaders", ())),
        max_age_seconds=rule.get("MaxAgeSeconds"),
        rule_id=rule.get("ID"),
    )


def _check_methods(rule: CorsRule) -> None:
    for method in rule.allowed_methods:
        if method not in METHODS:
            raise errors.InvalidRequest(
                f"Found unsupported HTTP method in CORS config. Unsupported method is {method[:40]}"
            )


def _check_names(rule: CorsRule) -> None:
    """Refuse what can be no origin and no header: what is exposed is sent as a header of every answer."""
    for text in (*rule.allowed_origins, *rule.allowed_headers):
        if text.count("*") > 1:
            raise errors.InvalidRequest(f'"{text[:200]}" can not have more than one wildcard.')
    for name in rule.expose_headers:
        if "*" in name:
            raise errors.InvalidRequest("ExposeHeader can not contain a wildcard.")
        if not is_header_name(name):
            raise errors.InvalidRequest(f'"{name[:200]}" is not the name of a header.')


def is_header_name(text: str) -> bool:
    """Tell whether a text can be the name of one header, and is no wildcard."""
    return _TOKEN.fullmatch(text) is not None


def rules_to_json(rules: Sequence[CorsRule]) -> str:
    """Write rules as they are kept."""
    return json.dumps([document_of(rule) for rule in rules], separators=(",", ":"), ensure_ascii=False)


@lru_cache(maxsize=1024)
def rules_from_json(text: str) -> tuple[CorsRule, ...]:
    """Read rules as they were kept; a name that was kept once and can be no header is left out."""
    kept = (_rule(rule) for rule in json.loads(text))
    return tuple(replace(r, expose_headers=tuple(filter(is_header_name, r.expose_headers))) for r in kept)


def document_of(rule: CorsRule) -> dict[str, Any]:
    """Write one rule as GetBucketCors answers it."""
    return {
        "ID": rule.rule_id,
        "AllowedHeaders": list(rule.allowed_headers),
        "AllowedMethods": list(rule.allowed_methods),
        "AllowedOrigins": list(rule.allowed_origins),
        "ExposeHeaders": list(rule.expose_headers),
        "MaxAgeSeconds": rule.max_age_seconds,
    }


def find_rule(
    rules: Sequence[CorsRule], origin: str, method: str, headers: Sequence[str] = ()
) -> CorsRule | None:
    """Find the first rule that allows it."""
    return next((rule for rule in rules if rule.allows(origin, method, headers)), None)


def _fits(pattern: str, text: str, ignore_case: bool = False) -> bool:
    return pattern == "*" or _pattern(pattern, ignore_case).match(text) is not None


@lru_cache(maxsize=4096)
def _pattern(pattern: str, ignore_case: bool) -> re.Pattern[str]:
    literal = "".join(f"[{c}]" if c in "?[" else c for c in pattern)
    return re.compile(translate(literal), re.IGNORECASE if ignore_case else 0)
