"""A stand-in for a media worker that was taken over: gives up what a worker gives up, then tries all.

Its arguments are a file of the server's, its port, a place's descriptor, and which attempts are made (all
where none is named). It writes what became of each as JSON: the error's name, or "DONE".
"""

import ctypes
import errno
import json
import os
import signal
import socket
import sys
from collections.abc import Callable
from pathlib import Path

from meiku.media.confinement import confine

_LIBC = ctypes.CDLL(None, use_errno=True)
_SYS = {
    "ptrace": (101, 117), "process_vm_readv": (310, 270), "process_vm_writev": (311, 271),
    "pidfd_open": (434, 434), "pidfd_getfd": (438, 438), "io_uring_setup": (425, 425), "openat2": (437, 437),
    "bpf": (321, 280), "perf_event_open": (298, 241), "userfaultfd": (323, 282), "keyctl": (250, 219),
    "memfd_create": (319, 279), "execveat": (322, 281), "unshare": (272, 97), "setns": (308, 268),
    "mount": (165, 40), "open_by_handle_at": (304, 265), "name_to_handle_at": (303, 264),
    "shutdown": (48, 210), "sendmsg": (46, 211), "clone3": (435, 435), "kcmp": (312, 272),
    "shmget": (29, 194),
}  # fmt: skip
_COLUMN = 0 if os.uname().machine == "x86_64" else 1


def raw(name: str, *arguments: object) -> Callable[[], None]:
    """Make a system call by its number."""
    return libc("syscall", ctypes.c_long(_SYS[name][_COLUMN]), *arguments)


def libc(name: str, *arguments: object) -> Callable[[], None]:
    """Call a function of libc, which answers -1 where it fails."""

    def call() -> None:
        ctypes.set_errno(0)
        if getattr(_LIBC, name)(*arguments) == -1:
            raise OSError(ctypes.get_errno(), name)

    return call


def outcome(attempt: Callable[[], object]) -> str:
    try:
        attempt()
    except OSError as error:
        return errno.errorcode.get(error.errno or 0, str(error))
    return "DONE"


def forked() -> None:
    if os.fork() == 0:
        os._exit(0)


def attempts(held: Path, port: int, place: int, abstract: str) -> dict[str, Callable[[], object]]:
    """List what an attacker would try: with the file system, the network, other processes, and the kernel."""
    server, own = os.getppid(), os.getpid()
    name, folder = str(held).encode(), held.parent
    beside = str(folder / "beside").encode()
    return {
        "read the database": lambda: held.read_bytes(),
        "list the data folder": lambda: next(folder.iterdir()),
        "list the root": lambda: next(Path("/").iterdir()),
        "read the server's environment": lambda: Path(f"/proc/{server}/environ").read_bytes(),
        "read the server's memory": lambda: os.open(f"/proc/{server}/mem", os.O_RDONLY),
        "read the server's memory map": lambda: Path(f"/proc/{server}/maps").read_bytes(),
        "open the server's files": lambda: next(Path(f"/proc/{server}/fd").iterdir()),
        "read its own environment": lambda: Path("/proc/self/environ").read_bytes(),
        "open its own descriptor to write": lambda: os.open(f"/proc/self/fd/{place}", os.O_RDWR),
        "read passwords": lambda: Path("/etc/passwd").read_bytes(),
        "open the database to write": lambda: os.open(held, os.O_RDWR),
        "truncate by opening": lambda: os.open(held, os.O_RDONLY | os.O_TRUNC),
        "make a file": lambda: os.open(beside, os.O_WRONLY | os.O_CREAT),
        "make a file without a name": lambda: os.open(folder, os.O_TMPFILE | os.O_RDWR),
        "make a file in /tmp": lambda: os.open("/tmp/meiku-made", os.O_WRONLY | os.O_CREAT),
        "unlink": libc("unlink", name),
        "rename": libc("rename", name, beside),
        "link": libc("link", name, beside),
        "symlink": libc("symlink", name, beside),
        "truncate": libc("truncate", name, 0),
        "mkdir": libc("mkdir", beside, 0o700),
        "rmdir": libc("rmdir", str(folder).encode()),
        "mkfifo": libc("mkfifo", beside, 0o600),
        "chmod": libc("chmod", name, 0o777),
        "chown": libc("chown", name, 0, 0),
        "set times": libc("utimes", name, None),
        "set an attribute": libc("setxattr", name, b"user.x", b"x", 1, 0),
        "write to its place": lambda: os.write(place, b"x"),
        "truncate its place": libc("ftruncate", place, 0),
        "chmod its place": libc("fchmod", place, 0o777),
        "lock": libc("flock", place, 8),
        "make a TCP socket": lambda: socket.socket(socket.AF_INET),
        "make a UNIX socket": lambda: socket.socket(socket.AF_UNIX),
        "connect to the server": lambda: socket.create_connection(("127.0.0.1", port), 1),
        "make a socket pair": socket.socketpair,
        "netlink": lambda: socket.socket(socket.AF_NETLINK, socket.SOCK_RAW),
        "listen": libc("listen", 0, 1),
        "run a program": libc("execv", b"/bin/true", None),
        "run a file descriptor": raw("execveat", -100, b"/bin/true", None, None, 0),
        "fork": forked,
        "vfork and run": lambda: os.posix_spawn("/bin/true", ["true"], {}),
        "kill the server": libc("kill", server, signal.SIGKILL),
        "kill everybody": libc("kill", -1, 0),
        "kill a thread of the server": libc("tgkill", server, server, signal.SIGKILL),
        "queue a signal": libc("sigqueue", server, signal.SIGKILL, None),
        "be told of by signal": libc("fcntl", place, 8, server),
        "ptrace": raw("ptrace", 16, server, None, None),
        "read memory": raw("process_vm_readv", server, None, 0, None, 0, 0),
        "write memory": raw("process_vm_writev", server, None, 0, None, 0, 0),
        "pidfd_open": raw("pidfd_open", server, 0),
        "pidfd_getfd": raw("pidfd_getfd", place, 0, 0),
        "compare with the server": raw("kcmp", own, server, 0, 0, 0),
        "change the server's priority": libc("setpriority", 0, server, 19),
        "change the server's processors": lambda: os.sched_setaffinity(server, {0}),
        "change the server's limits": libc("prlimit", server, 7, None, None),
        "raise its own limit": libc("setrlimit", 1, (ctypes.c_ulong * 2)(1 << 40, 1 << 40)),
        "become root": libc("setuid", 0),
        "become root for good": libc("setresuid", 0, 0, 0),
        "become root's group": libc("setgid", 0),
        "take groups": libc("setgroups", 0, None),
        "new namespaces": raw("unshare", 0x10000000),
        "other namespaces": raw("setns", place, 0),
        "mount": raw("mount", b"none", b"/tmp", b"tmpfs", 0, None),
        "chroot": libc("chroot", b"/"),
        "chdir": libc("chdir", b"/"),
        "be dumpable again": libc("prctl", 4, 1, 0, 0, 0),
        "undo the filter": libc("prctl", 22, 0, None, 0, 0),
        "io_uring": raw("io_uring_setup", 8, None),
        "openat2": raw("openat2", -100, name, None, 0),
        "open by handle": raw("open_by_handle_at", -100, None, 0),
        "name a handle": raw("name_to_handle_at", -100, name, None, None, 0),
        "bpf": raw("bpf", 0, None, 0),
        "perf": raw("perf_event_open", None, 0, -1, -1, 0),
        "userfaultfd": raw("userfaultfd", 0),
        "keyring": raw("keyctl", 0, 0, 0, 0, 0),
        "memory file": raw("memfd_create", b"x", 0),
        "System V memory": raw("shmget", 0, 4096, 0o1600),
        "shared memory": lambda: __import__("mmap").mmap(-1, 4096),
        "shut down a queue": raw("shutdown", 0, 2),
        "pass a descriptor": raw("sendmsg", 0, None, 0),
        "clone3": raw("clone3", None, 0),
        "push into a terminal": libc("ioctl", 0, 0x5412, b"x"),
        "connect to an abstract socket": lambda: socket.socket(socket.AF_UNIX).connect(abstract),
    }  # fmt: skip


def main() -> None:
    held, port, place, chosen = Path(sys.argv[1]), int(sys.argv[2]), int(sys.argv[3]), sys.argv[4:]
    tries = attempts(held, port, place, "\0meiku-test")
    missing = confine(512 << 20)
    tried = {what: outcome(attempt) for what, attempt in tries.items() if not chosen or what in chosen}
    print(json.dumps({"missing": missing, "tried": tried}))
