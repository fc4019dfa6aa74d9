"""The machine: what it is, and how fast it does by itself what every S3 server has to do."""

import hashlib
import os
import platform
import statistics
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

_MIB = 1 << 20
_HASHED_BYTES = 64 * _MIB
_SYNCS = 200
_SYNCED = bytes(4096)


@dataclass(frozen=True, slots=True)
class Machine:
    """Facts, and rates of one core: MB are 10⁶ bytes."""

    processor: str
    cores: int
    memory_gib: float
    system: str
    disk: str
    python: str
    md5_mb_per_s: float
    sha256_mb_per_s: float
    fdatasyncs_per_s: float
    fdatasync_p50_ms: float


def look(folder: Path) -> Machine:
    """Look at the machine and measure its disk under `folder`; takes about a second."""
    durations = _syncs(folder)
    return Machine(
        processor=_processor(),
        cores=len(os.sched_getaffinity(0)),
        memory_gib=os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / (1 << 30),
        system=_system(),
        disk=_disk(folder),
        python=platform.python_version(),
        md5_mb_per_s=_hash_rate(hashlib.md5),
        sha256_mb_per_s=_hash_rate(hashlib.sha256),
        fdatasyncs_per_s=len(durations) / sum(durations),
        fdatasync_p50_ms=statistics.median(durations) * 1e3,
    )


def _processor() -> str:
    lines = Path("/proc/cpuinfo").read_text().splitlines()
    return next(
        (line.partition(":")[2].strip() for line in lines if line.startswith("model name")), "unknown"
    )


def _system() -> str:
    """Name the distribution and the kernel's version, without what a vendor adds to it."""
    name = platform.freedesktop_os_release().get("PRETTY_NAME", "Linux")
    return f"{name}, Linux {platform.release().partition('-')[0]}"


def _disk(folder: Path) -> str:
    """Name the file system under a folder: an fdatasync in memory would be worth nothing."""
    mounts = [line.split()[:3] for line in Path("/proc/mounts").read_text().splitlines()]
    under = [mount for mount in mounts if folder.resolve().is_relative_to(mount[1])]
    device, _, kind = max(under, key=lambda mount: len(mount[1]), default=("?", "/", "unknown"))
    return f"{kind} on {device}"


def _hash_rate(new: Callable[[bytes], object]) -> float:
    piece = os.urandom(_HASHED_BYTES)
    began_s = time.perf_counter()
    new(piece)
    return _HASHED_BYTES / (time.perf_counter() - began_s) / 1e6


def _syncs(folder: Path) -> list[float]:
    """Append 4 KiB and wait for the disk, over and over; answers each one's seconds."""
    path, durations = folder / "synced", []
    with path.open("wb", buffering=0) as file:
        for _ in range(_SYNCS):
            began_s = time.perf_counter()
            file.write(_SYNCED)
            os.fdatasync(file.fileno())
            durations.append(time.perf_counter() - began_s)
    path.unlink()
    return durations
