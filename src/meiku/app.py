"""The composition root: the only file that makes parts and puts them together, for `start` and `cli`.

It makes an ASGI application for one worker: stores opened when the worker starts, the pipeline over them, the
sweep beside it, and the addresses under `/-/` that belong to no bucket.
"""

import asyncio
import contextlib
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager

from meiku.blobs.files import open_files
from meiku.blobs.room import Room
from meiku.config import Settings
from meiku.meta import Meta
from meiku.meta.sqlite import open_sqlite
from meiku.ops.sweep import sweep_forever
from meiku.pipeline import Pipeline
from meiku.wire.answer import send_response
from meiku.wire.request import Receive, Scope, Send
from meiku.wire.service import answer_service

DATABASE = "meta.sqlite3"


class Application:
    """One worker's ASGI application."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._pipeline: Pipeline | None = None

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one ASGI scope: a request, or the worker's life."""
        if scope["type"] == "lifespan":
            await self._live(receive, send)
        elif scope["path"].startswith("/-/"):
            answer = answer_service(scope, ready=self._pipeline is not None)
            await send_response(answer, scope, receive, send)
        elif self._pipeline is not None:
            await send_response(await self._pipeline.answer(scope, receive), scope, receive, send)

    async def _live(self, receive: Receive, send: Send) -> None:
        """Open the stores, say so, wait for the end, close them."""
        await receive()
        async with AsyncExitStack() as stack:
            try:
                self._pipeline = await stack.enter_async_context(open_pipeline(self._settings))
            except Exception as error:
                await send({"type": "lifespan.startup.failed", "message": str(error)})
                return
            await send({"type": "lifespan.startup.complete"})
            await receive()
        await send({"type": "lifespan.shutdown.complete"})


@asynccontextmanager
async def open_pipeline(settings: Settings) -> AsyncIterator[Pipeline]:
    """Open the embedded stores and give the pipeline over them."""
    meta = await open_sqlite(settings.data_folder / DATABASE)
    blobs = await open_files(settings.data_folder, settings.reserve_bytes)
    room = Room(settings.data_folder, settings.reserve_bytes)
    sweeping = asyncio.create_task(sweep_forever(meta, blobs, settings))
    try:
        yield Pipeline(meta, blobs, settings, require_room=room.require)
    finally:
        sweeping.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await sweeping
        await blobs.close()
        await meta.close()


@asynccontextmanager
async def open_meta(settings: Settings) -> AsyncIterator[Meta]:
    """Open the metadata store alone, for commands that look after users and keys."""
    settings.data_folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    meta = await open_sqlite(settings.data_folder / DATABASE)
    try:
        yield meta
    finally:
        await meta.close()
