"""Writes what is made from the code: operations; settings, recipes and media's gallery, in both languages.

python scripts/write_docs.py            writes them
python scripts/write_docs.py --check    fails where one is stale, and writes nothing
"""

import sys
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

ROOT = Path(__file__).parent.parent
sys.path.insert(0, str(ROOT / "examples" / "direct-upload"))

import recipes_zh  # noqa: E402
import settings_zh  # noqa: E402
from gallery import CARDS, Card  # noqa: E402
from meiku import model, ops  # noqa: E402
from meiku.config import Knob, Settings  # noqa: E402
from meiku.media.operations import OPERATIONS, Parameter  # noqa: E402
from meiku.media.operations import Operation as Step  # noqa: E402
from meiku.model import OperationModel  # noqa: E402
from meiku.operation import Operation  # noqa: E402

DOCS = ROOT / "docs"
RECIPES_HEAD = """\
# Recipes

English · [中文](recipes.zh.md)

Made from the table of steps by `make docs`; do not edit. How to use them: [media.md](media.md).
Text and keys are written in URL-safe base64. Sentences name fields as the second column does.
The pictures are what each recipe makes of the samples that `make serve` shows at `/pictures`."""
_GALLERY_BEGINS, _GALLERY_ENDS = "<!-- made by `make docs` -->\n", "<!-- until here -->\n"
_COLUMNS = 4


def operations_page() -> str:
    """Say of every operation that S3 and we have a name for, whether it is offered and to whom."""
    offered = ops.offered()
    names = sorted(model.operations())
    rows = _alike([offered[name] for name in names if name in offered])
    lines = [
        "# Operations",
        "",
        "Made from the operation table by `make docs`; do not edit.",
        "",
        f"## Offered: {len(rows)}",
        "",
        "| operation | request | permission | what it does |",
        "| --- | --- | --- | --- |",
        *(_offered_row(alike) for alike in rows),
        "",
        f"## Not offered: {len(names) - len(offered)}",
        "",
        "Each answers `501 NotImplemented` by its own name; none is ever taken for another.",
        "",
        "| operation | request |",
        "| --- | --- |",
        *(_refused_row(model.operations()[name]) for name in names if name not in offered),
    ]
    return "\n".join(lines) + "\n"


def _alike(offered: Sequence[Operation]) -> list[list[Operation]]:
    """Gather the operations that differ in nothing but the query name that asks for them."""
    rows: dict[tuple[object, ...], list[Operation]] = {}
    for operation in offered:
        siblings = tuple(operation.model.siblings) or operation.name
        rows.setdefault((siblings, operation.action, _sentence(operation)), []).append(operation)
    return list(rows.values())


def _offered_row(alike: Sequence[Operation]) -> str:
    first, *others = alike
    queries = [first.model.siblings[other.name] for other in others]
    request = ", ".join([f"`{_request(first.model)}`", *(f"`{query}`" for query in queries)])
    return f"| {first.name} | {request} | {first.action} | {_sentence(first)} |"


def _sentence(operation: Operation) -> str:
    return (operation.function.__doc__ or "").strip().splitlines()[0]


def _refused_row(entry: OperationModel) -> str:
    return f"| {entry.name} | `{_request(entry)}` |"


def _request(entry: OperationModel) -> str:
    path = {"service": "/", "bucket": "/{bucket}", "object": "/{bucket}/{key}"}[entry.level]
    pairs = entry.required_query.items()
    query = "&".join(name if value is None else f"{name}={value}" for name, value in pairs)
    headers = "".join(f" + {name}" for name in entry.required_headers)
    return f"{entry.method} {path}{'?' + query if query else ''}{headers}"


def settings_page() -> str:
    """Say of every setting what it does, its default and its variable."""
    lines = [
        "# Settings",
        "",
        "English · [中文](settings.zh.md)",
        "",
        "Made from the settings record by `make docs`; do not edit.",
        "Sizes may be written as `64KB` or `5GB`, in thousands, or as `64KiB`, which counts by 1,024.",
        "`MEIKU_ACCESS_KEY` and `MEIKU_SECRET_KEY` fix the root key pair.",
        "",
        "| variable | default | what it does |",
        "| --- | --- | --- |",
    ]
    for knob in Settings.knobs():
        lines.append(f"| `{knob.variable}` | {_default(knob)} | {knob.doc} |")
    return "\n".join(lines) + "\n"


def settings_page_zh() -> str:
    """Say the same in Chinese; a setting without its sentence is named in the error."""
    lines = [settings_zh.HEAD]
    for knob in Settings.knobs():
        default = _default(knob, settings_zh.UNITS)
        lines.append(f"| `{knob.variable}` | {default} | {settings_zh.SENTENCES[knob.variable]} |")
    return "\n".join(lines) + "\n"


def _default(knob: Knob, units: Mapping[str, str] | None = None) -> str:
    """Write a default with its unit, and what is large so that its digits can be counted."""
    if knob.default == "none":
        return knob.default if units is None else "无"
    # Seconds are counted in fractions, too; a default that has none is written without.
    is_whole = bool(knob.unit) and float(knob.default).is_integer()
    text = f"{int(float(knob.default)):,}" if is_whole else knob.default
    unit = knob.unit if units is None else units.get(knob.unit, "")
    return f"{text} {unit}".strip()


def recipes_page(language: str = "en") -> str:
    """Say of every step of a recipe what it does, and of every parameter what it may be."""
    lines = [recipes_zh.HEAD if language == "zh" else RECIPES_HEAD]
    names = recipes_zh.PARAMETERS if language == "zh" else ("parameter", "field", "what it may be")
    for step in OPERATIONS:
        said = _step_sentences(step)
        if language == "zh":
            said = recipes_zh.sentences(f"{step.family}/{step.name}", said)
        lines += ["", f"## {step.family}/{step.name}", "", *said, *_shown(_cards_of(step), language)]
        if step.parameters:
            lines += ["", f"| {' | '.join(names)} |", "| --- | --- | --- |"]
            lines += [_parameter_row(each, language) for each in step.parameters]
    together = recipes_zh.TOGETHER if language == "zh" else "Several together"
    lines += ["", f"## {together}", *_shown([card for card in CARDS if not card.operation], language)]
    return "\n".join(lines) + "\n"


def _parameter_row(each: Parameter, language: str) -> str:
    expected = recipes_zh.expected(each.kind.expected) if language == "zh" else each.kind.expected
    itself = recipes_zh.ITSELF if language == "zh" else "the value itself"
    return f"| {f'`{each.name}_…`' if each.name else itself} | {each.field} | {expected} |"


def media_page(written: str, recipes: str) -> str:
    """Put a picture for every step between the marks of the page; the rest is written by hand."""
    before, rest = written.split(_GALLERY_BEGINS)
    after = rest.split(_GALLERY_ENDS)[1]
    cells = [_cell(step, recipes) for step in OPERATIONS if _cards_of(step)]
    cells += [""] * (-len(cells) % _COLUMNS)
    rows = [
        "| " + " | ".join(cells[first : first + _COLUMNS]) + " |" for first in range(0, len(cells), _COLUMNS)
    ]
    head = ["| " * _COLUMNS + "|", "| --- " * _COLUMNS + "|"]
    return "\n".join([before + _GALLERY_BEGINS, *head, *rows, "", _GALLERY_ENDS + after])


def _cell(step: Step, recipes: str) -> str:
    """Show a step by the card that has its name, or else by its first."""
    cards = _cards_of(step)
    card = next((each for each in cards if each.name == step.name), cards[0])
    anchor = f"{recipes}#{step.family}{step.name}"
    return f"{_picture(card)}<br>[{step.name}]({anchor})"


def _cards_of(step: Step) -> list[Card]:
    return [card for card in CARDS if card.operation == f"{step.family}/{step.name}"]


def _shown(cards: list[Card], language: str) -> Iterator[str]:
    """Write a table of recipes with their pictures."""
    if cards:
        yield from ("", f"| | {'配方' if language == 'zh' else 'recipe'} | |", "| --- | --- | --- |")
    for card in cards:
        recipe = card.recipe.replace("|", "\\|")
        yield f"| {_picture(card)} | `{recipe}` | {getattr(card, language)} |"


def _picture(card: Card) -> str:
    """Show what a recipe makes; one that answers JSON, by part of what it says."""
    return f"`{card.answer}`" if card.answer else f"![{card.title}](pictures/media/{card.name}.webp)"


def _step_sentences(step: Step) -> list[str]:
    return [line.strip() for line in (step.step.__doc__ or "").strip().splitlines()]


def main() -> int:
    """Write the pages or check them; the exit code says whether they are current."""
    pages = {
        DOCS / "operations.md": operations_page(),
        DOCS / "settings.md": settings_page(),
        DOCS / "settings.zh.md": settings_page_zh(),
        DOCS / "recipes.md": recipes_page(),
        DOCS / "recipes.zh.md": recipes_page("zh"),
    }
    for ending in ("md", "zh.md"):
        media = DOCS / f"media.{ending}"
        pages[media] = media_page(media.read_text("utf-8"), f"recipes.{ending}")
    stale = [path for path, text in pages.items() if not path.exists() or path.read_text("utf-8") != text]
    if "--check" in sys.argv:
        for path in stale:
            print(f"{path.name} is stale: run `make docs`", file=sys.stderr)
        return bool(stale)
    for path in stale:
        path.write_text(pages[path], encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main())
