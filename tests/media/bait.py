"""A file that nobody may open and a port that nobody may call, and whether somebody did."""

import ctypes
import os
import socket
import threading
from dataclasses import dataclass, field
from pathlib import Path

_LIBC = ctypes.CDLL(None, use_errno=True)
_OPENED_OR_READ = 0x20 | 0x1  # IN_OPEN, IN_ACCESS of inotify(7)
_NONBLOCKING = os.O_NONBLOCK


@dataclass
class WatchedFolder:
    """A folder in which the kernel tells of every file that is opened or read."""

    folder: Path
    _descriptor: int = field(init=False)

    def __post_init__(self) -> None:
        self._descriptor = _LIBC.inotify_init1(_NONBLOCKING)
        assert self._descriptor >= 0
        assert _LIBC.inotify_add_watch(self._descriptor, os.fsencode(self.folder), _OPENED_OR_READ) >= 0

    def was_touched(self) -> bool:
        """Tell whether any file was, since the last time this was asked."""
        try:
            return bool(os.read(self._descriptor, 1 << 16))
        except BlockingIOError:
            return False

    def close(self) -> None:
        os.close(self._descriptor)


class Listener:
    """A port of this machine that notes every call, and hangs up."""

    def __init__(self) -> None:
        self._socket = socket.create_server(("127.0.0.1", 0))
        self.port: int = self._socket.getsockname()[1]
        self.calls = 0
        self._thread = threading.Thread(target=self._answer, daemon=True)
        self._thread.start()

    def _answer(self) -> None:
        while True:
            try:
                caller, _ = self._socket.accept()
            except OSError:
                return
            self.calls += 1
            caller.close()

    def close(self) -> None:
        self._socket.shutdown(socket.SHUT_RDWR)
        self._socket.close()
        self._thread.join()
