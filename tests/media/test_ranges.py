"""The ends of every range: the values themselves are the reference's, written here a second time."""

import pytest

from media.writing import encoded, refusal_of, step_of
from meiku.media import OSS, ZOS, Dialect, canonical, read_recipe
from meiku.media.operations import OPERATIONS, Operation
from meiku.media.parameters import Words

WATERMARK = "image/watermark,text_SGVsbG8,"
# Text before the number, parameter, least, most.
RANGES = [
    ("image/resize,w_", "w", 1, 16_384),
    ("image/resize,h_", "h", 1, 16_384),
    ("image/resize,l_", "l", 1, 16_384),
    ("image/resize,s_", "s", 1, 16_384),
    ("image/resize,p_", "p", 1, 1_000),
    ("image/crop,w_", "w", 0, 30_000),
    ("image/crop,h_", "h", 0, 30_000),
    ("image/crop,x_", "x", 0, 30_000),
    ("image/crop,y_", "y", 0, 30_000),
    ("image/rotate,", "", 0, 360),
    ("image/indexcrop,x_", "x", 1, 30_000),
    ("image/indexcrop,y_", "y", 1, 30_000),
    ("image/indexcrop,x_1,i_", "i", 0, 30_000),
    ("image/circle,r_", "r", 1, 4_096),
    ("image/rounded-corners,r_", "r", 1, 4_096),
    ("image/quality,q_", "q", 1, 100),
    ("image/quality,Q_", "Q", 1, 100),
    ("image/bright,", "", -100, 100),
    ("image/contrast,", "", -100, 100),
    ("image/sharpen,", "", 50, 399),
    ("image/blur,s_1,r_", "r", 1, 50),
    ("image/blur,r_1,s_", "s", 1, 50),
    (WATERMARK + "t_", "t", 0, 100),
    (WATERMARK + "x_", "x", 0, 4_096),
    (WATERMARK + "y_", "y", 0, 4_096),
    (WATERMARK + "g_center,voffset_", "voffset", -1_000, 1_000),
    (WATERMARK + "fill_1,padx_", "padx", 0, 4_096),
    (WATERMARK + "fill_1,pady_", "pady", 0, 4_096),
    (WATERMARK + "size_", "size", 1, 1_000),
    (WATERMARK + "shadow_", "shadow", 0, 100),
    (WATERMARK + "rotate_", "rotate", 0, 360),
    (WATERMARK + "interval_", "interval", 0, 1_000),
    ("video/snapshot,t_", "t", 0, 360_000_000),
    ("video/snapshot,t_0,w_", "w", 0, 16_384),
    ("video/snapshot,t_0,h_", "h", 0, 16_384),
    ("video/animation,ss_", "ss", 0, 360_000_000),
    ("video/animation,num_", "num", 2, 100),
    ("video/animation,inter_", "inter", 1, 360_000_000),
    ("video/animation,w_", "w", 0, 2_048),
    ("video/animation,h_", "h", 0, 2_048),
]
NO_NUMBERS = [
    "x",
    "1.5",
    "1e3",
    "NaN",
    "nan",
    "inf",
    "-inf",
    "0x10",
    "+1",
    " 1",
    "1 ",
    "--1",
    "9" * 400,
    "_1",
]


@pytest.mark.parametrize(("text", "parameter", "least", "most"), RANGES)
def test_both_ends_are_taken_and_what_is_outside_is_not(
    text: str, parameter: str, least: int, most: int
) -> None:
    """The message names the parameter and both ends."""
    for number in (least, most):
        recipe = read_recipe(f"{text}{number}")
        assert read_recipe(canonical(recipe)) == recipe
    for number in (least - 1, most + 1):
        refused = refusal_of(f"{text}{number}")
        assert refused.parameter == parameter
        assert f"from {least} to {most}" in refused.message
        assert str(number) in refused.message


@pytest.mark.parametrize(("text", "parameter"), [(row[0], row[1]) for row in RANGES])
@pytest.mark.parametrize("word", NO_NUMBERS)
def test_what_is_no_whole_number(text: str, parameter: str, word: str) -> None:
    """Neither words nor fractions, not NaN, no exponent, nothing huge."""
    refused = refusal_of(text + word)
    assert refused.parameter == parameter
    assert "whole number" in refused.message


@pytest.mark.parametrize("text", ["0.1", "0.25", "2", "30", "30.00"])
def test_fractions(text: str) -> None:
    """Up to two decimals, both ends included."""
    recipe = read_recipe(f"video/animation,fps_{text}")
    assert read_recipe(canonical(recipe)) == recipe


@pytest.mark.parametrize("text", ["0", "0.09", "30.01", "31", "1.234", "NaN", "inf", "1e1", "-1", ".5", "5."])
def test_what_is_no_such_fraction(text: str) -> None:
    """Outside the range, too fine, or not written as a number."""
    assert "from 0.1 to 30 " in refusal_of(f"video/animation,fps_{text}").message


@pytest.mark.parametrize("text", ["", "FFF", "GGGGGG", "#FFFFFF", "FFFFFFFF", "red"])
def test_what_is_no_colour(text: str) -> None:
    """Six hexadecimal digits, nothing else."""
    assert "RRGGBB" in refusal_of(f"image/resize,w_1,m_pad,color_{text}").message


@pytest.mark.parametrize(
    "text", ["A", "====", "YQ===", "!!", encoded("x" * 49), "_w", encoded("a\0b"), "%E5", "YQ.."]
)
def test_what_is_no_text_for_a_watermark(text: str) -> None:
    """Base64 of UTF-8 without control characters, at most 64 characters of base64."""
    assert refusal_of(f"image/watermark,text_{text}").parameter == "text"


def test_the_longest_text() -> None:
    """64 characters of base64 hold 48 bytes, which is sixteen Chinese characters."""
    step_of(f"image/watermark,text_{encoded('媒' * 16)}")
    step_of(f"image/watermark,image_{encoded('k' * 1023)}")
    assert refusal_of(f"image/watermark,image_{encoded('k' * 1024)}").parameter == "image"
    step_of_saved = read_recipe(f"image/strip|sys/saveas,o_{encoded('k' * 1023)}").save_as
    assert step_of_saved is not None
    assert refusal_of(f"image/strip|sys/saveas,o_{encoded('k' * 1024)}").parameter == "o"
    assert refusal_of(f"image/strip|sys/saveas,o_YQ,b_{encoded('ab')}").parameter == "b"


@pytest.mark.parametrize(
    "text",
    [
        "image/format,jxl",
        "image/interlace,2",
        "image/auto-orient,true",
        "image/crop,g_North",
        "image/resize,w_1,m_x",
        "image/resize,w_1,limit_2",
        "video/snapshot,t_1,f_gif",
        "video/snapshot,t_1,m_slow",
        "video/animation,f_jpg",
        WATERMARK + "order_2",
        WATERMARK + "align_3",
        WATERMARK + "type_comic",
        WATERMARK + "fill_2",
    ],
)
def test_what_is_not_among_the_words(text: str) -> None:
    """Words have a case, and the message lists those that are known."""
    assert " is not " in refusal_of(text).message


@pytest.mark.parametrize(
    ("text", "step", "parameter"),
    [
        ("image/resize", "resize", ""),
        ("image/resize,m_fill", "resize", ""),
        ("image/format", "format", ""),
        ("image/quality", "quality", ""),
        ("image/bright", "bright", ""),
        ("image/contrast", "contrast", ""),
        ("image/sharpen", "sharpen", ""),
        ("image/interlace", "interlace", ""),
        ("image/blur", "blur", "r"),
        ("image/blur,r_1", "blur", "s"),
        ("image/circle", "circle", "r"),
        ("image/rounded-corners", "rounded-corners", "r"),
        ("image/indexcrop,i_1", "indexcrop", ""),
        ("image/watermark,g_nw", "watermark", ""),
        ("video/snapshot", "snapshot", "t"),
        ("image/strip|sys/saveas,b_dGVzdA", "saveas", "o"),
    ],
)
def test_what_must_be_given(text: str, step: str, parameter: str) -> None:
    """A step without what it cannot do without is refused, and says what that is."""
    refused = refusal_of(text)
    assert (refused.step, refused.parameter) == (step, parameter)


def _named(dialect: Dialect) -> list[tuple[Operation, str]]:
    tables = [table for family, table in dialect.families.items() if family != "sys"]
    operations = [operation for table in tables for operation in table.values()]
    return [(each, p.name) for each in operations for p in each.parameters if p.name]


@pytest.mark.parametrize(("operation", "name"), _named(OSS), ids=lambda v: getattr(v, "name", v))
def test_no_value_and_a_wrong_one_are_refused(operation: Operation, name: str) -> None:
    """Every parameter of the table refuses emptiness and nonsense, and is named in the refusal."""
    for argument in (name, f"{name}_", f"{name}_~"):
        # A value that must stand first is put there, so that the parameter is reached.
        first = "45," if operation.parameter("") else ""
        refused = refusal_of(f"{operation.family}/{operation.name},{first}{argument}")
        assert (refused.step, refused.parameter) == (operation.name, name)


@pytest.mark.parametrize("dialect", [OSS, ZOS])
def test_every_word_of_the_table_is_written_as_it_reads(dialect: Dialect) -> None:
    """A word reads to a value, and the value is written as a word that reads to it again."""
    for table in dialect.families.values():
        for operation in table.values():
            for kind in [p.kind for p in operation.parameters]:
                for word in kind.values if isinstance(kind, Words) else ():
                    assert kind.read(kind.write(kind.read(word))) == kind.read(word)


def test_the_table_holds_every_operation_once() -> None:
    """The reference's list, and ours: no more and no less."""
    pictures = {
        *(
            "resize",
            "crop",
            "rotate",
            "indexcrop",
            "circle",
            "rounded-corners",
            "watermark",
            "format",
            "quality",
        ),
        *(
            "interlace",
            "strip",
            "auto-orient",
            "bright",
            "contrast",
            "sharpen",
            "blur",
            "info",
            "average-hue",
        ),
    }
    others = {("video", "snapshot"), ("video", "info"), ("video", "animation"), ("sys", "saveas")}
    assert {(each.family, each.name) for each in OPERATIONS} == {
        ("image", name) for name in pictures
    } | others
    assert len(OPERATIONS) == len(pictures) + len(others)
    assert len({each.step for each in OPERATIONS}) == len(OPERATIONS)
