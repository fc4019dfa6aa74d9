"""What several of the form tests start from."""

from collections.abc import Callable
from typing import Any

import pytest

from browser_form import Key, policy, post, signed_v2
from plain_http import Answer

Post = Callable[..., Answer]


@pytest.fixture
def post_signed(server: Any, bucket: str) -> Post:
    """Post a form of these fields whose policy allows any key and names every field by its value."""

    def post_fields(
        fields: dict[str, str] | None = None, file: bytes | None = None, **options: Any
    ) -> Answer:
        fields = {"key": "k", **(fields or {})}
        conditions = [["eq", f"${name}", value] for name, value in fields.items() if name.lower() != "key"]
        document = policy({"bucket": bucket}, ["starts-with", "$key", ""], *conditions)
        return post(server.port, bucket, {**fields, **signed_v2(document)}, file, **options)

    return post_fields


@pytest.fixture
def temporary_key(server: Any) -> Key:
    """A key of the root user that ends in fifteen minutes, with its session token."""
    made = server.meiku("key", "add", "root", "--expires-in", "900")
    return Key(made["access_key"], made["secret_key"], made["session_token"])


@pytest.fixture
def outcome(server: Any, bucket: str) -> Callable[..., tuple[int, str]]:
    """Post these fields under the key user/k and tell the status and the code."""

    def outcome_of(fields: dict[str, str], file: bytes | None = None) -> tuple[int, str]:
        answer = post(server.port, bucket, {"key": "user/k", **fields}, file)
        return answer.status, answer.code

    return outcome_of
