"""What is refused, where it says the fault is, and that it says what would be right."""

import pickle
import time

import pytest

from media.writing import encoded, refusal_of
from meiku import errors
from meiku.media import RecipeRefused, read_recipe
from meiku.media.recipe import STEPS_LIMIT, TEXT_LIMIT


def in_watermark(recipe: str) -> str:
    """Write a watermark whose picture has a recipe of its own."""
    return f"image/watermark,image_{encoded(f'a.png?{recipe}')}"


@pytest.mark.parametrize(
    ("text", "step", "parameter", "says"),
    [
        ("image/resise,w_1", "resise", "", "did you mean 'resize'?"),
        ("image/Resize,w_1", "Resize", "", "did you mean 'resize'?"),
        ("image/auto_orient,1", "auto_orient", "", "did you mean 'auto-orient'?"),
        ("image/roundedcorners,r_1", "roundedcorners", "", "did you mean 'rounded-corners'?"),
        ("image/zzzzzz", "zzzzzz", "", "there is resize, crop,"),
        ("image/resize,W_1", "resize", "W", "did you mean 'w'?"),
        ("image/resize,width_1", "resize", "width", "there is w, h, l, s, p, m, limit, color"),
        ("image/resize,colour_1", "resize", "colour", "did you mean 'color'?"),
        ("image/strip,x_1", "strip", "x", "it takes none"),
        ("image/resize,w_1,m_lift", "resize", "m", "Did you mean 'lfit'?"),
        ("image/format,jgp", "format", "", "Did you mean 'jpg'?"),
        ("image/resize,w_1,w_1", "resize", "w", "given twice"),
        ("image/rotate,90,90", "rotate", "90", "there is color"),
        ("image/resize,,w_1", "resize", "", "between two commas"),
        ("image/resize,_1", "resize", "", "no parameter ''"),
        ("image/resize,P_30", "resize", "P", "watermark's own picture"),
        ("image/quality", "quality", "", "either q (relative) or Q (absolute)"),
        ("image/info/strip", "info", "", "only step"),
        ("image/strip/info", "info", "", "only step"),
        ("image/average-hue/strip", "average-hue", "", "last step"),
        ("image/info|sys/saveas,o_YQ", "saveas", "", "only a picture"),
        ("video/info|sys/saveas,o_YQ", "saveas", "", "only a picture"),
        ("sys/saveas,o_YQ", "saveas", "", "nothing to keep"),
        ("sys/saveas,o_YQ|image/strip", "saveas", "", "once, and last"),
        ("image/strip|sys/saveas,o_YQ|sys/saveas,o_YQ", "saveas", "", "once, and last"),
        ("image/strip|sys/saveas,o_YQ/notify,topic_YQ", "saveas", "", "'notify,topic_YQ'"),
        ("image/strip|sys/saveas,o_YQ,o_YQ", "saveas", "o", "given twice"),
        ("image/strip|sys/save,o_YQ", "save", "", "did you mean 'saveas'?"),
        ("style/" + "a" * 64, "style", "", "1 to 63 letters"),
        ("style/a b", "style", "", "1 to 63 letters"),
        (in_watermark("x-oss-process=image/watermark,text_YQ"), "watermark", "image", "cannot be done to"),
        (in_watermark("x-oss-process=image/format,png"), "watermark", "image", "cannot be done to"),
        (in_watermark("x-oss-process=image/resize,P_101"), "watermark", "image", "from 1 to 100"),
        (in_watermark("x-oss-process=image/resize,P_1,p_1"), "watermark", "image", "cannot stand together"),
        (in_watermark("x-oss-process=image/resize,P_1|image/rotate,1"), "watermark", "image", "whole number"),
        (in_watermark("x-oss-process=image" + "/rotate,1" * 9), "watermark", "image", "1 to 8 steps"),
        (in_watermark("x-oss-process=video/info"), "watermark", "image", "as in image/resize,P_30"),
        (in_watermark("x-oss-process=image/resize,w_媒"), "watermark", "image", "as in image/resize,P_30"),
        (in_watermark("x-osss-process=image/strip"), "watermark", "image", "did you mean 'x-oss-process'?"),
        (
            f"image/watermark,image_{encoded('?x-oss-process=image/rotate,1')}",
            "watermark",
            "image",
            "a key has",
        ),
        ("image" + "/watermark,image_YQ" * 4, "watermark", "image", "at most 3"),
    ],
)
def test_a_refusal_names_the_place_and_what_would_be_right(
    text: str, step: str, parameter: str, says: str
) -> None:
    """The sentence begins with the step and the parameter."""
    refused = refusal_of(text)
    assert (refused.step, refused.parameter) == (step, parameter)
    assert says in refused.message
    assert refused.message.startswith(f"{step}, parameter {parameter}: " if parameter else f"{step}: ")


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("", "empty"),
        ("image", "After 'image/' stands nothing"),
        ("image/", "After 'image/' stands nothing"),
        ("image//strip", "A step is empty"),
        ("image//", "After 'image/' stands nothing"),
        ("image/strip//strip", "A step is empty"),
        ("image/strip||image/strip", "no beginning ''"),
        ("|image/strip", "no beginning ''"),
        ("image/strip|resize,w_1", "Did you mean 'image/resize,w_1'?"),
        ("resize,w_1", "Did you mean 'image/resize,w_1'?"),
        ("imag/strip", "did you mean 'image'?"),
        ("IMAGE/strip", "did you mean 'image'?"),
        ("audio/convert", "there is image, video, style, sys"),
        ("image/strip|video/info", "begin alike"),
        ("image/strip|style/a", "begin alike"),
        ("video/info/info", "one step"),
        ("style/a|style/b", "one step"),
        ("style/a/b", "one step"),
        ("image/watermark,text_媒", "printable ASCII"),
        ("image/strip\n", "printable ASCII"),
        ("image/strip\x00", "printable ASCII"),
        ("image/" + "a" * TEXT_LIMIT, "longer than 8,192"),
        ("image" + "/strip" * (STEPS_LIMIT + 1), "more than 32 steps"),
        ("|".join(["image/strip"] * (STEPS_LIMIT + 1)), "more than 32 steps"),
    ],
)
def test_a_text_that_is_wrong_as_a_whole(text: str, says: str) -> None:
    """No step and no parameter are to blame."""
    refused = refusal_of(text)
    assert (refused.step, refused.parameter) == ("", "")
    assert says in refused.message


@pytest.mark.parametrize("text", ["image" + "/strip" * STEPS_LIMIT, "|".join(["image/strip"] * STEPS_LIMIT)])
def test_the_most_steps_are_taken(text: str) -> None:
    """Thirty-two, however they are joined, and a place to keep the result."""
    assert len(read_recipe(f"{text}|sys/saveas,o_YQ").steps) == STEPS_LIMIT


@pytest.mark.parametrize(
    "text", ["image" + "/strip" * 1000, "|".join(["image/strip"] * 1000), "image/resize" + ",w_1" * 1_000_000]
)
def test_a_thousand_steps_are_refused_fast(text: str) -> None:
    """Nothing is taken apart before its size is known."""
    began_s = time.perf_counter()
    for _ in range(100):
        refusal_of(text)
    assert time.perf_counter() - began_s < 1


def test_many_parameters_are_refused_fast() -> None:
    """The longest text that is read at all costs a moment only."""
    began_s = time.perf_counter()
    for _ in range(20):
        refusal_of("image/resize" + ",w_1" * 2000)
        refusal_of("image/" + "resiz" * 1600)
        refusal_of("image/resize," + "colou" * 1600)
    assert time.perf_counter() - began_s < 2


def test_a_refusal_is_an_error_of_s3() -> None:
    """400 InvalidArgument, with the place of the fault as elements; it survives the way between processes."""
    refused = refusal_of("image/resize,w_0")
    assert isinstance(refused, errors.InvalidArgument)
    assert (refused.code, refused.status) == ("InvalidArgument", 400)
    assert refused.detail == {"Step": "resize", "ArgumentName": "w"}
    assert refused.message == "resize, parameter w: '0' is not a whole number from 1 to 16384."
    again = pickle.loads(pickle.dumps(refused))
    assert isinstance(again, RecipeRefused)
    assert (again.step, again.parameter, again.message) == ("resize", "w", refused.message)


def test_what_was_sent_is_repeated_short_and_printable() -> None:
    """A message can stand in XML, in a log, and on one line."""
    own = encoded("a.png?x-oss-process=image/resize,w_\x01\u202e")
    for text in ("image/" + "z" * 5000, f"image/watermark,image_{own}", "image/resize," + "z" * 5000 + "_1"):
        message = refusal_of(text).message
        assert message.isascii() and message.isprintable()
        assert len(message) < 400
