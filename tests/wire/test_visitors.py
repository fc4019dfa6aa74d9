"""Visitors without S3, over the wire: a browser at the root, and watchers at MinIO's health addresses."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from plain_http import Answer, send
from running_server import Server, free_port
from signed_http import SignedHttp

BROWSER = "text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8"
PAGES = 'http://localhost:8080/?a=1&b="<i>'


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """A server on whose root a browser is shown a page."""
    folder: Path = tmp_path_factory.mktemp("visitors")
    server = Server(folder / "data", free_port(), {"MEIKU_HOME_PAGE": PAGES}).start()
    server.client().create_bucket(Bucket="photos")
    yield server
    server.stop()


def visit(server: Server, path: str = "/", method: str = "GET", **headers: str) -> Answer:
    named = {name.replace("_", "-"): value for name, value in ({"accept": BROWSER} | headers).items()}
    return send(server.port, method, path, headers=named)


@pytest.mark.parametrize(("languages", "first"), [("zh-CN,en;q=0.5", "zh"), ("en-GB,zh", "en"), ("fr", "en")])
def test_a_browser_at_the_root_is_told_what_this_is(server: Server, languages: str, first: str) -> None:
    """In both languages, its own first: the address for clients, what to type, and a link to the pages."""
    answer = visit(server, accept_language=languages)
    page = answer.body.decode()
    assert (answer.status, answer.headers["content-type"]) == (200, "text/html; charset=utf-8")
    assert f'<html lang="{first}">' in page
    assert "兼容 S3" in page and "S3-compatible" in page and server.url in page
    assert "<code>README.zh.md</code>" in page and page.count("<code>./meiku</code>") == 2
    assert "http://localhost:8080/?a=1&amp;b=&quot;&lt;i&gt;" in page and "<i>" not in page
    assert "default-src 'none'" in answer.headers["content-security-policy"]
    assert answer.headers["vary"] == "Accept, Accept-Language"
    assert "photos" not in page.replace("bucket make photos", "")


def test_the_host_that_is_shown_is_text(server: Server) -> None:
    """A Host may hold characters that mean something in HTML."""
    page = visit(server, host="a&b'c").body.decode()
    assert "http://a&amp;b&#x27;c" in page and "a&b" not in page


@pytest.mark.parametrize(
    ("method", "path", "headers"),
    [
        ("GET", "/", {"accept": "*/*"}),
        ("GET", "/", {"accept": "application/xml"}),
        ("GET", "/?x-id=ListBuckets", {}),
        ("GET", "/", {"authorization": "AWS AK:signature"}),
        ("GET", "/?AWSAccessKeyId=AK&Signature=x&Expires=1", {}),
        ("GET", "/photos", {}),
        ("GET", "/photos/cat.jpg", {}),
        ("GET", "/", {"host": "photos.localhost"}),
        ("GET", "/missing", {}),
        ("PUT", "/", {}),
        ("POST", "/", {}),
    ],
)
def test_nobody_else_is_shown_a_page(server: Server, method: str, path: str, headers: dict[str, str]) -> None:
    """Clients, buckets, objects and whatever is signed are answered in S3's words, also to a browser."""
    answer = visit(server, path, method, **headers)
    assert answer.status >= 400 and answer.headers["content-type"] == "application/xml" and answer.code


def test_a_signed_browser_lists_its_buckets(server: Server) -> None:
    """Whoever may list buckets is shown buckets, whatever it accepts."""
    listed = SignedHttp(server.url).send("GET", "", headers={"Accept": BROWSER})
    assert b"<Name>photos</Name>" in listed.body


HEALTH = ("/minio/health/live", "/minio/health/ready", "/minio/health/cluster", "/minio/health/cluster/read")


@pytest.mark.parametrize("path", [*HEALTH, "/minio/health/cluster?maintenance=true"])
@pytest.mark.parametrize("method", ["GET", "HEAD"])
def test_watchers_of_minio_are_told(server: Server, path: str, method: str) -> None:
    """`mc ready`, its SDKs and the probes of many a chart: 200, and nothing more."""
    answer = send(server.port, method, path)
    assert (answer.status, answer.body) == (200, b"")


@pytest.mark.parametrize(
    ("method", "path", "host"),
    [
        ("GET", "/minio/health", "127.0.0.1"),
        ("GET", "/minio/health/other", "127.0.0.1"),
        ("GET", "/minio", "127.0.0.1"),
        ("PUT", "/minio/health/live", "127.0.0.1"),
        ("GET", "/health/live", "minio.localhost"),
        ("GET", "/minio/health/live", "photos.localhost"),
    ],
)
def test_no_other_address_is_watched(server: Server, method: str, path: str, host: str) -> None:
    """All else there is a bucket that does not exist, or somebody's bucket."""
    assert send(server.port, method, path, headers={"Host": host}).status in (403, 404)


def test_a_bucket_of_that_name_is_a_bucket(server: Server) -> None:
    """Its keys are answered as they are stored, or refused; when it is gone, the addresses are watched."""
    client = server.client()
    client.create_bucket(Bucket="minio")
    client.put_object(Bucket="minio", Key="health/live", Body=b"mine", ACL="public-read")
    client.put_object(Bucket="minio", Key="health/ready", Body=b"mine")
    assert send(server.port, "GET", "/minio/health/live").body == b"mine"
    assert send(server.port, "GET", "/minio/health/ready").status == 403
    assert send(server.port, "GET", "/minio/health/cluster").status == 403
    for key in ("health/live", "health/ready"):
        client.delete_object(Bucket="minio", Key=key)
    client.delete_bucket(Bucket="minio")
    assert send(server.port, "GET", "/minio/health/live").status == 200
