"""Clients that never rest until nobody answers.

They put, replace, remove, complete uploads, post forms and save what recipes make. Every write is noted
in the ledger before it is sent and when it was answered.
"""

import contextlib
import http.client
import random
import threading
from collections.abc import Callable, Mapping
from hashlib import md5, sha256

import pyvips

from crash.ledger import ABSENT, Ledger
from media.writing import encoded
from signed_http import Answered, SignedHttp

BUCKET, PICTURES = "crash", "crash-pictures"
# One result is kept beside the rows, the other as a file.
RECIPES = ("image/resize,w_40/format,png", "image/format,bmp")
FEW, MANY = 4, 60
INLINE_BYTES, BLOB_BYTES = 20_000, 300_000
XML = '<CompleteMultipartUpload xmlns="http://s3.amazonaws.com/doc/2006-03-01/">{}</CompleteMultipartUpload>'


def make_results(url: str) -> dict[str, bytes]:
    """Put a picture into a bucket of its own, and tell by recipe what is made of it."""
    http = SignedHttp(url)
    noise = pyvips.Image.gaussnoise(300, 200, mean=128, sigma=40).cast("uchar").pngsave_buffer()
    assert http.send("PUT", PICTURES).status == 200
    assert http.send("PUT", f"{PICTURES}/p.png", noise).status == 200
    made = {r: http.send("GET", f"{PICTURES}/p.png", **{"x-amz-process": r}) for r in RECIPES}
    http.close()
    assert {answered.status for answered in made.values()} == {200}
    return {recipe: answered.body for recipe, answered in made.items()}


class Client(threading.Thread):
    """One client with its own connection and its own luck; `results` is what each recipe makes."""

    def __init__(self, url: str, ledger: Ledger, seed: str, results: Mapping[str, bytes]) -> None:
        super().__init__(daemon=True)
        self._results = results
        self._seed = seed
        self._random = random.Random(seed)
        self._ledger = ledger
        self._http = SignedHttp(url)
        self._count = 0
        self.refusals: list[str] = []

    def run(self) -> None:
        """Write until the connection breaks, which is how the end is noticed."""
        kinds: list[Callable[[str], None]] = [
            self.put,
            self.put,
            self.remove,
            self.upload,
            self.form,
            self.save,
        ]
        with contextlib.suppress(OSError, http.client.HTTPException):
            while not self.refusals:
                few = self._random.random() < 0.5
                key = f"few/{self._random.randrange(FEW)}" if few else f"many/{self._random.randrange(MANY)}"
                self._random.choice(kinds)(key)
        self._http.close()

    def put(self, key: str) -> None:
        data = self._data()
        self._write(key, md5(data).hexdigest(), data, lambda: self._http.send("PUT", f"{BUCKET}/{key}", data))

    def form(self, key: str) -> None:
        data = self._data()
        self._write(key, md5(data).hexdigest(), data, lambda: self._http.post_form(BUCKET, key, data))

    def remove(self, key: str) -> None:
        self._write(key, ABSENT, b"", lambda: self._http.send("DELETE", f"{BUCKET}/{key}"))

    def save(self, key: str) -> None:
        """Have a recipe followed, and its result kept under the key."""
        recipe, data = self._random.choice(list(self._results.items()))
        body = f"x-amz-process={recipe}|sys/saveas,o_{encoded(key)},b_{encoded(BUCKET)}".encode()
        asked = {"x-amz-process": ""}
        self._write(
            key,
            md5(data).hexdigest(),
            data,
            lambda: self._http.send("POST", f"{PICTURES}/p.png", body, **asked),
        )

    def upload(self, key: str) -> None:
        """Send two or three parts and complete them; sometimes leave it unfinished."""
        path = f"{BUCKET}/{key}"
        started = self._asked(self._http.send("POST", path, uploads="")).body.decode()
        upload_id = started.partition("<UploadId>")[2].partition("</UploadId>")[0]
        parts = [self._data() for _ in range(self._random.randint(1, 3))]
        for number, part in enumerate(parts, 1):
            self._asked(self._http.send("PUT", path, part, uploadId=upload_id, partNumber=str(number)))
        if self._random.random() < 0.2:
            return
        tags = [md5(part) for part in parts]
        entries = "".join(
            f"<Part><PartNumber>{number}</PartNumber><ETag>{tag.hexdigest()}</ETag></Part>"
            for number, tag in enumerate(tags, 1)
        )
        etag = f"{md5(b''.join(tag.digest() for tag in tags)).hexdigest()}-{len(parts)}"
        document = XML.format(entries).encode()
        self._write(
            key, etag, b"".join(parts), lambda: self._http.send("POST", path, document, uploadId=upload_id)
        )

    def _write(self, key: str, etag: str, data: bytes, send: Callable[[], Answered]) -> None:
        write = self._ledger.begin(key, etag, sha256(data).hexdigest())
        self._asked(send())
        self._ledger.end(write)

    def _asked(self, answered: Answered) -> Answered:
        if answered.status >= 300:
            self.refusals.append(f"{answered.status} {answered.body!r}")
            raise http.client.HTTPException(self.refusals[-1])
        return answered

    def _data(self) -> bytes:
        """Make bytes that no other write has, of a size of either kind."""
        self._count += 1
        line = f"{self._seed}/{self._count}\n".encode()
        limit = INLINE_BYTES if self._random.random() < 0.5 else BLOB_BYTES
        return line * (self._random.randrange(limit) // len(line) + 1)
