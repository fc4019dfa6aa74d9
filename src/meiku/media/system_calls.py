"""The system calls that a media worker needs: their numbers on each machine, and with which arguments.

An allow list, measured at work: the interpreter, libvips, FFmpeg, libheif and glibc's threads.
Whatever is not here does not exist for a worker: no socket can be made, nothing run, removed, renamed or
written to disk, no process looked into or sent a signal. Data only; `call_filter` has the kernel hold to it.
"""

import os
from collections.abc import Mapping
from dataclasses import dataclass

# AUDIT_ARCH_* of linux/audit.h, by what uname calls the machine.
MACHINES: Mapping[str, int] = {"x86_64": 0xC000003E, "aarch64": 0xC00000B7}
_NUMBERS = {"x86_64": 0, "aarch64": 1}

_ALWAYS = {
    # Descriptors that it has already. It is given none that it could write a file with.
    "read": (0, 63),
    "readv": (19, 65),
    "pread64": (17, 67),
    "preadv": (295, 69),
    "write": (1, 64),
    "writev": (20, 66),
    "recvfrom": (45, 207),
    "recvmsg": (47, 212),
    "sendto": (44, 206),
    "getsockname": (51, 204),
    "getsockopt": (55, 209),
    "close": (3, 57),
    "dup": (32, 23),
    "lseek": (8, 62),
    "fadvise64": (221, 223),
    "poll": (7, None),
    "ppoll": (271, 73),
    "select": (23, None),
    "pselect6": (270, 72),
    "epoll_create1": (291, 20),
    "epoll_ctl": (233, 21),
    "epoll_wait": (232, None),
    "epoll_pwait": (281, 22),
    "eventfd2": (290, 19),
    # Looking for libraries and fonts; what may be opened is Landlock's to say.
    "fstat": (5, 80),
    "newfstatat": (262, 79),
    "stat": (4, None),
    "lstat": (6, None),
    "statx": (332, 291),
    "fstatfs": (138, 44),
    "access": (21, None),
    "faccessat": (269, 48),
    "faccessat2": (439, 439),
    "readlink": (89, None),
    "readlinkat": (267, 78),
    "getcwd": (79, 17),
    "getdents64": (217, 61),
    # Memory and threads.
    "munmap": (11, 215),
    "mremap": (25, 216),
    "mprotect": (10, 226),
    "madvise": (28, 233),
    "brk": (12, 214),
    "futex": (202, 98),
    "set_robust_list": (273, 99),
    "rseq": (334, 293),
    "sched_yield": (24, 124),
    "sched_getaffinity": (204, 123),
    "getcpu": (309, 168),
    "membarrier": (324, 283),
    "set_tid_address": (218, 96),
    "arch_prctl": (158, None),
    "exit": (60, 93),
    "exit_group": (231, 94),
    # Its own signals, clocks and numbers.
    "rt_sigaction": (13, 134),
    "rt_sigprocmask": (14, 135),
    "rt_sigreturn": (15, 139),
    "sigaltstack": (131, 132),
    "alarm": (37, None),
    "setitimer": (38, 103),
    "restart_syscall": (219, 128),
    "clock_gettime": (228, 113),
    "clock_getres": (229, 114),
    "clock_nanosleep": (230, 115),
    "nanosleep": (35, 101),
    "gettimeofday": (96, 169),
    "time": (201, None),
    "times": (100, 153),
    "getrusage": (98, 165),
    "getrlimit": (97, 163),
    "sysinfo": (99, 179),
    "uname": (63, 160),
    "getpid": (39, 172),
    "gettid": (186, 178),
    "getuid": (102, 174),
    "geteuid": (107, 175),
    "getgid": (104, 176),
    "getegid": (108, 177),
    "getrandom": (318, 278),
}
_SOMETIMES = {
    "open": (2, None),
    "openat": (257, 56),
    "mmap": (9, 222),
    "clone": (56, 220),
    "fcntl": (72, 25),
    "ioctl": (16, 29),
    "prctl": (157, 167),
    "prlimit64": (302, 261),
    "tgkill": (234, 131),
}
_WRITING = os.O_ACCMODE | os.O_CREAT | os.O_TRUNC
# Shared memory is counted by no limit of a process.
_MAP_SHARED = 1
_CLONE_THREAD = 0x00010000
# F_DUPFD, F_GETFD, F_SETFD, F_GETFL, F_SETFL, F_DUPFD_CLOEXEC: no locks, and no owner, who would get signals.
_FCNTL = (0, 1, 2, 3, 4, 1030)
# TCGETS, FIONCLEX, FIOCLEX, FIONBIO.
_IOCTL = (0x5401, 0x5450, 0x5451, 0x5421)
_PR_SET_NAME = 15


@dataclass(frozen=True, slots=True)
class Argument:
    """What the lower half of an argument must be: one of some values, or with and without some bits."""

    position: int
    one_of: tuple[int, ...] = ()
    with_bits: int = 0
    without_bits: int = 0


@dataclass(frozen=True, slots=True)
class Call:
    """A system call that a worker may make; with any arguments where none is named."""

    number: int
    argument: Argument | None = None


def needed_calls(machine: str, own_pid: int) -> list[Call]:
    """Return the calls that a worker with this process number needs on a machine."""
    column = _NUMBERS[machine]
    arguments = {
        "open": Argument(1, without_bits=_WRITING),
        "openat": Argument(2, without_bits=_WRITING),
        "mmap": Argument(3, without_bits=_MAP_SHARED),
        "clone": Argument(0, with_bits=_CLONE_THREAD),
        "fcntl": Argument(1, one_of=_FCNTL),
        "ioctl": Argument(1, one_of=_IOCTL),
        "prctl": Argument(0, one_of=(_PR_SET_NAME,)),
        "prlimit64": Argument(0, one_of=(0, own_pid)),
        "tgkill": Argument(0, one_of=(own_pid,)),
    }
    numbered = {**_SOMETIMES, **_ALWAYS}
    return [
        Call(number, arguments.get(name))
        for name, numbers in numbered.items()
        if (number := numbers[column]) is not None
    ]
