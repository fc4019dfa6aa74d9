"""The composition root: the only file that makes parts and puts them together, for `start` and `cli`.

It makes an ASGI application for one worker: stores opened when the worker starts, the pipeline over them, the
sweep and the scrub beside it, and the addresses under `/-/` on hosts that are no bucket's.
"""

import asyncio
import time
from collections.abc import AsyncIterator, Iterator
from contextlib import AsyncExitStack, asynccontextmanager, contextmanager
from functools import partial
from pathlib import Path

from meiku import data_folder, errors
from meiku.blobs import Blobs
from meiku.blobs.files import FileBlobs, open_files
from meiku.blobs.reserve import Reserve
from meiku.blobs.room import Room
from meiku.config import Settings
from meiku.counters import UNMATCHED, Counters
from meiku.media.flights import Flights
from meiku.media.jobs import Jobs
from meiku.media.limits import Limits
from meiku.media.staff import Staff
from meiku.media.workshop import Workshop
from meiku.meta import Meta
from meiku.meta.claims import Claims
from meiku.meta.scrubs import find_finished_scrub, find_scrub
from meiku.meta.sqlite import open_sqlite
from meiku.meta.turn import Turn
from meiku.metrics import write_page
from meiku.ops.scrub import scrub_forever
from meiku.ops.sweep import sweep_forever
from meiku.pipeline import OPERATION, Pipeline
from meiku.readiness import STARTING, ReadinessProbe
from meiku.wire.answer import send_response
from meiku.wire.request import Receive, Scope, Send
from meiku.wire.service import Readiness, answer_service, is_service

DATABASE = "meta.sqlite3"
SWEEP_LOCK = "sweep.lock"
_SCRUB_LOCK = "scrub.lock"
_RESULTS_LOCK = "results.lock"


class Application:
    """One worker's ASGI application."""

    def __init__(self, settings: Settings, counters: Counters, jobs: Jobs, data_id: str | None) -> None:
        """Serve from the data folder of this id, and from no other."""
        self._settings = settings
        self._data_id = data_id
        self._counters = counters
        self._jobs = jobs
        self._pipeline: Pipeline | None = None

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one ASGI scope: a request, or the worker's life."""
        if scope["type"] == "lifespan":
            await self._live(receive, send)
        elif is_service(scope, self._settings.bucket_domains):
            answer = await answer_service(
                scope,
                ask_ready=self._ask_ready,
                token=self._settings.metrics_token,
                read_metrics=self._read_metrics,
            )
            await send_response(answer, scope, receive, send)
        elif self._pipeline is not None:
            await self._answer(self._pipeline, scope, receive, send)

    async def _answer(self, pipeline: Pipeline, scope: Scope, receive: Receive, send: Send) -> None:
        began_ns = time.perf_counter_ns()
        response = await pipeline.answer(scope, receive)
        try:
            await send_response(response, scope, receive, send)
        except ValueError as mistake:
            # The connection refuses what would break its head, before it writes a byte.
            response = pipeline.answer_mistake(mistake)
            await send_response(response, scope, receive, send)
        except (errors.Damaged, errors.Missing) as damage:
            # The connection ends here, short of what was announced: nobody takes what came for the whole.
            pipeline.note_damage(damage)
            raise
        finally:
            duration_ns = time.perf_counter_ns() - began_ns
            self._counters.answered(scope.get(OPERATION, UNMATCHED), response.status, duration_ns)

    async def _ask_ready(self) -> Readiness:
        return STARTING if self._pipeline is None else await self._pipeline.readiness.ask()

    async def _read_metrics(self) -> bytes:
        if self._pipeline is None:
            return write_page(self._counters, None, None)
        meta = self._pipeline.meta
        return write_page(self._counters, await meta.read(find_scrub), await meta.read(find_finished_scrub))

    async def _live(self, receive: Receive, send: Send) -> None:
        """Open the stores, say so, wait for the end, close them."""
        await receive()
        async with AsyncExitStack() as stack:
            self._jobs.take_row(self._counters.number)
            try:
                self._pipeline = await stack.enter_async_context(
                    open_pipeline(self._settings, self._jobs, self._counters, self._data_id)
                )
            except Exception as error:
                await send({"type": "lifespan.startup.failed", "message": str(error)})
                return
            await send({"type": "lifespan.startup.complete"})
            await receive()
        await send({"type": "lifespan.shutdown.complete"})


@asynccontextmanager
async def open_pipeline(
    settings: Settings, jobs: Jobs, counters: Counters, data_id: str | None
) -> AsyncIterator[Pipeline]:
    """Open the embedded stores and give the pipeline over them; `jobs` is let go of at the end.

    Makes nothing: where the folder that was served is gone, another must not begin in its place.
    """
    require_folder = partial(data_folder.require, settings.data_folder, data_id)
    with data_folder.held(settings.data_folder, data_id) as folder:
        reserve = Reserve(folder, settings.reserve_bytes)
        database = settings.data_folder / DATABASE
        meta = await open_sqlite(
            database, settings.write_wait_s, may_make=False, give_up_reserve=reserve.give_up
        )
        blobs = await open_files(folder, settings.reserve_bytes, may_make=False)
        room = Room(folder, settings.reserve_bytes)
        limits = Limits(settings.media_timeout_s, settings.media_memory_bytes, settings.workers)
        staff = Staff(jobs, limits, folder)
        workshop = Workshop(jobs, staff, limits, keeps_places=settings.media_keeps_places)
        claims = Claims(folder / _RESULTS_LOCK, settings.media_timeout_s)
        flights = Flights(claims.hold)
        try:
            async with _upkeep(meta, blobs, settings, folder, reserve):
                yield Pipeline(
                    meta,
                    blobs,
                    settings,
                    workshop,
                    require_room=room.require,
                    flights=flights,
                    count_damage=counters.found_damage,
                    readiness=ReadinessProbe(meta, require_folder),
                )
        finally:
            await flights.close()
            jobs.close()
            claims.close()
            await blobs.close()
            await meta.close()


@asynccontextmanager
async def _upkeep(
    meta: Meta, blobs: Blobs, settings: Settings, folder: Path, reserve: Reserve
) -> AsyncIterator[None]:
    """Sweep, scrub and keep the reserve beside the work, as long as it goes on."""
    sweep_turn, scrub_turn = Turn(folder / SWEEP_LOCK), Turn(folder / _SCRUB_LOCK)
    # Blobs of its own: what the scrub reads must not push out what requests have warmed.
    scrubbed = FileBlobs(folder, Room(folder))
    tasks = [
        asyncio.create_task(sweep_forever(meta, blobs, settings, partial(_taken, sweep_turn))),
        asyncio.create_task(scrub_forever(meta, scrubbed, settings, scrub_turn.try_take)),
        asyncio.create_task(_keep_forever(reserve, settings.sweep_interval_s)),
    ]
    try:
        yield
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        await scrubbed.close()
        sweep_turn.close()
        scrub_turn.close()


async def _keep_forever(reserve: Reserve, interval_s: float) -> None:
    """Make the reserve whenever it is missing and there is room for it."""
    while True:
        await asyncio.to_thread(reserve.keep)
        await asyncio.sleep(interval_s)


@contextmanager
def _taken(turn: Turn) -> Iterator[bool]:
    """Take a turn for a while; False, and nothing taken, when another process has it."""
    is_ours = turn.try_take()
    try:
        yield is_ours
    finally:
        if is_ours:
            turn.__exit__(None, None, None)


@asynccontextmanager
async def open_stores(settings: Settings) -> AsyncIterator[tuple[Meta, Blobs]]:
    """Open both stores, for commands that look after objects."""
    async with open_meta(settings) as meta:
        blobs = await open_files(settings.data_folder)
        try:
            yield meta, blobs
        finally:
            await blobs.close()


@asynccontextmanager
async def open_meta(settings: Settings) -> AsyncIterator[Meta]:
    """Open the metadata store alone, for commands that look after users and keys."""
    data_folder.begin(settings.data_folder, settings.data_id)
    reserve = Reserve(settings.data_folder, settings.reserve_bytes)
    meta = await open_sqlite(settings.data_folder / DATABASE, give_up_reserve=reserve.give_up)
    try:
        yield meta
    finally:
        await meta.close()
