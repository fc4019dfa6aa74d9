"""Backup and restore: a data folder copied into another while it serves, one moment of it, all or nothing.

The database first, as it is at one moment; then the bytes that it names, which never change; then the new
database takes the place of the former backup's. Until then the former backup is whole. The sweep waits
meanwhile, so that what is deleted during the backup is still there to be copied.
"""

import fcntl
import json
import os
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing, contextmanager
from dataclasses import dataclass, field
from itertools import islice
from pathlib import Path
from typing import Any

from meiku import errors
from meiku.app import DATABASE, SWEEP_LOCK
from meiku.blobs.copying import BlobCopies
from meiku.blobs.incoming import told_as_state_errors
from meiku.config import ConfigError
from meiku.folders import sync_folder
from meiku.meta.copying import (
    NamedBlob,
    copy_database,
    named_blobs,
    require_sound,
    sidecars,
    totals,
    unnamed,
)
from meiku.meta.turn import Turn
from meiku.ops.intact import CRC, crc_on_record
from meiku.root_key import FILE_NAME as ROOT_KEY

MARKER = "backup.json"
_LOCK = "backup.lock"
_FORMAT = 1
_THREADS = 8
_AT_ONCE = 256

Tell = Callable[[str, int, int], None]


@dataclass(frozen=True, slots=True)
class Lost:
    """An object whose bytes could not be copied, because the source has them no more."""

    bucket: str
    key: str
    sentence: str


@dataclass(slots=True)
class Copied:
    """What a copy holds, what of it is new, and what it lacks."""

    objects: int = 0
    blobs: int = 0
    size_bytes: int = 0
    new_blobs: int = 0
    new_bytes: int = 0
    linked_blobs: int = 0
    removed_blobs: int = 0
    lost: list[Lost] = field(default_factory=list)


def back_up(data: Path, target: Path, *, link: bool, compare: bool, tell: Tell) -> Copied:
    """Copy a data folder, in use or not, into a folder that is empty or holds an earlier backup of ours.

    What is copied is compared with its checksum; with `compare` also what is linked, or was there before.
    """
    _require_apart(data, target)
    target.mkdir(mode=0o700, parents=True, exist_ok=True)
    with _told_where(target), _alone_in(target):
        _require_backup(target)
        marker = _Marker(target, data)
        copied = _Copy(data, target, tell, link=link, compare=compare).run(marker.announce)
        marker.conclude(copied)
    return copied


def restore(backup: Path, target: Path, *, link: bool, compare: bool, tell: Tell) -> Copied:
    """Copy a backup into a new data folder; refuses one that holds anything. `compare` as for `back_up`."""
    if not (backup / MARKER).exists():
        raise ConfigError(f"{backup} holds no {MARKER}: it is no backup, or one that was never finished")
    _require_apart(backup, target)
    if target.exists() and any(target.iterdir()):
        raise ConfigError(f"{target} is not empty; a backup is restored into a new folder only")
    target.mkdir(mode=0o700, parents=True, exist_ok=True)
    with _told_where(target), _alone_in(target):
        copied = _Copy(backup, target, tell, link=link, compare=compare).run(lambda _: None)
    (target / _LOCK).unlink()
    return copied


class _Copy:
    """One copy on its way."""

    def __init__(self, source: Path, target: Path, tell: Tell, *, link: bool, compare: bool) -> None:
        self._source = source
        self._compare = compare
        self._target = target
        self._tell = tell
        self._blobs = BlobCopies(source, target, link=link)
        self._copied = Copied()
        self._reasons: dict[str, str] = {}

    def run(self, announce: Callable[[Path], None]) -> Copied:
        """Copy everything; `announce` is told of the new database before it takes its place."""
        database, arriving = self._target / DATABASE, self._target / f"{DATABASE}.arriving"
        with closing(Turn(self._source / SWEEP_LOCK)) as sweep, sweep:
            copy_database(self._source / DATABASE, arriving, lambda *pages: self._tell("database", *pages))
            require_sound(arriving)
            self._copy_blobs(arriving)
        self._blobs.sync()
        self._copied.lost = list(self._lost(arriving))
        _copy_root_key(self._source, self._target)
        announce(arriving)
        for path in sidecars(database):
            path.unlink(missing_ok=True)
        arriving.rename(database)
        sync_folder(self._target)
        self._remove_unnamed(database)
        return self._copied

    def _copy_blobs(self, database: Path) -> None:
        copied = self._copied
        copied.objects, copied.blobs, copied.size_bytes = totals(database)
        done = 0
        named = named_blobs(database)
        with ThreadPoolExecutor(_THREADS) as threads:
            while some := list(islice(named, _AT_ONCE)):
                for blob, linked in zip(some, threads.map(self._copy_blob, some), strict=True):
                    if linked is not None:
                        copied.new_blobs += 1
                        copied.new_bytes += blob.size_bytes
                        copied.linked_blobs += linked
                done += len(some)
                self._tell("blobs", done, copied.blobs)

    def _copy_blob(self, blob: NamedBlob) -> bool | None:
        """Copy one blob and tell whether it was linked; None when it was there already or cannot be had."""
        if self._is_there(blob) and (not self._compare or self._is_intact(blob)):
            return None
        found_bytes = self._blobs.source_size_bytes(blob.blob_id)
        if found_bytes is None or found_bytes < blob.size_bytes:
            there = "nothing" if found_bytes is None else f"{found_bytes} bytes"
            self._reasons[blob.blob_id] = f"{there} of its {blob.size_bytes} bytes is there"
            return None
        try:
            is_linked = self._blobs.copy(blob.blob_id, _Comparing(blob))
            if is_linked and self._compare:
                self._blobs.look(blob.blob_id, _Comparing(blob))
            return is_linked
        except errors.Damaged as damage:
            self._reasons[blob.blob_id] = str(damage)
            return None

    def _is_there(self, blob: NamedBlob) -> bool:
        size_bytes = self._blobs.size_bytes(blob.blob_id)
        return size_bytes is not None and size_bytes >= blob.size_bytes

    def _is_intact(self, blob: NamedBlob) -> bool:
        """Tell whether what is in the copy already is still what was stored."""
        try:
            self._blobs.look(blob.blob_id, _Comparing(blob))
        except errors.Damaged:
            return False
        return True

    def _lost(self, database: Path) -> Iterator[Lost]:
        """Look once more, at the copy alone, whether every blob that it names is in it."""
        for blob in named_blobs(database):
            if blob.blob_id in self._reasons or not self._is_there(blob):
                reason = self._reasons.get(blob.blob_id, "it is not in the copy")
                yield Lost(blob.bucket, blob.key.decode(errors="backslashreplace"), reason)

    def _remove_unnamed(self, database: Path) -> None:
        """Remove what only the former backup named."""
        for blob_id in unnamed(database, self._blobs.ids()):
            self._blobs.remove(blob_id)
            self._copied.removed_blobs += 1


class _Comparing:
    """Compares a blob's bytes, as they are copied, with the checksum on record."""

    def __init__(self, blob: NamedBlob) -> None:
        self._expected = crc_on_record(blob.checksums)
        self._left_bytes = blob.size_bytes
        self._digest = CRC.new()

    def __call__(self, piece: bytes) -> None:
        """Take a piece; at the end, which is an empty one, raise Damaged unless the checksum is right."""
        self._digest.update(piece[: self._left_bytes])
        self._left_bytes -= len(piece[: self._left_bytes])
        if not piece and self._expected not in (None, self._digest.digest()):
            raise errors.Damaged("its bytes are not those that were stored: their CRC64NVME is another")


class _Marker:
    """The file that makes a folder a backup: which database is its own, so that a served copy is not lost."""

    def __init__(self, target: Path, source: Path) -> None:
        self._path = target / MARKER
        database = target / DATABASE
        self._former = [_identity(database)] if database.exists() else []
        self._source = str(source.resolve())

    def announce(self, arriving: Path) -> None:
        """Remember the new database beside the former: either may be in place after a crash."""
        self._new = _identity(arriving)
        self._write({"databases": [*self._former, self._new]})

    def conclude(self, copied: Copied) -> None:
        """Write what the folder holds now."""
        counts = {"objects": copied.objects, "blobs": copied.blobs, "size_bytes": copied.size_bytes}
        made_at = time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime())
        lost = len(copied.lost)
        self._write(
            {"databases": [self._new], "made_at": made_at, "source": self._source, **counts, "lost": lost}
        )

    def _write(self, value: dict[str, Any]) -> None:
        text = json.dumps({"format": _FORMAT, **value}, ensure_ascii=False, indent=2) + "\n"
        _write_durably(self._path, text.encode())


def _read_marker(target: Path) -> dict[str, Any]:
    try:
        value = json.loads((target / MARKER).read_text(encoding="utf-8"))
    except FileNotFoundError:
        return {}
    except ValueError:
        value = None
    if not isinstance(value, dict) or value.get("format") != _FORMAT:
        raise ConfigError(f"{target / MARKER} is not one that this program writes")
    return value


def _identity(database: Path) -> list[int]:
    stat = database.stat()
    return [stat.st_size, stat.st_mtime_ns]


def _require_apart(source: Path, target: Path) -> None:
    if not (source / DATABASE).exists():
        raise ConfigError(f"there is no data in {source}")
    here, there = source.resolve(), target.resolve()
    if here == there or here in there.parents or there in here.parents:
        raise ConfigError(f"{target} and {source} must not lie one in the other")


def _require_backup(target: Path) -> None:
    """Refuse a folder with anything in it but a backup that nobody has changed since."""
    database = target / DATABASE
    if not (target / MARKER).exists():
        if not {path.name for path in target.iterdir()} <= _UNFINISHED:
            raise ConfigError(f"{target} is not empty and holds no backup")
        return
    log = sidecars(database)[0]
    served = log.exists() and log.stat().st_size
    known = _read_marker(target).get("databases", [])
    if database.exists() and (served or _identity(database) not in known):
        raise ConfigError(f"{target} has been changed since it was backed up to; give another folder")


# What a first backup leaves when it breaks off.
_UNFINISHED = {
    _LOCK,
    "blobs",
    "incoming",
    f"{DATABASE}.arriving",
    ROOT_KEY,
    f"{ROOT_KEY}.partial",
    f"{MARKER}.partial",
}


@contextmanager
def _told_where(target: Path) -> Iterator[None]:
    """Name the folder that has no room, and say what is left of what it held."""
    try:
        yield
    except errors.Full as full:
        raise errors.Full(f"{target}: {full}; what was there before is whole") from full


@contextmanager
def _alone_in(target: Path) -> Iterator[None]:
    """Be the only one who copies into a folder."""
    with (target / _LOCK).open("ab") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise ConfigError(f"another backup into {target} is running") from None
        yield


def _copy_root_key(source: Path, target: Path) -> None:
    """Copy the root key pair, which its owner alone may read; there is none when the environment gives it."""
    if (source / ROOT_KEY).exists():
        _write_durably(target / ROOT_KEY, (source / ROOT_KEY).read_bytes())


def _write_durably(path: Path, data: bytes) -> None:
    """Write a file that is there whole or as it was, and on disk."""
    partial = path.with_name(path.name + ".partial")
    partial.unlink(missing_ok=True)
    with (
        told_as_state_errors(),
        os.fdopen(os.open(partial, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as file,
    ):
        file.write(data)
        file.flush()
        os.fsync(file.fileno())
    partial.rename(path)
    sync_folder(path.parent)
