"""Folders that last: made with every folder above them, each entry on disk before anything relies on it.

For whoever keeps something: a file that was synced, in a folder that was not, is gone after a power cut.
"""

import os
from pathlib import Path


def make_folder(path: Path) -> None:
    """Make a folder and those above it, for its owner only, durably; one that is there is left as it is."""
    if path.is_dir():
        return
    make_folder(path.absolute().parent)
    path.mkdir(mode=0o700, exist_ok=True)
    sync_folder(path.absolute().parent)


def sync_folder(path: Path) -> None:
    """Make a folder's entries durable."""
    folder = os.open(path, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(folder)
    finally:
        os.close(folder)
