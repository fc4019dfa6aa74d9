"""What an operator installs: the unit, as systemd itself reads it, and the image, made once and run."""

import configparser
import json
import os
import re
import signal
import subprocess
import sys
import time
import urllib.request
from pathlib import Path

import pytest

from docs.reading import HOUSE
from meiku.config import Settings
from running_server import free_port

UNIT = HOUSE / "packaging" / "meiku.service"
# Of 100, which is a service that may do everything; a unit without any of these lines has 92 to 96.
MOST_EXPOSED = 35


@pytest.fixture
def unit(tmp_path: Path) -> Path:
    """The unit with a command that is there: the one of this environment."""
    here = tmp_path / "meiku.service"
    here.write_text(
        UNIT.read_text().replace("/opt/meiku/bin/meiku", str(Path(sys.executable).parent / "meiku"))
    )
    return here


def service() -> configparser.SectionProxy:
    parser = configparser.ConfigParser(strict=False, interpolation=None)
    parser.optionxform = str
    parser.read(UNIT)
    return parser["Service"]


def test_systemd_understands_the_unit(unit: Path) -> None:
    """Every line is one that systemd knows; it says nothing."""
    done = subprocess.run(["systemd-analyze", "verify", unit], capture_output=True, text=True)
    assert (done.returncode, done.stderr) == (0, "")


def test_the_unit_gives_up_what_is_not_needed(unit: Path) -> None:
    """systemd's own judgement of how exposed the service is stays low."""
    command = ["systemd-analyze", "security", "--offline=true", f"--threshold={MOST_EXPOSED}", unit]
    done = subprocess.run(command, capture_output=True, text=True)
    assert done.returncode == 0, done.stdout[-1500:]


def test_the_unit_leaves_time_and_room() -> None:
    """Transfers end before systemd kills; every connection may have its files; settings are ours."""
    defaults, said = Settings(), service()
    assert int(said["TimeoutStopSec"]) > defaults.graceful_stop_s
    assert int(said["LimitNOFILE"]) > 4 * defaults.max_connections
    known = {knob.variable for knob in Settings.knobs()}
    assert set(re.findall(r"MEIKU_\w+", UNIT.read_text())) <= known


@pytest.mark.skipif(os.geteuid() != 0, reason="only root may make the files of others")
def test_an_image_is_made_and_runs(tmp_path: Path) -> None:
    """Its own command as its own user, with its own files: ready, a bucket is made, it ends when asked."""
    file = tmp_path / "meiku.oci.tar"
    subprocess.run([HOUSE / "scripts" / "make-image", file], check=True)
    (tmp_path / "image").mkdir()
    subprocess.run(["tar", "-C", tmp_path / "image", "-xf", file], check=True)
    subprocess.run(["umoci", "unpack", "--image", "image:latest", "bundle"], cwd=tmp_path, check=True)
    process = json.loads((tmp_path / "bundle" / "config.json").read_text())["process"]
    assert process["args"] == ["meiku", "serve"] and process["user"]["uid"] == 10001
    port = free_port()
    within = command_within(tmp_path / "bundle" / "rootfs", process, port)
    with (tmp_path / "log").open("wb") as log:
        running = subprocess.Popen(
            [*within, *process["args"]], stdout=log, stderr=log, start_new_session=True
        )
    try:
        wait_until_ready(port, running, tmp_path / "log")
        made = subprocess.run([*within, "meiku", "bucket", "make", "photos"], capture_output=True, text=True)
        assert made.stdout == "made photos (private), owned by root\n", made.stderr
    finally:
        os.killpg(running.pid, signal.SIGTERM)
        running.wait(timeout=60)


def command_within(root: Path, process: dict[str, object], port: int) -> list[str]:
    """Write the command that runs something as the image's user, with the image for its whole file system."""
    mounts = f"mount -t proc proc {root}/proc; mount --rbind /dev {root}/dev"
    env = [*process["env"], f"MEIKU_PORT={port}", "MEIKU_WORKERS=1"]
    enter = f'exec chroot --userspec=10001:10001 {root} env -i -C {process["cwd"]} "$@"'
    return ["unshare", "--mount", "sh", "-c", f"{mounts}; {enter}", "sh", *env]


def wait_until_ready(port: int, running: subprocess.Popen[bytes], log: Path) -> None:
    deadline = time.monotonic() + 60
    while time.monotonic() < deadline:
        assert running.poll() is None, log.read_text()
        try:
            with urllib.request.urlopen(f"http://127.0.0.1:{port}/-/ready", timeout=2):
                return
        except OSError:
            time.sleep(0.1)
    raise AssertionError(log.read_text())
