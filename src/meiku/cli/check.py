"""`meiku check`: are the stored bytes what was stored, and what can be mended."""

import asyncio
import time
from contextlib import aclosing
from typing import Annotated, Any

import typer
from rich.markup import escape

from meiku.app import open_stores
from meiku.blobs import Blobs
from meiku.cli.output import AsJson, console, show, size
from meiku.cli.progress import Bar
from meiku.cli.store import DataFolder, settings_of
from meiku.config import ConfigError, Settings, parse_size
from meiku.errors import Damaged
from meiku.meta import Meta
from meiku.meta.stored import stored_totals
from meiku.ops.check import check
from meiku.ops.pace import Pace
from meiku.ops.repair import Repair, repair
from meiku.ops.sweep import orphan_grace_s
from meiku.ops.verify import Tally

_LOOK_EVERY_S = 0.2
_NOT_TRIED = "not repaired; --repair tries"


def check_command(
    data: DataFolder = None,
    mend: Annotated[
        bool, typer.Option("--repair", help="Mend what can be mended; no object is removed. 修复。")
    ] = False,
    rate_limit: Annotated[
        str | None, typer.Option(help="Most bytes a second to read, such as 50MB. 限速。")
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Compare all stored bytes with their checksums, also while a server runs. 校验数据。

    Exit code 1 when something is wrong, and, with --repair, when something is left that could not be mended.
    """
    settings = settings_of(data)
    pace = Pace(_rate(rate_limit))
    tally = Tally()
    began_s = time.monotonic()
    repairs = asyncio.run(_run(settings, pace, tally, mend))
    value = {
        "contents": tally.contents,
        "size_bytes": tally.size_bytes,
        "duration_s": round(time.monotonic() - began_s, 3),
        "findings": [_shown(result, mend) for result in repairs],
        "wrong": sum(not result.done for result in repairs),
    }
    if not as_json:
        _print_findings(repairs, mend)
    show(value, _summary(value, repairs), as_json)
    if value["wrong"]:
        raise typer.Exit(1)


async def _run(settings: Settings, pace: Pace, tally: Tally, mend: bool) -> list[Repair]:
    async with open_stores(settings) as (meta, blobs):
        with Bar() as bar:
            telling = asyncio.create_task(_tell(bar, tally, await _total(meta)))
            try:
                return await _check(meta, blobs, settings, pace, tally, mend)
            finally:
                telling.cancel()


async def _check(
    meta: Meta, blobs: Blobs, settings: Settings, pace: Pace, tally: Tally, mend: bool
) -> list[Repair]:
    results = []
    before_s = time.time() - orphan_grace_s(settings.blob_grace_s)
    async with aclosing(check(meta, blobs, pace, tally, before_s)) as findings:
        async for finding in findings:
            mended = mend and await repair(meta, blobs, finding, int(time.time() * 1000))
            results.append(mended or Repair(finding, False, _NOT_TRIED))
    return results


async def _total(meta: Meta) -> int:
    try:
        total, _ = await meta.read(stored_totals)
    except Damaged:
        return 0  # the check itself says what is wrong with the rows
    return total


async def _tell(bar: Bar, tally: Tally, total: int) -> None:
    while True:
        bar.tell("check", tally.contents, total)
        await asyncio.sleep(_LOOK_EVERY_S)


def _rate(text: str | None) -> int | None:
    if text is None:
        return None
    try:
        return parse_size(text)
    except ValueError:
        raise ConfigError(f"--rate-limit is {text!r}: expected bytes a second, such as 50MB") from None


def _shown(result: Repair, mend: bool) -> dict[str, Any]:
    value = result.finding.as_json()
    return value | ({"repaired": result.done, "repair": result.sentence} if mend else {})


def _print_findings(repairs: list[Repair], mend: bool) -> None:
    for result in repairs:
        finding = result.finding
        colour = "green" if result.done else "red"
        line = f"[{colour}]{finding.kind}[/]  {escape(finding.name)}: {escape(finding.sentence)}"
        console().print(line + (f" → {escape(result.sentence)}" if mend else ""))


def _summary(value: dict[str, Any], repairs: list[Repair]) -> str:
    read = f"{value['contents']} objects and parts, {size(value['size_bytes'])} read"
    if not repairs:
        return f"{read}; nothing is wrong"
    return f"{read}; {len(repairs)} findings, {value['wrong']} of them not repaired"
