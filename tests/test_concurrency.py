"""Many at once, on two workers: one winner, whole versions, no orphans, and no worker that lags behind."""

import random
import socket
import sqlite3
import threading
from collections import Counter
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from hashlib import md5, sha256
from pathlib import Path
from typing import Any, TypeVar
from uuid import uuid4

import pytest
import pyvips

from meiku.signing import Credentials
from signed_http import ACCESS, Answered, SignedHttp

T = TypeVar("T")
CORS = (
    "<CORSConfiguration><CORSRule><AllowedOrigin>{}</AllowedOrigin>"
    "<AllowedMethod>PUT</AllowedMethod></CORSRule></CORSConfiguration>"
)
STYLE = "<Style><Content>image/resize,w_{}/format,png</Content></Style>"
SEPARATORS = "<BucketProcessConfiguration><StyleDelimiters>{}</StyleDelimiters></BucketProcessConfiguration>"
COMPLETE = "<CompleteMultipartUpload>{}</CompleteMultipartUpload>"
PART = "<Part><PartNumber>{}</PartNumber><ETag>{}</ETag></Part>"


@pytest.fixture(scope="module")
def pair(tmp_path_factory: pytest.TempPathFactory, server: Any) -> Iterator[Any]:
    """A server of two workers, where parts may be small."""
    kind = type(server)
    data = tmp_path_factory.mktemp("pair") / "data"
    settings = {"MEIKU_MULTIPART_MIN_PART_BYTES": "0"}
    running = kind(data, 0, settings, ("--workers", "2"))
    running.port = free_port()
    running.start()
    yield running
    assert running.stop() == 0
    assert '"event": "mistake"' not in running.read_log(), running.read_log()


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


@pytest.fixture
def place(pair: Any) -> str:
    """A bucket of this test's own."""
    name = f"race-{uuid4().hex[:12]}"
    assert SignedHttp(pair.url).send("PUT", name).status == 200
    return name


def together(works: list[Callable[[], T]]) -> list[T]:
    """Run works at the same moment, each in a thread of its own; answers their results in order."""
    start = threading.Barrier(len(works))

    def run(work: Callable[[], T]) -> T:
        start.wait()
        return work()

    with ThreadPoolExecutor(len(works)) as threads:
        return list(threads.map(run, works))


def worker_of(answered: Answered) -> str:
    """Tell which process answered: its number is part of every request id."""
    return answered.headers["x-amz-request-id"].split("-")[2]


def one_connection_to_each_worker(url: str) -> list[SignedHttp]:
    """Connect until two connections have ended at two different processes.

    Several at once, and all stay open meanwhile: one after the other, an idle worker may take every one.
    """

    def connected() -> tuple[str, SignedHttp]:
        http = SignedHttp(url)
        return worker_of(http.send("GET", "")), http

    opened: list[tuple[str, SignedHttp]] = []
    for _ in range(60):
        opened += together([connected] * 8)
        found = dict(opened)
        if len(found) == 2:
            return list(found.values())
    raise AssertionError(f"one worker took all {len(opened)} connections")


def test_of_many_who_must_be_first_one_is(pair: Any, place: str) -> None:
    """Sixteen PUTs of one key with If-None-Match: * make one object: one 200, fifteen 412."""
    for size_bytes in (10, 100_000):
        clients = [SignedHttp(pair.url) for _ in range(16)]
        bodies = [bytes([number]) * size_bytes for number in range(16)]
        key = f"{place}/first-{size_bytes}"
        answers = together(
            [
                partial(http.send, "PUT", key, body, headers={"If-None-Match": "*"})
                for http, body in zip(clients, bodies, strict=True)
            ]
        )
        assert Counter(answered.status for answered in answers) == {200: 1, 412: 15}
        winner = [answered.status for answered in answers].index(200)
        assert clients[0].send("GET", key).body == bodies[winner]


def test_of_many_who_replace_the_same_version_one_does(pair: Any, place: str) -> None:
    """Compare-and-swap with If-Match: of eight who read the same ETag, one replaces it."""
    clients = [SignedHttp(pair.url) for _ in range(8)]
    etag = clients[0].send("PUT", f"{place}/swap", b"0").etag
    for turn in range(5):
        condition = {"If-Match": f'"{etag}"'}
        answers = together(
            [
                partial(http.send, "PUT", f"{place}/swap", b"%d/%d" % (turn, number), headers=condition)
                for number, http in enumerate(clients)
            ]
        )
        assert Counter(answered.status for answered in answers) == {200: 1, 412: 7}
        [etag] = [answered.etag for answered in answers if answered.status == 200]


def put_parts(http: SignedHttp, path: str, parts: list[bytes]) -> Answered:
    """Store an object in parts."""
    started = http.send("POST", path, uploads="").body.decode()
    upload_id = started.partition("<UploadId>")[2].partition("</UploadId>")[0]
    for number, part in enumerate(parts, 1):
        assert http.send("PUT", path, part, uploadId=upload_id, partNumber=str(number)).status == 200
    tags = "".join(PART.format(number, md5(part).hexdigest()) for number, part in enumerate(parts, 1))
    return http.send("POST", path, COMPLETE.format(tags).encode(), uploadId=upload_id)


def test_a_reader_sees_one_version_whole(pair: Any, place: str) -> None:
    """While a key is replaced all the time, by objects of every kind, each GET is one version to the byte."""
    versions: dict[str, str] = {}
    done = threading.Event()
    path = f"{place}/changing"

    def write(seed: int) -> int:
        http, luck = SignedHttp(pair.url), random.Random(seed)
        for number in range(60):
            data = f"{seed}/{number};".encode() * luck.choice([100, 20_000, 60_000])
            middle = len(data) // 2
            parts = [data[:middle], data[middle:]]
            tags = [md5(part).digest() for part in parts]
            in_parts = luck.random() < 0.5
            etag = f"{md5(b''.join(tags)).hexdigest()}-2" if in_parts else md5(data).hexdigest()
            versions[etag] = sha256(data).hexdigest()
            answered = put_parts(http, path, parts) if in_parts else http.send("PUT", path, data)
            assert answered.status == 200, answered.body
        return 0

    def read() -> int:
        http, count = SignedHttp(pair.url), 0
        while not done.is_set():
            answered = http.send("GET", path)
            if answered.status != 404:
                assert answered.status == 200
                assert versions[answered.etag] == sha256(answered.body).hexdigest()
                count += 1
        return count

    with ThreadPoolExecutor(5) as threads:
        readers = [threads.submit(read) for _ in range(3)]
        writers = [threads.submit(write, seed) for seed in range(2)]
        try:
            for writer in writers:
                writer.result()
        finally:
            done.set()
        assert all(reader.result() > 10 for reader in readers)


def test_a_bucket_that_is_removed_takes_no_object_with_it(pair: Any) -> None:
    """Of a DeleteBucket and a PutObject at once at most one succeeds; no row outlives its bucket.

    An upload that was begun goes with its bucket.
    """
    clients = [SignedHttp(pair.url) for _ in range(4)]
    for turn in range(30):
        name = f"gone-{uuid4().hex[:12]}"
        assert clients[0].send("PUT", name).status == 200
        body = b"x" * (100_000 if turn % 2 else 10)
        put, upload, _, removed = together(
            [
                partial(clients[0].send, "PUT", f"{name}/k", body),
                partial(clients[1].send, "POST", f"{name}/u", uploads=""),
                partial(clients[2].post_form, name, "f", body),
                partial(clients[3].send, "DELETE", name),
            ]
        )
        assert {put.status, upload.status} <= {200, 404}, (put.body, upload.body)
        assert removed.status == 204 or removed.code == "BucketNotEmpty"
        assert not (removed.status == 204 and put.status == 200)
    database = sqlite3.connect(pair.data / "meta.sqlite3")
    for table in ("objects", "uploads", "bucket_settings"):
        lost = f"SELECT COUNT(*) FROM {table} WHERE bucket_id NOT IN (SELECT bucket_id FROM buckets)"
        assert database.execute(lost).fetchone() == (0,), table
    assert blobs_without_a_row(pair.data, database) == set()
    database.close()


def blobs_without_a_row(data: Path, database: sqlite3.Connection) -> set[str]:
    rows = database.execute(
        "SELECT content_id FROM objects UNION SELECT content_id FROM parts "
        "UNION SELECT blob_id FROM released_blobs"
    )
    files = {path.name for path in (data / "blobs").rglob("*") if path.is_file()}
    return files - {row[0] for row in rows}


def test_one_of_many_makes_the_bucket(pair: Any) -> None:
    """Sixteen CreateBucket of one name by two accounts: one becomes the owner, as often as it asks."""
    made = pair.meiku("user", "add", f"u-{uuid4().hex[:8]}")
    other = Credentials(made["access_key"], made["secret_key"])
    for _ in range(5):
        name = f"one-{uuid4().hex[:12]}"
        clients = [SignedHttp(pair.url, who) for who in (ACCESS, other) for _ in range(8)]
        answers = together([partial(http.send, "PUT", name) for http in clients])
        codes = Counter(answered.code for answered in answers)
        assert codes == {"": 8, "BucketAlreadyExists": 8}


def test_a_setting_made_on_one_worker_holds_on_the_other_at_once(pair: Any, place: str) -> None:
    """CORS and ACL changes, and a removed bucket, are seen by the next request to the other process."""
    one, other = one_connection_to_each_worker(pair.url)
    assert one.send("PUT", f"{place}/k", b"x").status == 200
    for turn in range(20):
        here, there = (one, other) if turn % 2 else (other, one)
        origin = f"http://page{turn}.example"
        assert here.send("PUT", place, CORS.format(origin).encode(), cors="").status == 200
        asked = {"Origin": origin, "Access-Control-Request-Method": "PUT"}
        assert (
            there.send("OPTIONS", f"{place}/k", headers=asked).headers["access-control-allow-origin"]
            == origin
        )
        acl = "public-read" if turn % 2 else "private"
        assert here.send("PUT", place, headers={"x-amz-acl": acl}, acl="").status == 200
        assert (b"AllUsers" in there.send("GET", place, acl="").body) == (acl == "public-read")
    assert one.send("DELETE", f"{place}/k").status == 204
    assert one.send("DELETE", place).status == 204
    assert other.send("PUT", f"{place}/k", b"x").code == "NoSuchBucket"
    assert other.send("PUT", place).status == 200
    assert one.send("PUT", f"{place}/k", b"x").status == 200


def test_a_style_changed_on_one_worker_is_another_picture_on_the_other_at_once(pair: Any, place: str) -> None:
    """New content, a deleted style and switched separators hold for the next request to the other process."""
    one, other = one_connection_to_each_worker(pair.url)
    picture = bytes(pyvips.Image.black(200, 100).pngsave_buffer())
    assert one.send("PUT", f"{place}/p.png", picture).status == 200
    assert one.send("PUT", place, SEPARATORS.format("!").encode(), processConfiguration="").status == 200
    for turn in range(10):
        here, there = (one, other) if turn % 2 else (other, one)
        width_px = 20 + turn
        put = here.send("PUT", place, STYLE.format(width_px).encode(), style="", styleName="s")
        assert put.status == 200
        named = there.send("GET", f"{place}/p.png", **{"x-amz-process": "style/s"})
        separated = there.send("GET", f"{place}/p.png!s")
        assert pyvips.Image.new_from_buffer(named.body, "").width == width_px
        assert (separated.body, separated.etag) == (named.body, named.etag)
        assert here.send("GET", f"{place}/p.png!s").body == named.body
    assert one.send("DELETE", place, style="", styleName="s").status == 204
    gone = other.send("GET", f"{place}/p.png", **{"x-amz-process": "style/s"})
    assert (gone.status, gone.code) == (400, "InvalidArgument") and b"no style 's'" in gone.body
    assert other.send("GET", f"{place}/p.png!s").code == "NoSuchKey"
    assert other.send("PUT", place, STYLE.format(9).encode(), style="", styleName="s").status == 200
    assert one.send("GET", f"{place}/p.png!s").status == 200
    assert other.send("DELETE", place, processConfiguration="").status == 204
    assert one.send("GET", f"{place}/p.png!s").code == "NoSuchKey"


def test_a_key_is_good_and_bad_everywhere_at_once(pair: Any) -> None:
    """A key pair made by the command line works at the next request to either worker and ends as promptly."""
    connections = one_connection_to_each_worker(pair.url)
    user = f"u-{uuid4().hex[:8]}"
    pair.meiku("user", "add", user)
    for _ in range(3):
        made = pair.meiku("key", "add", user)
        for http in connections:
            http.credentials = Credentials(made["access_key"], made["secret_key"])
            assert http.send("GET", "").status == 200
        pair.meiku("key", "remove", made["access_key"])
        for http in connections:
            assert http.send("GET", "").code == "InvalidAccessKeyId"
