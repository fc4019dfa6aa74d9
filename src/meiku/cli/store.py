"""Runs one piece of work on the metadata store of a data folder, whether or not a server is using it."""

import asyncio
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Annotated, TypeVar

import typer

from meiku.app import DATABASE, open_meta
from meiku.config import ConfigError, Settings
from meiku.meta import Meta

T = TypeVar("T")

DataFolder = Annotated[
    Path | None,
    typer.Option(
        "--data", envvar="MEIKU_DATA_FOLDER", help="Data folder, ./meiku-data by default. 数据目录。"
    ),
]


def settings_of(data: Path | None, *, may_make: bool = False) -> Settings:
    """Read the settings; a data folder with nothing in it is a mistyped one."""
    settings = Settings.from_environment({"data_folder": data})
    if not may_make and not (settings.data_folder / DATABASE).exists():
        raise ConfigError(f"there is no data in {settings.data_folder}; `meiku serve` or `user add` makes it")
    return settings


def with_meta(data: Path | None, work: Callable[[Meta], Awaitable[T]], *, may_make: bool = False) -> T:
    """Open the store, do the work, close the store."""
    settings = settings_of(data, may_make=may_make)

    async def run() -> T:
        async with open_meta(settings) as meta:
            return await work(meta)

    return asyncio.run(run())
