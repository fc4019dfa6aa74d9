"""A seccomp filter: the kernel lets this process make some system calls, and none of the others.

Writes the small program that the kernel runs before each call (classic BPF, seccomp(2)) and hands it over.
Which calls those are is `system_calls`' to say.
"""

import ctypes
import errno
import os
import platform
import struct
from collections.abc import Iterable, Iterator

from meiku.media.system_calls import MACHINES, Argument, Call, needed_calls

_PR_SET_SECCOMP, _SECCOMP_MODE_FILTER = 22, 2
_ALLOW, _KILL = 0x7FFF0000, 0x80000000
# As of a kernel that has no such call: libraries then take another way, and glibc has one for each new call.
_ABSENT = 0x00050000 | errno.ENOSYS
_LOAD, _EQUAL, _ANY_BIT, _RETURN = 0x20, 0x15, 0x45, 0x06
# Where struct seccomp_data has the call's number, its machine, and its first argument.
_NUMBER_AT, _MACHINE_AT, _ARGUMENTS_AT, _ARGUMENT_BYTES = 0, 4, 16, 8

_Instruction = tuple[int, int, int, int]


class _Program(ctypes.Structure):
    _fields_ = (("length", ctypes.c_ushort), ("instructions", ctypes.c_char_p))


def allow_needed_calls_only() -> None:
    """Have every call refused, from here on and for ever, that a media worker does not need; OSError if not.

    For the thread that asks and those that it starts; no_new_privs must be set.
    """
    machine = platform.machine()
    if machine not in MACHINES:
        raise OSError(errno.ENOSYS, f"no list of calls for {machine}")
    instructions = list(_program(MACHINES[machine], needed_calls(machine, os.getpid())))
    packed = b"".join(struct.pack("=HBBI", *instruction) for instruction in instructions)
    program = _Program(len(instructions), packed)
    libc = ctypes.CDLL(None, use_errno=True)
    if libc.prctl(_PR_SET_SECCOMP, _SECCOMP_MODE_FILTER, ctypes.byref(program), 0, 0) != 0:
        raise OSError(ctypes.get_errno(), os.strerror(ctypes.get_errno()))


def _program(machine: int, calls: Iterable[Call]) -> Iterator[_Instruction]:
    """Write the filter; a call by another machine's numbers ends the process."""
    yield (_LOAD, 0, 0, _MACHINE_AT)
    yield (_EQUAL, 1, 0, machine)
    yield (_RETURN, 0, 0, _KILL)
    yield (_LOAD, 0, 0, _NUMBER_AT)
    for call in calls:
        judged = [(_RETURN, 0, 0, _ALLOW)] if call.argument is None else list(_judged(call.argument))
        yield (_EQUAL, 0, len(judged), call.number)
        yield from judged
    yield (_RETURN, 0, 0, _ABSENT)


def _judged(argument: Argument) -> Iterator[_Instruction]:
    """Allow a call by one of its arguments, or refuse it; nothing falls through."""
    yield (_LOAD, 0, 0, _ARGUMENTS_AT + _ARGUMENT_BYTES * argument.position)
    for value in argument.one_of:
        yield (_EQUAL, 0, 1, value)
        yield (_RETURN, 0, 0, _ALLOW)
    if argument.with_bits:
        yield (_ANY_BIT, 0, 1, argument.with_bits)
        yield (_RETURN, 0, 0, _ALLOW)
    if argument.without_bits:
        yield (_ANY_BIT, 1, 0, argument.without_bits)
        yield (_RETURN, 0, 0, _ALLOW)
    yield (_RETURN, 0, 0, _ABSENT)
