"""The process that decodes strangers' pictures: takes one job after another from the servers beside it.

`python -m meiku.media.worker <descriptor> <memory in bytes> <seconds>`. Jobs come through the one socket it
is given, files are asked for over the connection that a job is; all else it gives up first (`confinement`).
A job that its server has given up ends the process, and one that takes too long is ended by an alarm even
when the server cannot.
"""

import os
import select
import signal
import socket
import sys
import threading
import time
from dataclasses import dataclass
from typing import TYPE_CHECKING

from meiku.media.confinement import CPU_LIMIT_S, confine
from meiku.media.jobs import take_job
from meiku.media.messages import Message, receive_blocking

if TYPE_CHECKING:
    from meiku.media.made import Made
    from meiku.media.recipe import Recipe

_ALARM_GRACE_S = 5
# A worker that nobody needs gives its memory back; another is there in half a second.
_IDLE_S = 300.0
_STACK_BYTES = 256 << 10


class _Lost(Exception):
    """What was asked for cannot be had; the server knows why."""


class _Gone(Exception):
    """The server has let go of the connection: nobody waits for this job."""


@dataclass(frozen=True, slots=True)
class _Server:
    """The server at the other end of a job."""

    connection: socket.socket

    def say(self, message: Message) -> None:
        """Say something."""
        try:
            self.connection.sendall(message.framed())
        except ConnectionError:
            raise _Gone from None

    def hear(self) -> Message:
        """Wait for what the server says."""
        heard = receive_blocking(self.connection)
        if heard is None:
            raise _Gone
        return heard

    def ask(self, **values: object) -> Message:
        """Ask and wait; `_Lost` where the answer is no."""
        self.say(Message(values))
        answer = self.hear()
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
        """Give the whole of a small object; None is the source. `_Lost` where its file is too short."""
        answer = self.ask(want=key)
        if answer.file is None:
            raise _Lost
        with os.fdopen(answer.file, "rb") as file:
            file.seek(0)
            data = file.read(answer.values["size_bytes"])
        if len(data) < answer.values["size_bytes"]:
            raise _Lost
        return data


@dataclass(frozen=True, slots=True)
class _Ranged:
    """The source as a video's reader wants it: its size was asked for once."""

    server: _Server
    size_bytes: int

    def read(self, start_byte: int, stop_byte: int) -> bytes:
        """Give a range."""
        return self.server.read(start_byte, stop_byte)


def main() -> None:
    """Take jobs until there are no servers, nothing to do for long, or much has been done."""
    descriptor, memory_bytes, timeout_s = (int(word) for word in sys.argv[1:4])
    confine(memory_bytes)
    jobs, watched = socket.socket(fileno=descriptor), select.epoll()
    _prepare()
    threading.stack_size(_STACK_BYTES)
    threading.Thread(target=_end_when_given_up, args=(watched,), daemon=True).start()
    while time.process_time() < CPU_LIMIT_S / 2 and (connection := take_job(jobs, _IDLE_S)) is not None:
        signal.alarm(timeout_s + _ALARM_GRACE_S)
        with connection:
            _work(_Server(connection), watched)
        signal.alarm(0)


def _prepare() -> None:
    """Load the libraries before the first job waits for them, and keep nothing between jobs."""
    import pyvips

    pyvips.cache_set_max(0)
    import meiku.media.engine  # noqa: F401


def _end_when_given_up(watched: select.epoll) -> None:
    """End the process, whatever its decoder is at, when the connection that is watched has no other end."""
    while not watched.poll():
        pass
    os._exit(1)


def _is_given_up(connection: socket.socket) -> bool:
    """Tell whether nobody waits any more; such a job is left where it lies, and ends no worker."""
    look = select.poll()
    look.register(connection, select.POLLRDHUP)
    return bool(look.poll(0))


def _work(server: _Server, watched: select.epoll) -> None:
    """Do a job, and answer; a job that nobody waits for is left."""
    try:
        asked = server.hear().values
        if _is_given_up(server.connection):
            return
        watched.register(server.connection, select.EPOLLRDHUP)
        try:
            answer = _answer(server, asked["recipe"], asked["keeps_places"])
        finally:
            watched.unregister(server.connection)
        server.say(answer)
    except _Gone:
        pass


def _answer(server: _Server, text: str, keeps_places: bool) -> Message:
    """Follow a recipe; what stands in its way is an answer, too."""
    from meiku.media.recipe import read_recipe
    from meiku.media.refusal import RecipeRefused

    try:
        made = _made(server, read_recipe(text), keeps_places)
    except RecipeRefused as refused:
        return Message({"refused": [refused.step, refused.parameter, refused.reason]})
    except _Lost:
        return Message({"refused": ["", "", "An object that it needs cannot be read."]})
    except MemoryError:
        os._exit(1)
    return Message({"content_type": made.content_type}, made.body)


def _made(server: _Server, recipe: "Recipe", keeps_places: bool) -> "Made":
    if recipe.kind == "video":
        # Loaded for those who have videos, as it takes as much memory as all the rest.
        from meiku.media.video import follow_video

        return follow_video(recipe, _Ranged(server, server.size_bytes()))
    from meiku.media.engine import follow

    return follow(recipe, server.fetch(None), server.fetch, keeps_places=keeps_places)


if __name__ == "__main__":
    main()
