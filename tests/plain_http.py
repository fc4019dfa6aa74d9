"""HTTP with nothing added: one request on one connection, and the answer as it came.

Lives here: sending bytes and reading answers. Not here: signatures, forms, or anything that knows S3.
"""

import http.client
import socket
from collections.abc import Mapping
from contextlib import closing
from dataclasses import dataclass
from xml.etree import ElementTree

TIMEOUT_S = 30


@dataclass(frozen=True)
class Answer:
    """One answer, read to its end; header names are lower-case."""

    status: int
    headers: Mapping[str, str]
    body: bytes

    @property
    def code(self) -> str:
        """S3's error code, empty where the answer is no error."""
        return self.element("Code") if self.status >= 400 and self.body else ""

    def element(self, name: str) -> str:
        """Give the text of the first element of this name, whatever its namespace."""
        for element in ElementTree.fromstring(self.body).iter():
            if element.tag.rpartition("}")[2] == name:
                return element.text or ""
        return ""

    def entries(self, name: str) -> list[dict[str, str]]:
        """Give every element of this name as its children's texts."""
        found = ElementTree.fromstring(self.body).iter(name)
        return [{child.tag: child.text or "" for child in entry} for entry in found]


def send(
    port: int, method: str, target: str, *, body: bytes = b"", headers: Mapping[str, str] | None = None
) -> Answer:
    """Send one request; a Host header in `headers` goes before the address."""
    with closing(http.client.HTTPConnection("127.0.0.1", port, timeout=TIMEOUT_S)) as connection:
        connection.request(method, target, body=body or None, headers=dict(headers or {}))
        return read_answer(connection.getresponse())


def read_answer(response: http.client.HTTPResponse) -> Answer:
    """Read a whole answer."""
    headers = {name.lower(): value for name, value in response.getheaders()}
    return Answer(response.status, headers, response.read())


def connect(port: int) -> socket.socket:
    """Open a connection for bytes of one's own."""
    return socket.create_connection(("127.0.0.1", port), timeout=TIMEOUT_S)


def answer_on(connection: socket.socket, method: str = "GET") -> Answer:
    """Read the answer to what was sent by hand."""
    response = http.client.HTTPResponse(connection, method=method)
    response.begin()
    return read_answer(response)


def head(method: str, target: str, headers: Mapping[str, str]) -> bytes:
    """Write a request's head."""
    lines = "".join(f"{name}: {value}\r\n" for name, value in headers.items())
    return f"{method} {target} HTTP/1.1\r\n{lines}\r\n".encode()
