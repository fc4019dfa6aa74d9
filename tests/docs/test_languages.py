"""Pages in two languages say the same: whoever changes one must change the other.

What can be compared is: headings by their levels, blocks without their comments, tables by their shape and by
what they write as code. `NAME.zh.md` stands beside `NAME.md`.
"""

import re
from pathlib import Path

import pytest

import recipes_zh
import settings_zh
from docs.reading import HOUSE, blocks_of, headings_of
from meiku.config import Settings

CHINESE = sorted(path for folder in (HOUSE, HOUSE / "docs") for path in folder.glob("*.zh.md"))


def english_of(page: Path) -> Path:
    return page.with_name(page.name.replace(".zh.md", ".md"))


def tables_of(page: Path) -> list[tuple[int, list[str]]]:
    """Give of each row of all tables the number of its cells, and what it writes as code."""
    text = re.sub(r"^```.*?^```", "", page.read_text("utf-8"), flags=re.DOTALL | re.MULTILINE)
    rows = [line for line in text.splitlines() if line.startswith("|")]
    return [(line.count("|") - line.count("\\|"), sorted(re.findall(r"`([^`]+)`", line))) for line in rows]


@pytest.mark.parametrize("page", CHINESE, ids=lambda page: page.name)
def test_the_headings_are_the_same(page: Path) -> None:
    """As many, of the same levels in the same order."""
    levels = [level for level, _ in headings_of(page)]
    assert levels == [level for level, _ in headings_of(english_of(page))]


@pytest.mark.parametrize("page", CHINESE, ids=lambda page: page.name)
def test_the_commands_are_the_same(page: Path) -> None:
    """Every block is the other's but for its comments, and a test is told the same of both."""
    ours, theirs = (
        [(each.language, each.meant, each.told) for each in blocks_of(p)] for p in (page, english_of(page))
    )
    assert ours == theirs


@pytest.mark.parametrize("page", CHINESE, ids=lambda page: page.name)
def test_the_tables_are_the_same(page: Path) -> None:
    """As many rows and cells, with the same names, settings and requests in them."""
    assert tables_of(page) == tables_of(english_of(page))


@pytest.mark.parametrize("page", CHINESE, ids=lambda page: page.name)
def test_each_leads_to_the_other(page: Path) -> None:
    """The first line below the title names both languages, and is a way to the other one."""
    english = english_of(page)
    assert page.read_text("utf-8").split("\n")[2] == f"[English]({english.name}) · 中文"
    assert english.read_text("utf-8").split("\n")[2] == f"English · [中文]({page.name})"


@pytest.mark.parametrize(
    "page", sorted([*HOUSE.glob("*.md"), *(HOUSE / "docs").glob("*.md")]), ids=lambda page: page.name
)
def test_links_lead_somewhere(page: Path) -> None:
    """Every page, picture and file that a page names beside itself is there."""
    for target in re.findall(r"\]\(([^)#:]+)(?:#[^)]*)?\)", page.read_text("utf-8")):
        assert (page.parent / target).exists(), f"{page.name} names {target}"


def test_a_changed_sentence_asks_for_its_chinese() -> None:
    """A step's page is not written where its English is another than the Chinese was made from."""
    with pytest.raises(SystemExit, match="image/strip has changed"):
        recipes_zh.sentences("image/strip", ["Leave everything in the result."])


def test_every_setting_has_its_sentence() -> None:
    """No more and no fewer sentences than settings, each in Chinese."""
    assert settings_zh.SENTENCES.keys() == {knob.variable for knob in Settings.knobs()}
    assert all(re.search("[\u4e00-\u9fff]", sentence) for sentence in settings_zh.SENTENCES.values())
