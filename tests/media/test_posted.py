"""How a recipe stands in the body of a POST: a form of one field, or alone; and what is no such body."""

from contextlib import suppress
from functools import partial
from urllib.parse import quote, quote_plus, urlencode

import pytest
from hypothesis import given
from hypothesis import strategies as st

from meiku.media import QUERY_NAMES, RecipeRefused, read_recipe
from meiku.media.posted import posted_field, posted_text

RECIPE = "image/resize,w_100|sys/saveas,o_dGVzdC5qcGc,b_dGVzdA"
NAME = "x-oss-process"


@pytest.mark.parametrize("name", QUERY_NAMES)
def test_a_field_is_read_as_it_is_and_percent_encoded(name: str) -> None:
    """SDKs of OSS send it plain, whoever encodes a form sends the same recipe."""
    assert posted_field(f"{name}={RECIPE}", name) == RECIPE
    assert posted_field(urlencode({name: RECIPE}), name) == RECIPE
    assert posted_field(f"{name}={quote(RECIPE, safe='')}", name) == RECIPE


@pytest.mark.parametrize("written", ["o_YT8+", "o_YT8%2B", quote_plus("o_YT8+"), "o_YT8-"])
def test_base64_survives_either_spelling(written: str) -> None:
    """A plus that nobody escaped is a space of a form; both are read as the alphabet's 62nd letter."""
    recipe = read_recipe(posted_field(f"{NAME}=image/resize,w_1|sys/saveas,{written}", NAME))
    assert recipe.save_as is not None and recipe.save_as.key == "a?>"


def test_padding_belongs_to_the_value() -> None:
    """Only the first equals sign ends a name."""
    assert posted_field(f"{NAME}=image/resize,w_1|sys/saveas,o_YQ==", NAME).endswith("o_YQ==")


@pytest.mark.parametrize("text", [RECIPE, quote(RECIPE, safe="")])
def test_a_recipe_stands_alone(text: str) -> None:
    """ZOS's body is the recipe and nothing else."""
    assert posted_text(text) == RECIPE
    assert posted_text("sys/saveas,o_YT8+") == "sys/saveas,o_YT8+"


@pytest.mark.parametrize(
    ("body", "said"),
    [
        ("", "The body is empty"),
        ("=image/info", "a field of it has no name"),
        (RECIPE, "it is x-oss-process= and the recipe"),
        ("process=image/info", "'process'"),
        (f"{NAME}=image/info&callback=x", "'callback'"),
        (f"{NAME}=image/info&", "has no name"),
        (f"{NAME}=image/info&{NAME}=image/info", "one recipe"),
        (f"{NAME}=image/info&x-zos-process=image/info", "x-oss-process and x-zos-process"),
        ("x-zos-process=image/info", "The address asks under x-oss-process, the body under x-zos-process"),
        ("X-Oss-Process=image/info", "'X-Oss-Process'"),
        ("\0", "'\\\\x00'"),
        (f"{NAME}={'a' * 30_000}", "longer than a recipe"),
    ],
)
def test_another_body_is_refused_in_words(body: str, said: str) -> None:
    """What isn't known is not ignored, and the refusal shows what is expected."""
    with pytest.raises(RecipeRefused) as caught:
        posted_field(body, NAME)
    assert said in caught.value.message


def test_a_long_body_alone_is_refused() -> None:
    """It is bounded before it is decoded; the longest recipe there can be, all of it encoded, is read."""
    assert len(posted_text("%41" * 8_192)) == 8_192
    with pytest.raises(RecipeRefused, match="longer than a recipe"):
        posted_text("%41" * 8_300)


@pytest.mark.parametrize("body", [f"{NAME}=%FF", f"{NAME}=image/info%00"])
def test_what_is_no_text_is_no_recipe(body: str) -> None:
    """It is read as far as the recipe's own reader, which takes printable ASCII alone."""
    with pytest.raises(RecipeRefused, match="printable ASCII"):
        read_recipe(posted_field(body, NAME))


_PIECES = st.sampled_from(
    [*QUERY_NAMES, "=", "&", "%", "%2", "%C3", "+", "|", "image/info", "\0", "图", "a" * 999]
)


@given(st.lists(_PIECES, max_size=12).map("".join) | st.text(max_size=200))
def test_no_body_does_harm(body: str) -> None:
    """Whatever is posted, it is a recipe's text or it is refused."""
    for read in (posted_text, *[partial(posted_field, query_name=name) for name in (NAME, "x-zos-process")]):
        with suppress(RecipeRefused):
            assert isinstance(read(body), str)
