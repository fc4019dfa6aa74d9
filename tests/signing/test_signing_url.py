"""Presigned URLs equal those that botocore makes for the same request."""

from datetime import UTC, datetime
from types import SimpleNamespace
from typing import Any
from urllib.parse import parse_qsl, quote, urlsplit

import pytest
from botocore import auth
from botocore.awsrequest import AWSRequest
from botocore.credentials import Credentials as BotocoreCredentials

from meiku.signing import Credentials, presign_v2, presign_v4

NOW = datetime(2024, 1, 2, 3, 4, 5, tzinfo=UTC)
OURS = Credentials("AKID", "se/cr+et")
KEYS = ["a.png", "媒体/图片 1.png", "a+b%c.txt", "x//y/../z", "~-._", "!'()*;:@&=$,?#[]", "ü\u3000ñ", "a%2Fb"]
QUERIES = ["", "versionId=3%2FL%2Bx", "partNumber=2&uploadId=2~a", "response-content-type=a%2Fb%20c"]
HEADERS = [{}, {"Content-Type": "image/png"}, {"x-amz-acl": "public-read", "x-amz-meta-b": "v w"}]
TOKENS = [None, "tok/en+=="]


@pytest.fixture(autouse=True)
def _clock(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(auth, "get_current_datetime", lambda *_: NOW)
    monkeypatch.setattr(auth, "time", SimpleNamespace(time=lambda: NOW.timestamp()))


def _url(key: str, query: str) -> str:
    return f"http://localhost:9000/bucket/{quote(key, safe='/~')}{'?' if query else ''}{query}"


def _botocore(signer: Any, method: str, url: str, headers: dict[str, str]) -> str:
    request = AWSRequest(method=method, url=url, headers=headers)
    signer.add_auth(request)
    return str(request.url)


@pytest.mark.parametrize("token", TOKENS)
@pytest.mark.parametrize("headers", HEADERS)
@pytest.mark.parametrize("query", QUERIES)
@pytest.mark.parametrize("key", KEYS)
def test_v4_url_equals_botocores(key: str, query: str, headers: dict[str, str], token: str | None) -> None:
    """The V4 URL is the same text, character by character."""
    url = _url(key, query)
    signer = auth.S3SigV4QueryAuth(
        BotocoreCredentials("AKID", "se/cr+et", token), "s3", "eu-west-1", expires=60
    )
    ours = presign_v4(
        Credentials("AKID", "se/cr+et", token),
        "PUT",
        url,
        expires_in_s=60,
        headers=headers,
        region="eu-west-1",
        now=NOW,
    )
    assert ours == _botocore(signer, "PUT", url, headers)


@pytest.mark.parametrize("token", TOKENS)
@pytest.mark.parametrize("headers", HEADERS)
@pytest.mark.parametrize("query", QUERIES)
@pytest.mark.parametrize("key", KEYS)
def test_v2_url_says_what_botocores_says(
    key: str, query: str, headers: dict[str, str], token: str | None
) -> None:
    """The V2 URL has the same path and parameters; only a Content-Type stays out of ours."""
    url = _url(key, query)
    signer = auth.HmacV1QueryAuth(BotocoreCredentials("AKID", "se/cr+et", token), expires=60)
    ours = urlsplit(
        presign_v2(
            Credentials("AKID", "se/cr+et", token), "PUT", url, expires_in_s=60, headers=headers, now=NOW
        )
    )
    theirs = urlsplit(_botocore(signer, "PUT", url, headers))
    expected = dict(parse_qsl(theirs.query, keep_blank_values=True))
    expected.pop("content-type", None)
    assert ours.path == theirs.path
    assert dict(parse_qsl(ours.query, keep_blank_values=True)) == expected


def test_v4_url_equals_the_published_example() -> None:
    """AWS's example of a presigned GET has its printed signature."""
    credentials = Credentials("AKIAIOSFODNN7EXAMPLE", "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY")
    url = presign_v4(
        credentials,
        "GET",
        "https://examplebucket.s3.amazonaws.com/test.txt",
        expires_in_s=86400,
        now=datetime(2013, 5, 24, tzinfo=UTC),
    )
    expected = "aeeed9bbccd4d02ee5c0109b86d86835f995330da4c265957d157751f604d404"
    assert url.endswith(f"&X-Amz-Signature={expected}")


def test_unencoded_key_is_encoded_in_the_url() -> None:
    """A key given as it is yields the URL of the encoded key; one given encoded is not encoded again."""
    plain = presign_v4(OURS, "GET", "http://h/b/媒 体.png", now=NOW)
    encoded = presign_v4(OURS, "GET", "http://h/b/%E5%AA%92%20%E4%BD%93.png", now=NOW)
    assert plain == encoded
    assert urlsplit(plain).path == "/b/%E5%AA%92%20%E4%BD%93.png"


def test_v2_resource_names_the_bucket_of_a_host_style_url() -> None:
    """The bucket in the host is part of what V2 signs, so both styles have the same signature."""
    host_style = presign_v2(OURS, "GET", "http://demo.example.com/k", bucket="demo", now=NOW)
    path_style = presign_v2(OURS, "GET", "http://example.com/demo/k", now=NOW)
    assert urlsplit(host_style).query == urlsplit(path_style).query


@pytest.mark.parametrize(
    ("url", "host"),
    [
        ("https://EXAMPLE.com:443/b", "example.com"),
        ("http://example.com:80/b", "example.com"),
        ("http://example.com:443/b", "example.com:443"),
        ("http://[::1]:9000/b", "[::1]:9000"),
    ],
)
def test_host_is_signed_as_clients_send_it(url: str, host: str) -> None:
    """Clients send the Host in lower case and without the scheme's own port: so it is signed."""
    signer = auth.S3SigV4QueryAuth(BotocoreCredentials("AKID", "se/cr+et"), "s3", "us-east-1", expires=3600)
    assert auth._host_from_url(url) == host
    assert presign_v4(OURS, "GET", url, now=NOW) == _botocore(signer, "GET", url, {})


def test_secrets_do_not_show_in_a_repr() -> None:
    """Printing credentials shows the access key and neither the secret nor the token."""
    shown = repr(Credentials("AKID", "the-secret", "the-token"))
    assert "AKID" in shown
    assert "the-secret" not in shown
    assert "the-token" not in shown
