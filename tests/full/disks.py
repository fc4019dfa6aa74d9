"""Disks of a test's own: mounted for as long as it runs, changed while it does. Needs the right to mount."""

import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path


@contextmanager
def mounted(folder: Path, size: str) -> Iterator[Path]:
    """Mount a disk of a size on a folder, which is made for it."""
    folder.mkdir()
    subprocess.run(["mount", "-t", "tmpfs", "-o", f"size={size}", "tmpfs", str(folder)], check=True)
    try:
        yield folder
    finally:
        _as_soon_as_it_is_free("umount", str(folder))


def remount(folder: Path, options: str) -> None:
    """Change a disk as soon as the last process has let go of what it wrote."""
    _as_soon_as_it_is_free("mount", "-o", f"remount,{options}", str(folder))


def _as_soon_as_it_is_free(*command: str) -> None:
    for _ in range(100):
        if subprocess.run(command, capture_output=True).returncode == 0:
            return
        time.sleep(0.05)
    raise AssertionError(f"{command[-1]} is still in use")
