"""Landlock: the kernel shows this process some folders, to read, and no other file of the machine.

Three system calls (landlock(7)) that neither glibc nor Python has names for. Also keeps it, where the kernel
knows how, from ports and from processes outside. Which folders is `confinement`'s to say.
"""

import ctypes
import os
import stat
import struct
from collections.abc import Iterable
from pathlib import Path

_CREATE_RULESET, _ADD_RULE, _RESTRICT_SELF = 444, 445, 446
_ASK_VERSION, _PATH_BENEATH = 1, 1
_READ_FILE, _READ_FOLDER = 1 << 2, 1 << 3
# All that each version of the interface can refuse in the file system, as a number of bits.
_FILE_BITS = {1: 13, 2: 14, 3: 15, 4: 15}
_FILE_BITS_NEWEST = 16
_PORTS_SINCE, _PORTS = 4, 0b11  # bind, connect
_SCOPE_SINCE, _SCOPE = 6, 0b11  # abstract sockets, signals


def see_only(readable: Iterable[Path]) -> None:
    """Let this thread and those that it starts read below some paths, and nothing else; OSError if not.

    Paths that are not there are passed over; no_new_privs must be set.
    """
    version = _call(_CREATE_RULESET, None, 0, _ASK_VERSION)
    refused = (
        (1 << _FILE_BITS.get(version, _FILE_BITS_NEWEST)) - 1,
        _PORTS if version >= _PORTS_SINCE else 0,
        _SCOPE if version >= _SCOPE_SINCE else 0,
    )
    known = 1 + (version >= _PORTS_SINCE) + (version >= _SCOPE_SINCE)
    attributes = struct.pack(f"={known}Q", *refused[:known])
    ruleset = _call(_CREATE_RULESET, attributes, len(attributes), 0)
    try:
        for path in readable:
            _allow(ruleset, path)
        _call(_RESTRICT_SELF, ruleset, 0)
    finally:
        os.close(ruleset)


def _allow(ruleset: int, path: Path) -> None:
    try:
        file = os.open(path, os.O_PATH | os.O_CLOEXEC)
    except OSError:
        return
    try:
        is_folder = stat.S_ISDIR(os.fstat(file).st_mode)
        allowed = _READ_FILE | (_READ_FOLDER if is_folder else 0)
        _call(_ADD_RULE, ruleset, _PATH_BENEATH, struct.pack("=Qi", allowed, file), 0)
    finally:
        os.close(file)


def _call(number: int, *arguments: int | bytes | None) -> int:
    """Make a system call by its number, which is the same on every machine."""
    libc = ctypes.CDLL(None, use_errno=True)
    words = [ctypes.c_long(each) if isinstance(each, int) else each for each in arguments]
    answer = int(libc.syscall(ctypes.c_long(number), *words))
    if answer < 0:
        raise OSError(ctypes.get_errno(), os.strerror(ctypes.get_errno()))
    return answer
