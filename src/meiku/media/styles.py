"""Styles: recipes that a bucket keeps under a name, asked for as `style/NAME` or as `KEY` separator `NAME`.

A style is found by a function or mapping that the caller gives; where it is stored is not known here. It is
put in place once: a style is steps, never another style, so there is nothing to go round in.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace

from meiku.media.dialects import OSS, Dialect
from meiku.media.recipe import Recipe, RecipeKind, checked, read_recipe
from meiku.media.refusal import RecipeRefused, shown
from meiku.media.steps import StyleReference
from meiku.media.style_name import NAME_RULE, is_style_name
from meiku.media.suggestions import nearest

STYLES_LIMIT = 50
SEPARATORS = ("-", "_", "/", "!")

Styles = Mapping[str, str] | Callable[[str], str | None]


@dataclass(frozen=True, slots=True)
class StyledKey:
    """A key as it was asked for, taken apart: the object that exists, and what is made of it."""

    key: str
    style: str
    recipe: Recipe


def expand(recipe: Recipe, styles: Styles, dialect: Dialect = OSS) -> Recipe:
    """Put a style's steps in the place of its name; a recipe that names none stays as it is."""
    step = recipe.steps[0]
    if not isinstance(step, StyleReference):
        return recipe
    text = _found(styles, step.name)
    if text is None:
        raise RecipeRefused("style", "", _absent(step.name, styles))
    return checked(replace(read_style(text, dialect), save_as=recipe.save_as))


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


def styled_key(key: str, separators: str, styles: Styles, dialect: Dialect = OSS) -> StyledKey | None:
    """Take a key with a style apart at its last separator; None when what follows there is no style.

    `separators` are those that the bucket has switched on. Looked for before the key itself, as ZOS does.
    """
    cut = max((key.rfind(separator) for separator in separators), default=-1)
    source, name = key[:cut], key[cut + 1 :]
    if cut < 1 or not is_style_name(name):
        return None
    text = _found(styles, name)
    return None if text is None else StyledKey(source, name, read_style(text, dialect))


def _found(styles: Styles, name: str) -> str | None:
    return styles.get(name) if isinstance(styles, Mapping) else styles(name)


def _absent(name: str, styles: Styles) -> str:
    near = nearest(name, styles) if isinstance(styles, Mapping) else None
    return f"this bucket has no style {name!r}" + (f"; did you mean {near!r}?" if near else ".")
