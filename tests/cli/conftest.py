"""Running `meiku` as people and scripts do: as a process, on a data folder, with what it says kept.

The process is forked from this one, which has imported everything already: that saves half a second each.
"""

import json
import os
import signal
import sys
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryFile
from typing import IO, Any, NoReturn

import pytest

from meiku.cli import main

LONGEST_S = 60


@dataclass(frozen=True)
class Said:
    """What a command answered."""

    code: int
    out: str
    err: str

    @property
    def json(self) -> Any:
        return json.loads(self.out)


def run_meiku(arguments: Sequence[str], stdin: str, environment: dict[str, str]) -> Said:
    """Run a command to its end, with none of the tester's own MEIKU_ variables."""
    inherited = {name: value for name, value in os.environ.items() if not name.startswith("MEIKU_")}
    with TemporaryFile("w+") as given, TemporaryFile("w+") as out, TemporaryFile("w+") as err:
        given.write(stdin)
        given.seek(0)
        pid = os.fork()
        if pid == 0:
            be_meiku(arguments, inherited | {"COLUMNS": "200"} | environment, [given, out, err])
        code = os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1])
        out.seek(0)
        err.seek(0)
        return Said(code, out.read(), err.read())


def be_meiku(arguments: Sequence[str], environment: dict[str, str], files: list[IO[str]]) -> NoReturn:
    """Become the command: its arguments, its environment, its three streams; never return."""
    code: Any = 70
    try:
        signal.alarm(LONGEST_S)
        sys.stdin, sys.stdout, sys.stderr = files
        for number, file in enumerate(files):
            os.dup2(file.fileno(), number)
        os.environ.clear()
        os.environ.update(environment)
        sys.argv = ["meiku", *arguments]
        main()
        code = 0
    except SystemExit as end:
        code = end.code or 0
    finally:
        for file in files[1:]:
            file.flush()
        os._exit(code)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A data folder that does not exist yet."""
    return tmp_path / "data"


@pytest.fixture
def meiku(folder: Path) -> Callable[..., Said]:
    """Run a command on this test's data folder."""

    def run(*arguments: str, stdin: str = "", **environment: str) -> Said:
        return run_meiku(arguments, stdin, {"MEIKU_DATA_FOLDER": str(folder)} | environment)

    return run
