"""A media worker that was taken over may do nothing but answer its job: tried by a process that tries."""

import json
import os
import socket
import stat
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import pyvips

from media.working import Follow, in_a_workshop, workers
from meiku.media import confinement
from meiku.media.made import Made
from running_server import ROOTS_ALONE

HERE = Path(__file__).parent
# What anybody may do who is not confined, and what harms nobody when it is done.
_ANYBODY = (
    *("read the database", "list the root", "read its own environment", "open the database to write"),
    *("make a TCP socket", "connect to the server", "make a socket pair", "fork", "memory file", "lock"),
    *("shared memory", "open the server's files"),
)
_WITHOUT_KERNEL = """
def not_there(*_):
    raise OSError(38, "Function not implemented")
from meiku.media import confinement
confinement.see_only = confinement.allow_needed_calls_only = not_there
"""
# A worker that left root's account could not read its libraries there.
_MISSING_HERE = ["media workers go without a user of their own"] if ROOTS_ALONE else []


def taken_over(folder: Path, *chosen: str, before: str = "") -> dict[str, Any]:
    """Let the stand-in try, on a data folder that is open to all, so that no file's mode protects it."""
    data = folder / "data"
    data.mkdir()
    data.chmod(0o777)
    held, place = data / "meta.sqlite3", data / "media-worker-0.lock"
    for file in (held, place):
        file.write_bytes(b"secret")
        file.chmod(0o666)
    with socket.create_server(("127.0.0.1", 0)) as server, place.open("rb") as lock:
        program = (
            f"import sys; sys.path.insert(0, {str(HERE)!r}); import taken_over\n{before}\ntaken_over.main()"
        )
        arguments = [str(held), str(server.getsockname()[1]), str(lock.fileno()), *chosen]
        done = subprocess.run(
            [sys.executable, "-P", "-c", program, *arguments],
            pass_fds=[lock.fileno()],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            check=True,
            timeout=60,
        )
    assert held.read_bytes() == place.read_bytes() == b"secret" and len([*data.iterdir()]) == 2
    return dict(json.loads(done.stdout))


def succeeded(told: dict[str, Any]) -> set[str]:
    return {what for what, outcome in told["tried"].items() if outcome == "DONE"}


def what_of(sentences: list[str]) -> list[str]:
    return [sentence.partition(": ")[0] for sentence in sentences]


def test_whoever_takes_a_worker_over_can_do_nothing(tmp_path: Path) -> None:
    """Files, sockets, other processes, privileges, the kernel's odd corners: each attempt fails."""
    told = taken_over(tmp_path)
    assert what_of(told["missing"]) == _MISSING_HERE
    assert not succeeded(told)
    assert len(told["tried"]) > 70


def test_whoever_is_not_confined_could(tmp_path: Path) -> None:
    """The attempts are such as succeed: it is the confinement that they fail for."""
    told = taken_over(tmp_path, *_ANYBODY, before="taken_over.confine = lambda _: []")
    assert succeeded(told) == {*_ANYBODY}, told


def test_what_a_kernel_does_not_offer_is_named_and_done_without(tmp_path: Path) -> None:
    """In a container without Landlock and seccomp the rest still holds, and sentences say what is missing."""
    told = taken_over(tmp_path, "write to its place", "raise its own limit", before=_WITHOUT_KERNEL)
    assert [sentence.partition(" go without ")[2] for sentence in told["missing"][len(_MISSING_HERE) :]] == [
        "a file system of their libraries only (Landlock): Function not implemented",
        "a list of the system calls that they need (seccomp): Function not implemented",
    ]
    assert not succeeded(told)


@pytest.mark.skipif(os.geteuid() != 0, reason="only root has a user to leave")
def test_where_root_alone_reads_the_libraries_rights_are_given_up(tmp_path: Path) -> None:
    """The worker starts all the same, as root by number, and what is not a library is as closed as ever."""
    closed = tmp_path / "closed"
    closed.mkdir(mode=0o700)
    tmp_path.chmod(0o700)
    told = taken_over(tmp_path, before=f"sys.path.append({str(closed)!r})")
    assert what_of(told["missing"]) == ["media workers go without a user of their own"]
    assert ROOTS_ALONE or str(closed) in told["missing"][0]
    assert not succeeded(told)


def test_a_server_can_ask_what_is_missing_and_stays_as_it_is() -> None:
    """Trying is done by a process of its own."""
    before = Path("/proc/self/status").read_text().partition("NoNewPrivs")[2].partition("Speculation")[0]
    assert what_of(confinement.try_to_confine()) == _MISSING_HERE
    after = Path("/proc/self/status").read_text().partition("NoNewPrivs")[2].partition("Speculation")[0]
    assert before == after


def test_a_worker_at_work_is_confined() -> None:
    """A real one is filtered, is not root where it need not be, has no capability, nothing open to write."""

    photo = bytes(pyvips.Image.black(8, 8, bands=3).jpegsave_buffer())

    async def use(follow: Follow) -> None:
        assert isinstance(await follow("image/info", photo), Made)
        (pid,) = workers()
        for thread in Path(f"/proc/{pid}/task").iterdir():
            status = dict(
                line.split(":\t", 1) for line in (thread / "status").read_text().splitlines() if ":\t" in line
            )
            assert (status["NoNewPrivs"], status["Seccomp"]) == ("1", "2")
            assert int(status["CapEff"], 16) == int(status["CapPrm"], 16) == 0
            assert ROOTS_ALONE or "0" not in status["Uid"].split()
            assert os.geteuid() or not status["Groups"].strip()
        for file in Path(f"/proc/{pid}/fd").iterdir():
            mode = file.stat().st_mode
            is_stored = stat.S_ISREG(mode) or stat.S_ISDIR(mode)
            assert not (is_stored and file.lstat().st_mode & stat.S_IWUSR), file.readlink()

    in_a_workshop(use)
