"""A form's fields are its head: they come in a head's time, to a bucket that is there, with one proof."""

import base64
import hashlib
import time
from collections.abc import Callable
from contextlib import closing
from typing import Any

from browser_form import (
    BOUNDARY,
    CONTENT,
    CONTENT_TYPE,
    Key,
    file_part,
    policy,
    post,
    signed_v2,
    signed_v4,
)
from plain_http import answer_on, connect, head
from running_server import Server
from signed_request import sign

BEGUN = f'--{BOUNDARY}\r\nContent-Disposition: form-data; name="key"\r\n\r\n'.encode()


def begun(port: int, bucket: str) -> Any:
    """Begin a form, up to the value of its first field."""
    connection = connect(port)
    headers = {"Host": "localhost", "Content-Type": CONTENT_TYPE, "Content-Length": "100000"}
    connection.sendall(head("POST", f"/{bucket}", headers) + BEGUN)
    return connection


def test_fields_that_trickle_are_given_up(own_server: Callable[..., Server]) -> None:
    """A byte of a field now and then keeps no form open beyond the time of a head."""
    server = own_server("--workers", "1", MEIKU_HEADER_TIMEOUT_S="0.5")
    server.client().create_bucket(Bucket="trickled")
    with closing(begun(server.port, "trickled")) as connection:
        for _ in range(8):
            connection.sendall(b"k")
            time.sleep(0.1)
        answer = answer_on(connection)
    assert (answer.status, answer.code) == (400, "RequestTimeout")


def test_a_form_to_no_bucket_is_refused_at_once(server: Server) -> None:
    """Nobody's fields are waited for where there is no bucket."""
    with closing(begun(server.port, "there-is-no-such-bucket")) as connection:
        assert answer_on(connection).code == "NoSuchBucket"


def test_signature_v2_can_be_switched_off(own_server: Callable[..., Server]) -> None:
    """Requests, URLs and forms of V2 are refused in words, those of V4 are not."""
    server = own_server("--workers", "1", MEIKU_SIGNATURE_V2="no")
    server.client().create_bucket(Bucket="modern")
    url = f"{server.url}/modern"
    for way in ("v2-header", "v2-query"):
        answer = sign(way, "GET", url).send(server.port)
        assert (answer.status, answer.code) == (400, "InvalidRequest")
        assert b"AWS4-HMAC-SHA256" in answer.body
    assert sign("v4-query", "GET", url).send(server.port).status == 200
    conditions = ({"bucket": "modern"}, {"key": "k"})
    assert post(server.port, "modern", {"key": "k", **signed_v4(*conditions)}).status == 204
    refused = post(server.port, "modern", {"key": "k", **signed_v2(policy(*conditions))})
    assert (refused.status, refused.code) == (400, "InvalidRequest")


def test_the_longest_expiry_can_be_bounded(own_server: Callable[..., Server]) -> None:
    """URLs of both versions and forms that are good for longer than the server allows are refused."""
    server = own_server("--workers", "1", MEIKU_LONGEST_EXPIRES_S="600")
    server.client().create_bucket(Bucket="brief")
    for way in ("v2-query", "v4-query"):
        long, short = (
            sign(way, "GET", f"{server.url}/brief", expires_in_s=s).send(server.port) for s in (700, 500)
        )
        assert (long.status, long.code, long.element("LongestExpires")) == (403, "AccessDenied", "600")
        assert short.status == 200
    assert sign("v4-header", "GET", f"{server.url}/brief").send(server.port).status == 200
    for expires_in_s, status in ((700, 403), (500, 204)):
        signed = signed_v4({"bucket": "brief"}, {"key": "k"}, key=Key(), expires_in_s=expires_in_s)
        assert post(server.port, "brief", {"key": "k", **signed}).status == status


def test_a_long_refusal_is_short(server: Server, bucket: str) -> None:
    """A refused signature over very much is not told back in full, nor tried in other forms."""
    signed = sign("v4-header", "GET", f"{server.url}/{bucket}", headers={"x-amz-meta-a": "a" * 30_000})
    answer = signed.send(server.port, headers={**signed.headers, "x-amz-meta-a": "b" * 30_000})
    assert (answer.status, answer.code) == (403, "SignatureDoesNotMatch")
    assert len(answer.body) < 70_000


def test_a_component_given_twice_is_refused(server: Server, bucket: str) -> None:
    """Of two signatures, credentials or lists of headers none is chosen."""
    signed = sign("v4-header", "GET", f"{server.url}/{bucket}")
    name = next(n for n in signed.headers if n.lower() == "authorization")
    for part in signed.headers[name].removeprefix("AWS4-HMAC-SHA256 ").split(", "):
        twice = {**signed.headers, name: f"{signed.headers[name]}, {part}"}
        answer = signed.send(server.port, headers=twice)
        assert (answer.status, answer.code) == (400, "AuthorizationHeaderMalformed")


def test_a_long_file_name_in_many_places_is_refused(server: Server, bucket: str) -> None:
    """What ${filename} makes of the fields is bound as the fields are: twenty KiB do not become fifty MiB."""
    fields = {"key": "k", "x-ignore-much": "${filename}" * 1000}
    answer = post(server.port, bucket, fields, file_part(filename="a" * 3000))
    assert (answer.status, answer.code) == (400, "MaxPostPreDataLengthExceededError")


def test_a_digest_needs_no_condition(server: Server, bucket: str) -> None:
    """Content-MD5 can only narrow what is taken, as checksums can: no condition has to name it."""
    for data, status in ((CONTENT, 204), (b"other", 400)):
        md5 = base64.b64encode(hashlib.md5(data).digest()).decode()
        fields = {"key": "k", "Content-MD5": md5, **signed_v4({"key": "k"})}
        assert post(server.port, bucket, fields).status == status
