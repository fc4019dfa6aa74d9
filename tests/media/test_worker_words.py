"""What a worker that was taken over may say: nothing of it is believed that no worker of ours would say."""

import asyncio
import threading
from pathlib import Path
from typing import Any

import pytest

from media.working import InMemory
from meiku.media import RecipeRefused, read_recipe
from meiku.media.jobs import Jobs, take_job
from meiku.media.limits import Limits
from meiku.media.messages import Message, receive_blocking
from meiku.media.staff import Staff
from meiku.media.workshop import Workshop

SOURCE = InMemory(b"a source of thirty bytes or so", {"logo": b"a logo"})


def framed(head: bytes, body: bytes = b"") -> bytes:
    return len(head).to_bytes(4, "big") + len(body).to_bytes(4, "big") + head + body


def answered(words: bytes, folder: Path) -> Any:
    """Have a recipe followed by a worker that says just this."""

    def take(jobs: Jobs) -> None:
        connection = take_job(jobs.taking, 20)
        assert connection is not None
        with connection:
            receive_blocking(connection)
            connection.sendall(words)
            connection.settimeout(20)
            while connection.recv(4096):
                pass

    async def story() -> Any:
        jobs, limits = Jobs(), Limits(timeout_s=20)
        worker = threading.Thread(target=take, args=(jobs,), daemon=True)
        worker.start()
        workshop = Workshop(jobs, NoStaff(jobs, limits, folder), limits)
        try:
            return await workshop.make(read_recipe("image/resize,w_20"), SOURCE)
        finally:
            await asyncio.to_thread(worker.join, 20)
            jobs.close()

    return asyncio.run(story())


class NoStaff(Staff):
    """Nobody else is called."""

    def call(self) -> None:
        pass


def said(**values: object) -> bytes:
    return Message(values, b"body").framed()


_TYPES = ("text/html", "image/svg+xml", "image/png\r\nx: y", 7, None, "image/")
_REFUSALS = ([], ["a"], "abc", None, [1, 2, 3], ["", "", "x" * 5000], {"a": 1})
_RANGES = ((0, 99), (-1, 1), (2, 1), ("0", "1"), (0.5, 1), (True, 1))
_NUMBERS = (b"Infinity", b"1e400", b"NaN")
_HEADS = (b"", b"{", b"[]", b"7", b"null", b"\xff", b"[" * 60_000, b'{"a": 1}')
_RAVINGS = [
    b"\xff" * 8,
    *(framed(head) for head in _HEADS),
    *(said(content_type=content_type) for content_type in _TYPES),
    *(said(refused=words) for words in _REFUSALS),
    *(said(want=key) for key in (7, [], {}, True)),
    *(said(want=None, start=start, stop=stop) for start, stop in _RANGES),
    *(framed(b'{"want": null, "start": 0, "stop": %s}' % number) for number in _NUMBERS),
]


@pytest.mark.parametrize("words", _RAVINGS, ids=lambda words: repr(words[8:40]))
def test_what_no_worker_says_is_a_worker_that_died(words: bytes, tmp_path: Path) -> None:
    """Nothing is answered, and nothing is a mistake of the server's: the recipe is given up."""
    with pytest.raises(RecipeRefused, match="given up"):
        answered(words, tmp_path)


@pytest.mark.parametrize("content_type", ["image/png", "image/webp", "application/json"])
def test_what_workers_say_is_believed(content_type: str, tmp_path: Path) -> None:
    """A picture, or facts about one."""
    made = answered(said(content_type=content_type), tmp_path)
    assert (made.content_type, made.body) == (content_type, b"body")
