"""Many who read slowly what is large: the kernel holds little for each, and others are answered as ever."""

import socket
import time
from collections.abc import Callable
from contextlib import ExitStack
from pathlib import Path
from typing import Any

from running_server import Server
from signed_http import SignedHttp

READERS, LARGE_BYTES = 100, 32 << 20
# Twice what is given to the kernel ahead of a reader, and what is on its way to one on this machine.
HELD_LIMIT_BYTES = 1 << 20


def test_the_kernel_holds_little_of_what_slow_readers_asked_for(own_server: Callable[..., Any]) -> None:
    """Without a bound it takes megabytes of each answer, and copying those delays everybody else."""
    server = own_server("--workers", "2")
    http = SignedHttp(server.url)
    readable = {"x-amz-acl": "public-read"}
    assert http.send("PUT", "slow", headers=readable).status == 200
    assert http.send("PUT", "slow/large", bytes(LARGE_BYTES), headers=readable).status == 200
    with ExitStack() as stack:
        for _ in range(READERS):
            reader = stack.enter_context(socket.create_connection(("127.0.0.1", server.port), timeout=30))
            reader.sendall(b"GET /slow/large HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n")
        time.sleep(2)
        held_bytes = queued(server)
        assert len(held_bytes) >= READERS
        assert max(held_bytes) < HELD_LIMIT_BYTES
        assert http.send("GET", "slow/large", headers={"Range": "bytes=0-99"}).body == bytes(100)


def queued(server: Server) -> list[int]:
    """List what the kernel holds for each of a server's connections (proc_net(5): `tx_queue`)."""
    lines = [line.split() for line in Path("/proc/net/tcp").read_text().splitlines()[1:]]
    own = [line for line in lines if int(line[1].partition(":")[2], 16) == server.port and line[3] == "01"]
    return [int(line[4].partition(":")[0], 16) for line in own]
