"""Bodies that are not what their heads say: each gets S3's error, and nothing of it is stored."""

import base64
import hashlib
import socket
import struct
from collections.abc import Mapping
from typing import Any

import pytest

from browser_form import BOUNDARY, CONTENT_TYPE, encode, field, file_part, policy, signed_v2
from plain_http import Answer, answer_on, connect, head
from signed_request import Signed, sign, sign_chunks

CONTENT = bytes(range(256)) * 4096  # 1 MiB: a blob, and more than one piece
SMALL = b"small"
CHUNKS = [CONTENT[:65_536], CONTENT[65_536:131_072], b"the rest"]
UNSIGNED = "UNSIGNED-PAYLOAD"


def exchange(target: Any, signed: Signed, body: bytes, length: int) -> Answer:
    """Send a signed head that declares this length, then these bytes."""
    with connect(target.port) as connection:
        headers = {**signed.headers, "Content-Length": str(length)}
        connection.sendall(head(signed.method, signed.target, headers) + body)
        return answer_on(connection)


def put(target: Any, body: bytes = CONTENT, headers: Mapping[str, str] | None = None) -> Answer:
    """Put a body with these headers signed."""
    return sign("v4-header", "PUT", target.url, body=body, headers=headers, payload_hash=UNSIGNED).send(
        target.port, body=body
    )


# -- lengths


@pytest.mark.parametrize("content", [SMALL, CONTENT])
@pytest.mark.parametrize("reset", [False, True])
def test_a_client_that_vanishes(target: Any, content: bytes, reset: bool) -> None:
    """Half a body, and then the connection ends, in peace or with a reset: as if it had never come."""
    signed = sign("v4-header", "PUT", target.url, payload_hash=UNSIGNED)
    headers = {**signed.headers, "Content-Length": str(len(content) * 2)}
    connection = connect(target.port)
    connection.sendall(head("PUT", signed.target, headers) + content)
    if reset:
        connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    connection.close()


def test_a_form_s_client_that_vanishes(target: Any) -> None:
    """The same for a form, in the middle of its file."""
    beginning = form_of(file_part(CONTENT)).removesuffix(f"\r\n--{BOUNDARY}--\r\n".encode())
    headers = {"Host": "localhost", "Content-Type": CONTENT_TYPE, "Content-Length": str(10 << 20)}
    connection = connect(target.port)
    connection.sendall(head("POST", "/empty", headers) + beginning)
    connection.close()


def test_more_than_was_declared(target: Any) -> None:
    """What follows a whole body is no part of it; being no request either, it ends the connection."""
    with connect(target.port) as connection:
        signed = sign("v4-header", "PUT", target.url, payload_hash=hashlib.sha256(b"other").hexdigest())
        headers = {**signed.headers, "Content-Length": str(len(SMALL))}
        connection.sendall(head("PUT", signed.target, headers) + SMALL + b"and more of it\r\n\r\n")
        answers = connection.makefile("rb").read()
    assert b"<Code>XAmzContentSHA256Mismatch</Code>" in answers
    assert b"connection: close" in answers.lower()


@pytest.mark.parametrize("value", ["-1", "1x", "0x10", "1, 2", "9" * 30, ""])
def test_a_length_that_is_no_number(target: Any, value: str) -> None:
    """A Content-Length that is not one is refused before anything is read."""
    signed = sign("v4-header", "PUT", target.url, payload_hash=UNSIGNED)
    with connect(target.port) as connection:
        connection.sendall(head("PUT", signed.target, {**signed.headers, "Content-Length": value}))
        assert answer_on(connection).status == 400


def test_no_length_at_all(target: Any) -> None:
    """A PUT without a length and without chunks is 411 MissingContentLength."""
    signed = sign("v4-header", "PUT", target.url, payload_hash=UNSIGNED)
    with connect(target.port) as connection:
        connection.sendall(head("PUT", signed.target, signed.headers))
        answer = answer_on(connection)
    assert (answer.status, answer.code) == (411, "MissingContentLength")


def test_a_length_beyond_5_gb(target: Any) -> None:
    """A body that is announced too large is refused before it is sent."""
    signed = sign("v4-header", "PUT", target.url, payload_hash=UNSIGNED)
    answer = exchange(target, signed, b"", (5 << 30) + 1)
    assert (answer.status, answer.code) == (400, "EntityTooLarge")


# -- digests


@pytest.mark.parametrize("body", [SMALL, CONTENT, b""])
@pytest.mark.parametrize(
    ("name", "size_bytes", "code"),
    [
        ("Content-MD5", 16, "BadDigest"),
        ("x-amz-checksum-crc32", 4, "BadDigest"),
        ("x-amz-checksum-crc32c", 4, "BadDigest"),
        ("x-amz-checksum-crc64nvme", 8, "BadDigest"),
        ("x-amz-checksum-sha1", 20, "BadDigest"),
        ("x-amz-checksum-sha256", 32, "BadDigest"),
        ("Content-MD5", 15, "InvalidDigest"),
        ("x-amz-checksum-crc32", 5, "InvalidRequest"),
        ("x-amz-checksum-sha256", 0, "InvalidRequest"),
    ],
)
def test_wrong_digests(target: Any, body: bytes, name: str, size_bytes: int, code: str) -> None:
    """A digest of other bytes is BadDigest; one that cannot be a digest says so."""
    answer = put(target, body, {name: base64.b64encode(b"\x5a" * size_bytes).decode()})
    assert (answer.status, answer.code) == (400, code)


@pytest.mark.parametrize("body", [SMALL, CONTENT])
def test_another_body_than_was_signed(target: Any, body: bytes) -> None:
    """The SHA-256 that was signed is compared, and both are told."""
    signed = sign("v4-header", "PUT", target.url, body=b"another")
    answer = signed.send(target.port, body=body)
    assert (answer.status, answer.code) == (400, "XAmzContentSHA256Mismatch")
    assert answer.element("ClientComputedContentSHA256") == hashlib.sha256(b"another").hexdigest()
    assert answer.element("S3ComputedContentSHA256") == hashlib.sha256(body).hexdigest()


@pytest.mark.parametrize(
    "headers",
    [
        {"x-amz-checksum-crc32": "AAAAAA==", "x-amz-checksum-crc32c": "AAAAAA=="},
        {"x-amz-sdk-checksum-algorithm": "ROT13"},
        {"x-amz-sdk-checksum-algorithm": "CRC32"},
        {"x-amz-trailer": "x-amz-checksum-crc32"},
    ],
)
def test_checksums_that_contradict_themselves(target: Any, headers: dict[str, str]) -> None:
    """Two checksums, an unknown algorithm, one that is named and not sent, a trailer that cannot come."""
    assert put(target, headers=headers).code == "InvalidRequest"


# -- aws-chunked


@pytest.mark.parametrize("mark", [b"the rest", b"\r\n8;chunk-signature=0", b"\r\n0;chunk-signature=0"])
def test_chunks_that_were_changed(target: Any, mark: bytes) -> None:
    """One character changed in a chunk's bytes, or in any signature, breaks the chain."""
    signed = sign_chunks(target.url, CHUNKS, headers={})
    at = signed.body.index(mark.removesuffix(b"0")) + len(mark) - 1
    other = b"f" if signed.body[at : at + 1] != b"f" else b"0"
    answer = signed.send(target.port, body=signed.body[:at] + other + signed.body[at + 1 :])
    assert (answer.status, answer.code) == (403, "SignatureDoesNotMatch")


def test_a_trailer_that_was_changed(target: Any) -> None:
    """The trailer is signed too; one that is whole but wrong is a checksum that does not match."""
    signed = sign_chunks(target.url, CHUNKS, headers={}, trailer={"x-amz-checksum-crc32": "AAAAAA=="})
    changed = signed.body.replace(b"AAAAAA==", b"AAAAAB==")
    assert signed.send(target.port, body=changed).code == "SignatureDoesNotMatch"
    assert signed.send(target.port).code == "BadDigest"


def test_chunks_without_their_signatures(target: Any) -> None:
    """Signed framing wants every chunk signed."""
    signed = sign_chunks(target.url, [SMALL], headers={})
    answer = signed.send(target.port, body=b"5\r\nsmall\r\n0\r\n\r\n")
    assert (answer.status, answer.code) == (403, "SignatureDoesNotMatch")


def test_chunks_of_another_request(target: Any) -> None:
    """Chunks are signed for one request: those of another do not fit."""
    one = sign_chunks(target.url, CHUNKS, headers={})
    other = sign_chunks(f"{target.url}2", CHUNKS, headers={})
    assert one.send(target.port, body=other.body).code == "SignatureDoesNotMatch"


@pytest.mark.parametrize(
    ("body", "code"),
    [
        (b"zz\r\nsmall\r\n0\r\n\r\n", "InvalidRequest"),
        (b"5\r\nsmall!\r\n0\r\n\r\n", "IncompleteBody"),
        (b"6\r\nsmall!\r\n0\r\n\r\n", "IncompleteBody"),
        (b"4\r\nsmal\r\n0\r\n\r\n", "IncompleteBody"),
        (b"5\r\nsmall\r\n", "IncompleteBody"),
        (b"5\r\nsmall\r\n0\r\n", "IncompleteBody"),
        (b"5\r\nsmall\r\n0\r\nno field\r\n\r\n", "MalformedTrailerError"),
        (b"5\r\nsmall\r\n0\r\nx-amz-checksum-crc32:AAAAAA==\r\n\r\n", "MalformedTrailerError"),
        (b"5;" + b"x" * 9000 + b"\r\nsmall\r\n0\r\n\r\n", "InvalidRequest"),
        (b"-5\r\nsmall\r\n0\r\n\r\n", "InvalidRequest"),
        (b"", "IncompleteBody"),
    ],
)
def test_broken_framing(target: Any, body: bytes, code: str) -> None:
    """Framing that is not hexadecimal, too long, too short, cut off, or ends in something unannounced."""
    headers = {"Content-Encoding": "aws-chunked", "x-amz-decoded-content-length": "5"}
    payload = "STREAMING-UNSIGNED-PAYLOAD-TRAILER"
    signed = sign("v4-header", "PUT", target.url, headers=headers, payload_hash=payload)
    answer = exchange(target, signed, body, len(body))
    assert (answer.status, answer.code) == (400, code)


@pytest.mark.parametrize(("length", "status"), [(None, 411), ("x", 400), ("-1", 400)])
def test_framing_needs_the_decoded_length(target: Any, length: str | None, status: int) -> None:
    """x-amz-decoded-content-length is required where a body is framed."""
    headers = {"Content-Encoding": "aws-chunked"}
    headers |= {} if length is None else {"x-amz-decoded-content-length": length}
    payload = "STREAMING-UNSIGNED-PAYLOAD-TRAILER"
    signed = sign("v4-header", "PUT", target.url, headers=headers, payload_hash=payload)
    assert exchange(target, signed, b"0\r\n\r\n", 5).status == status


# -- forms


def form_of(*parts: bytes) -> bytes:
    signed = signed_v2(policy({"bucket": "empty"}, ["starts-with", "$key", ""]))
    return encode([field("key", "k"), *(field(*pair) for pair in signed.items()), *parts])


@pytest.mark.parametrize(
    ("body", "code"),
    [
        (form_of(file_part(CONTENT), file_part(CONTENT)), "IncorrectNumberOfFilesInPostRequest"),
        (form_of(file_part(CONTENT))[:-100], "MalformedPOSTRequest"),
        (form_of(file_part(CONTENT)).removesuffix(f"--{BOUNDARY}--\r\n".encode()), "MalformedPOSTRequest"),
        (form_of(), "InvalidArgument"),
        (form_of(file_part(CONTENT), field("x", "y" * 200_000)), "MalformedPOSTRequest"),
        (form_of(field("x-ignore-a", "y" * 30_000), file_part(CONTENT)), "MaxPostPreDataLengthExceededError"),
    ],
)
def test_broken_forms(target: Any, body: bytes, code: str) -> None:
    """Two files, a form cut short at its file or at its end, no file, too much before it or behind it."""
    headers = {"Host": "localhost", "Content-Type": CONTENT_TYPE, "Content-Length": str(len(body))}
    with connect(target.port) as connection:
        connection.sendall(head("POST", "/empty", headers) + body)
        answer = answer_on(connection)
    assert (answer.status, answer.code) == (400, code)


def test_a_file_that_grows_beyond_its_policy(target: Any) -> None:
    """A file without a declared size is refused as soon as it is larger than the policy allows."""
    signed = signed_v2(policy({"bucket": "empty"}, {"key": "k"}, ["content-length-range", 0, 100_000]))
    body = encode([field("key", "k"), *(field(*pair) for pair in signed.items()), file_part(CONTENT)])
    headers = {"Host": "localhost", "Content-Type": CONTENT_TYPE, "Transfer-Encoding": "chunked"}
    with connect(target.port) as connection:
        sent = body[:400_000]
        connection.sendall(head("POST", "/empty", headers) + b"%x\r\n" % len(sent) + sent)
        assert answer_on(connection).code == "EntityTooLarge"
