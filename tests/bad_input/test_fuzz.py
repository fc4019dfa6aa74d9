"""Bytes that nobody meant: XML, ranges and whole requests, mutated; an answer of 4xx, and never a mistake."""

import contextlib
import socket
from collections.abc import Iterator
from typing import Any
from urllib.parse import urlsplit

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from fuzzing import often
from meiku import errors, model
from meiku.ops.ranges import read_range
from meiku.signing import presign_v4
from meiku.wire.xml_reader import read_document
from signed_http import ACCESS, SignedHttp

DELETE = model.operations()["DeleteObjects"].input.members["Delete"].shape
PIECES = ["<Delete>", "</Delete>", "<Object>", "</Object>", "<Key>", "</Key>", "<Quiet>", "true", "</Quiet>"]
ODD = [
    "<?xml version='1.0' encoding='utf-7'?>",
    "<!DOCTYPE a>",
    "&#0;",
    "&#xD800;",
    "&lt;",
    "&x;",
    "<![CDATA[",
    "]]>",
]
XML = st.lists(st.sampled_from([*PIECES, *PIECES, *ODD]) | st.text(max_size=4), max_size=20).map("".join)
RANGES = st.one_of(
    st.text(max_size=30),
    st.builds(
        "bytes={}-{}".format, st.integers(0, 1 << 80) | st.just(""), st.integers(0, 1 << 80) | st.just("")
    ),
    st.text("bytes=,- 0123456789٣", max_size=30).map("bytes={}".format),
)


@settings(max_examples=often(500), deadline=None)
@given(XML.map(str.encode) | st.binary(max_size=200))
def test_any_document_is_read_or_refused(data: bytes) -> None:
    """No bytes raise anything but MalformedXML, and what is read has what the model requires."""
    with contextlib.suppress(errors.MalformedXML):
        assert read_document(data, DELETE, "Delete")["Objects"]


@settings(max_examples=often(500), deadline=None)
@given(RANGES, st.integers(0, 1 << 40))
def test_any_range_is_within_the_object_or_refused(header: str, size_bytes: int) -> None:
    """No header reaches behind an object's end, and what cannot be met is InvalidRange."""
    with contextlib.suppress(errors.InvalidRange):
        found = read_range(header, size_bytes)
        assert found is None or 0 <= found[0] <= found[1] <= size_bytes


def requests_to(url: str) -> list[bytes]:
    """Write a few whole requests that would be answered well."""
    made = []
    for method, path, body in (
        ("GET", "empty?list-type=2", b""),
        ("PUT", "empty/fuzz", b"x" * 20),
        ("POST", "empty?delete", b"<Delete><Object><Key>k</Key></Object></Delete>"),
        ("GET", "empty/none", b""),
    ):
        target = presign_v4(ACCESS, method, f"{url}/{path}").removeprefix(url)
        lines = [f"{method} {target} HTTP/1.1", f"Host: {urlsplit(url).netloc}", "Range: bytes=0-5"]
        made.append("\r\n".join([*lines, f"Content-Length: {len(body)}", "", ""]).encode() + body)
    return made


@pytest.fixture
def emptied(target: Any) -> Iterator[Any]:
    """The target, without what a mutation that changed nothing has stored."""
    yield target
    assert SignedHttp(target.server.url).send("DELETE", "empty/fuzz").status == 204


@settings(max_examples=often(250), deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.data())
def test_any_mutated_request_is_answered_or_cut(emptied: Any, data: st.DataObject) -> None:
    """A request with bytes changed, dropped or put in is never answered with a mistake of ours.

    That nothing was logged as a mistake is asserted when the shared server ends.
    """
    said = bytearray(data.draw(st.sampled_from(requests_to(emptied.server.url))))
    for _ in range(data.draw(st.integers(1, 4))):
        at = data.draw(st.integers(0, len(said) - 1))
        width = data.draw(st.integers(0, 3))
        said[at : at + width] = data.draw(st.binary(max_size=4))
    with socket.create_connection(("127.0.0.1", emptied.port), timeout=10) as connection:
        connection.sendall(bytes(said))
        connection.shutdown(socket.SHUT_WR)
        answer = b""
        with contextlib.suppress(ConnectionResetError):
            while piece := connection.recv(65536):
                answer += piece
    assert not answer or answer.startswith(b"HTTP/1.1 ")
    assert b"HTTP/1.1 500" not in answer and b"Traceback" not in answer
