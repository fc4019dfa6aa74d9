"""What a media worker gives up before it sees its first job: whoever takes it over finds nothing to reach.

Limits, privileges, its user, the file system and most system calls, in this order, as each step needs what
the next takes away. What a kernel or a container does not offer is named in a sentence and done without.
Knows no pictures.
"""

import ctypes
import os
import pwd
import resource
import sys
import traceback
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

from meiku.media.call_filter import allow_needed_calls_only
from meiku.media.landlock import see_only

# A worker ends by itself when half of this is used up; one that was taken over is ended by the kernel.
CPU_LIMIT_S = 3600
_OPEN_FILES = 64
_LIBRARIES = ("/lib", "/lib64", "/usr/lib", "/usr/lib64", "/usr/local/lib", "/etc/ld.so.cache")
_USER = "nobody"
_PR_SET_DUMPABLE, _PR_SET_NO_NEW_PRIVS = 4, 38
_CAPABILITIES_VERSION = 0x20080522


def confine(memory_bytes: int) -> list[str]:
    """Give up for ever what a worker does not need; answers a sentence for each thing that it has to keep.

    To be called before there is a second thread.
    """
    _limit(memory_bytes)
    hide_memory()
    steps: dict[str, Callable[[], None]] = {
        "no new privileges (prctl)": lambda: _prctl(_PR_SET_NO_NEW_PRIVS, 1),
        "a user of their own": _become_nobody,
        "a file system of their libraries only (Landlock)": lambda: see_only(_readable()),
        "a list of the system calls that they need (seccomp)": allow_needed_calls_only,
    }
    return [
        f"media workers go without {what}: {why}" for what, step in steps.items() if (why := _failure(step))
    ]


def try_to_confine() -> list[str]:
    """Confine a process that ends at once, and answer what `confine` answered there."""
    reading, writing = os.pipe()
    pid = os.fork()
    if pid == 0:
        try:
            os.write(writing, "\n".join(confine(1 << 30)).encode())
        except BaseException:
            traceback.print_exc()
        os._exit(0)
    os.close(writing)
    with os.fdopen(reading, encoding="utf-8") as said:
        sentences = said.read().splitlines()
    os.waitpid(pid, 0)
    return sentences


def hide_memory() -> None:
    """Keep other processes of this user out of this one: its memory and environment, and core files."""
    _prctl(_PR_SET_DUMPABLE, 0)


def _failure(step: Callable[[], None]) -> str | None:
    try:
        step()
    except OSError as error:
        return error.strerror or str(error)
    return None


def _limit(memory_bytes: int) -> None:
    resource.setrlimit(resource.RLIMIT_DATA, (memory_bytes, memory_bytes))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    resource.setrlimit(resource.RLIMIT_FSIZE, (0, 0))
    resource.setrlimit(resource.RLIMIT_NOFILE, (_OPEN_FILES, _OPEN_FILES))
    resource.setrlimit(resource.RLIMIT_CPU, (CPU_LIMIT_S, CPU_LIMIT_S))


def _become_nobody() -> None:
    """Leave root's account where this is root, and root's rights in any case; others stay who they are.

    Who cannot reach the libraries from there stays root, by number only: without a single capability.
    """
    if os.geteuid() != 0:
        return
    try:
        user, folders = pwd.getpwnam(_USER), _import_folders()
        os.setgroups([])
        os.setresgid(user.pw_gid, user.pw_gid, user.pw_gid)
        os.setresuid(user.pw_uid, user.pw_uid, 0)
        _require(folders)
        os.setresuid(user.pw_uid, user.pw_uid, user.pw_uid)
    except KeyError:
        raise OSError(0, f"there is no user {_USER}") from None
    finally:
        _give_up_capabilities()
        hide_memory()  # which a change of user may undo


def _require(folders: list[Path]) -> None:
    """Find the libraries readable; PermissionError, and root's number again, where they are not."""
    for folder in folders:
        try:
            next(folder.iterdir(), None)
        except OSError:
            os.setresuid(0, 0, 0)
            why = f"{folder} is not for {_USER} to read; root's rights are given up"
            raise PermissionError(0, why) from None


def _give_up_capabilities() -> None:
    """Have no right that root has beyond other users, where this process still had any."""
    header = (ctypes.c_uint32 * 2)(_CAPABILITIES_VERSION, 0)
    with suppress(AttributeError):
        ctypes.CDLL(None).capset(header, (ctypes.c_uint32 * 6)())


def _readable() -> list[Path]:
    return [*map(Path, _LIBRARIES), *_import_folders()]


def _import_folders() -> list[Path]:
    return [path for path in map(Path, sys.path) if path.is_absolute() and path.is_dir()]


def _prctl(option: int, value: int) -> None:
    if ctypes.CDLL(None, use_errno=True).prctl(option, value, 0, 0, 0) != 0:
        raise OSError(ctypes.get_errno(), os.strerror(ctypes.get_errno()))
