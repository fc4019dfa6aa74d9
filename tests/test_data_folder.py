"""The data folder's id: made once, compared ever after, and nothing is begun in another folder's place."""

import os
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pytest

from meiku import data_folder
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
