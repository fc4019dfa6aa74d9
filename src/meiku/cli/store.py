"""Runs one piece of work on the metadata store of a data folder, whether or not a server is using it."""

import asyncio
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Annotated, TypeVar

import typer

from meiku.app import open_meta
from meiku.config import Settings
from meiku.meta import Meta

T = TypeVar("T")

DataFolder = Annotated[
    Path | None,
    typer.Option(
        "--data", envvar="MEIKU_DATA_FOLDER", help="Data folder, ./meiku-data by default. 数据目录。"
    ),
]


def with_meta(data: Path | None, work: Callable[[Meta], Awaitable[T]]) -> T:
    """Open the store, do the work, close the store."""

    async def run() -> T:
        async with open_meta(Settings.from_environment({"data_folder": data})) as meta:
            return await work(meta)

    return asyncio.run(run())
