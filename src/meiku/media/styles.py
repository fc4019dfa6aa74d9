"""Styles: recipes that a bucket keeps under a name, asked for as `style/NAME` or as `KEY` separator `NAME`.

A style is found in a mapping that the caller gives; where it is stored is not known here. It is put in place
once: a style is steps, never another style, so there is nothing to go round in.
"""

from collections.abc import Container, Mapping
from dataclasses import dataclass, replace

from meiku.media.dialects import OSS, Dialect
from meiku.media.recipe import Recipe, RecipeKind, checked, read_recipe
from meiku.media.refusal import RecipeRefused, shown
from meiku.media.steps import StyleReference
from meiku.media.style_name import NAME_RULE, is_style_name
from meiku.media.suggestions import nearest

SEPARATORS = ("-", "_", "/", "!")


@dataclass(frozen=True, slots=True)
class Style:
    """What a name stands for: a recipe's text, and the dialect it was written in, whoever asks for it."""

    content: str
    dialect: Dialect = OSS
    created_at_ms: int = 0
    modified_at_ms: int = 0


@dataclass(frozen=True, slots=True)
class StyledKey:
    """A key as it was asked for, taken apart: the object that is meant, and the style to show it in."""

    key: str
    style: str


def expand(recipe: Recipe, styles: Mapping[str, Style]) -> Recipe:
    """Put a style's steps in the place of its name; a recipe that names none stays as it is."""
    step = recipe.steps[0]
    if not isinstance(step, StyleReference):
        return recipe
    style = styles.get(step.name)
    if style is None:
        raise RecipeRefused("style", "", _absent(step.name, styles))
    return checked(replace(read_style(style.content, style.dialect), save_as=recipe.save_as))


def read_style(text: str, dialect: Dialect = OSS) -> Recipe:
    """Read what a style is to mean, when it is kept and when it is used; refuses styles in styles."""
    recipe = read_recipe(text, dialect)
    if recipe.kind is RecipeKind.STYLE:
        raise RecipeRefused("style", "", "a style is made of steps; it cannot name another style.")
    if recipe.save_as is not None:
        raise RecipeRefused("saveas", "", "a style says what is made, not where it is kept.")
    return recipe


def check_style_name(name: str, separators: str = "") -> None:
    """Refuse a name that no style may have, or that the bucket's separators would cut."""
    if not is_style_name(name):
        raise RecipeRefused("style", "", f"{shown(name)!r} is no style's name: {NAME_RULE}.")
    for separator in separators:
        if separator in name:
            raise RecipeRefused(
                "style", "", f"{name!r} holds {separator!r}, which separates keys from styles."
            )


def styled_key(key: str, separators: str, styles: Container[str]) -> StyledKey | None:
    """Take a key with a style apart at its last separator; None when what follows there is no style.

    `separators` are those that the bucket has switched on. Looked for before the key itself, as ZOS does.
    """
    cut = max(map(key.rfind, separators), default=-1)
    source, name = key[:cut], key[cut + 1 :]
    return StyledKey(source, name) if cut > 0 and name in styles else None


def _absent(name: str, styles: Mapping[str, Style]) -> str:
    near = nearest(name, styles)
    return f"this bucket has no style {name!r}" + (f"; did you mean {near!r}?" if near else ".")
