"""Draws the picture that the README shows: a panel for each kind of work, a bar for each server."""

from pathlib import Path
from typing import Any

from bench.book import Book, Row
from bench.peers import PEERS
from bench.report import title_of
from bench.workloads import CORES, find

_PANELS: tuple[Row, ...] = (
    ("put-4k", 64),
    ("get-4k", 64),
    ("form-4k", 64),
    ("list-10k", 16),
    ("put-1m", 4),
    ("get-1m", 4),
    ("form-1m", 4),
    ("prefixes-10k", 16),
    ("put-64m", 4),
    ("get-64m", 4),
    ("multipart-256m", 4),
    ("delete-4k", 64),
    ("webp-400", CORES),
    ("fill-200", CORES),
    ("webp-400-kept", 16),
    ("fill-200-kept", 16),
)
_COLUMNS = 4
_INK, _OURS, _OTHERS, _LIMIT = "#22262b", "#d9480f", "#8a94a0", "#ced4da"


def draw(book: Book, path: Path) -> None:
    """Draw every panel that there are figures for."""
    import matplotlib

    matplotlib.use("Agg")
    from matplotlib import pyplot

    panels = [row for row in _PANELS if any(book.rate(row, peer) for peer in book.peers)]
    if not panels:
        return
    lines = -(-len(panels) // _COLUMNS)
    figure, axes = pyplot.subplots(lines, _COLUMNS, figsize=(13, 2.15 * lines + 0.5), squeeze=False)
    for axis in axes.flat[len(panels) :]:
        axis.axis("off")
    for axis, row in zip(axes.flat, panels, strict=False):
        _panel(axis, book, row)
    figure.suptitle(
        f"meiku beside others, one run on {book.machine.cores} cores; × connections; longer is better",
        color=_INK,
        fontsize=12,
    )
    figure.tight_layout()
    path.parent.mkdir(parents=True, exist_ok=True)
    figure.savefig(path, dpi=110)
    pyplot.close(figure)


def _panel(axis: Any, book: Book, row: Row) -> None:
    rates = {peer: rate for peer in book.peers if (rate := book.rate(row, peer)) is not None}
    names = [PEERS[peer].title for peer in rates]
    bars = axis.barh(names, list(rates.values()), color=[_colour(peer) for peer in rates], height=0.72)
    axis.bar_label(bars, [f" {rate:,.0f}" for rate in rates.values()], fontsize=8, color=_INK)
    axis.invert_yaxis()
    axis.set_title(f"{title_of(book, row)} × {row[1]}\n{find(row[0]).unit}", fontsize=9, color=_INK)
    axis.margins(x=0.25)
    axis.set_xticks([])
    axis.tick_params(length=0, labelsize=8, labelcolor=_INK)
    axis.spines[["top", "right", "bottom"]].set_visible(False)


def _colour(peer: str) -> str:
    return {"meiku": _OURS, "nginx": _LIMIT, "limit": _LIMIT}.get(peer, _OTHERS)
