"""Following a page of the documentation, as somebody does who has just come: block by block, in one shell.

The shell stands in a fresh copy of this repository, with no setting of the tester's and no `meiku` on its
path; only ports are changed, to ones that are free here. Programs that a reader has of their own (aws, s3cmd,
Python with boto3) are those of the tests' environment.
"""

import os
import re
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path

from docs.reading import HOUSE, RUN, Block, blocks_of
from running_server import free_port

LONGEST_S = 300
CAT = b"a cat"
READERS_OWN = ("aws", "s3cmd", "python", "python3")
PORTS = ("9000", "9001", "9002", "8080", "8081")
_PORTS = re.compile(rf"\b({'|'.join(PORTS)})\b")
_UNTRACKED = (
    ".git",
    ".venv",
    ".*_cache",
    ".hypothesis",
    "__pycache__",
    "meiku-data",
    "*.egg-info",
    "build",
    "dist",
)


@dataclass
class Reader:
    """Somebody in a fresh copy of the repository, with one shell to type in."""

    home: Path
    ports: Mapping[str, str] = field(default_factory=lambda: {name: str(free_port()) for name in PORTS})

    @property
    def house(self) -> Path:
        return self.home / "meiku"

    def move_in(self) -> "Reader":
        """Copy the repository, and what the first command would have installed; bring a picture."""
        shutil.copytree(HOUSE, self.house, ignore=shutil.ignore_patterns(*_UNTRACKED))
        (self.house / ".venv").symlink_to(HOUSE / ".venv")
        (self.house / "cat.jpg").write_bytes(CAT)
        (self.house / "album").mkdir()
        (self.house / "album" / "图 1+.txt").write_text("文本")
        programs = self.home / "bin"
        programs.mkdir()
        for name in READERS_OWN:
            own = f'#!/bin/sh\nexec "{sys.executable}"'
            script = "" if name.startswith("python") else f' "{Path(sys.executable).parent / name}"'
            (programs / name).write_text(f'{own}{script} "$@"\n')
            (programs / name).chmod(0o755)
        return self

    def follow(self, page: Path, before: str = "", after: str = "") -> str:
        """Type a page's blocks between two scripts of the test; answer all that was said."""
        script = "\n".join(["set -eu", before, *(self._typed(block) for block in blocks_of(page)), after])
        return self.type(self.translate(script))

    def translate(self, text: str) -> str:
        """Write the ports that are free here for those that the pages name."""
        return _PORTS.sub(lambda port: self.ports[port[0]], text)

    def type(self, script: str) -> str:
        """Run a script and end all that it has started; it must end well."""
        said = self.home / "said"
        with said.open("wb") as out:
            shell = subprocess.Popen(
                ["sh", "-c", script],
                cwd=self.house,
                env=self._environment(),
                stdin=subprocess.DEVNULL,
                stdout=out,
                stderr=out,
                start_new_session=True,
            )
            try:
                code = shell.wait(timeout=LONGEST_S)
            finally:
                self._end(shell.pid)
        text = said.read_text(errors="replace")
        logs = "\n".join(log.read_text(errors="replace") for log in self.home.glob("stays-*.log"))
        assert code == 0, f"exit code {code} of a page\n{text[-4000:]}\n{logs[-3000:]}"
        return text

    def _typed(self, block: Block) -> str:
        """Write what a reader types for a block; nothing, when it is only shown."""
        if block.file:
            return f"cat > {block.file} <<'END_OF_BLOCK'\n{block.text}END_OF_BLOCK"
        if block.language not in RUN:
            return ""
        if block.reason is not None:
            return ""
        text = (
            block.text
            if block.language == "sh"
            else f"python3 - <<'END_OF_BLOCK'\n{block.text}END_OF_BLOCK\n"
        )
        return self._expecting(block.told, f"echo '## line {block.line}'\n{text}")

    def _expecting(self, told: str, text: str) -> str:
        stays = re.fullmatch(r"stays, port (\d+)", told)
        if stays:
            address = f"127.0.0.1:{stays[1]}/"
            asked = " || ".join(f"curl -ks -o /dev/null {scheme}://{address}" for scheme in ("http", "https"))
            wait = f"until {asked}; do sleep 0.1; done"
            return f"{{ {text}}} > {self.home}/stays-{stays[1]}.log 2>&1 &\n{wait}"
        ends = re.fullmatch(r"ends with (\d+)", told)
        if ends:
            return f"code=0; ( {text}) || code=$?; [ $code = {ends[1]} ]"
        assert not told, f"{told!r} is nothing that a test can be told"
        return text

    def _environment(self) -> dict[str, str]:
        path = f"{self.home / 'bin'}:/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"
        ports = {
            "MEIKU_PORT": self.ports["9000"],
            "PORT": self.ports["9000"],
            "PAGE_PORT": self.ports["8080"],
        }
        return {"PATH": path, "HOME": str(self.home), "LC_ALL": "C.UTF-8", "MEIKU_WORKERS": "1"} | ports

    def _end(self, session: int) -> None:
        """End every process of the shell's session: services, proxies, and what they started."""
        for sign in (signal.SIGTERM, signal.SIGKILL):
            for pid in processes_of(session):
                with suppress(ProcessLookupError):
                    os.kill(pid, sign)
            self._wait_for_end(session)

    def _wait_for_end(self, session: int) -> None:
        for _ in range(100):
            if not list(processes_of(session)):
                return
            time.sleep(0.1)


def processes_of(session: int) -> Iterator[int]:
    """List the living processes of a session."""
    asked = subprocess.run(["ps", "-o", "pid=,stat=", "-s", str(session)], capture_output=True, text=True)
    for line in asked.stdout.splitlines():
        pid, state = line.split()
        if not state.startswith("Z"):
            yield int(pid)
