"""Requests that are odd, hostile or broken: an S3 error or a literal reading, and never a traceback."""

import re
from typing import Any
from urllib.parse import quote

import pytest

from browser_form import file_part, policy, post, signed_v2
from plain_http import Answer, answer_on, connect, head, send
from signed_request import sign

CONTENT = b"bytes"


def raw(target: Any, data: bytes) -> Answer:
    """Send bytes as they are and read one answer."""
    with connect(target.port) as connection:
        connection.sendall(data)
        return answer_on(connection)


def store_and_remove(target: Any, path: str) -> None:
    """Put an object at a path as it stands, find it again under the same bytes, and remove it."""
    url = f"{target.server.url}/empty/{path}"
    for way in ("v4-header", "v4-query", "v2-header", "v2-query"):
        assert sign(way, "PUT", url, body=CONTENT).send(target.port).status == 200
        assert sign(way, "GET", url).send(target.port).body == CONTENT
    assert sign("v4-header", "DELETE", url).send(target.port).status == 204


# -- keys


@pytest.mark.parametrize(
    "key",
    [
        "..",
        "../../etc/passwd",
        "a/../b",
        "a//b",
        "/a",
        "//",
        ".",
        "./a",
        "a/",
        "%2e%2e/%00",
        "-/health",
        "a?b#c",
        "a+b c",
        "\x01\x7f",
        "é",
        "é",
        "🙂" * 10,
    ],
)
def test_keys_are_literal(target: Any, key: str) -> None:
    """Dots, slashes, controls and both ways to write an accent stand for themselves."""
    store_and_remove(target, quote(key, safe="/"))


def test_keys_that_look_alike_are_different(target: Any) -> None:
    """a//b, a/b, /a/b and a/./b are four objects, and a listing names each as it was sent."""
    keys = ["/a/b", "a/../a/b", "a/./b", "a//b", "a/b"]
    client = target.server.client()
    for key in keys:
        url = f"{target.server.url}/empty/{quote(key)}"
        assert sign("v4-header", "PUT", url, body=CONTENT).send(target.port).status == 200
    assert [entry["Key"] for entry in client.list_objects_v2(Bucket="empty")["Contents"]] == keys
    client.delete_objects(Bucket="empty", Delete={"Objects": [{"Key": key} for key in keys]})


@pytest.mark.parametrize("letter", ["k", "键"])
def test_the_longest_key(target: Any, letter: str) -> None:
    """1,023 bytes of UTF-8 are a key; one more is KeyTooLongError, in an address and in a form."""
    size_bytes = len(letter.encode())
    longest = letter * (1023 // size_bytes)
    store_and_remove(target, quote(longest))
    url = f"{target.server.url}/empty/{quote(longest + letter)}"
    answer = sign("v4-header", "PUT", url, body=CONTENT).send(target.port)
    assert (answer.status, answer.code) == (400, "KeyTooLongError")
    assert answer.element("Size") == str(1023 // size_bytes * size_bytes + size_bytes)


def test_the_longest_key_of_a_form(target: Any) -> None:
    """The limit is on the key as it will be stored, ${filename} replaced."""
    signed = signed_v2(policy({"bucket": "empty"}, ["starts-with", "$key", ""]))
    fields = {"key": "k" * 1000 + "${filename}", **signed}
    answer = post(target.port, "empty", fields, file_part(filename="x" * 24))
    assert (answer.status, answer.code) == (400, "KeyTooLongError")


@pytest.mark.parametrize(
    "path", ["/empty/%ff", "/empty/%c3%28", "/empty/%ed%a0%80", "/%ff", "/empty?prefix=%ff"]
)
@pytest.mark.parametrize("method", ["GET", "PUT", "DELETE"])
def test_what_is_not_utf8_is_refused(target: Any, path: str, method: str) -> None:
    """A path or a query that is not UTF-8 is InvalidURI: it could not be named in any answer."""
    answer = send(target.port, method, path)
    assert (answer.status, answer.code) == (400, "InvalidURI")


@pytest.mark.parametrize("path", ["/empty/a%", "/empty/a%2", "/empty/a%zz"])
def test_a_percent_sign_may_stand_alone(target: Any, path: str) -> None:
    """What is no percent-encoding is taken as it stands, and is refused for want of a signature."""
    assert send(target.port, "GET", path).status == 403


# -- heads


def test_a_head_of_1_mb(target: Any) -> None:
    """A header block beyond the limit is refused while it arrives, and the connection ends."""
    with connect(target.port) as connection:
        connection.sendall(b"GET /empty/k HTTP/1.1\r\nHost: localhost\r\nX-Large: ")
        try:
            for _ in range(16):
                connection.sendall(b"x" * 65_536)
        except (BrokenPipeError, ConnectionResetError):
            pass  # it need not read what it has refused
        answer = answer_on(connection)
    assert (answer.status, answer.code) == (400, "RequestHeaderSectionTooLarge")
    assert answer.headers["connection"] == "close"


def test_ten_thousand_headers(target: Any) -> None:
    """Many small headers are as large as a large one."""
    answer = raw(target, b"GET / HTTP/1.1\r\n" + b"a: b\r\n" * 20_000 + b"\r\n")
    assert answer.code == "RequestHeaderSectionTooLarge"


@pytest.mark.parametrize(
    "data",
    [
        b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03 a TLS greeting\r\n\r\n",
        b"GET /\r\n\r\n",
        b"nonsense\r\n\r\n",
        b"GET / HTTP/9.9\r\n\r\n",
        b"GET / HTTP/1.1\r\nno colon\r\n\r\n",
        b"GET / HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\nContent-Length: 6\r\n\r\nsmall",
        b"PUT /empty/k HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\nsmall",
        b"PUT /empty/k HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n",
        b"GET / HTTP/1.1\r\nA\x00B: c\r\n\r\n",
        b"GET / HTTP/1.1\r\nA: b\r\n folded\r\n\r\n",
    ],
)
def test_what_is_no_http(target: Any, data: bytes) -> None:
    """TLS, other versions, broken or contradicting heads: a short refusal, and the connection ends."""
    with connect(target.port) as connection:
        connection.sendall(data)
        said = connection.makefile("rb").read()
    assert re.match(rb"HTTP/1\.1 4\d\d ", said)
    assert b"Traceback" not in said


@pytest.mark.parametrize(
    "host",
    ["", "a b", "empty.localhost:x", "..localhost", "[::1", "x" * 5000, "<script>.localhost", "é.localhost"],
)
def test_odd_hosts(target: Any, host: str) -> None:
    """A Host that is none is nobody's bucket; what it says is never repeated as markup."""
    answer = raw(target, f"GET /k HTTP/1.1\r\nHost: {host}\r\n\r\n".encode())
    assert answer.status in (400, 403, 404)
    assert b"<b>" not in answer.body


def test_no_host_at_all(target: Any) -> None:
    """HTTP/1.1 without a Host, and HTTP/1.0, are answered like any other address."""
    assert raw(target, b"GET /empty/k HTTP/1.1\r\n\r\n").status in (400, 403)
    assert raw(target, b"GET /empty/k HTTP/1.0\r\n\r\n").status == 403


# -- parameters


@pytest.mark.parametrize("method", ["PUT", "POST", "DELETE"])
@pytest.mark.parametrize("query", ["website", "retention", "unheard-of", "acl&policy", "append&position=x"])
def test_sub_resources_that_are_not_offered(target: Any, method: str, query: str) -> None:
    """What would be another operation is refused by name; it is never taken for the plain one."""
    url = f"{target.url}?{query}"
    answer = sign("v4-header", method, url, body=CONTENT).send(target.port)
    assert answer.status in (400, 405, 501), (answer.status, answer.body)


@pytest.mark.parametrize("method", ["TRACE", "CONNECT", "PATCH", "LINK", "PROPFIND"])
def test_other_methods(target: Any, method: str) -> None:
    """Methods that S3 does not have are refused, signed or not."""
    answer = raw(target, head(method, "/empty/k", {"Host": "localhost"}))
    assert answer.status in (400, 405)


@pytest.mark.parametrize(
    "query",
    [
        "&".join(f"a{number}=1" for number in range(1000)),
        "max-keys=" + "9" * 5000,
        "max-keys=-1",
        "max-keys=%D9%A3",
        "list-type=2&continuation-token=nonsense",
        "encoding-type=rot13",
        "versionId=../..",
        "partNumber=1e3&uploadId=x",
        "X-Amz-Signature=1",
        "AWSAccessKeyId=testak",
        "Signature=a&Expires=b&AWSAccessKeyId=c&Expires=d",
    ],
)
def test_odd_queries(target: Any, query: str) -> None:
    """Too many, too long, of another kind: an error of S3's, or an answer, but no mistake."""
    for path in ("/empty", "/empty/k"):
        answer = sign("v4-header", "GET", f"{target.server.url}{path}?{query}").send(target.port)
        assert answer.status < 500 or answer.code == "NotImplemented"
        assert b"Traceback" not in answer.body


@pytest.mark.parametrize(
    "header",
    [
        {"x-amz-acl": "everyone"},
        {"x-amz-meta-a": "x" * 3000},
        {"x-amz-storage-class": "CARDBOARD"},
        {"x-amz-grant-read": "nonsense"},
        {"x-amz-grant-read": 'id="nobody"'},
        {"x-amz-copy-source": "no-such-bucket/k"},
        {"x-amz-copy-source": "/../%ff"},
        {"If-Match": '"something"'},
        {"x-amz-server-side-encryption": "AES256"},
        {"x-amz-object-lock-mode": "COMPLIANCE"},
        {"x-amz-tagging": "a=b"},
        {"x-amz-expected-bucket-owner": "nobody"},
    ],
)
def test_odd_headers(target: Any, header: dict[str, str]) -> None:
    """A header that cannot be honoured refuses the request: nothing is stored without it."""
    answer = sign("v4-header", "PUT", target.url, body=CONTENT, headers=header).send(target.port)
    assert answer.status >= 400
    assert answer.code not in ("", "InternalError", "SignatureDoesNotMatch")


@pytest.mark.parametrize(
    "document",
    [
        b"",
        b"nonsense",
        b"<Delete>",
        b"<Delete/>",
        b"<Other/>",
        b'<?xml version="1.0"?><!DOCTYPE a [<!ENTITY x "y">]><Delete>&x;</Delete>',
        b"<Delete>" + b"<a>" * 5000 + b"</a>" * 5000 + b"</Delete>",
        b"<Delete><Object><Key>\xff</Key></Object></Delete>",
        b"<Delete>" + b"<Object><Key>k</Key></Object>" * 1001 + b"</Delete>",
        b"x" * (5 << 20),
    ],
)
def test_odd_documents(target: Any, document: bytes) -> None:
    """XML that is none, another, too deep, with entities, or too large is refused whole."""
    url = f"{target.server.url}/empty?delete"
    answer = sign("v4-header", "POST", url, body=document).send(target.port)
    assert answer.status == 400
    assert answer.code in ("MalformedXML", "MaxMessageLengthExceeded", "InvalidRequest")
