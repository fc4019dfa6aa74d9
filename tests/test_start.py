"""Becoming the process that serves: what was typed arrives there, and the command line's libraries do not."""

import json
import os
import pty
import pwd
import shutil
import subprocess
import sys
import tempfile
import urllib.request
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from meiku.config import Settings
from running_server import ROOTS_ALONE, SECRET_KEY, Server, free_port

_TOKEN = "a-token-for-the-figures"


def test_settings_pass_through_the_environment() -> None:
    """Every setting that is written as a variable is read back as it was."""
    plain = Settings(workers=3)
    assert Settings.from_environment(environment=plain.as_environment()) == plain
    changed = Settings(
        data_folder=Path("some where/媒库"),
        workers=2,
        domains=("a.example", "b.example"),
        tls_certificate=Path("c.pem"),
        tls_key=Path("k.pem"),
        header_timeout_s=0.5,
        inline_limit_bytes=0,
        log_requests=True,
    )
    assert Settings.from_environment(environment=changed.as_environment()) == changed


def test_the_serving_process_carries_no_command_line() -> None:
    """Typer, rich and pydantic would be a fifth of every worker's memory."""
    said = (
        "import sys, meiku.start; print(sorted({'typer', 'rich', 'pydantic', 'meiku.cli'} & {*sys.modules}))"
    )
    done = subprocess.run([sys.executable, "-c", said], capture_output=True, text=True, check=True)
    assert done.stdout == "[]\n"


@pytest.fixture
def nobodys() -> Iterator[Path]:
    """Give a folder that belongs to a user who is not root: to root nothing on the machine is closed."""
    folder = Path(tempfile.mkdtemp(prefix="meiku-nobodys-"))
    if os.geteuid() == 0:
        os.chown(folder, _nobody(), _nobody())
    yield folder
    shutil.rmtree(folder)


def _nobody() -> int:
    return pwd.getpwnam("nobody").pw_uid


def tree(pid: int) -> list[int]:
    """List a process and all below it."""
    children = [
        int(child)
        for listing in Path(f"/proc/{pid}/task").glob("*/children")
        for child in listing.read_text().split()
    ]
    return [pid, *(each for child in children for each in tree(child))]


@pytest.mark.skipif(ROOTS_ALONE, reason="this checkout lies where no other user can start it")
@pytest.mark.parametrize("module", ["meiku.start", "meiku"])
def test_no_serving_process_shows_its_secrets(nobodys: Path, module: str) -> None:
    """They are in no environment that /proc shows, and memory is closed to processes of the same user."""
    port, user = free_port(), "nobody" if os.geteuid() == 0 else None
    secrets = {
        "MEIKU_SECRET_KEY": SECRET_KEY,
        "MEIKU_METRICS_TOKEN": _TOKEN,
        "AWS_SECRET_ACCESS_KEY": "SKaws",
    }
    told = {"MEIKU_ACCESS_KEY": "testak", "MEIKU_PORT": str(port), "MEIKU_WORKERS": "2"}
    told |= {"MEIKU_DATA_FOLDER": str(nobodys / "data"), "PATH": os.environ["PATH"]}
    command = [sys.executable, "-P", "-m", module, *(["serve"] if module == "meiku" else [])]
    started = subprocess.Popen(command, env=told | secrets, user=user, cwd="/")
    server = Server(nobodys / "data", port, process=started)
    try:
        server.wait_until_ready()
        ask = urllib.request.Request(f"{server.url}/-/metrics", headers={"Authorization": f"Bearer {_TOKEN}"})
        assert urllib.request.urlopen(ask).status == 200, "what was told so is known"
        processes = tree(started.pid)
        assert len(processes) == 3
        for pid in processes:
            environment = Path(f"/proc/{pid}/environ")
            assert not [name for name, value in secrets.items() if value.encode() in environment.read_bytes()]
            # To the kernel what lies there is root's, though the process is not.
            assert environment.stat().st_uid == 0 != int(_status(pid)["Uid"].split()[0])
    finally:
        started.terminate()
        assert started.wait(30) == 0


def _status(pid: int) -> dict[str, str]:
    lines = Path(f"/proc/{pid}/status").read_text().splitlines()
    return dict(line.split(":\t", 1) for line in lines if ":\t" in line)


def test_a_process_list_shows_the_data_folder(own_server: Callable[..., Server]) -> None:
    """Whoever looks at `ps` sees which of several services is which; workers too."""
    server = own_server("--workers", "1")
    assert server.process is not None
    for pid in tree(server.process.pid):
        words = Path(f"/proc/{pid}/cmdline").read_bytes().split(b"\0")
        assert words[words.index(b"--data") + 1] == bytes(server.data.resolve())


@pytest.mark.parametrize("text", ["Photos", "photos:public", ":private", "photos:private:x"])
def test_a_bucket_that_cannot_be_is_refused_at_the_start(tmp_path: Path, text: str) -> None:
    """A name or a list that S3 does not have is one sentence, before anything listens or is made."""
    command = [sys.executable, "-m", "meiku", "serve", "--data", str(tmp_path / "data"), "--port", "0"]
    environment = os.environ | {"MEIKU_BUCKETS": f"fine,{text}"}
    done = subprocess.run(command, env=environment, capture_output=True, text=True, timeout=60)
    assert (done.returncode, done.stderr.count("\n")) == (1, 1), done.stderr
    assert "is not a bucket's name" in done.stderr or "is not an ACL of a bucket" in done.stderr
    assert not (tmp_path / "data" / "meta.sqlite3").exists()


def test_a_secret_that_was_made_is_shown_on_a_terminal(tmp_path: Path) -> None:
    """Whoever types `meiku serve` is told once; what is printed elsewhere names only the file."""
    ours, theirs = pty.openpty()
    environment = {name: value for name, value in os.environ.items() if not name.startswith("MEIKU_")}
    command = [sys.executable, "-m", "meiku", "serve", "--data", str(tmp_path / "data"), "--port", "0"]
    started = subprocess.Popen(command, env=environment, stdout=theirs, stderr=theirs)
    os.close(theirs)
    shown = b""
    try:
        while b"Ctrl-C" not in shown:
            shown += os.read(ours, 4096)
    finally:
        started.terminate()
        started.wait(30)
        os.close(ours)
    secret = json.loads((tmp_path / "data" / "root-key.json").read_text())["secret_key"]
    assert secret.encode() in shown


def test_what_the_data_folder_holds_is_its_owners_alone(tmp_path: Path) -> None:
    """Whatever the umask says: databases, locks, keys and blobs are nobody else's to read, or to hold."""
    with tempfile.TemporaryDirectory() as folder:
        server = Server(Path(folder) / "data", free_port())
        before = os.umask(0)
        try:
            server.start()
        finally:
            os.umask(before)
        server.client().create_bucket(Bucket="photos")
        server.client().put_object(Bucket="photos", Key="large", Body=bytes(1 << 20))
        server.client().create_multipart_upload(Bucket="photos", Key="parts")
        server.stop()
        found = [server.data, *server.data.rglob("*")]
        assert len(found) > 5
        assert not [path for path in found if path.stat().st_mode & 0o077]
