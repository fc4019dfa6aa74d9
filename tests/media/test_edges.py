"""Where a parameter's range ends, and what may stand at the end of a text; from the vendors' pages."""

import pytest

from media.writing import refusal_of, step_of
from meiku.media import OSS, ZOS, Dialect, canonical, read_recipe

# What a step needs beside the parameter, the parameter, and both ends of its range.
RANGES: list[tuple[str, str, int, int]] = [
    ("resize", "w", 1, 16_384),
    ("resize", "h", 1, 16_384),
    ("resize", "l", 1, 16_384),
    ("resize", "s", 1, 16_384),
    ("resize", "p", 1, 1_000),
    ("crop", "w", 0, 30_000),
    ("crop", "h", 0, 30_000),
    ("crop", "x", 0, 30_000),
    ("crop", "y", 0, 30_000),
    ("rotate", "", 0, 360),
    ("indexcrop", "x", 1, 30_000),
    ("indexcrop", "y", 1, 30_000),
    ("indexcrop,x_1", "i", 0, 30_000),
    ("circle", "r", 1, 4_096),
    ("rounded-corners", "r", 1, 4_096),
    ("quality", "q", 1, 100),
    ("quality", "Q", 1, 100),
    ("bright", "", -100, 100),
    ("contrast", "", -100, 100),
    ("sharpen", "", 50, 399),
    ("blur,s_1", "r", 1, 50),
    ("blur,r_1", "s", 1, 50),
    ("watermark,text_YQ", "t", 0, 100),
    ("watermark,text_YQ", "x", 0, 4_096),
    ("watermark,text_YQ", "y", 0, 4_096),
    ("watermark,text_YQ", "voffset", -1_000, 1_000),
    ("watermark,text_YQ", "padx", 0, 4_096),
    ("watermark,text_YQ", "pady", 0, 4_096),
    ("watermark,text_YQ", "size", 1, 1_000),
    ("watermark,text_YQ", "shadow", 0, 100),
    ("watermark,text_YQ", "rotate", 0, 360),
    ("watermark,text_YQ", "interval", 0, 1_000),
]
TEXTS = [
    "image/resize,w_100",
    "image/crop,w_10,h_10/rotate,90",
    "image/rotate,45|image/resize,p_80",
    "image/info",
    "image/format,png",
    "video/snapshot,t_1000,f_jpg",
]


@pytest.mark.parametrize(("step", "name", "least", "most"), RANGES)
def test_a_range_holds_both_its_ends_and_nothing_more(step: str, name: str, least: int, most: int) -> None:
    """One less and one more are refused, and the refusal tells the range."""
    for value in (least, most):
        step_of(f"image/{step},{name}{'_' if name else ''}{value}")
    for value in (least - 1, most + 1):
        refused = refusal_of(f"image/{step},{name}{'_' if name else ''}{value}")
        assert refused.parameter == name and f"from {least} to {most}" in refused.message


@pytest.mark.parametrize("dialect", [OSS, ZOS], ids=["OSS", "ZOS"])
@pytest.mark.parametrize(
    ("text", "end"),
    [(text, end) for text in TEXTS for end in (",", "/", "|", ",/", "/|", ",,")]
    + [("style/small", end) for end in (",", "/", "|", ",/", "/|")],
)
def test_a_separator_at_the_end_means_nothing(text: str, end: str, dialect: Dialect) -> None:
    """Programs that join parameters and steps leave one behind."""
    same, plain = read_recipe(f"{text}{end}", dialect), read_recipe(text, dialect)
    assert canonical(same) == canonical(plain)


@pytest.mark.parametrize("text", ["image/rotate,90,/resize,w_10", "image/rotate,90/|image/resize,w_10"])
def test_a_separator_at_the_end_of_a_part_means_nothing(text: str) -> None:
    """Also where another step or part follows."""
    assert canonical(read_recipe(text)) == "image/rotate,90/resize,w_10"


@pytest.mark.parametrize(
    "text",
    ["image/", "image//", "image//resize,w_1", "image/rotate,1//strip", "image/,", "|image/strip", "|"],
)
def test_nothing_is_still_refused(text: str) -> None:
    """Where a step is missing between others, or altogether, something else was meant."""
    refusal_of(text)


@pytest.mark.parametrize("end", ["/", ",", "|"])
def test_a_place_may_end_so(end: str) -> None:
    """Where a result is kept stands last of all."""
    kept = read_recipe(f"image/strip|sys/saveas,o_YQ,b_YWJj{end}").save_as
    assert kept is not None and (kept.key, kept.bucket) == ("a", "abc")
