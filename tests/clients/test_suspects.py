"""What a refused signature is told, and in which words, where a proxy, another key or a body is the cause."""

from collections.abc import Callable
from typing import Any

import pytest

from browser_form import CONTENT, Key, file_part, policy, post, signed_v2, signed_v4
from running_server import SECRET_KEY, Server
from signed_request import WAYS, Signed, sign

V4_WAYS = ("v4-header", "v4-query")


def cause(server: Server, signed: Signed, **changes: Any) -> str:
    answer = signed.send(server.port, **changes)
    assert (answer.status, answer.code) == (403, "SignatureDoesNotMatch"), answer.body
    assert SECRET_KEY.encode() not in answer.body
    return answer.element("LikelyCause")


@pytest.mark.parametrize("way", V4_WAYS)
def test_a_port_that_a_proxy_lost(server: Server, bucket: str, way: str) -> None:
    """`proxy_set_header Host $host` loses the port: this server's own is tried, and the host named."""
    signed = sign(way, "GET", f"http://media.example.cn:{server.port}/{bucket}/k")
    said = cause(server, signed.with_headers(Host="media.example.cn"))
    assert f"signed the host «media.example.cn:{server.port}»" in said


@pytest.mark.parametrize("way", V4_WAYS)
@pytest.mark.parametrize("name", ["localhost", "127.0.0.1"])
def test_a_name_that_a_proxy_replaced(server: Server, bucket: str, way: str, name: str) -> None:
    """nginx sends the upstream's name where nothing is set: the names this server listens on are tried."""
    signed = sign(way, "GET", f"http://{name}:{server.port}/{bucket}/k")
    said = cause(server, signed.with_headers(Host="backend"))
    assert f"signed the host «{name}:{server.port}»" in said
    assert "proxy rewrote the Host header" in said


@pytest.mark.parametrize("way", V4_WAYS)
@pytest.mark.parametrize("default_port", [80, 443])
def test_a_default_port_that_was_signed(server: Server, bucket: str, way: str, default_port: int) -> None:
    """Clients that sign the default port, and do not send it, are recognised."""
    host = f"media.example.cn:{default_port}"
    # botocore leaves a default port out of the address, but signs the Host that it is given.
    signed = sign(way, "GET", f"http://media.example.cn/{bucket}/k", headers={"Host": host})
    assert f"signed the host «{host}»" in cause(server, signed.with_headers(Host="media.example.cn"))


@pytest.mark.parametrize("way", V4_WAYS)
def test_an_unknown_host_is_the_first_suspect(server: Server, bucket: str, way: str) -> None:
    """Behind a proxy that says nothing of itself, Host is named before path and key."""
    signed = sign(way, "GET", f"http://media.example.cn/{bucket}/k")
    host = f"127.0.0.1:{server.port}"
    said = cause(server, signed.with_headers(Host=host))
    assert said.index(f"Host first: the request arrived for «{host}»") < said.index(f"«/{bucket}/k»")
    assert said.index(f"«/{bucket}/k»") < said.index("the secret key is probably not the one")


@pytest.mark.parametrize("way", WAYS)
def test_another_key_names_the_path(server: Server, bucket: str, way: str) -> None:
    """k signed and k2 sent is another path, and no slash that was lost."""
    signed = sign(way, "GET", f"{server.url}/{bucket}/k")
    said = cause(server, signed, target=signed.target.replace("/k", "/k2", 1))
    assert f"the path that was signed is not «/{bucket}/k2»" in said
    assert "slash" not in said


@pytest.mark.parametrize("way", WAYS)
def test_another_key_with_a_type_names_the_path_first(server: Server, bucket: str, way: str) -> None:
    """A signed type that was sent as it was signed is not blamed before the path."""
    signed = sign(way, "PUT", f"{server.url}/{bucket}/k", body=CONTENT, headers={"Content-Type": "image/png"})
    said = cause(server, signed, target=signed.target.replace("/k", "/other", 1))
    assert said.index(f"«/{bucket}/other»") < said.index("Content-Type that was signed")


@pytest.mark.parametrize("way", WAYS)
def test_a_slash_at_the_end_is_still_found(server: Server, bucket: str, way: str) -> None:
    """A slash that really was lost or added is proved, in both directions."""
    signed = sign(way, "GET", f"{server.url}/{bucket}/k")
    assert "with" in cause(server, signed, target=signed.target.replace("/k", "/k/", 1))
    ending = sign(way, "GET", f"{server.url}/{bucket}/k/")
    assert "with a slash at its end" in cause(server, ending, target=ending.target.replace("/k/", "/k", 1))


@pytest.mark.parametrize("way", V4_WAYS)
def test_a_length_that_was_signed(server: Server, bucket: str, way: str) -> None:
    """A signed Content-Length with another body is named, with the length that came."""
    headers = {"Content-Length": "3", "Content-Type": "image/png"}
    signed = sign(way, "PUT", f"{server.url}/{bucket}/k", body=b"abc", headers=headers)
    longer = signed.with_headers(Content_Length=str(len(CONTENT)))
    said = cause(server, longer, body=CONTENT)
    assert f"the Content-Length that was signed is not «{len(CONTENT)}»" in said
    assert said.index("Content-Length that") < said.index("Content-Type that")


TWO_AT_ONCE = [
    # the way; signed by, with the type; sent by, with the type
    ("v2-header", "GET", None, "PUT", "application/octet-stream"),
    ("v2-query", "GET", None, "PUT", "application/octet-stream"),  # a link to look, used to upload
    ("v2-query", "PUT", None, "GET", "application/json"),  # a library that always sends a type
    ("v2-header", "PUT", "image/png", "GET", None),
]


@pytest.mark.parametrize(("way", "signed_by", "signed_type", "sent_by", "sent_type"), TWO_AT_ONCE)
def test_another_method_and_another_type_at_once(
    server: Server,
    bucket: str,
    way: str,
    signed_by: str,
    signed_type: str | None,
    sent_by: str,
    sent_type: str | None,
) -> None:
    """V2 signs both, and who takes another method sends another type: both are named."""
    headers = {"Content-Type": signed_type} if signed_type else {}
    signed = sign(way, signed_by, f"{server.url}/{bucket}/k.png", headers=headers)
    said = cause(server, signed.with_headers(Content_Type=sent_type), method=sent_by)
    assert f"signed the method {signed_by}, but sent {sent_by}" in said
    assert f"«{signed_type or sent_type}»" in said


LANGUAGES = [
    ("zh-CN,zh;q=0.9,en;q=0.8", True, False),
    ("en-GB,en;q=0.9,zh;q=0.1", False, True),
    ("zh;q=0.1,en;q=0.5", False, True),
    ("fr", True, True),
    ("*", True, True),
    (None, True, True),
    ("zh;q=0", True, True),
    ("zh;q=x,,;", True, True),
]


@pytest.mark.parametrize(("accepted", "chinese", "english"), LANGUAGES)
@pytest.mark.parametrize("way", WAYS)
def test_the_language_is_the_reader_s(
    server: Server, bucket: str, way: str, accepted: str | None, chinese: bool, english: bool
) -> None:
    """Accept-Language chooses Chinese or English; where it says neither, a cause is told in both."""
    signed = sign(way, "PUT", f"{server.url}/{bucket}/k").with_headers(Accept_Language=accepted)
    proved = signed.send(server.port, method="GET")
    told = proved.element("LikelyCause")
    assert ("签名时的方法" in told, "signed the method" in told) == (chinese, english)
    difference = proved.element("FirstDifference")
    assert ("客户端签的是" in difference, "client signed" in difference) == (not english, english)
    guessed = cause(server, signed, target=signed.target.replace("/k", "/k2", 1))
    assert ("签名时的路径不是" in guessed, "the path that was signed" in guessed) == (chinese, english)


@pytest.mark.parametrize("version", [2, 4])
def test_a_form_s_guess_is_in_its_page_s_language(server: Server, bucket: str, version: int) -> None:
    """Forms are told as requests are."""
    wrong = Key(secret_key="another")
    conditions = {"bucket": bucket}, {"key": "k"}
    proof = signed_v4(*conditions, key=wrong) if version == 4 else signed_v2(policy(*conditions), wrong)
    for accepted, words in (("zh-CN", "SK 很可能不是"), ("en", "secret key is probably")):
        answer = post(server.port, bucket, {"key": "k", **proof}, headers={"Accept-Language": accepted})
        assert words in answer.element("LikelyCause")
        assert ("很可能" in answer.element("LikelyCause")) is (accepted == "zh-CN")


def test_a_form_s_file_that_is_too_large_tells_what_was_declared(server: Server, bucket: str) -> None:
    """ProposedSize is what was proposed, not how much of it had come when it was refused."""
    proof = signed_v4({"bucket": bucket}, {"key": "k"}, ["content-length-range", 0, 1000])
    content = b"x" * 3_000_000
    answer = post(server.port, bucket, {"key": "k", **proof}, file_part(content))
    assert (answer.status, answer.code) == (400, "EntityTooLarge")
    assert len(content) <= int(answer.element("ProposedSize")) <= len(content) + 5000
    assert answer.element("MaxSizeAllowed") == "1000"


def test_own_names_follow_the_settings(own_server: Callable[..., Server]) -> None:
    """A domain of the settings is one of this server's names, with its port."""
    server = own_server("--workers", "1", MEIKU_DOMAINS="media.example.cn")
    server.client().create_bucket(Bucket="named")
    signed = sign("v4-query", "GET", f"http://media.example.cn:{server.port}/named/k")
    said = cause(server, signed.with_headers(Host=f"127.0.0.1:{server.port}"))
    assert f"signed the host «media.example.cn:{server.port}»" in said
