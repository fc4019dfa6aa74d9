"""A disk that fails: no answer promises what is not on it, and what is wrong is said, not served."""

import json
import os
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import pytest

from damage.house import BUCKET, LARGE, SMALL, fill, send_parts
from running_server import ACCESS_KEY, SECRET_KEY, Server, free_port
from signed_http import Answered, SignedHttp

SCRIPT = Path(__file__).parent / "faulty.py"
Send = Callable[[SignedHttp], Answered]


@dataclass
class FaultyServer(Server):
    """A server whose disk fails on demand."""

    def start(self) -> Server:
        environment = {"MEIKU_ACCESS_KEY": ACCESS_KEY, "MEIKU_SECRET_KEY": SECRET_KEY}
        settings = {"DATA_FOLDER": str(self.data), "PORT": str(self.port), "WORKERS": "1"}
        environment |= {f"MEIKU_{name}": value for name, value in settings.items()}
        environment |= {"MEIKU_MULTIPART_MIN_PART_BYTES": "0", "FAULTS": str(self.faults)}
        self.faults.mkdir(exist_ok=True)
        self.log = (self.data.parent / f"{self.data.name}.log").open("ab")
        self.process = subprocess.Popen(
            [sys.executable, str(SCRIPT)],
            env=os.environ | environment | self.environment,
            stdout=self.log,
            stderr=self.log,
            start_new_session=True,
        )
        self.wait_until_ready()
        return self

    @property
    def faults(self) -> Path:
        return self.data.parent / "faults"

    @contextmanager
    def failing(self, *names: str) -> Iterator[None]:
        """Have the disk fail in these ways for a while."""
        for name in names:
            (self.faults / name).touch()
        yield
        for name in names:
            (self.faults / name).unlink()


@pytest.fixture
def server(tmp_path: Path) -> Iterator[FaultyServer]:
    running = FaultyServer(tmp_path / "data", free_port())
    running.start()
    fill(running).close()
    yield running
    assert running.process is not None
    if running.process.poll() is None:
        running.kill()


WRITES: dict[str, Send] = {
    "a large object": lambda http: http.send("PUT", f"{BUCKET}/large/0", LARGE + b"!"),
    "a small object": lambda http: http.send("PUT", f"{BUCKET}/small/0", SMALL + b"!"),
    "a large form": lambda http: http.post_form(BUCKET, "large/0", LARGE + b"!"),
    "a small form": lambda http: http.post_form(BUCKET, "small/0", SMALL + b"!"),
    "an empty object": lambda http: http.send("PUT", f"{BUCKET}/large/0", b""),
    "a removal": lambda http: http.send("DELETE", f"{BUCKET}/small/0"),
    "a copy": lambda http: http.send(
        "PUT", f"{BUCKET}/small/0", headers={"x-amz-copy-source": f"/{BUCKET}/large/1"}
    ),
    "a bucket": lambda http: http.send("PUT", "another-bucket"),
}
LARGE_ONES = ("a large object", "a large form", "a copy")


def read_all(http: SignedHttp) -> dict[str, bytes]:
    keys = [f"{kind}/{number}" for kind in ("large", "small") for number in range(3)]
    answers = {key: http.send("GET", f"{BUCKET}/{key}") for key in keys}
    assert {answered.status for answered in answers.values()} == {200}
    return {key: answered.body for key, answered in answers.items()}


@pytest.mark.parametrize("fault", ["rows-sync", "rows-write"])
def test_rows_that_do_not_reach_the_disk_are_never_promised(server: FaultyServer, fault: str) -> None:
    """While the database cannot be written or synced, no write of any kind is answered with success.

    Nothing of it shows, reads go on, and when the disk works again so does everything, after a crash too.
    """
    http = SignedHttp(server.url)
    before = read_all(http)
    assert (server.data / "meta.sqlite3-wal").stat().st_size, "the faulty disk must be as a real one is"
    with server.failing(fault):
        answers = {name: send(http) for name, send in WRITES.items()}
        assert {name: answered.status for name, answered in answers.items()} == dict.fromkeys(WRITES, 500)
        assert read_all(http) == before
    assert read_all(http) == before
    assert http.send("PUT", f"{BUCKET}/small/1", b"again").status == 200
    server.kill()
    server.start()
    assert read_all(SignedHttp(server.url)) == before | {"small/1": b"again"}
    assert json.loads(checked(server))["findings"] == []


@pytest.mark.parametrize("fault", ["blob-sync", "blob-write", "folder-sync"])
def test_bytes_that_do_not_reach_the_disk_are_never_promised(server: FaultyServer, fault: str) -> None:
    """While files cannot be written or synced, nothing that needs one is answered with success.

    No trace of it stays, and small objects, which need none, are stored as ever.
    """
    http = SignedHttp(server.url)
    upload_id, _ = send_parts(http, "more")
    before, blobs = read_all(http), files(server.data)
    with server.failing(fault):
        for name in LARGE_ONES:
            assert WRITES[name](http).status == 500, name
        part = http.send("PUT", f"{BUCKET}/more", LARGE, uploadId=upload_id, partNumber="1")
        assert part.status == 500
        assert read_all(http) == before
        assert http.send("PUT", f"{BUCKET}/small/1", b"small").status == 200
    assert files(server.data) == blobs
    assert list((server.data / "incoming").iterdir()) == []
    assert http.send("PUT", f"{BUCKET}/large/0", LARGE + b"!").status == 200
    server.kill()
    server.start()
    assert read_all(SignedHttp(server.url)) == before | {"large/0": LARGE + b"!", "small/1": b"small"}


def files(folder: Path) -> set[str]:
    return {path.name for path in (folder / "blobs").rglob("*") if path.is_file()}


def checked(server: FaultyServer, **environment: str) -> str:
    """Run `meiku check` on the same disk."""
    command = [sys.executable, "-m", "meiku", "check", "--data", str(server.data), "--json"]
    return subprocess.run(command, capture_output=True, text=True, env=os.environ | environment).stdout


def test_bytes_that_cannot_be_read_are_not_made_up(server: FaultyServer) -> None:
    """A failing read is an error or a broken connection, never other bytes; all else goes on."""
    http = SignedHttp(server.url)
    with server.failing("blob-read"):
        whole = broken_or_refused(SignedHttp(server.url), "large/0")
        assert whole is None
        assert broken_or_refused(SignedHttp(server.url), "parts") is None
        assert http.send("GET", f"{BUCKET}/small/0").body == SMALL
        copied = http.send("PUT", f"{BUCKET}/new", headers={"x-amz-copy-source": f"/{BUCKET}/large/0"})
        assert b"ETag" not in copied.body
        assert http.send("HEAD", f"{BUCKET}/new").status == 404
    assert http.send("GET", f"{BUCKET}/large/0").body == LARGE


def broken_or_refused(http: SignedHttp, key: str) -> bytes | None:
    """Read a key; None when the answer is an error or ends before its length."""
    try:
        answered = http.send("GET", f"{BUCKET}/{key}")
    except Exception:
        return None
    return answered.body if answered.status == 200 else None


def test_rows_that_cannot_be_read_are_an_error(server: FaultyServer) -> None:
    """A database that cannot be read is 500, not 404: nobody must take an object for deleted."""
    server.kill()
    server.start()
    http = SignedHttp(server.url)
    with server.failing("rows-read"):
        statuses = {http.send("GET", f"{BUCKET}/small/{number}").status for number in range(3)}
        assert statuses == {500}
    assert http.send("GET", f"{BUCKET}/small/0").body == SMALL


def test_the_scrub_tells_of_bytes_that_cannot_be_read(tmp_path: Path) -> None:
    """The scrub logs each object on a bad place of the disk by its name, and goes on."""
    server = FaultyServer(tmp_path / "data", free_port(), {"MEIKU_SCRUB_INTERVAL_S": "0.5"})
    server.start()
    fill(server).close()
    with server.failing("blob-read"):
        deadline = time.monotonic() + 30
        while server.read_log().count('"event": "damage"') < 6:
            assert time.monotonic() < deadline, server.read_log()
            time.sleep(0.05)
    lines = [json.loads(line) for line in server.read_log().splitlines() if line.startswith("{")]
    told = {(line["kind"], line["key"]) for line in lines if line["event"] == "damage"}
    assert told >= {("unreadable", key) for key in ("large/0", "large/1", "large/2", "parts", "unfinished")}
    server.kill()
