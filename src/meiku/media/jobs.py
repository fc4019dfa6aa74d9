"""The queue between all servers of a process tree and all their media workers: first come, first served.

A job is one end of a connection, on which a worker and the server that gave it then speak alone. The kernel
hands each to one worker, whichever is free, so that no worker stands idle while a job waits anywhere. Made by
the parent before it forks. What a job is about is not known here.
"""

import socket

from meiku import errors
from meiku.media.shares import Shares

_MARK = b"j"


class Jobs:
    """Both ends of the queue; a server keeps both, as it starts workers, a worker has only `taking`."""

    def __init__(self, servers: int = 1) -> None:
        """Make an empty queue; processes forked from here on share it, and what is counted of it."""
        self.by_client, self.by_bucket = Shares(servers), Shares(servers)
        # Each message is whole, and when no server is left its workers read the end.
        self._giving, self.taking = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        self._giving.setblocking(False)

    def take_row(self, number: int) -> None:
        """Be the server of this number from now on."""
        self.by_client.take_row(number)
        self.by_bucket.take_row(number)

    def give(self) -> socket.socket:
        """Put a job into the queue, and answer our end of its connection; SlowDown where too many wait."""
        ours, theirs = socket.socketpair()
        with theirs:
            try:
                socket.send_fds(self._giving, [_MARK], [theirs.fileno()])
            except OSError:
                ours.close()
                raise errors.SlowDown from None
        return ours

    def close(self) -> None:
        """Let go of the queue; its workers end when nobody holds it any more."""
        self._giving.close()
        self.taking.close()


def take_job(taking: socket.socket, within_s: float) -> socket.socket | None:
    """Wait for a job, and answer its connection; None when there is none in time, or no server any more."""
    taking.settimeout(within_s)
    try:
        message, descriptors, _, _ = socket.recv_fds(taking, len(_MARK), 1)
    except TimeoutError:
        return None
    return socket.socket(fileno=descriptors[0]) if message and descriptors else None
