"""A recipe: what shall be made of one object, read from the text in its URL, and written back in one way.

`image/resize,w_200/rotate,90`, also joined as `image/resize,w_200|image/rotate,90`; `video/snapshot,t_7000`;
`style/small`; each with `|sys/saveas,o_...,b_...` after it. Here is what may follow what, and how much of it;
the steps themselves are `step_text`'s. A text is read whole or refused, and what it asks for is not judged
here.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from enum import StrEnum
from functools import lru_cache

from meiku.media.dialects import OSS, Dialect
from meiku.media.picture_steps import AverageHue, Info
from meiku.media.refusal import RecipeRefused, shown
from meiku.media.step_text import read_step, write_step
from meiku.media.steps import SaveAs, Step, StyleReference
from meiku.media.style_name import NAME_RULE, is_style_name
from meiku.media.suggestions import unknown
from meiku.media.video_steps import VideoInfo
from meiku.media.watermark_steps import Watermark

TEXT_LIMIT = 8_192
STEPS_LIMIT = 32
# Each is an object that is fetched and decoded beside the source.
WATERMARK_IMAGES_LIMIT = 3
_SYSTEM = "sys"
# Sites ask for a handful of recipes over and over; reading one takes as long as finding what it made.
_REMEMBERED = 256


class RecipeKind(StrEnum):
    """What a recipe begins with; it says what the source must be."""

    IMAGE = "image"
    VIDEO = "video"
    STYLE = "style"


@dataclass(frozen=True, slots=True)
class Recipe:
    """Steps in their order, and where the result is kept if it is."""

    kind: RecipeKind
    steps: tuple[Step, ...]
    save_as: SaveAs | None = None

    @property
    def answers_facts(self) -> bool:
        """Tell whether the result is JSON about the source, and no picture."""
        return isinstance(self.steps[-1], Info | AverageHue | VideoInfo)

    def named_objects(self) -> frozenset[str]:
        """Name the keys of all other objects that it takes to follow the recipe."""
        marks = [step.image for step in self.steps if isinstance(step, Watermark)]
        return frozenset(image.key for image in marks if image is not None)

    def unsaved(self) -> "Recipe":
        """Answer the same recipe without a target: all that the result depends on, for a cache's key."""
        return replace(self, save_as=None)


@dataclass(frozen=True, slots=True)
class _Part:
    """What stands between two bars: its family, and the texts of its steps."""

    family: str
    steps: tuple[str, ...]


def read_recipe(text: str, dialect: Dialect = OSS) -> Recipe:
    """Read a recipe; raises RecipeRefused, which names the step, the parameter and what would be right."""
    return _read(text, dialect)


@lru_cache(_REMEMBERED)
def _read(text: str, dialect: Dialect) -> Recipe:
    _check_text(text)
    parts = [_part(part) for part in text.rstrip("|").split("|")]
    save_as = _save_as(parts.pop()) if parts[-1].family == _SYSTEM else None
    texts = _one_chain(parts)
    kind = RecipeKind(parts[0].family)
    return checked(Recipe(kind, _steps(kind, texts, dialect), save_as))


def canonical(recipe: Recipe) -> str:
    """Write a recipe in the one way that equal recipes share, whatever name and spelling they were read from.

    It reads to the same recipe under the primary name. What ZOS takes for granted is spelled out, so a text
    that was just short enough may come out a little longer than is read.
    """
    return _canonical(recipe)


@lru_cache(_REMEMBERED)
def _canonical(recipe: Recipe) -> str:
    chain = f"{recipe.kind}/{'/'.join(_written(step) for step in recipe.steps)}"
    return chain if recipe.save_as is None else f"{chain}|{_SYSTEM}/{write_step(recipe.save_as)}"


def checked(recipe: Recipe) -> Recipe:
    """Refuse steps that cannot stand in one recipe."""
    if any(isinstance(step, Info) for step in recipe.steps) and len(recipe.steps) > 1:
        raise RecipeRefused("info", "", "it answers facts about the source and must be the only step.")
    if any(isinstance(step, AverageHue) for step in recipe.steps[:-1]):
        raise RecipeRefused(
            "average-hue", "", "it answers a colour and no picture; it must be the last step."
        )
    if recipe.answers_facts and recipe.save_as is not None:
        raise RecipeRefused("saveas", "", "only a picture can be kept as an object, not facts about one.")
    pictures = sum(isinstance(step, Watermark) and step.image is not None for step in recipe.steps)
    if pictures > WATERMARK_IMAGES_LIMIT:
        raise RecipeRefused(
            "watermark",
            "image",
            f"a recipe has at most {WATERMARK_IMAGES_LIMIT} watermarks that are pictures.",
        )
    return recipe


def _check_text(text: str) -> None:
    if not text:
        raise RecipeRefused("", "", "The recipe is empty; write as in image/resize,w_200.")
    if len(text) > TEXT_LIMIT:
        raise RecipeRefused("", "", f"The recipe is longer than {TEXT_LIMIT:,} characters.")
    if not (text.isascii() and text.isprintable()):
        raise RecipeRefused(
            "",
            "",
            "The recipe holds more than printable ASCII; texts and keys are written as URL-safe base64.",
        )
    # A bound that costs nothing, before anything is taken apart: every step stands after a '/'.
    if text.count("/") > STEPS_LIMIT + 1 or text.count("|") > STEPS_LIMIT:
        raise RecipeRefused("", "", f"The recipe has more than {STEPS_LIMIT} steps.")


def _part(text: str) -> _Part:
    family, slash, rest = text.partition("/")
    rest = rest.rstrip("/")
    families = (*(kind.value for kind in RecipeKind), _SYSTEM)
    if family not in families:
        reason = unknown("beginning", family, families)
        name = family.partition(",")[0]
        known = name in OSS.families["image"]
        raise RecipeRefused("", "", f"Did you mean 'image/{shown(text)}'?" if known else _sentence(reason))
    if not slash or not rest:
        raise RecipeRefused("", "", f"After '{family}/' stands nothing; write as in image/resize,w_200.")
    return _Part(family, tuple(rest.split("/")))


def _one_chain(parts: Sequence[_Part]) -> tuple[str, ...]:
    """Join what bars separate: each part repeats the beginning, and all begin alike."""
    if not parts:
        raise RecipeRefused(
            "saveas", "", "there is nothing to keep: write steps and a '|' before sys/saveas."
        )
    if any(part.family == _SYSTEM for part in parts):
        raise RecipeRefused("saveas", "", "it comes once, and last.")
    if len({part.family for part in parts}) > 1:
        raise RecipeRefused("", "", "All parts between '|' begin alike: image/, or video/, not both.")
    texts = tuple(text for part in parts for text in part.steps)
    if len(texts) > STEPS_LIMIT:
        raise RecipeRefused("", "", f"The recipe has more than {STEPS_LIMIT} steps.")
    return texts


def _steps(kind: RecipeKind, texts: Sequence[str], dialect: Dialect) -> tuple[Step, ...]:
    if kind is not RecipeKind.IMAGE and len(texts) > 1:
        raise RecipeRefused("", "", f"A recipe that begins with '{kind}/' has one step.")
    if kind is RecipeKind.STYLE:
        return (_style(texts[0].rstrip(",")),)
    return tuple(read_step(text, kind, dialect) for text in texts)


def _style(name: str) -> StyleReference:
    if not is_style_name(name):
        raise RecipeRefused("style", "", f"{shown(name)!r} is no style's name: {NAME_RULE}.")
    return StyleReference(name)


def _save_as(part: _Part) -> SaveAs:
    if len(part.steps) > 1:
        raise RecipeRefused("saveas", "", f"nothing comes after it, but {shown(part.steps[1])!r} does.")
    step = read_step(part.steps[0], _SYSTEM, OSS)
    assert isinstance(step, SaveAs)
    return step


def _written(step: Step) -> str:
    return step.name if isinstance(step, StyleReference) else write_step(step)


def _sentence(reason: str) -> str:
    return reason[:1].upper() + reason[1:]
