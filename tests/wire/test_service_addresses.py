"""The service's addresses beside buckets, over the wire: who answers, and what every answer says."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from plain_http import send
from running_server import Server, free_port


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    folder: Path = tmp_path_factory.mktemp("service")
    server = Server(folder / "data", free_port(), {"MEIKU_DOMAINS": "media.example"}).start()
    client = server.client()
    client.create_bucket(Bucket="photos", ACL="public-read")
    for key in ("-/doc.txt", "-/health", "-/metrics"):
        client.put_object(Bucket="photos", Key=key, Body=key.encode(), ACL="public-read")
    yield server
    server.stop()


@pytest.mark.parametrize("host", ["photos.localhost", "photos.media.example", "PHOTOS.media.example.:80"])
@pytest.mark.parametrize("key", ["-/doc.txt", "-/health", "-/metrics"])
def test_on_a_buckets_host_they_are_keys_of_the_bucket(server: Server, host: str, key: str) -> None:
    """No key of a bucket is hidden behind a page of the service."""
    answer = send(server.port, "GET", f"/{key}", headers={"Host": host})
    assert (answer.status, answer.body) == (200, key.encode())


@pytest.mark.parametrize("host", ["localhost", "media.example", "192.0.2.1:9000", "elsewhere.example"])
def test_on_other_hosts_they_are_the_services(server: Server, host: str) -> None:
    """Whoever watches the service need not know its name."""
    assert b"alive" in send(server.port, "GET", "/-/health", headers={"Host": host}).body


_ANSWERED = [
    *[("GET", "/photos/-/doc.txt"), ("HEAD", "/photos/-/doc.txt"), ("GET", "/photos"), ("GET", "/missing/x")],
    *[("GET", "/-/health"), ("GET", "/-/nothing"), ("GET", "/-/metrics"), ("POST", "/-/health")],
    *[("GET", "/"), ("GET", "/%ff"), ("DELETE", "/photos/x"), ("OPTIONS", "/photos/x")],
    ("GET", "/" + "x" * 70_000),
]


@pytest.mark.parametrize(("method", "path"), _ANSWERED, ids=lambda value: value[:20])
def test_no_answer_may_be_taken_for_another_type(server: Server, method: str, path: str) -> None:
    """Objects, listings, errors, the service's pages and what the connection refuses say nosniff, once."""
    answer = send(server.port, method, path)
    assert answer.headers.get("x-content-type-options") == "nosniff", (answer.status, answer.headers)
