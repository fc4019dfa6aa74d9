"""Two servers on one data folder: they share it as the workers of one server do."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from plain_http import send
from running_server import Server, free_port


@pytest.fixture
def pair(tmp_path: Path) -> Iterator[tuple[Server, Server]]:
    """Start two services with one data folder and ports of their own."""
    first = Server(tmp_path / "data", free_port(), arguments=("--workers", "1")).start()
    second = Server(tmp_path / "data", free_port(), arguments=("--workers", "1")).start()
    yield first, second
    assert (first.stop(), second.stop()) == (0, 0)


def test_what_one_acknowledged_the_other_answers(pair: tuple[Server, Server]) -> None:
    """Objects small and large, settings and keys: the very next request at the other one knows of them."""
    first, second = (server.client() for server in pair)
    first.create_bucket(Bucket="shared")
    for number in range(20):
        body = bytes([number]) * (100 if number % 2 else 100_000)
        writer, reader = (first, second) if number % 3 else (second, first)
        writer.put_object(Bucket="shared", Key="key", Body=body)
        assert reader.get_object(Bucket="shared", Key="key")["Body"].read() == body
    first.put_bucket_acl(Bucket="shared", ACL="public-read")
    assert send(pair[1].port, "GET", "/shared").status == 200
    second.put_bucket_acl(Bucket="shared", ACL="private")
    assert send(pair[0].port, "GET", "/shared").status == 403


def test_one_may_end_while_the_other_goes_on(tmp_path: Path) -> None:
    """So a server is replaced without a pause: the new one answers before the old one is asked to stop."""
    old = Server(tmp_path / "data", free_port(), arguments=("--workers", "1")).start()
    old.client().create_bucket(Bucket="kept")
    new = Server(tmp_path / "data", free_port(), arguments=("--workers", "1")).start()
    old.client().put_object(Bucket="kept", Key="key", Body=b"written by the old one")
    assert old.stop() == 0
    assert new.client().get_object(Bucket="kept", Key="key")["Body"].read() == b"written by the old one"
    new.client().put_object(Bucket="kept", Key="key", Body=b"and by the new one")
    assert new.stop() == 0
