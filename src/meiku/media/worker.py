"""The process that decodes strangers' pictures: takes one recipe after another from the server beside it.

`python -m meiku.media.worker <descriptor> <memory in bytes> <seconds>`. It opens no network and can write no
file; bytes are asked for over the one socket it is given. Its memory is limited by the kernel, and a job that
takes too long is ended by an alarm of its own even when the server has gone.
"""

import os
import resource
import signal
import socket
import sys
from dataclasses import dataclass
from typing import TYPE_CHECKING

from meiku.media.messages import Message, receive_blocking

if TYPE_CHECKING:
    from meiku.media.made import Made
    from meiku.media.recipe import Recipe

_ALARM_GRACE_S = 5


class _Lost(Exception):
    """What was asked for cannot be had; the server knows why."""


@dataclass(frozen=True, slots=True)
class _Server:
    """The server at the other end."""

    connection: socket.socket

    def tell(self, **values: object) -> None:
        """Say something without bytes."""
        self.connection.sendall(Message(values).framed())

    def ask(self, **values: object) -> Message:
        """Ask and wait; `_Lost` where the answer is no."""
        self.tell(**values)
        answer = receive_blocking(self.connection)
        if answer is None:
            raise SystemExit(0)
        if answer.values.get("lost"):
            raise _Lost
        return answer

    def size_bytes(self) -> int:
        """Tell how large the source is."""
        return int(self.ask(measure=None).values["size_bytes"])

    def read(self, start_byte: int, stop_byte: int) -> bytes:
        """Give a range of the source, for videos are never read whole."""
        return self.ask(want=None, start=start_byte, stop=stop_byte).body

    def fetch(self, key: str | None) -> bytes:
        """Give the whole of a small object; None is the source."""
        return self.ask(want=key).body


@dataclass(frozen=True, slots=True)
class _Ranged:
    """The source as a video's reader wants it: its size was asked for once."""

    server: _Server
    size_bytes: int

    def read(self, start_byte: int, stop_byte: int) -> bytes:
        """Give a range."""
        return self.server.read(start_byte, stop_byte)


def main() -> None:
    """Serve until the server goes."""
    descriptor, memory_bytes, timeout_s = (int(word) for word in sys.argv[1:4])
    resource.setrlimit(resource.RLIMIT_DATA, (memory_bytes, memory_bytes))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    resource.setrlimit(resource.RLIMIT_FSIZE, (0, 0))
    server = _Server(socket.socket(fileno=descriptor))
    _prepare()
    while (job := receive_blocking(server.connection)) is not None:
        signal.alarm(timeout_s + _ALARM_GRACE_S)
        _work(server, job)
        signal.alarm(0)


def _prepare() -> None:
    """Load the libraries before the first job waits for them, and keep nothing between jobs."""
    import pyvips

    pyvips.cache_set_max(0)
    import meiku.media.engine  # noqa: F401


def _work(server: _Server, job: Message) -> None:
    from meiku.media.recipe import read_recipe
    from meiku.media.refusal import RecipeRefused

    try:
        recipe = read_recipe(job.values["recipe"])
        made = _made(server, recipe)
    except RecipeRefused as refused:
        server.tell(refused=[refused.step, refused.parameter, refused.reason])
    except _Lost:
        server.tell(refused=["", "", "An object that it needs cannot be read."])
    except MemoryError:
        os._exit(1)
    else:
        server.connection.sendall(Message({"content_type": made.content_type}, made.body).framed())


def _made(server: _Server, recipe: "Recipe") -> "Made":
    if recipe.kind == "video":
        # Loaded for those who have videos, as it takes as much memory as all the rest.
        from meiku.media.video import follow_video

        return follow_video(recipe, _Ranged(server, server.size_bytes()))
    from meiku.media.engine import follow

    return follow(recipe, server.fetch(None), server.fetch)


if __name__ == "__main__":
    main()
