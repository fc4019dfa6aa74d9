"""`meiku backup` and `meiku restore`: what is typed, and what is said of the copy."""

from dataclasses import asdict
from pathlib import Path
from typing import Annotated

import typer

from meiku.backup import Copied, back_up, restore
from meiku.cli.output import AsJson, show, size
from meiku.cli.progress import Bar
from meiku.cli.store import DataFolder, settings_of

Copy = Annotated[
    bool, typer.Option("--copy", help="Copy bytes even where they could be linked. 不使用硬链接。")
]
Compare = Annotated[
    bool,
    typer.Option(
        "--compare", help="Read and compare what is linked, or there already, too. 逐一比对校验和。"
    ),
]


def backup_command(
    folder: Annotated[Path, typer.Argument(help="Empty, or an earlier backup. 备份目录。")],
    data: DataFolder = None,
    copy: Copy = False,
    compare: Compare = False,
    as_json: AsJson = False,
) -> None:
    """Copy the data folder at one moment, also while a server runs; a second time only what is new. 备份。

    On the same filesystem the bytes of objects are linked, not copied: that guards against deletion, not
    against the disk. Serve the copy with `meiku serve --data FOLDER`.
    """
    with Bar() as bar:
        source = settings_of(data).data_folder
        copied = back_up(source, folder, link=not copy, compare=compare, tell=bar.tell)
    _show(copied, f"backed up to {folder}", as_json)


def restore_command(
    backup: Annotated[Path, typer.Argument(help="A backup. 备份目录。")],
    folder: Annotated[Path, typer.Argument(help="The data folder to make; new or empty. 新的数据目录。")],
    copy: Copy = False,
    compare: Compare = False,
    as_json: AsJson = False,
) -> None:
    """Make a data folder of a backup, which stays as it is. 恢复。"""
    with Bar() as bar:
        copied = restore(backup, folder, link=not copy, compare=compare, tell=bar.tell)
    _show(copied, f"restored to {folder}", as_json)


def _show(copied: Copied, done: str, as_json: bool) -> None:
    """Say what the copy holds; exit code 1 when the source had not all of it any more."""
    copied_blobs = copied.new_blobs - copied.linked_blobs
    lines = [f"LOST  {lost.bucket}/{lost.key}: {lost.sentence}" for lost in copied.lost]
    lines += [
        f"{done}: {copied.objects} objects, {copied.blobs} blobs of {size(copied.size_bytes)}",
        f"new: {copied_blobs} blobs copied, {copied.linked_blobs} linked; {copied.removed_blobs} removed",
    ]
    show(asdict(copied), "\n".join(lines), as_json)
    if copied.lost:
        raise typer.Exit(1)
