"""A disk that is read-only: the service starts, reads go on, writes are refused with their reason."""

import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
import pyvips

from full.disks import mounted, remount
from signed_http import SignedHttp

BUCKET, LARGE, SMALL = "readable", b"l" * 100_000, b"s" * 1000


@pytest.fixture
def disk(tmp_path: Path) -> Iterator[Path]:
    """Mount a disk where the first server of this test keeps its data."""
    with mounted(tmp_path / "data0", "256m") as folder:
        yield folder


@pytest.mark.parametrize("ended_by", ["stop", "kill"])
def test_a_service_on_a_read_only_disk_reads(
    disk: Path, own_server: Callable[..., Any], ended_by: str
) -> None:
    """Also after a power cut, with the last writes in the log only; when it is writable again, so is all."""
    server = own_server("--workers", "2")
    http = SignedHttp(server.url)
    picture = pyvips.Image.black(300, 200, bands=3).pngsave_buffer()
    for path, data in (("", b""), ("/large", LARGE), ("/small", SMALL), ("/picture", picture)):
        assert http.send("PUT", f"{BUCKET}{path}", data).status == 200
    kept = http.send("GET", f"{BUCKET}/picture", **{"x-amz-process": "image/resize,w_30"})
    server.stop() if ended_by == "stop" else server.kill()
    remount(disk, "ro")
    before = {path: path.stat().st_mtime_ns for path in disk.rglob("*")}

    server.wait_until_ready = lambda: None
    server.start()
    wait_for(server, 503)
    http = SignedHttp(server.url)
    ready = http.send("GET", "-/ready")
    assert (ready.status, b'"status": "read-only"' in ready.body) == (503, True)
    assert http.send("GET", "minio/health/cluster/read").status == 200
    assert http.send("GET", f"{BUCKET}/large").body == LARGE
    assert http.send("GET", f"{BUCKET}/small").body == SMALL
    assert b"<Key>picture</Key>" in http.send("GET", BUCKET).body
    for width in (30, 40):
        made = http.send("GET", f"{BUCKET}/picture", **{"x-amz-process": f"image/resize,w_{width}"})
        assert made.status == 200, made.body
        assert width == 40 or made.body == kept.body
    refused = [
        http.send("PUT", f"{BUCKET}/new", LARGE),
        http.send("PUT", f"{BUCKET}/new", SMALL),
        http.post_form(BUCKET, "new", LARGE),
        http.send("POST", f"{BUCKET}/new", uploads=""),
        http.send("DELETE", f"{BUCKET}/small"),
        http.send("PUT", "another-bucket"),
    ]
    assert [(each.status, each.code) for each in refused] == [(503, "ServiceUnavailable")] * len(refused)
    assert all(b"read-only" in each.body for each in refused)
    server.stop()
    assert before == {path: path.stat().st_mtime_ns for path in disk.rglob("*")}
    assert '"event": "mistake"' not in server.read_log(), server.read_log()

    remount(disk, "rw")
    server.start()
    wait_for(server, 200)
    http = SignedHttp(server.url)
    assert http.send("PUT", f"{BUCKET}/new", LARGE).status == 200
    assert http.send("GET", f"{BUCKET}/small").body == SMALL


def wait_for(server: Any, status: int) -> None:
    """Wait until the service says by this status how it fares."""
    deadline_s = time.monotonic() + 30
    while time.monotonic() < deadline_s:
        assert server.process.poll() is None, server.read_log()
        try:
            if SignedHttp(server.url).send("GET", "-/ready").status == status:
                return
        except OSError:
            time.sleep(0.05)
    raise AssertionError(server.read_log())
