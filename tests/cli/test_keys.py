"""`meiku key`: key pairs, lasting or temporary, and a running server that learns of them at once."""

import time
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

import pytest
from botocore.exceptions import ClientError

Meiku = Callable[..., Any]


@pytest.fixture
def alice(meiku: Meiku) -> str:
    """An account that is there already."""
    meiku("user", "add", "alice", "--access-key", "AKfirst", "--secret-key", "SKfirst-1")
    return "alice"


def test_an_account_may_have_many_pairs(meiku: Meiku, alice: str) -> None:
    """A further pair is random or as given, and does not replace the former."""
    random = meiku("key", "add", alice, "--json").json
    fixed = meiku("key", "add", alice, "--access-key", "AKfixed", "--secret-key", "SKfixed-1", "--json").json
    assert (fixed["access_key"], fixed["secret_key"]) == ("AKfixed", "SKfixed-1")
    assert fixed["session_token"] is None and fixed["expires_at_s"] is None
    listed = {key["access_key"] for key in meiku("key", "list", alice, "--json").json}
    assert listed == {"AKfirst", "AKfixed", random["access_key"]}


def test_the_list_shows_no_secret(meiku: Meiku, alice: str) -> None:
    """Neither a secret key nor a session token is ever shown again."""
    made = meiku("key", "add", alice, "--expires-in", "900", "--json").json
    said = meiku("key", "list", "--json").out + meiku("key", "list").out
    assert made["access_key"] in said
    assert made["secret_key"] not in said and made["session_token"] not in said and "SKfirst-1" not in said


def test_a_temporary_pair_has_a_token_and_an_end(meiku: Meiku, alice: str) -> None:
    """With --expires-in a pair gets a session token and ends by itself; 900 to 43,200 seconds."""
    before_s = time.time()
    made = meiku("key", "add", alice, "--expires-in", "900", "--json").json
    assert made["session_token"] and before_s + 899 <= made["expires_at_s"] <= time.time() + 900
    ends = f"{datetime.fromtimestamp(made['expires_at_s'], UTC):%Y-%m-%d %H:%M:%S} UTC"
    listed = meiku("key", "list").out
    assert ends in listed and "never 永久" in listed
    assert "session token  " in meiku("key", "add", alice, "--expires-in", "900").out
    for seconds in ("899", "43201"):
        said = meiku("key", "add", alice, "--expires-in", seconds)
        assert said.code == 2 and "--expires-in" in said.err


def test_what_cannot_be_done_is_one_sentence(meiku: Meiku, alice: str) -> None:
    """A taken access key, an unknown one and an unknown user are refused with exit code 1 and one line."""
    for arguments, word in (
        (("add", alice, "--access-key", "AKfirst"), "exists already"),
        (("add", "nobody"), "meiku user list"),
        (("list", "nobody"), "meiku user list"),
        (("remove", "AKnone"), "meiku key list"),
    ):
        said = meiku("key", *arguments)
        assert said.code == 1 and word in said.err and said.err.count("\n") == 1, arguments


def test_a_running_server_takes_a_new_pair_and_refuses_a_removed_one(server: Any) -> None:
    """The very next request after `key add` is accepted, and after `key remove` refused."""
    user = f"keys-{time.time_ns()}"
    server.meiku("user", "add", user)
    made = server.meiku("key", "add", user)
    client = server.client(made["access_key"], made["secret_key"])
    assert client.list_buckets()["Buckets"] == []
    server.meiku("key", "remove", made["access_key"])
    with pytest.raises(ClientError, match="InvalidAccessKeyId"):
        client.list_buckets()


def test_a_temporary_pair_needs_its_token(server: Any) -> None:
    """The token that came with a temporary pair must be sent with every request."""
    user = f"keys-{time.time_ns()}"
    server.meiku("user", "add", user)
    made = server.meiku("key", "add", user, "--expires-in", "900")
    pair = made["access_key"], made["secret_key"]
    assert server.client(*pair, token=made["session_token"]).list_buckets()["Buckets"] == []
    for token in (None, "another"):
        with pytest.raises(ClientError, match="InvalidToken"):
            server.client(*pair, token=token).list_buckets()


def test_a_removed_users_pairs_are_refused_at_once(server: Any) -> None:
    """Removing an account ends all its pairs for a running server too."""
    user = f"keys-{time.time_ns()}"
    made = server.meiku("user", "add", user)
    client = server.client(made["access_key"], made["secret_key"])
    assert client.list_buckets()["Owner"]["DisplayName"] == user
    server.meiku("user", "remove", user)
    with pytest.raises(ClientError, match="InvalidAccessKeyId"):
        client.list_buckets()
