"""`meiku backup` and `restore`: a copy of one moment, whole, whatever the server is doing meanwhile."""

import json
import random
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from hashlib import md5
from pathlib import Path
from typing import Any

import pytest

from damage.house import BUCKET, LARGE, blob_of, fill, flip_a_bit, part_of, rows_of
from meiku import backup
from running_server import Server, free_port
from signed_http import SignedHttp

KEYS = 30


def run(*arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run([sys.executable, "-m", "meiku", *arguments], capture_output=True, text=True)


def back_up(data: Path, target: Path, *options: str) -> Any:
    """Back up as an operator does; tells what the command said."""
    done = run("backup", str(target), "--data", str(data), "--json", *options)
    assert done.returncode == 0, done.stdout + done.stderr
    return json.loads(done.stdout)


def refusal(*arguments: str) -> str:
    done = run(*arguments)
    assert done.returncode == 1, done.stdout
    return done.stderr


def files(folder: Path) -> set[str]:
    return {path.name for path in (folder / "blobs").rglob("*") if path.is_file()}


@pytest.fixture
def server(own_server: Callable[..., Any]) -> Iterator[Any]:
    """Serve a filled folder whose deleted bytes go as soon as the sweep comes by, every second."""
    running = own_server(
        "--workers",
        "2",
        MEIKU_MULTIPART_MIN_PART_BYTES="0",
        MEIKU_BLOB_GRACE_S="0",
        MEIKU_SWEEP_INTERVAL_S="1",
    )
    fill(running).close()
    yield running


def whole(data: Path) -> dict[str, str]:
    """Serve a copy, and tell what it holds: key to ETag, once every object was read and found whole."""
    restored = Server(data, free_port()).start()
    try:
        pages = restored.client().get_paginator("list_objects_v2").paginate(Bucket=BUCKET)
        listed = {e["Key"]: e["ETag"].strip('"') for page in pages for e in page.get("Contents", ())}
        http = SignedHttp(restored.url)
        for key, etag in listed.items():
            got = http.send("GET", f"{BUCKET}/{key}")
            assert (got.status, got.etag) == (200, etag), key
            if "-" not in etag:
                assert md5(got.body).hexdigest() == etag, key
        return listed
    finally:
        assert restored.stop() == 0


def test_styles_and_separators_are_in_the_copy(server: Any, tmp_path: Path) -> None:
    """They are rows like all settings: a restored folder answers them as the first one did."""
    style = b"<Style><Content>image/resize,w_200</Content></Style>"
    separators = (
        b"<BucketProcessConfiguration><StyleDelimiters>!</StyleDelimiters></BucketProcessConfiguration>"
    )
    http = SignedHttp(server.url)
    assert http.send("PUT", BUCKET, style, style="", styleName="small").status == 200
    assert http.send("PUT", BUCKET, separators, processConfiguration="").status == 200
    asked: list[dict[str, str]] = [{"style": "", "styleName": "small"}, {"processConfiguration": ""}]
    before = [http.send("GET", BUCKET, **query).body for query in asked]
    copy, restored = tmp_path / "copy", tmp_path / "restored"
    back_up(server.data, copy)
    assert run("restore", str(copy), str(restored)).returncode == 0
    again = Server(restored, free_port()).start()
    try:
        assert [SignedHttp(again.url).send("GET", BUCKET, **query).body for query in asked] == before
    finally:
        assert again.stop() == 0


class Load:
    """Clients that put, replace and remove as long as the block lasts."""

    def __init__(self, url: str) -> None:
        self._stop = threading.Event()
        self._threads = [threading.Thread(target=self._write, args=(url, name)) for name in range(4)]
        self.answered = 0

    def __enter__(self) -> "Load":
        for thread in self._threads:
            thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._stop.set()
        for thread in self._threads:
            thread.join()

    def _write(self, url: str, name: int) -> None:
        http, luck = SignedHttp(url), random.Random(name)
        while not self._stop.is_set():
            key = f"{BUCKET}/load/{luck.randrange(KEYS)}"
            if luck.random() < 0.3:
                answered = http.send("DELETE", key)
            else:
                answered = http.send("PUT", key, luck.randbytes(luck.choice((1000, 150_000))))
            assert answered.status < 300, answered.body
            self.answered += 1


@pytest.mark.parametrize("options", [(), ("--copy",)])
def test_a_backup_under_load_is_one_whole_moment(server: Any, tmp_path: Path, options: tuple[str]) -> None:
    """Every object of the copy is whole and listed, although all is replaced and swept meanwhile."""
    copy = tmp_path / "copy"
    with Load(server.url) as load:
        for _ in range(4):
            said = back_up(server.data, copy, *options)
            assert said["lost"] == []
            with rows_of(copy) as rows:
                named = {row[0] for row in rows.execute(NAMED)}
            assert files(copy) == named
    assert load.answered > 100
    checked = run("check", "--data", str(copy), "--json")
    assert json.loads(checked.stdout)["findings"] == []
    assert set(whole(copy)) >= {"large/0", "small/0", "parts", "empty"}


NAMED = (
    "SELECT content_id FROM objects WHERE content_kind = 'blob' "
    "UNION SELECT content_id FROM parts WHERE content_kind = 'blob'"
)


def test_the_sweep_waits_for_a_backup(server: Any, tmp_path: Path) -> None:
    """What is deleted between the copy of the rows and that of the bytes is still there to be copied.

    The grace is over long before the backup is; once that has ended, what was released goes.
    """
    path = blob_of(server.data, "large/0")
    told: list[str] = []

    def delete_and_dawdle(stage: str, done: int, total: int) -> None:
        if stage == "database" and done == total and not told:
            told.append(stage)
            assert SignedHttp(server.url).send("DELETE", f"{BUCKET}/large/0").status == 204
            time.sleep(2.5)

    copied = backup.back_up(server.data, tmp_path / "copy", link=True, compare=False, tell=delete_and_dawdle)
    assert (told, copied.lost) == (["database"], [])
    assert path.name in files(tmp_path / "copy")
    deadline = time.monotonic() + 20
    while path.exists():
        assert time.monotonic() < deadline
        time.sleep(0.1)


def test_a_second_backup_takes_only_what_is_new(server: Any, tmp_path: Path) -> None:
    """Bytes that are there already are not copied again, and those that nothing names any more go."""
    copy = tmp_path / "copy"
    first = back_up(server.data, copy, "--copy")
    assert (first["new_blobs"], first["linked_blobs"], first["blobs"]) == (7, 0, 7)
    again = back_up(server.data, copy)
    assert (again["new_blobs"], again["removed_blobs"]) == (0, 0)
    http = SignedHttp(server.url)
    assert http.send("PUT", f"{BUCKET}/large/0", LARGE + b"!").status == 200
    third = back_up(server.data, copy)
    assert (third["new_blobs"], third["linked_blobs"], third["removed_blobs"]) == (1, 1, 1)
    assert whole(copy)["large/0"] == md5(LARGE + b"!").hexdigest()


def test_deleted_parts_are_not_copied(own_server: Callable[..., Any], tmp_path: Path) -> None:
    """What waits for its grace at the source is no part of the copy, and is missed by nobody."""
    server = own_server("--workers", "1", MEIKU_MULTIPART_MIN_PART_BYTES="0")
    http = fill(server)
    gone = [part_of(server.data, "parts", number).name for number in (1, 2)]
    copy = tmp_path / "copy"
    back_up(server.data, copy)
    assert set(gone) <= files(copy)
    assert http.send("DELETE", f"{BUCKET}/parts").status == 204
    assert set(gone) <= files(server.data)
    again = back_up(server.data, copy)
    assert (again["removed_blobs"], again["lost"]) == (2, [])
    assert not set(gone) & files(copy)
    assert run("check", "--data", str(copy)).returncode == 0


def test_a_backup_of_before_is_restored(server: Any, tmp_path: Path) -> None:
    """A copy of an older schema is restored as it is, and brought up to date when it is served."""
    copy, restored = tmp_path / "copy", tmp_path / "restored"
    back_up(server.data, copy)
    held = files(copy)
    with rows_of(copy) as rows:
        rows.executescript(
            "DROP TABLE released_uploads; PRAGMA user_version = 6; PRAGMA journal_mode = DELETE"
        )
    done = run("restore", str(copy), str(restored), "--json")
    assert done.returncode == 0, done.stderr
    assert files(restored) == held
    assert "parts" in whole(restored)


def test_a_copy_survives_its_source(server: Any, tmp_path: Path) -> None:
    """Linked or not, what is deleted and swept at the source stays in the copy, and is restored."""
    copy, restored = tmp_path / "copy", tmp_path / "restored"
    back_up(server.data, copy)
    http = SignedHttp(server.url)
    for key in ("large/0", "large/1", "large/2", "parts"):
        assert http.send("DELETE", f"{BUCKET}/{key}").status == 204
    done = run("restore", str(copy), str(restored), "--json")
    assert done.returncode == 0, done.stderr
    assert set(whole(restored)) == {f"{kind}/{n}" for kind in ("large", "small") for n in range(3)} | {
        "parts",
        "empty",
    }


def test_the_root_key_comes_along_for_its_owner_only(tmp_path: Path, own_server: Callable[..., Any]) -> None:
    """The root key's file is in the copy with mode 0600, and so is the database."""
    server = own_server()
    (server.data / "root-key.json").write_text('{"access_key": "AK", "secret_key": "SK"}')
    copy, restored = tmp_path / "copy", tmp_path / "restored"
    back_up(server.data, copy)
    assert run("restore", str(copy), str(restored)).returncode == 0
    for folder in (copy, restored):
        assert json.loads((folder / "root-key.json").read_text())["secret_key"] == "SK"
        for name in ("root-key.json", "meta.sqlite3"):
            assert (folder / name).stat().st_mode & 0o777 == 0o600, name
        assert folder.stat().st_mode & 0o777 == 0o700


def test_what_would_destroy_something_is_refused(server: Any, tmp_path: Path) -> None:
    """A folder with strangers in it, the data folder itself, a restore over data, a copy that was served."""
    strange = tmp_path / "strange"
    strange.mkdir()
    (strange / "diary.txt").write_text("mine")
    data, copy = str(server.data), tmp_path / "copy"
    assert "holds no backup" in refusal("backup", str(strange), "--data", data)
    assert "must not lie" in refusal("backup", data, "--data", data)
    assert "must not lie" in refusal("backup", str(server.data / "copy"), "--data", data)
    assert "there is no data" in refusal("backup", str(copy), "--data", str(strange))
    back_up(server.data, copy)
    assert "not empty" in refusal("restore", str(copy), data)
    assert "it is no backup" in refusal("restore", data, str(tmp_path / "new"))
    served = Server(copy, free_port()).start()
    assert SignedHttp(served.url).send("PUT", f"{BUCKET}/only-here", b"x").status == 200
    assert "has been changed since" in refusal("backup", str(copy), "--data", data)
    served.stop()
    assert "has been changed since" in refusal("backup", str(copy), "--data", data)
    assert (strange / "diary.txt").read_text() == "mine"


def test_a_backup_that_broke_off_is_taken_up(server: Any, tmp_path: Path) -> None:
    """What a killed backup left is no obstacle: the former copy is whole, and the next one is made."""
    copy = tmp_path / "copy"
    back_up(server.data, copy)
    before = whole_rows(copy)
    (copy / "incoming" / ("0" * 32)).write_bytes(b"half")
    (copy / "meta.sqlite3.arriving").write_bytes(b"half")
    (copy / "backup.json.partial").write_bytes(b"half")
    assert SignedHttp(server.url).send("PUT", f"{BUCKET}/new", LARGE).status == 200
    assert whole_rows(copy) == before
    back_up(server.data, copy)
    assert not (copy / "meta.sqlite3.arriving").exists()
    assert list((copy / "incoming").iterdir()) == []
    assert whole(copy)["new"] == md5(LARGE).hexdigest()


def whole_rows(copy: Path) -> list[Any]:
    with rows_of(copy) as rows:
        return list(rows.execute("SELECT key, etag FROM objects"))


def test_what_the_source_has_lost_is_named(server: Any, tmp_path: Path) -> None:
    """A copy of damaged bytes is not made in silence: exit code 1, and each object by its name.

    Everything else is in the copy, and so is what an earlier copy had.
    """
    copy, linked = tmp_path / "copy", tmp_path / "linked"
    back_up(server.data, linked)
    gone, flipped = blob_of(server.data, "large/0"), blob_of(server.data, "large/1")
    gone.unlink()
    flip_a_bit(flipped, 1000)
    done = run("backup", str(copy), "--data", str(server.data), "--json", "--copy")
    assert done.returncode == 1
    lost = {(entry["bucket"], entry["key"]) for entry in json.loads(done.stdout)["lost"]}
    assert lost == {(BUCKET, "large/0"), (BUCKET, "large/1")}
    assert len(files(copy)) == 5
    assert back_up(server.data, linked)["lost"] == []
    assert flipped.samefile(linked / "blobs" / flipped.name[:2] / flipped.name)


def compared(server: Any, copy: Path) -> Any:
    """Back up and compare everything; tells what the command said."""
    done = run("backup", str(copy), "--data", str(server.data), "--json", "--compare")
    said = json.loads(done.stdout)
    assert done.returncode == (1 if said["lost"] else 0), done.stderr
    return said


def lost_keys(said: Any) -> set[str]:
    return {entry["key"] for entry in said["lost"]}


@pytest.mark.parametrize("options", [(), ("--copy",)])
def test_comparing_reads_what_is_linked_or_there(server: Any, tmp_path: Path, options: tuple[str]) -> None:
    """Size alone judges what was copied before; --compare takes it anew where it rotted in the backup.

    What rotted in the data is named, linked or not, and an older copy that is whole stays as it is.
    """
    copy = tmp_path / "copy"
    back_up(server.data, copy, *options)
    assert compared(server, copy)["new_blobs"] == 0
    original, kept = blob_of(server.data, "large/1"), blob_of(copy, "large/0")
    flip_a_bit(kept, 1000)  # where it is linked, this is the data's own file
    flip_a_bit(original, 1000)
    assert back_up(server.data, copy)["lost"] == []
    said = compared(server, copy)
    if options:
        assert (lost_keys(said), said["new_blobs"]) == (set(), 1)
        assert whole(copy)["large/1"] == md5(LARGE).hexdigest()
    else:
        assert lost_keys(said) == {"large/0", "large/1"}


def test_a_restore_compares_as_well(server: Any, tmp_path: Path) -> None:
    """A backup that rotted is not restored in silence, though its bytes are only linked."""
    copy = tmp_path / "copy"
    back_up(server.data, copy, "--copy")
    flip_a_bit(blob_of(copy, "large/2"), 1000)
    for options, status in (((), 0), (("--compare",), 1)):
        done = run("restore", str(copy), str(tmp_path / f"restored{status}"), "--json", *options)
        assert done.returncode == status, done.stderr
        assert lost_keys(json.loads(done.stdout)) == ({"large/2"} if status else set())
