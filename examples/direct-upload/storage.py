"""The bucket, as the application server knows it: its addresses, and the few things it asks of it.

Every request is a URL signed by `meiku.signing` and sent by the standard library. What lives here talks to
the storage; what a visitor may upload is decided in `application.py`.
"""

import hashlib
import urllib.error
import urllib.request
from base64 import b64encode
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from email.utils import parsedate_to_datetime
from urllib.parse import urlencode
from xml.etree import ElementTree
from xml.sax.saxutils import escape

from meiku.signing import Credentials, presign_v4, uri_encode

VIEW_EXPIRES_S = 900
ANSWER_TIMEOUT_S = 10
_XML = "{http://s3.amazonaws.com/doc/2006-03-01/}"
_CORS = """<CORSConfiguration xmlns="http://s3.amazonaws.com/doc/2006-03-01/"><CORSRule>
<AllowedOrigin>{origin}</AllowedOrigin>
<AllowedMethod>GET</AllowedMethod><AllowedMethod>POST</AllowedMethod><AllowedMethod>PUT</AllowedMethod>
<AllowedHeader>Content-Type</AllowedHeader>
<ExposeHeader>ETag</ExposeHeader><ExposeHeader>Location</ExposeHeader>
<MaxAgeSeconds>600</MaxAgeSeconds>
</CORSRule></CORSConfiguration>"""
# The storage is asked directly, whatever proxy the environment names.
_opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))


class StorageRefused(Exception):
    """The storage answered, and the answer is no; the text is what it said."""


@dataclass(frozen=True, slots=True)
class Stored:
    """One object that is in the bucket."""

    key: str
    size_bytes: int
    modified_at: datetime
    content_type: str = ""


@dataclass(frozen=True, slots=True)
class Storage:
    """One bucket behind two addresses: `endpoint` for this server, `public_url` for browsers."""

    credentials: Credentials
    endpoint: str
    public_url: str
    bucket: str

    def public_address(self, key: str) -> str:
        """Write the address at which a browser finds an object, unsigned."""
        return f"{self.public_url.rstrip('/')}/{uri_encode(key, safe='/')}"

    def view_url(self, key: str, recipe: str = "") -> str:
        """Sign a link that shows one object, or what a recipe makes of it, for VIEW_EXPIRES_S."""
        query = f"?x-amz-process={uri_encode(recipe)}" if recipe else ""
        address = f"{self.public_address(key)}{query}"
        return presign_v4(self.credentials, "GET", address, expires_in_s=VIEW_EXPIRES_S)

    def make_bucket(self) -> None:
        """Create the bucket unless this account has it already; raises `StorageRefused`."""
        try:
            self._ask("PUT", "")
        except StorageRefused as refused:
            if "BucketAlreadyOwnedByYou" not in str(refused):
                raise

    def allow_origin(self, origin: str) -> None:
        """Let pages of this one origin upload and look by script; every other origin stays shut out."""
        self._ask("PUT", "?cors=", _CORS.format(origin=escape(origin)).encode())

    def put(self, key: str, body: bytes, content_type: str) -> None:
        """Store a small object; raises `StorageRefused`."""
        self._ask("PUT", f"/{uri_encode(key, safe='/')}", body, content_type)

    def find(self, key: str) -> Stored | None:
        """Look one object up, or answer None."""
        try:
            _, headers = self._ask("HEAD", f"/{uri_encode(key, safe='/')}")
        except StorageRefused:
            return None
        modified_at = parsedate_to_datetime(headers["last-modified"])
        return Stored(key, int(headers["content-length"]), modified_at, headers.get("content-type", ""))

    def stored(self, prefix: str) -> Iterator[Stored]:
        """List every object under a prefix, page after page."""
        token = ""
        while True:
            query = {"list-type": "2", "prefix": prefix} | ({"continuation-token": token} if token else {})
            body, _ = self._ask("GET", f"?{urlencode(query)}")
            listing = ElementTree.fromstring(body)
            yield from (_stored(entry) for entry in listing.iter(f"{_XML}Contents"))
            token = listing.findtext(f"{_XML}NextContinuationToken", "")
            if not token:
                return

    def _ask(
        self, method: str, target: str, body: bytes = b"", content_type: str = "application/xml"
    ) -> tuple[bytes, Mapping[str, str]]:
        """Send one signed request; raises `StorageRefused`, and OSError when nobody answers."""
        url = presign_v4(self.credentials, method, f"{self.endpoint}/{self.bucket}{target}", expires_in_s=60)
        request = urllib.request.Request(url, method=method)
        if method == "PUT":
            request.data = body
            request.add_header("Content-Type", content_type)
            request.add_header("Content-MD5", b64encode(hashlib.md5(body).digest()).decode())
        try:
            with _opener.open(request, timeout=ANSWER_TIMEOUT_S) as answer:
                return answer.read(), {name.lower(): value for name, value in answer.headers.items()}
        except urllib.error.HTTPError as error:
            raise StorageRefused(f"{error.code} {error.read().decode(errors='replace')}") from None


def _stored(entry: ElementTree.Element) -> Stored:
    return Stored(
        key=entry.findtext(f"{_XML}Key", ""),
        size_bytes=int(entry.findtext(f"{_XML}Size", "0")),
        modified_at=datetime.fromisoformat(entry.findtext(f"{_XML}LastModified", "")),
    )
