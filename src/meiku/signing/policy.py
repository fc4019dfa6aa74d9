"""The policy of an upload form: what the bearer may upload, where, how large, until when.

A policy is immutable; every method answers a new one. It is only written here; the server judges it.
Source: https://docs.aws.amazon.com/AmazonS3/latest/API/sigv4-HTTPPOSTConstructPolicy.html
"""

import json
from base64 import b64encode
from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta

Condition = tuple[str, str | int, str | int]


@dataclass(frozen=True, slots=True)
class Policy:
    """Conditions and an expiry; `expires_at` (aware) goes before `expires_in_s`, counted from now."""

    expires_in_s: int = 3600
    expires_at: datetime | None = None
    conditions: tuple[Condition, ...] = ()

    def __post_init__(self) -> None:
        expires_at = self.expires_at or datetime.now(UTC) + timedelta(seconds=self.expires_in_s)
        if expires_at.tzinfo is None:
            raise ValueError("expires_at needs a time zone: which moment is meant?")
        object.__setattr__(self, "expires_at", expires_at.astimezone(UTC))

    def eq(self, field: str, value: str) -> "Policy":
        """Require that a form field has exactly this value."""
        return self._with(("eq", field, value))

    def starts_with(self, field: str, prefix: str) -> "Policy":
        """Require that a form field is sent and begins so; '' allows any value."""
        return self._with(("starts-with", field, prefix))

    def content_length(self, minimum_bytes: int, maximum_bytes: int) -> "Policy":
        """Require that the file's size lies between the two, both included."""
        return self._with(("content-length-range", minimum_bytes, maximum_bytes))

    def bucket(self, bucket: str) -> "Policy":
        """Require that the form is posted to this bucket."""
        return self.eq("bucket", bucket)

    def key(self, key: str) -> "Policy":
        """Require that the object gets exactly this key."""
        return self.eq("key", key)

    def exact_fields(self) -> Mapping[str, str]:
        """List the form fields that the exact conditions prescribe; the bucket is not a field."""
        exact = {str(field): str(value) for kind, field, value in self.conditions if kind == "eq"}
        exact.pop("bucket", None)
        return exact

    def json(self) -> str:
        """Write the policy document."""
        assert self.expires_at is not None  # settled when it was built
        document = {
            "expiration": self.expires_at.strftime("%Y-%m-%dT%H:%M:%SZ"),
            "conditions": [_written(condition) for condition in self.conditions],
        }
        return json.dumps(document, separators=(",", ":"))

    def base64(self) -> str:
        """Write the form field `policy`, which is also the text that is signed."""
        return b64encode(self.json().encode()).decode()

    def _with(self, condition: Condition) -> "Policy":
        return replace(self, conditions=(*self.conditions, condition))


def _written(condition: Condition) -> object:
    kind, first, second = condition
    if kind == "eq":
        return {str(first): second}
    return [kind, f"${first}" if kind == "starts-with" else first, second]
