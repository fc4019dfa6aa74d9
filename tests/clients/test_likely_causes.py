"""What a refused signature is told about its cause, as a client behind proxies and browsers would see it."""

from typing import Any

import pytest

from browser_form import SECRET_KEY, Key
from signed_request import WAYS, Signed, sign

CONTENT = b"some bytes"
PUBLIC_HOST = "media.example.cn"


def cause(server: Any, signed: Signed, **changes: Any) -> str:
    """Send what must be refused, see that the explanation is whole and has no secret, give the cause."""
    answer = signed.send(server.port, **changes)
    assert (answer.status, answer.code) == (403, "SignatureDoesNotMatch"), answer.body
    for name in ("AWSAccessKeyId", "StringToSign", "StringToSignBytes", "SignatureProvided"):
        assert answer.element(name)
    assert bytes.fromhex(answer.element("StringToSignBytes")).decode() == answer.element("StringToSign")
    if answer.element("StringToSign").startswith("AWS4"):
        assert answer.element("CanonicalRequest").count("\n") >= 6
    assert SECRET_KEY.encode() not in answer.body
    return f"{answer.element('LikelyCause')} {answer.element('FirstDifference')}"


@pytest.mark.parametrize("way", WAYS)
def test_another_method(server: Any, bucket: str, way: str) -> None:
    """A signature made for PUT and sent as GET: both are named."""
    said = cause(server, sign(way, "PUT", f"{server.url}/{bucket}/k"), method="GET", body=b"")
    assert "signed the method PUT, but sent GET" in said
    assert "line 1: client signed «PUT», server sees «GET»" in said


@pytest.mark.parametrize("way", ["v2-header", "v2-query"])
def test_a_type_that_the_browser_added(server: Any, bucket: str, way: str) -> None:
    """V2 signs the type even where there is none: what a browser adds is named."""
    signed = sign(way, "PUT", f"{server.url}/{bucket}/k").with_headers(Content_Type="image/png")
    said = cause(server, signed, body=CONTENT)
    assert "came with the Content-Type «image/png», but none was signed" in said


@pytest.mark.parametrize("way", WAYS)
def test_another_type_than_signed(server: Any, bucket: str, way: str) -> None:
    """The usual types are recognised in the signature; another is at least named as one of two causes."""
    url = f"{server.url}/{bucket}/k.png"
    signed = sign(way, "PUT", url, headers={"Content-Type": "image/png"})
    changed = signed.with_headers(Content_Type="application/octet-stream")
    said = cause(server, changed, body=CONTENT)
    assert "«image/png» was signed, but the request came with «application/octet-stream»" in said


def test_an_unusual_type_that_was_signed(server: Any, bucket: str) -> None:
    """A type that nobody could guess is still named as what may differ."""
    signed = sign("v4-query", "PUT", f"{server.url}/{bucket}/k", headers={"Content-Type": "x-own/thing"})
    said = cause(server, signed.with_headers(Content_Type="image/webp"), body=CONTENT)
    assert "the Content-Type that was signed is not «image/webp»" in said


def test_a_type_that_was_signed_and_not_sent(server: Any, bucket: str) -> None:
    """A signed header that does not arrive is refused with its name, and is no mistake of ours."""
    signed = sign("v4-query", "PUT", f"{server.url}/{bucket}/k", headers={"Content-Type": "x-own/thing"})
    said = cause(server, signed.with_headers(Content_Type=None), body=CONTENT)
    assert "content-type" in said


@pytest.mark.parametrize("way", WAYS)
def test_another_secret(server: Any, bucket: str, way: str) -> None:
    """Where no mistake explains it, the secret key is suspected; one that was pasted badly is recognised."""
    url = f"{server.url}/{bucket}/k"
    assert "secret key is probably not the one" in cause(
        server, sign(way, "GET", url, key=Key(secret_key="x"))
    )
    pasted = sign(way, "GET", url, key=Key(secret_key=f"{SECRET_KEY}\n"))
    assert "secret key ends in a line feed" in cause(server, pasted)


@pytest.mark.parametrize("way", ["v4-header", "v4-query"])
def test_a_host_that_a_proxy_changed(server: Any, bucket: str, way: str) -> None:
    """The host that was signed is found in X-Forwarded-Host and named, with what to do."""
    signed = sign(way, "GET", f"http://{PUBLIC_HOST}/{bucket}/k")
    behind = signed.with_headers(Host=f"127.0.0.1:{server.port}", X_Forwarded_Host=PUBLIC_HOST)
    said = cause(server, behind)
    assert f"signed the host «{PUBLIC_HOST}»" in said
    assert "proxy" in said
    unknown = signed.with_headers(Host=f"127.0.0.1:{server.port}", X_Forwarded_For="192.0.2.1")
    assert "proxy probably rewrote the Host header" in cause(server, unknown)


@pytest.mark.parametrize("way", ["v4-header", "v4-query"])
def test_a_parameter_that_was_added(server: Any, bucket: str, way: str) -> None:
    """V4 signs the whole query: what was appended to a finished address is named."""
    signed = sign(way, "GET", f"{server.url}/{bucket}/k")
    joined = "&" if "?" in signed.target else "?"
    said = cause(server, signed, target=f"{signed.target}{joined}response-content-type=text/x")
    assert "response-content-type was added after the request was signed" in said


@pytest.mark.parametrize("way", WAYS)
def test_a_public_host_is_accepted(own_server: Any, way: str) -> None:
    """With --public-host, what was signed for that host is good, whatever Host a proxy sends."""
    server = own_server("--public-host", PUBLIC_HOST, "--workers", "1")
    server.client().create_bucket(Bucket="proxied")
    signed = sign(way, "PUT", f"http://{PUBLIC_HOST}/proxied/k", body=CONTENT)
    for host in (PUBLIC_HOST, f"127.0.0.1:{server.port}", "backend"):
        assert signed.with_headers(Host=host).send(server.port).status == 200
    forged = sign(way, "PUT", f"http://{PUBLIC_HOST}/proxied/k", key=Key(secret_key="x"))
    assert "secret" in cause(server, forged.with_headers(Host="backend"))
