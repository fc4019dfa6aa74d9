"""A client as light as can be: presigned URLs over one plain connection, so that many fit in one test."""

import http.client
from dataclasses import dataclass, field
from urllib.parse import quote, urlencode, urlsplit

from meiku.signing import Credentials, Policy, post_form_v4, presign_v4

ACCESS = Credentials("testak", "testsk-with-some-length")
BOUNDARY = "one-boundary-of-the-tests"


@dataclass
class Answered:
    """One answer, read to its end."""

    status: int
    headers: http.client.HTTPMessage
    body: bytes

    @property
    def etag(self) -> str:
        return (self.headers["etag"] or "").strip('"')

    @property
    def code(self) -> str:
        """S3's error code, empty where there is none."""
        return self.body.decode(errors="replace").partition("<Code>")[2].partition("</Code>")[0]


@dataclass
class SignedHttp:
    """One connection that signs whatever it sends; it is not shared between threads."""

    url: str
    credentials: Credentials = ACCESS
    connection: http.client.HTTPConnection = field(init=False)

    def __post_init__(self) -> None:
        self.connection = http.client.HTTPConnection(urlsplit(self.url).netloc, timeout=30)

    def send(
        self,
        method: str,
        path: str,
        body: bytes = b"",
        *,
        headers: dict[str, str] | None = None,
        **query: str,
    ) -> Answered:
        """Send one request to `bucket/key` and read the whole answer."""
        address = f"{self.url}/{quote(path)}" + (f"?{urlencode(query)}" if query else "")
        signed = presign_v4(self.credentials, method, address, headers=headers or {})
        return self._exchange(method, signed.removeprefix(self.url), body, headers or {})

    def post_form(self, bucket: str, key: str, data: bytes) -> Answered:
        """Post an upload form as a browser does."""
        policy = Policy().bucket(bucket).key(key).eq("success_action_status", "201")
        form = post_form_v4(self.credentials, policy, action=f"{self.url}/{bucket}")
        parts = [
            f'--{BOUNDARY}\r\nContent-Disposition: form-data; name="{name}"\r\n\r\n{value}\r\n'
            for name, value in form.fields.items()
        ]
        file = f'--{BOUNDARY}\r\nContent-Disposition: form-data; name="file"; filename="f"\r\n\r\n'
        body = "".join([*parts, file]).encode() + data + f"\r\n--{BOUNDARY}--\r\n".encode()
        kind = {"Content-Type": f"multipart/form-data; boundary={BOUNDARY}"}
        return self._exchange("POST", f"/{bucket}", body, kind)

    def _exchange(self, method: str, target: str, body: bytes, headers: dict[str, str]) -> Answered:
        self.connection.request(method, target, body=body, headers=headers)
        answer = self.connection.getresponse()
        return Answered(answer.status, answer.headers, answer.read())

    def close(self) -> None:
        self.connection.close()
