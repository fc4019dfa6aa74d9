"""The workshop: real worker processes, shared by several servers, bounded in number, ended when given up."""

import asyncio
import fcntl
import os
import signal
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path

import pytest
import pyvips

from media.working import workers
from meiku import errors
from meiku.blobs.nameless import nameless_file
from meiku.media import RecipeRefused, read_recipe
from meiku.media.jobs import Jobs, take_job
from meiku.media.limits import Limits
from meiku.media.staff import Staff
from meiku.media.workshop import Workshop

QUICK = read_recipe("image/resize,w_20")
# Half a minute of work and little memory: nobody is done with it before the test has looked.
SLOW = read_recipe(f"image/resize,w_9000,limit_0{'/blur,r_50,s_50' * 4}/format,jpg")


def photo(width_px: int, height_px: int) -> bytes:
    noise = pyvips.Image.gaussnoise(width_px, height_px, mean=128, sigma=40)
    return bytes(noise.bandjoin([noise, noise]).cast("uchar").jpegsave_buffer())


PHOTO = photo(900, 600)


@dataclass
class Source:
    """One picture; how often it was asked for says how many workers have taken it."""

    data: bytes = PHOTO
    size_bytes: int = 0
    opened: list[float] = field(default_factory=list)

    async def open(self, key: str | None) -> tuple[int, int]:
        assert key is None
        self.opened.append(time.monotonic())
        return await nameless_file(pieces(self.data)), len(self.data)

    async def read_range(self, start_byte: int, stop_byte: int) -> bytes:
        raise AssertionError((start_byte, stop_byte))


async def pieces(data: bytes) -> AsyncIterator[bytes]:
    yield data[:1000]
    yield data[1000:]


async def until(true: Callable[[], object]) -> None:
    deadline = time.monotonic() + 20
    while not true():
        assert time.monotonic() < deadline
        await asyncio.sleep(0.02)


@pytest.fixture
def told(tmp_path: Path) -> Iterator[Callable[..., None]]:
    """Tell a story to two servers' workshops over one queue, and see that no worker outlives it."""

    async def tell(story: Callable[[Workshop, Workshop], Awaitable[None]], limits: Limits) -> None:
        await until(lambda: not workers())  # those of other tests
        jobs = Jobs()
        try:
            await story(*(Workshop(jobs, Staff(jobs, limits, tmp_path), limits) for _ in range(2)))
        finally:
            jobs.close()
        await until(lambda: not workers())

    def run(story: Callable[[Workshop, Workshop], Awaitable[None]], **limits: float) -> None:
        asyncio.run(tell(story, Limits(**limits)))  # type: ignore[arg-type]

    yield run
    for pid in workers():
        os.kill(pid, signal.SIGKILL)


def test_servers_share_their_workers(told: Callable[..., None]) -> None:
    """What one server has started works for the other, too; nobody starts more than are allowed in all."""

    async def story(first: Workshop, second: Workshop) -> None:
        seen: set[int] = set()

        async def watch() -> None:
            while True:
                seen.update(workers())
                await asyncio.sleep(0.01)

        watching = asyncio.create_task(watch())
        await first.make(QUICK, Source())
        made = await asyncio.gather(*(each.make(QUICK, Source()) for each in [first, second] * 10))
        watching.cancel()
        assert len({one.body for one in made}) == 1 and made[0].content_type == "image/jpeg"
        assert 1 <= len(seen) <= 2, seen

    told(story, workers=2)


def test_a_worker_knows_no_keys(told: Callable[..., None], monkeypatch: pytest.MonkeyPatch) -> None:
    """What decodes strangers' bytes does not inherit the root key pair, nor anything else that is secret."""
    for name in ("MEIKU_SECRET_KEY", "AWS_SECRET_ACCESS_KEY", "DATABASE_PASSWORD"):
        monkeypatch.setenv(name, "a secret of forty characters or so, xxxxx")

    async def story(first: Workshop, _: Workshop) -> None:
        await first.make(QUICK, Source())
        (pid,) = workers()
        assert b"a secret" not in Path(f"/proc/{pid}/environ").read_bytes()

    told(story, workers=1)


def test_one_server_may_have_every_worker_at_work(told: Callable[..., None]) -> None:
    """Two pictures asked of the same server are made side by side, while the other has nothing to do."""

    async def story(first: Workshop, _: Workshop) -> None:
        source = Source()
        jobs = [asyncio.create_task(first.make(SLOW, source)) for _ in range(3)]
        await until(lambda: len(source.opened) == 2)
        await asyncio.sleep(0.5)
        assert len(source.opened) == len(workers()) == 2, "the third has to wait for its turn"
        for job in jobs:
            job.cancel()
        await asyncio.gather(*jobs, return_exceptions=True)

    told(story, workers=2)


def test_a_job_that_is_given_up_ends_its_worker_and_the_next_has_another(told: Callable[..., None]) -> None:
    """A client that leaves does not leave a decoder at work behind."""

    async def story(first: Workshop, second: Workshop) -> None:
        source = Source()
        job = asyncio.create_task(first.make(SLOW, source))
        await until(lambda: source.opened)
        (pid,) = workers()
        job.cancel()
        await until(lambda: pid not in workers())
        assert (await second.make(QUICK, Source())).body

    told(story, workers=1)


def test_a_job_that_nobody_takes_in_time_is_to_slow_down(told: Callable[..., None], tmp_path: Path) -> None:
    """Where all places are taken by workers that stand still, the answer is SlowDown and not silence."""

    async def story(first: Workshop, _: Workshop) -> None:
        with (tmp_path / "media-worker-0.lock").open("w") as place:
            fcntl.flock(place, fcntl.LOCK_EX)
            with pytest.raises(errors.SlowDown):
                await first.make(QUICK, Source())
            assert not workers()
        assert (await first.make(QUICK, Source())).body

    told(story, workers=1, timeout_s=6)


def test_only_so_many_wait(told: Callable[..., None]) -> None:
    """One more than may wait is refused at once, and costs nobody his turn."""

    async def story(first: Workshop, _: Workshop) -> None:
        jobs = [asyncio.create_task(first.make(QUICK, Source())) for _ in range(3)]
        await asyncio.sleep(0)
        with pytest.raises(errors.SlowDown):
            await first.make(QUICK, Source())
        assert all(made.body for made in await asyncio.gather(*jobs))

    told(story, workers=1, waiting=6)


def test_what_takes_too_long_is_refused_in_words(told: Callable[..., None]) -> None:
    """The time runs from when a worker takes the job, and ends with the worker."""

    async def story(first: Workshop, _: Workshop) -> None:
        source = Source()
        with pytest.raises(RecipeRefused, match="longer than 4 seconds"):
            await first.make(SLOW, source)
        assert time.monotonic() - source.opened[0] < 20
        await until(lambda: not workers())

    told(story, workers=1, timeout_s=4)


def test_what_takes_too_much_memory_is_refused_in_words(told: Callable[..., None]) -> None:
    """A picture that must be decoded whole and does not fit is not put into a file instead, which would."""
    large = Source(bytes(pyvips.Image.black(9000, 9000, bands=3).jpegsave_buffer()))

    async def story(first: Workshop, _: Workshop) -> None:
        with pytest.raises(RecipeRefused, match="more memory than it may have"):
            await first.make(read_recipe("image/rotate,90"), large)
        assert (await first.make(read_recipe("image/resize,w_20"), large)).body

    told(story, workers=1, memory_bytes=200 << 20)


def test_a_worker_that_was_stopped_goes_on(told: Callable[..., None]) -> None:
    """A read that comes back early, because the process stood still, is no end of the connection."""

    async def story(first: Workshop, _: Workshop) -> None:
        await first.make(QUICK, Source())
        (pid,) = workers()
        making = [asyncio.create_task(first.make(QUICK, Source(photo(3000, 2000)))) for _ in range(10)]
        while not all(job.done() for job in making):
            os.kill(pid, signal.SIGSTOP)
            await asyncio.sleep(0.01)
            os.kill(pid, signal.SIGCONT)
            await asyncio.sleep(0.01)
        assert all(job.result().body for job in making) and workers() == {pid}

    told(story, workers=1)


def test_a_source_that_may_not_be_had_is_the_requests_own_error(told: Callable[..., None]) -> None:
    """The server's refusal comes out as it is, and the worker lives."""

    class Refusing(Source):
        async def open(self, key: str | None) -> tuple[int, int]:
            raise errors.AccessDenied

    async def story(first: Workshop, _: Workshop) -> None:
        await first.make(QUICK, Source())
        before = workers()
        with pytest.raises(errors.AccessDenied):
            await first.make(QUICK, Refusing())
        assert (await first.make(QUICK, Source())).body and workers() == before

    told(story, workers=1)


def test_a_worker_without_anything_to_do_ends() -> None:
    """Waiting for a job has an end, and so has the queue when no server is left."""
    jobs = Jobs()
    began_s = time.monotonic()
    assert take_job(jobs.taking, 0.05) is None and time.monotonic() - began_s < 5
    taking = jobs.taking.dup()
    jobs.close()
    assert take_job(taking, 5) is None and time.monotonic() - began_s < 5
    taking.close()
