"""The data folder's id: made once, compared ever after, and nothing is begun in another folder's place."""

import os
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pytest

from meiku import data_folder
from meiku.blobs.files import make_files
from meiku.errors import StateError
from running_server import Server, free_port
from signed_http import SignedHttp

LARGE = b"l" * 100_000


def meiku(*arguments: str, **environment: str) -> Any:
    command = [sys.executable, "-m", "meiku", *arguments]
    return subprocess.run(
        command, check=False, capture_output=True, text=True, env=os.environ | environment, timeout=60
    )


def test_an_id_is_made_once(tmp_path: Path) -> None:
    """Every further start is told the same, and whoever is a moment later, too."""
    folder = tmp_path / "above" / "data"
    made = data_folder.begin(folder, None)
    assert made and data_folder.begin(folder, None) == data_folder.begin(folder, made) == made
    assert data_folder.make_id(folder, "later") == made
    assert {path.name for path in folder.iterdir()} == {data_folder.ID_FILE}


@pytest.mark.parametrize("around", ["{}", "{}\n", " {}\r\n", "\ufeff{}\r\n"])
def test_an_id_that_an_editor_wrote_is_read(tmp_path: Path, around: str) -> None:
    """Line ends and marks of other systems are none of it."""
    (tmp_path / data_folder.ID_FILE).write_bytes(around.format("archive-7").encode())
    data_folder.require(tmp_path, "archive-7")


@pytest.mark.parametrize("text", ["", "\r\n", "two words", "two\nlines", "x" * 65, "x" * 4_000_000, "库"])
def test_what_is_no_id_is_named_in_one_short_sentence(tmp_path: Path, text: str) -> None:
    """It is not taken for another folder's, and not repeated."""
    (tmp_path / data_folder.ID_FILE).write_text(text)
    with pytest.raises(
        StateError, match=f"{data_folder.ID_FILE} holds no.*; write the folder's id"
    ) as refused:
        data_folder.begin(tmp_path, None)
    assert len(str(refused.value)) < 500 and "\n" not in str(refused.value)


@pytest.mark.parametrize("there", ["nothing", "an empty folder", "another"])
def test_another_folder_is_refused_and_left_alone(tmp_path: Path, there: str) -> None:
    """The sentence says what is there, what was expected, and what it may mean."""
    folder = tmp_path / "data"
    if there != "nothing":
        folder.mkdir()
    if there == "another":
        data_folder.make_id(folder, "another")
    before = sorted(tmp_path.rglob("*"))
    with pytest.raises(StateError, match="expected wanted: is the right disk mounted"):
        data_folder.begin(folder, "wanted")
    assert sorted(tmp_path.rglob("*")) == before


def test_a_start_where_the_disk_is_not_mounted_is_refused(tmp_path: Path) -> None:
    """`meiku init` tells the id; a service that is told it begins nothing anew, in one sentence."""
    folder, mount = tmp_path / "data", tmp_path / "elsewhere"
    first = meiku("init", "--data", str(folder))
    data_id = (folder / data_folder.ID_FILE).read_text().strip()
    assert f"MEIKU_DATA_ID={data_id} meiku serve" in first.stdout
    assert meiku("init", "--data", str(folder)).stdout == first.stdout
    server = Server(folder, free_port(), {"MEIKU_DATA_ID": data_id}).start()
    server.stop()
    folder.rename(mount)
    folder.mkdir()
    refused = meiku("serve", "--data", str(folder), "--port", "0", MEIKU_DATA_ID=data_id)
    assert (refused.returncode, refused.stderr.count("\n")) == (1, 1), refused.stderr
    assert f"expected {data_id}" in refused.stderr
    assert list(folder.iterdir()) == []


def test_the_id_of_a_new_folder_may_be_chosen(tmp_path: Path) -> None:
    """So that a service can be described before its folder is there."""
    done = meiku("init", "--data", str(tmp_path / "data"), "--json", MEIKU_DATA_ID="archive-7")
    assert '"data_id": "archive-7"' in done.stdout
    assert meiku("init", "--data", str(tmp_path / "data"), MEIKU_DATA_ID="archive-8").returncode == 1


def test_a_folder_of_an_earlier_version_is_given_an_id(tmp_path: Path) -> None:
    """It opens as before."""
    server = Server(tmp_path / "data", free_port()).start()
    server.stop()
    (server.data / data_folder.ID_FILE).unlink()
    server.start()
    server.stop()
    assert (server.data / data_folder.ID_FILE).read_text().strip()


def test_a_folder_that_is_moved_away_is_not_begun_anew(tmp_path: Path) -> None:
    """A worker that dies then has no successor until the folder is back; nobody is told of another store."""
    server = Server(tmp_path / "data", free_port(), {"MEIKU_WORKERS": "2"}).start()
    assert server.process is not None
    http, away = SignedHttp(server.url), tmp_path / "away"
    assert http.send("PUT", "moved").status == http.send("PUT", "moved/key", LARGE).status == 200
    children = Path(f"/proc/{server.process.pid}/task/{server.process.pid}/children")
    while "is ready" not in server.read_log():  # until all have begun, one that cannot ends them all
        time.sleep(0.1)
    server.data.rename(away)
    lost = int(children.read_text().split()[0])
    os.kill(lost, signal.SIGKILL)
    time.sleep(2)
    assert not server.data.exists()
    for _ in range(20):
        assert SignedHttp(server.url).send("HEAD", "moved").status == 200
    away.rename(server.data)
    deadline_s = time.monotonic() + 30
    while len(children.read_text().split()) < 2 or "is not there" not in server.read_log():
        assert time.monotonic() < deadline_s
        time.sleep(0.1)
    for _ in range(20):
        assert SignedHttp(server.url).send("GET", "moved/key").body == LARGE
    server.stop()


def test_another_folder_in_its_place_takes_and_loses_nothing(tmp_path: Path) -> None:
    """Bytes follow their rows to the folder that was opened, and the sweep is of that folder alone."""
    swept = {"MEIKU_WORKERS": "1", "MEIKU_SWEEP_INTERVAL_S": "1", "MEIKU_BLOB_GRACE_S": "0"}
    server = Server(tmp_path / "data", free_port(), swept).start()
    http, other, away = SignedHttp(server.url), tmp_path / "other", tmp_path / "away"
    assert http.send("PUT", "moved").status == http.send("PUT", "moved/before", LARGE).status == 200
    data_folder.initialise(other, None)
    make_files(other)
    of_other = other / "blobs" / "ab" / f"ab{'0' * 30}"
    of_other.write_bytes(LARGE)
    os.utime(of_other, (0, 0))
    server.data.rename(away)
    other.rename(server.data)
    assert http.send("GET", "-/ready").status == 503
    assert http.send("GET", "minio/health/cluster/read").status == 200
    for number in range(3):
        assert http.send("PUT", f"moved/{number}", LARGE).status == 200
        assert http.send("GET", f"moved/{number}").body == http.send("GET", "moved/before").body == LARGE
    time.sleep(3)
    assert [path.name for path in (server.data / "blobs").rglob("*") if path.is_file()] == [of_other.name]
    server.data.rename(other)
    away.rename(server.data)
    server.kill()
    server.start()
    assert all(SignedHttp(server.url).send("GET", f"moved/{n}").body == LARGE for n in ("before", 0, 1, 2))
    server.stop()


def test_nothing_is_stored_in_a_folder_that_was_removed(tmp_path: Path) -> None:
    """What is open lives on until it is closed, and would take an object with it."""
    server = Server(tmp_path / "data", free_port(), {"MEIKU_WORKERS": "1"}).start()
    http = SignedHttp(server.url)
    assert http.send("PUT", "removed").status == 200
    shutil.rmtree(server.data)
    time.sleep(0.2)
    for data in (b"small", LARGE):
        refused = http.send("PUT", "removed/key", data)
        assert (refused.status, b"Nothing was stored" in refused.body) == (503, True), refused.body
    server.kill()
