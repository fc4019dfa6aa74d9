"""`meiku bucket`: buckets as an operator makes, opens, lists and removes them, also while a server runs."""

from collections.abc import Callable
from typing import Any

import pytest

from plain_http import send

Meiku = Callable[..., Any]


@pytest.fixture
def root(meiku: Meiku) -> str:
    """A data folder that has its root user and another one."""
    meiku("user", "add", "root", "--access-key", "AKroot", "--secret-key", "SKroot-1")
    meiku("user", "add", "alice", "--access-key", "AKalice", "--secret-key", "SKalice-1")
    return "root"


def test_a_bucket_lives_and_dies(meiku: Meiku, root: str) -> None:
    """Make, list, change, remove: each says what it did, in words and in JSON."""
    assert meiku("bucket", "make", "photos").out == "made photos (private), owned by root\n"
    made = meiku("bucket", "make", "site", "--acl", "public-read", "--owner", "alice", "--json").json
    assert (made["name"], made["owner"], made["acl"]) == ("site", "alice", "public-read")
    listed = meiku("bucket", "list", "--json").json
    assert [(each["name"], each["owner"]) for each in listed] == [("photos", "root"), ("site", "alice")]
    assert [each["name"] for each in meiku("bucket", "list", "--owner", "alice", "--json").json] == ["site"]
    assert "photos" in meiku("bucket", "list").out
    assert meiku("bucket", "acl", "photos").out == "photos: private\n"
    assert meiku("bucket", "acl", "photos", "authenticated-read").out == "photos: authenticated-read\n"
    assert meiku("bucket", "acl", "photos", "--json").json["acl"] == "authenticated-read"
    assert meiku("bucket", "remove", "photos").out == "removed photos\n"
    assert [each["name"] for each in meiku("bucket", "list", "--json").json] == ["site"]


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["make", "Photos"], "'Photos' is not a bucket's name: 3 to 63 of a-z"),
        (["make", "192.168.1.1"], "is not a bucket's name"),
        (["make", "photos", "--acl", "public"], "'public' is not an ACL of a bucket: it is one of private,"),
        (["make", "photos", "--owner", "bob"], "there is no user 'bob'"),
        (["make", "taken"], "there is a bucket 'taken' already"),
        (["list", "--owner", "bob"], "there is no user 'bob'"),
        (["acl", "photos"], "there is no bucket 'photos'; `meiku bucket list` shows which there are"),
        (["acl", "taken", "open"], "'open' is not an ACL"),
        (["make", "of-root", "--owner", ""], "there is no user ''"),
        (["remove", "photos"], "there is no bucket 'photos'"),
    ],
)
def test_what_cannot_be_done_is_one_sentence(
    meiku: Meiku, root: str, arguments: list[str], words: str
) -> None:
    """A wrong name, list, owner or bucket is refused with exit code 1, and nothing is changed."""
    meiku("bucket", "make", "taken")
    said = meiku("bucket", *arguments)
    assert (
        said.code == 1 and said.err.startswith("meiku: ") and said.err.count("\n") == 1 and words in said.err
    )
    assert meiku("bucket", "acl", "taken").out == "taken: private\n"


def test_a_list_of_its_own_is_called_so(own_server: Any) -> None:
    """What a client granted to somebody by name is none of the canned lists."""
    server = own_server("--workers", "1")
    user = server.meiku("user", "add", "alice")
    client = server.client()
    client.create_bucket(Bucket="granted", GrantRead=f'id="{user["user_id"]}"')
    assert server.meiku("bucket", "acl", "granted")["acl"] == "its own list"


def test_a_running_server_knows_at_once(own_server: Any) -> None:
    """Made, opened, shut and removed beside a running server: its very next answer says so."""
    server = own_server("--workers", "2")
    client = server.client()
    server.meiku("bucket", "make", "photos")
    client.put_object(Bucket="photos", Key="cat", Body=b"cat")
    assert send(server.port, "GET", "/photos").status == 403
    server.meiku("bucket", "acl", "photos", "public-read")
    assert b"<Key>cat</Key>" in send(server.port, "GET", "/photos").body
    server.meiku("bucket", "acl", "photos", "private")
    assert send(server.port, "GET", "/photos").status == 403
    client.delete_object(Bucket="photos", Key="cat")
    server.meiku("bucket", "remove", "photos")
    assert client.list_buckets()["Buckets"] == []


def test_a_full_bucket_stays(meiku: Meiku, own_server: Any) -> None:
    """What holds objects is not removed, nor are its objects."""
    server = own_server("--workers", "1")
    client = server.client()
    client.create_bucket(Bucket="photos")
    client.put_object(Bucket="photos", Key="cat", Body=b"cat")
    said = meiku("bucket", "remove", "photos", "--data", str(server.data))
    assert (said.code, said.err) == (
        1,
        "meiku: 'photos' is not empty; remove its objects and unfinished uploads first\n",
    )
    assert client.get_object(Bucket="photos", Key="cat")["Body"].read() == b"cat"


def test_buckets_are_there_at_the_start(own_server: Any) -> None:
    """MEIKU_BUCKETS makes what is missing, for root; a restart changes nothing of what is there."""
    server = own_server("--workers", "1", MEIKU_BUCKETS="photos, site:public-read")
    client = server.client()
    assert [each["Name"] for each in client.list_buckets()["Buckets"]] == ["photos", "site"]
    assert send(server.port, "GET", "/site").status == 200
    assert send(server.port, "GET", "/photos").status == 403
    server.meiku("bucket", "acl", "site", "private")
    server.meiku("bucket", "remove", "photos")
    server.stop()
    server.start()
    assert send(server.port, "GET", "/site").status == 403, "whoever shut it meant it"
    assert [each["Name"] for each in client.list_buckets()["Buckets"]] == ["photos", "site"]
