"""The one list of shown recipes: nothing of the table is forgotten, and the docs show what is made."""

import json
import re
from pathlib import Path

import pytest
import pyvips

from draw_pictures import FOLDER, file_of, made, small_picture
from gallery import CARDS, GROUPS, Card
from links import RECIPE_LIMIT
from meiku.media.operations import BY_STEP, OPERATIONS
from meiku.media.picture_steps import Format, PictureFormat, Resize, ResizeMode
from meiku.media.recipe import read_recipe

DOCS = FOLDER.parents[1]
# It keeps a picture that another step has made, and takes a POST.
SHOWS_NOTHING = {"sys/saveas"}
PICTURE_LIMIT_BYTES, PICTURES_LIMIT_BYTES = 6_000, 250_000
# Of 255, on the average: another compiler or a newer library may round otherwise.
LIKE = 4.0
CHINESE = re.compile(r"[\u4e00-\u9fff]")
named = pytest.mark.parametrize("card", CARDS, ids=lambda card: card.name)


def steps_shown() -> list[object]:
    return [step for card in CARDS for step in read_recipe(card.recipe).steps]


def test_every_operation_is_shown() -> None:
    """Who adds an operation adds a card."""
    known = {f"{each.family}/{each.name}" for each in OPERATIONS}
    assert {card.operation for card in CARDS} - {""} == known - SHOWS_NOTHING


def test_every_way_of_resizing_and_every_written_format_is_shown() -> None:
    """The two that people compare are complete."""
    assert {step.mode for step in steps_shown() if isinstance(step, Resize)} == set(ResizeMode)
    assert {step.format for step in steps_shown() if isinstance(step, Format)} == set(PictureFormat)


@named
def test_a_card_shows_what_it_says(card: Card) -> None:
    """Its operation is one of its steps, its sentence is in two languages, and the page may ask for it."""
    steps = {
        f"{BY_STEP[type(step)].family}/{BY_STEP[type(step)].name}" for step in read_recipe(card.recipe).steps
    }
    assert card.operation in steps or (not card.operation and len(steps) > 1)
    assert card.title
    assert CHINESE.search(card.zh)
    assert card.en and not CHINESE.search(card.en)
    assert len(card.recipe) <= RECIPE_LIMIT


def test_names_are_for_one_card_only() -> None:
    """They are places on the page, and names of files."""
    names = [card.name for card in CARDS] + [f"{group.name}-group" for group in GROUPS]
    assert len(set(names)) == len(names)
    assert all(re.fullmatch(r"[a-z-]+", name) for name in names)


@named
def test_the_documentation_has_what_the_engine_makes(card: Card) -> None:
    """Each kept picture is what its recipe makes today; `make pictures` draws them anew."""
    now = small_picture(card)
    if now is None:
        assert card.answer and not file_of(card).exists()
        return
    assert distance(now, file_of(card)) < LIKE


def distance(now: bytes, kept: Path) -> float:
    """Tell how far two pictures are from each other, transparency and all frames included."""
    one, other = pyvips.Image.new_from_buffer(now, "", n=-1), pyvips.Image.new_from_file(str(kept), n=-1)
    assert (one.width, one.height, one.bands) == (other.width, other.height, other.bands)
    return float((one - other).abs().avg())


@pytest.mark.parametrize("card", [card for card in CARDS if card.answer], ids=lambda card: card.name)
def test_the_documentation_tells_true_facts(card: Card) -> None:
    """The excerpt of an answer is part of the answer."""
    answer, excerpt = json.loads(made(card).body), json.loads(card.answer)
    assert excerpt.items() <= answer.items()


def test_every_picture_is_small_and_used() -> None:
    """No file is left over, none is heavy, and each stands beside its recipe."""
    files = {path.name: path.stat().st_size for path in FOLDER.iterdir()}
    assert set(files) == {file_of(card).name for card in CARDS if not card.answer}
    assert max(files.values()) <= PICTURE_LIMIT_BYTES and sum(files.values()) <= PICTURES_LIMIT_BYTES
    recipes = (DOCS / "recipes.md").read_text("utf-8")
    assert set(re.findall(r"pictures/media/([a-z-]+\.webp)", recipes)) == set(files)


def test_the_page_on_media_shows_each_operation() -> None:
    """Each operation stands in docs/media.md once, with what it makes and a link that leads somewhere."""
    page, recipes = ((DOCS / name).read_text("utf-8") for name in ("media.md", "recipes.md"))
    linked = re.findall(
        r"(?:!\[[^\]]+\]\(pictures/media/[a-z-]+\.webp\)|`\{[^`]+\}`)<br>\[[a-z-]+\]\(recipes\.md#([a-z-]+)\)",
        page,
    )
    anchors = {re.sub(r"[^a-z-]", "", heading) for heading in re.findall(r"^## (.+)$", recipes, re.MULTILINE)}
    assert len(linked) == len(OPERATIONS) - len(SHOWS_NOTHING)
    assert set(linked) <= anchors
