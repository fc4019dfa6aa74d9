"""The styles of a bucket as they are kept: how many, which separators, and that nothing changes on paper."""

import pytest

from meiku.media import NO_STYLES, ZOS, BucketStyles, RecipeRefused, Style, styles_from_json
from meiku.media.bucket_styles import STYLES_LIMIT, read_separators, write_separators

SMALL = Style("image/resize,w_200", created_at_ms=5, modified_at_ms=5)


def reason(caught: pytest.ExceptionInfo[RecipeRefused]) -> str:
    return caught.value.message


def test_what_is_kept_comes_back_as_it_was() -> None:
    """Names, contents, dialects, times and separators survive; a bucket without any keeps no text."""
    kept = NO_STYLES.with_style("b.1", SMALL).with_style("a", Style("image/rotate,45", ZOS, 7, 8))
    kept = kept.with_separators("!")
    text = kept.to_json()
    assert text is not None
    assert styles_from_json(text) == kept
    assert styles_from_json(text).styles["a"].dialect is ZOS
    assert kept.without_style("a").without_style("b.1").with_separators("").to_json() is None


def test_a_change_answers_a_new_whole() -> None:
    """What was kept stays as it is, so that a transaction may be run again."""
    kept = NO_STYLES.with_style("a", SMALL)
    kept.with_style("b", SMALL), kept.without_style("a"), kept.with_separators("!")
    assert (kept, NO_STYLES) == (BucketStyles({"a": SMALL}), BucketStyles())


def test_a_style_that_is_replaced_keeps_its_time_of_creation() -> None:
    """Only the time of the latest change is new."""
    changed = NO_STYLES.with_style("a", SMALL).with_style("a", Style("image/info", ZOS, 9, 9))
    assert changed.styles["a"] == Style("image/info", ZOS, 5, 9)


def test_fifty_styles_and_no_more() -> None:
    """The fifty-first is refused; of the fifty each can be replaced, and one that goes makes room."""
    kept = NO_STYLES
    for number in range(STYLES_LIMIT):
        kept = kept.with_style(f"s{number}", SMALL)
    with pytest.raises(RecipeRefused) as caught:
        kept.with_style("s50", SMALL)
    assert "at most 50 styles" in reason(caught)
    assert len(kept.with_style("s7", SMALL).styles) == 50
    assert "s50" in kept.without_style("s7").with_style("s50", SMALL).styles


def test_a_name_and_a_separator_that_would_cut_it() -> None:
    """Neither comes after the other; a separator that is not switched on may be part of a name."""
    with pytest.raises(RecipeRefused) as caught:
        NO_STYLES.with_separators("-!").with_style("a-b", SMALL)
    assert "'a-b' holds '-'" in reason(caught)
    with pytest.raises(RecipeRefused) as caught:
        NO_STYLES.with_style("a-b", SMALL).with_separators("!-")
    assert "the style 'a-b' holds it" in reason(caught)
    assert NO_STYLES.with_style("a-b", SMALL).with_separators("_/!").separators == "_/!"


@pytest.mark.parametrize(
    ("text", "separators", "written"),
    [("", "", ""), ("!", "!", "!"), ("/,-", "-/", "-,/"), ("!,-,_,/", "-_/!", "-,_,/,!"), ("-,,-", "-", "-")],
)
def test_separators_as_oss_writes_them(text: str, separators: str, written: str) -> None:
    """Commas stand between; order and repetition mean nothing."""
    assert (read_separators(text), write_separators(separators)) == (separators, written)


@pytest.mark.parametrize("text", ["@", "-!", "a", " ", "null", "-, !", "媒", "-" * 999])
def test_what_is_no_separator(text: str) -> None:
    """The refusal names the four that there are."""
    with pytest.raises(RecipeRefused) as caught:
        read_separators(text)
    assert "there is '-', '_', '/', '!'" in reason(caught) and len(reason(caught)) < 200
