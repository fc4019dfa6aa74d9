"""Reading a page of the documentation: its headings, and its blocks with what a test is told about each.

A block is run when its fence says `sh` or `python`. What a test must know beside it stands in a comment that
no reader sees, on the line before:

    <!-- test: stays, port 9000 -->      it goes on running; the page goes on when the port answers
    <!-- test: ends with 1 -->           it is expected to end so
    <!-- test: file nginx.conf -->       it is no command but this file
    <!-- test: not run, REASON -->       REASON is one of `REASONS`

Nothing here runs anything.
"""

import re
from dataclasses import dataclass
from pathlib import Path

HOUSE = Path(__file__).parents[2]
RUN = {"sh", "python"}
REASONS = {
    "it fetches packages": "a test needs no network",
    "it takes minutes": "it is run by hand, or is the tests themselves",
    "another test starts it": "it is the server of that test",
    "the service runs already": "the same service, started in another way",
    "no package that the tests use has this program": "what is said of it was tried by hand",
    "it needs a machine of its own": "it changes the system that it is typed on",
}

_COMMENT = re.compile(r"<!-- test: (.*?) -->")
_HEADING = re.compile(r"(#+) +(.+)")


@dataclass(frozen=True)
class Block:
    """A fenced block: its language, its text, and what a test is told of it."""

    language: str
    text: str
    told: str
    line: int

    @property
    def reason(self) -> str | None:
        """Why it is not run, if it is not."""
        return self.told.removeprefix("not run, ") if self.told.startswith("not run") else None

    @property
    def file(self) -> str | None:
        """The name of the file that it is."""
        return self.told.removeprefix("file ") if self.told.startswith("file ") else None

    @property
    def meant(self) -> str:
        """What remains without comments and the space before them: equal in every language of a page."""
        lines = [re.sub(r"(^|\s+)(#|//|<!--)(\s.*|$)", "", line) for line in self.text.splitlines()]
        return "\n".join(line.rstrip() for line in lines if line.strip())


def blocks_of(page: Path) -> list[Block]:
    """Read the fenced blocks of a page, in order."""
    found: list[Block] = []
    language: str | None = None
    told, begun, lines = "", 0, list[str]()
    for number, line in enumerate(page.read_text("utf-8").splitlines(), 1):
        if line.startswith("```") and language is None:
            language, begun, lines = line[3:].strip(), number, []
        elif line.startswith("```"):
            found.append(Block(language or "", "\n".join(lines) + "\n", told, begun))
            language, told = None, ""
        elif language is not None:
            lines.append(line)
        elif line.strip():
            comment = _COMMENT.fullmatch(line.strip())
            told = comment[1] if comment else ""
    return found


def headings_of(page: Path) -> list[tuple[int, str]]:
    """Read the headings of a page with their levels; a comment within a block is none."""
    within, found = False, []
    for line in page.read_text("utf-8").splitlines():
        within ^= line.startswith("```")
        heading = _HEADING.fullmatch(line)
        if heading and not within:
            found.append((len(heading[1]), heading[2]))
    return found


def table_of(page: Path, heading: str) -> list[list[str]]:
    """Read the cells of the first table below a heading, without its head."""
    below = page.read_text("utf-8").split(f"\n{heading}\n", 1)[1]
    rows = re.search(r"(?:^\|.*\|\n)+", below, re.MULTILINE)
    assert rows, f"{page.name} has no table below {heading!r}"
    lines = rows[0].splitlines()[2:]
    return [[cell.strip() for cell in line.strip("|").split("|")] for line in lines]
