"""How commands speak: tables and sentences for people, JSON for scripts."""

import json
import sys
from collections.abc import Mapping, Sequence
from typing import Annotated, Any, NoReturn

import typer
from rich.console import Console
from rich.filesize import decimal
from rich.table import Table
from rich.text import Text

AsJson = Annotated[bool, typer.Option("--json", help="Answer in JSON, for scripts. 以 JSON 输出。")]


def console() -> Console:
    """Make the console that people read; soft-wrapped, so that keys can be copied whole."""
    return Console(soft_wrap=True, highlight=False)


def show(value: Any, text: str | Table | Text, as_json: bool) -> None:
    """Show a result in one of the two ways."""
    if as_json:
        sys.stdout.write(json.dumps(value, ensure_ascii=False, indent=2) + "\n")
    else:
        console().print(text, markup=False) if isinstance(text, str) else console().print(text)


def table(title: str, rows: Sequence[Mapping[str, Any]], columns: Sequence[str]) -> Table:
    """Lay rows out by these columns."""
    drawn = Table(title=title, title_justify="left")
    for column in columns:
        drawn.add_column(column.replace("_", " "), overflow="fold")
    for row in rows:
        drawn.add_row(*(Text("" if row[c] is None else str(row[c])) for c in columns))
    return drawn


def size(size_bytes: int) -> str:
    """Write a size as people read it, in thousands: 12.3 MB."""
    return decimal(size_bytes)


def refuse(sentence: str) -> NoReturn:
    """Say on standard error why not, and end with exit code 1."""
    sys.stderr.write(f"meiku: {sentence}\n")
    sys.exit(1)
