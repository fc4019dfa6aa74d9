"""Shorthands that the tests of recipes share."""

from base64 import urlsafe_b64encode

import pytest

from meiku.media import OSS, Dialect, RecipeRefused, read_recipe
from meiku.media.steps import Step


def encoded(text: str) -> str:
    """Write text as a URL carries it."""
    return urlsafe_b64encode(text.encode()).decode().rstrip("=")


def step_of(text: str, dialect: Dialect = OSS) -> Step:
    """Read a recipe of one step and answer the step."""
    (step,) = read_recipe(text, dialect).steps
    return step


def refusal_of(text: str, dialect: Dialect = OSS) -> RecipeRefused:
    """Read what must be refused, and answer the refusal."""
    with pytest.raises(RecipeRefused) as caught:
        read_recipe(text, dialect)
    return caught.value
