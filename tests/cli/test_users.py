"""`meiku user`: accounts as an operator makes, lists and removes them."""

import re
from collections.abc import Callable
from typing import Any

Meiku = Callable[..., Any]


def test_a_user_gets_an_id_and_a_key_pair(meiku: Meiku) -> None:
    """With nothing but a name, everything else is generated and told once."""
    made = meiku("user", "add", "alice", "--json").json
    assert made["name"] == "alice" and made["email"] == "" and made["active"] is True
    assert re.fullmatch(r"[0-9a-f]{32}", made["user_id"])
    assert re.fullmatch(r"MK[A-Z2-7]{18}", made["access_key"])
    assert len(made["secret_key"]) == 40


def test_fixed_values_are_taken_as_given(meiku: Meiku) -> None:
    """Tests and migrations bring their own id, address and keys."""
    fixed = [
        "--id",
        "id-1",
        "--email",
        "a@example.com",
        "--access-key",
        "AKfixed",
        "--secret-key",
        "SKfixed-1",
    ]
    made = meiku("user", "add", "alice", *fixed, "--json").json
    assert (made["user_id"], made["email"]) == ("id-1", "a@example.com")
    assert (made["access_key"], made["secret_key"]) == ("AKfixed", "SKfixed-1")


def test_people_read_what_scripts_parse(meiku: Meiku) -> None:
    """Without --json the same four facts are lines that can be copied whole."""
    said = meiku("user", "add", "alice", "--access-key", "AKfixed", "--secret-key", "SKfixed-1")
    lines = dict(re.split(r"\s{2,}", line, maxsplit=1) for line in said.out.strip().splitlines())
    assert lines["user"] == "alice"
    assert (lines["access key"], lines["secret key"]) == ("AKfixed", "SKfixed-1")
    assert lines["id"]


def test_the_secret_may_come_from_the_environment(meiku: Meiku) -> None:
    """A secret need not stand on a command line, where every process list shows it."""
    made = meiku("user", "add", "alice", "--json", MEIKU_USER_SECRET_KEY="from-the-environment").json
    assert made["secret_key"] == "from-the-environment"


def test_the_list_shows_everybody_and_no_secret(meiku: Meiku) -> None:
    """A secret is told when it is made, and never again."""
    secrets = [meiku("user", "add", name, "--json").json["secret_key"] for name in ("bob", "alice")]
    listed = meiku("user", "list", "--json")
    assert [user["name"] for user in listed.json] == ["alice", "bob"]
    table = meiku("user", "list")
    assert "alice" in table.out and "bob" in table.out
    assert not any(secret in listed.out + table.out for secret in secrets)


def test_a_removed_user_is_gone_with_its_keys(meiku: Meiku) -> None:
    """Removing an account takes its key pairs along."""
    meiku("user", "add", "alice", "--json")
    meiku("key", "add", "alice")
    removed = meiku("user", "remove", "alice", "--json")
    assert removed.json["removed"]["name"] == "alice"
    assert meiku("user", "list", "--json").json == []
    assert meiku("key", "list", "--json").json == []


def refused(said: Any, *words: str) -> bool:
    """Tell whether a command ended with exit code 1 and one line that holds the words."""
    one_line = said.err.startswith("meiku: ") and said.err.count("\n") == 1
    return said.code == 1 and not said.out and one_line and all(word in said.err for word in words)


def test_what_cannot_be_done_is_one_sentence(meiku: Meiku) -> None:
    """A taken name, id, address or key, an odd name and an unknown one: exit code 1 and one line each."""
    fixed = ["--id", "id-1", "--email", "a@example.com", "--access-key", "AK1", "--secret-key", "secret-1"]
    assert meiku("user", "add", "alice", *fixed).code == 0
    assert refused(meiku("user", "add", "alice"), "exists already")
    assert refused(meiku("user", "add", "bob", "--id", "id-1"), "exists already")
    assert refused(meiku("user", "add", "bob", "--email", "A@EXAMPLE.COM"), "exists already")
    assert refused(meiku("user", "add", "bob", "--access-key", "AK1"), "AK1", "exists already")
    assert refused(meiku("user", "add", "bob and friends"), "not a name")
    assert refused(meiku("user", "remove", "nobody"), "nobody", "meiku user list")


def test_a_user_whose_key_is_refused_is_not_left_behind(meiku: Meiku) -> None:
    """An account is made with its key pair or not at all."""
    assert refused(meiku("user", "add", "alice", "--secret-key", "with space"), "without spaces")
    assert refused(meiku("user", "add", "alice", "--access-key", "no spaces"), "access key")
    assert meiku("user", "list", "--json").json == []


def test_root_and_owners_of_buckets_stay(own_server: Callable[..., Any], meiku: Meiku) -> None:
    """Neither the root user nor one who owns buckets can be removed."""
    server = own_server("--workers", "1")
    made = server.meiku("user", "add", "alice")
    server.client(made["access_key"], made["secret_key"]).create_bucket(Bucket="alices-own")
    data = ("--data", str(server.data))
    assert refused(meiku("user", "remove", "alice", *data), "owns buckets")
    assert refused(meiku("user", "remove", "root", *data), "root")
    assert {user["name"] for user in server.meiku("user", "list")} == {"alice", "root"}


def test_a_mistyped_folder_is_refused_and_not_made(meiku: Meiku, folder: Any) -> None:
    """Only `serve` and `user add` begin a data folder; what looks at one says that it is not there."""
    for arguments in (("user", "list"), ("user", "remove", "x"), ("key", "list"), ("key", "add", "x")):
        assert refused(meiku(*arguments), str(folder), "meiku serve")
    assert not folder.exists()


def test_a_folder_that_cannot_be_made_is_one_sentence(meiku: Meiku) -> None:
    """What the system refuses is said without a traceback."""
    assert refused(meiku("user", "add", "alice", "--data", "/proc/none"), "/proc/none")
    assert refused(meiku("serve", "--port", "0", "--data", "/proc/none"), "/proc/none")
