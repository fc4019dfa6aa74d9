"""Styles: found by name or after a separator, put in place once."""

import pytest

from meiku.media import (
    ZOS,
    RecipeRefused,
    Style,
    check_style_name,
    expand,
    read_recipe,
    read_style,
    styled_key,
)
from meiku.media.steps import SaveAs

KEPT = {
    "small": Style("image/resize,w_200"),
    "turned": Style("image/rotate,45"),
    "turned-zos": Style("image/rotate,45", ZOS),
    "facts": Style("image/info"),
    "other": Style("style/small"),
    "broken": Style("image/resize,w_0"),
}


def test_a_style_is_put_in_the_place_of_its_name() -> None:
    """What is no style stays."""
    named, meant = read_recipe("style/small"), read_recipe("image/resize,w_200")
    assert expand(named, KEPT) == meant
    assert expand(meant, KEPT) is meant


def test_a_style_keeps_the_target_of_who_asks() -> None:
    """What is made comes from the style, where it is kept from the request."""
    assert expand(read_recipe("style/small|sys/saveas,o_YQ"), KEPT).save_as == SaveAs("a")
    with pytest.raises(RecipeRefused, match="only a picture"):
        expand(read_recipe("style/facts|sys/saveas,o_YQ"), KEPT)


def test_a_style_is_read_in_its_own_dialect() -> None:
    """What ZOS takes for granted is so for its styles, in whatever dialect they are asked for."""
    named = read_recipe("style/turned-zos")
    assert expand(named, KEPT) == expand(read_recipe("style/turned-zos", ZOS), KEPT)
    assert expand(named, KEPT) == read_recipe("image/rotate,45", ZOS) != read_recipe("image/rotate,45")
    assert expand(read_recipe("style/turned", ZOS), KEPT) == read_recipe("image/rotate,45")


@pytest.mark.parametrize(
    ("name", "says"),
    [("smal", "did you mean 'small'?"), ("other", "cannot name another style"), ("broken", "whole number")],
)
def test_a_style_that_cannot_be_used(name: str, says: str) -> None:
    """It is not there, names another style, or was kept with a fault."""
    with pytest.raises(RecipeRefused) as caught:
        expand(read_recipe(f"style/{name}"), KEPT)
    assert says in caught.value.message


def test_an_unknown_style_of_nothing_near() -> None:
    """Where nothing is alike, nothing is proposed."""
    with pytest.raises(RecipeRefused, match=r"no style 'xyzzy'\.$"):
        expand(read_recipe("style/xyzzy"), KEPT)


@pytest.mark.parametrize("text", ["style/a", "image/strip|sys/saveas,o_YQ", "", "image/resize"])
def test_what_a_style_cannot_mean(text: str) -> None:
    """Neither another style nor a place to keep results."""
    with pytest.raises(RecipeRefused):
        read_style(text)


@pytest.mark.parametrize(
    ("key", "separators", "source", "style"),
    [
        ("a.png-small", "-", "a.png", "small"),
        ("a-b.png-small", "-", "a-b.png", "small"),
        ("a/b.png/small", "/", "a/b.png", "small"),
        ("a.png!small", "-_/!", "a.png", "small"),
        ("a.png_small", "-_", "a.png", "small"),
    ],
)
def test_a_key_with_a_style(key: str, separators: str, source: str, style: str) -> None:
    """The last separator that the bucket has switched on cuts."""
    found = styled_key(key, separators, KEPT)
    assert found is not None
    assert (found.key, found.style) == (source, style)


@pytest.mark.parametrize(
    ("key", "separators"),
    [
        ("a.png-small", ""),
        ("a.png-small", "_"),
        ("a.png-none", "-"),
        ("a.png-", "-"),
        ("-small", "-"),
        ("small", "-"),
        ("", "-"),
        ("a.png-sm all", "-"),
        ("a.png-small-x", "-"),
    ],
)
def test_a_key_without_a_style(key: str, separators: str) -> None:
    """It is then what it always was: a key."""
    assert styled_key(key, separators, KEPT) is None


def test_a_styles_name() -> None:
    """Letters, digits and a few signs; none that would cut it."""
    check_style_name("a_B-9.", "/!")
    check_style_name("a" * 63)
    for name, separators in [("", ""), ("a" * 64, ""), ("a b", ""), ("媒", ""), ("a!", ""), ("a-b", "-")]:
        with pytest.raises(RecipeRefused):
            check_style_name(name, separators)
