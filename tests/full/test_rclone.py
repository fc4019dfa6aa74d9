"""rclone, as its users type it: a remote of its own, copies both ways, parts, checks and removals."""

import os
import shutil
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from browser_form import ACCESS_KEY, SECRET_KEY

Rclone = Callable[..., str]


@pytest.fixture(params=["v4", "v2"])
def rclone(request: pytest.FixtureRequest, server: Any, tmp_path: Path) -> Rclone:
    """Run rclone with a configuration of its own and give what it prints."""
    program = shutil.which("rclone")
    assert program, "rclone is needed for this test: scripts/install-debian-packages"
    settings = {
        "type": "s3",
        "provider": "Other",
        "access_key_id": ACCESS_KEY,
        "secret_access_key": SECRET_KEY,
        "endpoint": server.url,
        "region": "us-east-1",
        "v2_auth": str(request.param == "v2").lower(),
        "upload_cutoff": "5Mi",
        "chunk_size": "5Mi",
    }
    config = tmp_path / "rclone.conf"
    config.write_text("[meiku]\n" + "".join(f"{name} = {value}\n" for name, value in settings.items()))
    environment = {"PATH": os.environ["PATH"], "HOME": str(tmp_path)}

    def run(*arguments: str) -> str:
        command = [program, "--config", config, "--retries", "1", *arguments]
        done = subprocess.run(command, env=environment, cwd=tmp_path, capture_output=True, text=True)
        assert done.returncode == 0, done.stderr
        return done.stdout

    return run


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A folder with small files, a large one, and a name that needs encoding."""
    made = tmp_path / "folder"
    (made / "sub").mkdir(parents=True)
    (made / "sub" / "图 1+.txt").write_text("文本")
    (made / "empty").touch()
    (made / "large").write_bytes(os.urandom(12 << 20))
    return made


def test_a_folder_is_copied_and_compared(rclone: Rclone, bucket: str, folder: Path, tmp_path: Path) -> None:
    """copy both ways; check finds no difference, neither by hash nor by bytes."""
    remote = f"meiku:{bucket}/backup"
    rclone("copy", "folder", remote)
    rclone("check", "folder", remote)
    rclone("check", "--download", "folder", remote)
    rclone("copy", remote, "back")
    assert (tmp_path / "back" / "large").read_bytes() == (folder / "large").read_bytes()
    assert (tmp_path / "back" / "sub" / "图 1+.txt").read_text() == "文本"


def test_times_are_kept(rclone: Rclone, bucket: str, folder: Path, tmp_path: Path) -> None:
    """A second copy sends nothing: sizes and times are those of the first."""
    rclone("copy", "-vv", "--log-file", "first", "folder", f"meiku:{bucket}")
    rclone("copy", "-vv", "--log-file", "second", "folder", f"meiku:{bucket}")
    assert (tmp_path / "first").read_text().count("Copied (new)") == 3
    assert "Copied" not in (tmp_path / "second").read_text()


def test_a_remote_is_kept_in_step(rclone: Rclone, s3: Any, bucket: str, folder: Path) -> None:
    """sync removes what is gone, moveto renames inside the service, purge removes all."""
    rclone("sync", "folder", f"meiku:{bucket}/a")
    (folder / "empty").unlink()
    rclone("sync", "folder", f"meiku:{bucket}/a")
    rclone("moveto", f"meiku:{bucket}/a/large", f"meiku:{bucket}/b/moved")
    listed = rclone("lsf", "--recursive", "--files-only", f"meiku:{bucket}").split("\n")
    assert sorted(filter(None, listed)) == ["a/sub/图 1+.txt", "b/moved"]
    rclone("purge", f"meiku:{bucket}")
    assert bucket not in [entry["Name"] for entry in s3.list_buckets()["Buckets"]]
