"""The data folder: made once, told from every other by its id, and never made in another's place.

A folder whose disk is not mounted, or that was moved away under a running service, looks like a new and
empty one. So a folder is made by a first start or `meiku init` alone, and its id is compared ever after.
"""

import os
import re
import secrets
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from meiku.errors import StateError
from meiku.folders import is_read_only, make_folder, sync_folder

ID_FILE = "data-id"
_ID = re.compile(r"[!-~]{1,64}")
# Longer than any id with whatever an editor puts around it.
_LONGEST_READ = 256


def is_id(text: str) -> bool:
    """Tell whether a text may be an id: up to 64 ASCII characters, no spaces."""
    return _ID.fullmatch(text) is not None


def begin(folder: Path, expected_id: str | None) -> str | None:
    """Make a data folder where there is none, with an id, and tell the id; a further start changes nothing.

    Raises StateError where another id is expected than the folder has. None on a disk that is read-only and
    never had one.
    """
    if expected_id is not None:
        require(folder, expected_id)
        return expected_id
    make_folder(folder)
    return _read(folder) or (None if is_read_only(folder) else make_id(folder, secrets.token_hex(8)))


def initialise(folder: Path, wanted_id: str | None) -> str:
    """Make a data folder with the id that is wanted, or any, and tell it; one that is there must be it."""
    if wanted_id is not None and _read(folder) is None:
        make_folder(folder)
        make_id(folder, wanted_id)
    return begin(folder, wanted_id) or ""


def require(folder: Path, expected_id: str | None) -> None:
    """Raise StateError where a folder is not there, or is not the one that is expected."""
    found = _read(folder)
    if found == expected_id:
        return
    here = (
        f"is data folder {found}" if found else "is no data folder yet" if folder.is_dir() else "is not there"
    )
    raise StateError(
        f"{folder} {here}; expected {expected_id or 'one without an id'}: is the right disk mounted? "
        "`meiku init` makes a new one"
    )


@contextmanager
def held(folder: Path, expected_id: str | None) -> Iterator[Path]:
    """Tell a path that leads to this very folder, wherever it is moved and whatever takes its place.

    Rows stay in the files that were opened; by name, bytes would go to another folder, and the sweep there.
    """
    require(folder, expected_id)
    opened = os.open(folder, os.O_PATH | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        itself = Path(f"/proc/self/fd/{opened}")
        require(itself, expected_id)
        yield itself
    finally:
        os.close(opened)


def make_id(folder: Path, new_id: str) -> str:
    """Give a folder its id, durably, and tell it; whoever is a moment later is told that of the first."""
    arriving = folder / f"{ID_FILE}.{os.getpid()}"
    flags = os.O_CREAT | os.O_WRONLY | os.O_TRUNC | os.O_CLOEXEC
    with os.fdopen(os.open(arriving, flags, 0o600), "w", encoding="ascii") as file:
        file.write(f"{new_id}\n")
        file.flush()
        os.fsync(file.fileno())
    try:
        (folder / ID_FILE).hardlink_to(arriving)
    except FileExistsError:
        return _read(folder) or new_id
    finally:
        arriving.unlink()
    sync_folder(folder)
    return new_id


def _read(folder: Path) -> str | None:
    try:
        with (folder / ID_FILE).open(encoding="utf-8-sig", errors="replace") as file:
            text = file.read(_LONGEST_READ).strip()
    except (FileNotFoundError, NotADirectoryError):
        return None
    if not is_id(text):
        what = "no id" if text else "nothing"
        raise StateError(f"{folder / ID_FILE} holds {what}; write the folder's id into it, or remove it")
    return text
