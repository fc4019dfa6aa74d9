"""How a browser is told what became of its form: every status, every error, and the page it lands on."""

import hashlib
from typing import Any
from urllib.parse import parse_qs, urlsplit
from xml.etree import ElementTree

import pytest

from browser_form import (
    CONTENT,
    CONTENT_TYPE,
    encode,
    field,
    file_part,
    part,
    policy,
    post,
    signed_v2,
)
from plain_http import Answer, answer_on, connect, head, send

ETAG = f'"{hashlib.md5(CONTENT).hexdigest()}"'
GIB = 1 << 30


# -- success


@pytest.mark.parametrize(
    ("asked", "status"), [(None, 204), ("204", 204), ("200", 200), ("201", 201), ("302", 204), ("", 204)]
)
def test_the_form_chooses_its_status(post_signed: Any, asked: str | None, status: int) -> None:
    """200, 201 or 204 as asked; anything else is 204. ETag and Location are always there."""
    answer = post_signed({} if asked is None else {"success_action_status": asked})
    assert (answer.status, answer.headers["etag"]) == (status, ETAG)
    assert answer.headers["location"].startswith("http://")
    assert bool(answer.body) == (status == 201)


def test_201_has_a_document(post_signed: Any, server: Any, bucket: str) -> None:
    """A PostResponse with Location, Bucket, Key and ETag, in this order."""
    answer = post_signed({"key": "目录/a b&c.png", "success_action_status": "201"})
    root = ElementTree.fromstring(answer.body)
    location = f"{server.url}/{bucket}/%E7%9B%AE%E5%BD%95/a%20b%26c.png"
    # Without a namespace, as AWS writes it: pages look its elements up by their plain names.
    assert root.tag == "PostResponse"
    assert [(child.tag, child.text) for child in root] == [
        ("Location", location),
        ("Bucket", bucket),
        ("Key", "目录/a b&c.png"),
        ("ETag", ETAG),
    ]
    assert answer.headers["location"] == location
    assert answer.headers["content-type"] == "application/xml"


def test_the_location_is_the_object_s_address(server: Any, bucket: str) -> None:
    """A form to the bucket's host is answered with an address on that host."""
    fields = {"key": "a/b", "acl": "public-read"}
    signed = signed_v2(policy({"key": "a/b"}, {"acl": "public-read"}))
    body = encode([*(field(*pair) for pair in (fields | signed).items()), file_part()])
    host = f"{bucket}.localhost:{server.port}"
    headers = {"Host": host, "Content-Type": CONTENT_TYPE}
    location = send(server.port, "POST", "/", body=body, headers=headers).headers["location"]
    assert location == f"http://{host}/a/b"
    assert send(server.port, "GET", "/a/b", headers={"Host": host}).body == CONTENT


@pytest.mark.parametrize("name", ["success_action_redirect", "redirect"])
def test_the_browser_lands_where_the_form_says(post_signed: Any, bucket: str, name: str) -> None:
    """303 to the page, with bucket, key and quoted etag in its query; a status asked for gives way."""
    answer = post_signed({name: "https://page.example/done", "success_action_status": "201"})
    location = answer.headers["location"]
    assert (answer.status, answer.body) == (303, b"")
    assert location.startswith(f"https://page.example/done?bucket={bucket}&key=k&etag=%22")
    assert parse_qs(urlsplit(location).query)["etag"] == [ETAG]


def test_the_page_s_own_query_stays(post_signed: Any) -> None:
    """What is added comes behind the page's own query, and before its fragment."""
    location = post_signed(
        {"key": "a b&c", "success_action_redirect": "http://page.example/done?x=1#top"}
    ).headers["location"]
    parts = urlsplit(location)
    assert (parts.fragment, parse_qs(parts.query)["x"], parse_qs(parts.query)["key"]) == (
        "top",
        ["1"],
        ["a b&c"],
    )


@pytest.mark.parametrize("target", ["/relative", "javascript:alert(1)", "https://", "http://a\r\nX: 1"])
def test_a_page_that_is_none_is_refused(post_signed: Any, s3: Any, bucket: str, target: str) -> None:
    """A browser is sent to http and https pages only, and nothing is stored for another."""
    answer = post_signed({"success_action_redirect": target})
    assert (answer.status, answer.code) == (400, "InvalidArgument")
    assert "x" not in answer.headers
    assert s3.list_objects_v2(Bucket=bucket)["KeyCount"] == 0


def test_an_object_is_replaced(post_signed: Any, s3: Any, bucket: str) -> None:
    """A form to a key that exists replaces the object, as a PUT does."""
    s3.put_object(Bucket=bucket, Key="k", Body=b"old", Metadata={"old": "yes"})
    assert post_signed().status == 204
    got = s3.get_object(Bucket=bucket, Key="k")
    assert (got["Body"].read(), got["Metadata"]) == (CONTENT, {})


# -- errors


def refused(server: Any, bucket: str, body: bytes, content_type: str = CONTENT_TYPE) -> tuple[int, str]:
    """Post these bytes and tell the status and the code."""
    answer = send(server.port, "POST", f"/{bucket}", body=body, headers={"Content-Type": content_type})
    assert answer.headers["content-type"] == "application/xml"
    assert answer.element("RequestId") == answer.headers["x-amz-request-id"]
    return answer.status, answer.code


SIGNED = [field(*pair) for pair in signed_v2(policy(["starts-with", "$key", ""])).items()]
KEY = field("key", "k")


@pytest.mark.parametrize(
    "content_type", ["text/plain", "application/x-www-form-urlencoded", "multipart/mixed; boundary=x"]
)
def test_what_is_no_form(server: Any, bucket: str, content_type: str) -> None:
    """Another content type is 412, as S3 answers."""
    body = encode([KEY, *SIGNED, file_part()])
    assert refused(server, bucket, body, content_type) == (412, "PreconditionFailed")


@pytest.mark.parametrize(
    ("parts", "expected"),
    [
        ([*SIGNED, file_part()], (400, "InvalidArgument")),
        ([field("key", ""), *SIGNED, file_part()], (400, "InvalidArgument")),
        ([*SIGNED, file_part(), KEY], (400, "InvalidArgument")),
        ([KEY, *SIGNED], (400, "InvalidArgument")),
        ([KEY, KEY, *SIGNED, file_part()], (400, "InvalidArgument")),
        ([KEY, field("x", b"\xff"), *SIGNED, file_part()], (400, "InvalidArgument")),
        ([KEY, *SIGNED, file_part(), file_part()], (400, "IncorrectNumberOfFilesInPostRequest")),
        ([KEY, *SIGNED, field("x", "y" * 20_480), file_part()], (400, "MaxPostPreDataLengthExceededError")),
        ([KEY, *SIGNED, part('filename="x"', b""), file_part()], (400, "MalformedPOSTRequest")),
    ],
)
def test_bad_forms(server: Any, s3: Any, bucket: str, parts: list[bytes], expected: tuple[int, str]) -> None:
    """No key, an empty or late one; no file or two; a field twice, unreadable, too large, nameless."""
    assert refused(server, bucket, encode(parts)) == expected
    assert s3.list_objects_v2(Bucket=bucket)["KeyCount"] == 0


@pytest.mark.parametrize(
    ("body", "content_type"),
    [
        (b"", CONTENT_TYPE),
        (b"no form at all", CONTENT_TYPE),
        (encode([KEY, *SIGNED, file_part()])[:-10], CONTENT_TYPE),
        (encode([KEY, *SIGNED, file_part()]), "multipart/form-data"),
        (encode([KEY, *SIGNED, file_part()]), "multipart/form-data; boundary=another"),
    ],
)
def test_a_body_that_is_not_the_form_announced(
    server: Any, s3: Any, bucket: str, body: bytes, content_type: str
) -> None:
    """An empty body, other bytes, a form cut short, no boundary or another one."""
    assert refused(server, bucket, body, content_type) == (400, "MalformedPOSTRequest")
    assert s3.list_objects_v2(Bucket=bucket)["KeyCount"] == 0


def test_a_bucket_that_is_not_there(server: Any) -> None:
    """404 NoSuchBucket, to whoever signs."""
    assert refused(server, "no-such-bucket", encode([KEY, *SIGNED, file_part()])) == (404, "NoSuchBucket")


def test_a_host_that_names_no_bucket(server: Any, bucket: str) -> None:
    """A form to a host that is under none of the server's domains is told what to do about it."""
    host = f"{bucket}.media.example.cn"
    headers = {"Host": host, "Content-Type": CONTENT_TYPE}
    body = encode([KEY, *SIGNED, file_part()])
    answer = send(server.port, "POST", "/", body=body, headers=headers)
    assert (answer.status, answer.code) == (405, "MethodNotAllowed")
    assert host in answer.element("Message")
    assert "--domain" in answer.element("Message")


def test_sizes_are_told(server: Any, bucket: str) -> None:
    """A file outside of the policy's range is told its size, or what it had reached, and the limit."""
    for range_, expected in (([30, 40], ("EntityTooSmall", "MinSizeAllowed", "30")), ([1, 9], TOO_LARGE)):
        fields = {"key": "k", **signed_v2(policy({"key": "k"}, ["content-length-range", *range_]))}
        answer = post(server.port, bucket, fields)
        code, limit, value = expected
        assert (answer.status, answer.code, answer.element(limit)) == (400, code, value)
        assert answer.element("ProposedSize") == str(len(CONTENT))


TOO_LARGE = ("EntityTooLarge", "MaxSizeAllowed", "9")


def test_a_file_over_5_gb_is_refused_at_once(server: Any, bucket: str) -> None:
    """The limit holds without a policy's own, and the announced length is enough to refuse."""
    answer = announce(server.port, bucket, 5 * GIB + (1 << 20))
    assert (answer.status, answer.code) == (400, "EntityTooLarge")
    assert answer.element("MaxSizeAllowed") == str(5 * GIB)


def announce(port: int, bucket: str, size_bytes: int) -> Answer:
    """Send a form's head and fields, and read the answer."""
    headers = {"Host": "localhost", "Content-Type": CONTENT_TYPE, "Content-Length": str(size_bytes)}
    with connect(port) as connection:
        connection.sendall(head("POST", f"/{bucket}", headers))
        return answer_on(connection)


def test_a_limit_of_the_server_s_own(own_server: Any) -> None:
    """MEIKU_MAX_OBJECT_PUT_BYTES bounds forms too, to the byte."""
    server = own_server("--workers", "1", MEIKU_MAX_OBJECT_PUT_BYTES=str(len(CONTENT)))
    server.client().create_bucket(Bucket="limited")
    fields = {"key": "k", **signed_v2(policy({"bucket": "limited"}, {"key": "k"}))}
    assert post(server.port, "limited", fields).status == 204
    answer = post(server.port, "limited", fields, file_part(CONTENT + b"!"))
    assert (answer.status, answer.code) == (400, "EntityTooLarge")


def test_a_page_may_read_the_refusal(server: Any, s3: Any, bucket: str) -> None:
    """With a CORS rule, answers of both kinds carry its headers, or browsers would hide the reason."""
    rule = {
        "AllowedOrigins": ["https://page.example"],
        "AllowedMethods": ["POST"],
        "ExposeHeaders": ["ETag", "x-amz-request-id"],
    }
    s3.put_bucket_cors(Bucket=bucket, CORSConfiguration={"CORSRules": [rule]})
    origin = {"Origin": "https://page.example"}
    stored = post(server.port, bucket, {"key": "k", **signed_v2(policy({"key": "k"}))}, headers=origin)
    denied = post(server.port, bucket, {"key": "k"}, headers=origin)
    assert (stored.status, denied.status) == (204, 403)
    for answer in (stored, denied):
        assert answer.headers["access-control-allow-origin"] == "https://page.example"
        assert answer.headers["access-control-expose-headers"] == "ETag, x-amz-request-id"
    other = post(server.port, bucket, {"key": "k"}, headers={"Origin": "https://other.example"})
    assert "access-control-allow-origin" not in other.headers
