"""A signature and the operation read one request: nothing is signed one way and acted on in another.

What a presigned URL carries is found by its lower-case name; whoever holds the URL can repeat a name in
another case, and V2 would not notice.
"""

import base64
import hashlib
from typing import Any

import pytest

from clients.test_presigned_by_sdks import DATA, put, v2_url, v4_url
from plain_http import send
from running_server import Server
from signed_request import sign


@pytest.mark.parametrize("again", ["X-Amz-Acl", "x-amz-acl", "X-AMZ-ACL"])
def test_a_carried_header_given_twice_is_refused(server: Server, bucket: str, again: str) -> None:
    """Of two values none is chosen: the signature would fit the one, and the object be given the other."""
    said = {"x-amz-acl": "private"}
    signed = v2_url("PUT", f"/{bucket}/k", said, said)
    answer = put(server, f"{signed}&{again}=public-read-write&x-amz-acl=private")
    assert (answer.status, answer.code) == (400, "InvalidArgument")
    assert send(server.port, "GET", f"/{bucket}/k").status == 403


def test_a_copy_source_given_twice_is_refused(server: Server, s3: Any, bucket: str) -> None:
    """The holder of a V2 URL for one copy takes no other object with it."""
    for key in ("meant", "secret"):
        s3.put_object(Bucket=bucket, Key=key, Body=key.encode())
    said = {"x-amz-copy-source": f"{bucket}/meant"}
    signed = v2_url("PUT", f"/{bucket}/k", said, said)
    forged = f"{signed}&X-Amz-Copy-Source={bucket}/secret&x-amz-copy-source=x"
    answer = send(server.port, "PUT", forged)
    assert (answer.status, answer.code) == (400, "InvalidArgument")
    assert send(server.port, "PUT", signed).status == 200
    assert s3.get_object(Bucket=bucket, Key="k")["Body"].read() == b"meant"


def test_v2_payload_hash_in_the_url_is_checked(server: Server, bucket: str) -> None:
    """x-amz-content-sha256, signed as a header and sent as a parameter, is compared with the bytes."""
    for data, status in ((DATA, 200), (b"other bytes", 400)):
        said = {"x-amz-content-sha256": hashlib.sha256(data).hexdigest()}
        assert put(server, v2_url("PUT", f"/{bucket}/k", said, said)).status == status


@pytest.mark.parametrize("name", ["x-amz-signature", "X-AMZ-SIGNATURE"])
def test_a_presigned_url_is_one_in_any_case(server: Server, s3: Any, bucket: str, name: str) -> None:
    """Where the signature's own name is written otherwise, the headers in the URL count all the same."""
    s3.put_object(Bucket=bucket, Key="k", Body=DATA)
    said = {"x-amz-expected-bucket-owner": "somebody-else"}
    target = v4_url(server, "GET", f"/{bucket}/k", said, said)
    answer = send(server.port, "GET", target.replace("X-Amz-Signature", name))
    assert (answer.status, answer.code) == (403, "AccessDenied")


@pytest.mark.parametrize("name", ["if-none-match", "range"])
def test_v4_signs_no_header_that_a_url_cannot_carry(server: Server, s3: Any, bucket: str, name: str) -> None:
    """A header that is signed, stands in the query alone and would be ignored there, was not sent."""
    s3.put_object(Bucket=bucket, Key="k", Body=DATA)
    said = {name: "bytes=0-1" if name == "range" else "*"}
    answer = send(server.port, "GET", v4_url(server, "GET", f"/{bucket}/k", said, said))
    assert (answer.status, answer.code) == (403, "SignatureDoesNotMatch")


@pytest.mark.parametrize("way", ["v4-header", "v2-header"])
def test_an_authorization_header_signs_no_parameter_as_a_header(
    server: Server, s3: Any, bucket: str, way: str
) -> None:
    """Only presigned URLs carry headers: with a header's signature, one that is not sent is not there."""
    s3.put_object(Bucket=bucket, Key="k", Body=DATA)
    said = "x-amz-expected-bucket-owner"
    url = f"{server.url}/{bucket}/k?{said}=somebody-else"
    signed = sign(way, "GET", url, headers={said: "somebody-else"})
    answer = signed.with_headers(**{said: None}).send(server.port)
    assert (answer.status, answer.code) == (403, "SignatureDoesNotMatch")


def test_content_md5_given_twice_is_refused(server: Server, bucket: str) -> None:
    """The rule is one for every header that a URL may carry."""
    md5 = base64.b64encode(hashlib.md5(DATA).digest()).decode()
    target = v2_url("PUT", f"/{bucket}/k", {}, {"Content-MD5": md5}, md5=md5)
    answer = put(server, f"{target}&content-md5=AAAAAAAAAAAAAAAAAAAAAA==")
    assert (answer.status, answer.code) == (400, "InvalidArgument")
