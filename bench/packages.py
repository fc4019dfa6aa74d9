"""What the peers are made of: finds what is missing, installs it where we may, names it where we may not."""

import os
import shutil
import subprocess
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

_POLICY = Path("/usr/sbin/policy-rc.d")


class Missing(Exception):
    """Something is not here and could not be installed; the sentence says what to do."""


def require_programs(programs: Mapping[str, str]) -> None:
    """Install the Debian packages of those programs that are not on this machine."""
    packages = sorted({package for program, package in programs.items() if _which(program) is None})
    if not packages:
        return
    if os.geteuid() != 0 or shutil.which("apt-get") is None:
        raise Missing(f"Run once as root: apt-get install --no-install-recommends {' '.join(packages)}")
    print(f"installing {', '.join(packages)} …", flush=True)
    with _no_services_started():
        _quietly(["apt-get", "update", "-qq"])
        _quietly(["apt-get", "install", "-y", "-qq", "--no-install-recommends", *packages])


def npm(folder: Path, package: str) -> Path:
    """Install an npm package into a folder of its own, once; answers where it and its programs are."""
    path = folder / "node_modules"
    if not (path / package).exists():
        folder.mkdir(parents=True, exist_ok=True)
        print(f"installing {package} …", flush=True)
        _quietly(["npm", "install", "--silent", "--no-audit", "--no-fund", "--prefix", str(folder), package])
    return path


def pip(folder: Path, requirement: str, program: str) -> Path:
    """Install a Python package into a virtual environment of its own, once; answers its program."""
    path = folder / "bin" / program
    if not path.exists():
        print(f"installing {requirement} …", flush=True)
        _quietly(["python3", "-m", "venv", str(folder)])
        _quietly([str(folder / "bin" / "pip"), "install", "--quiet", requirement])
    return path


def _which(program: str) -> str | None:
    return shutil.which(program, path=f"{os.environ.get('PATH', '')}:/usr/sbin:/sbin")


@contextmanager
def _no_services_started() -> Iterator[None]:
    """Keep Debian from starting what it installs, unless the machine has a policy of its own."""
    if _POLICY.exists():
        yield
        return
    _POLICY.write_text("#!/bin/sh\nexit 101\n")
    _POLICY.chmod(0o755)
    try:
        yield
    finally:
        _POLICY.unlink()


def _quietly(command: list[str]) -> None:
    environment = os.environ | {"DEBIAN_FRONTEND": "noninteractive"}
    done = subprocess.run(command, capture_output=True, text=True, env=environment)
    if done.returncode != 0:
        raise Missing(f"`{' '.join(command)}` failed:\n{(done.stderr or done.stdout).strip()[-1000:]}")
