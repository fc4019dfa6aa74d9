"""Becoming the process that serves: what was typed arrives there, and the command line's libraries do not."""

import subprocess
import sys
from pathlib import Path

from meiku.config import Settings


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
