"""Under which names a recipe is asked for, and what each takes for granted."""

import pickle

import pytest

from media.writing import refusal_of, step_of
from meiku import model, ops
from meiku.media import OSS, PRIMARY_NAME, QUERY_NAMES, ZOS, Dialect, RecipeRefused, asked_in
from meiku.media.picture_steps import Resize, Rotate
from meiku.media.steps import BLACK, WHITE, Colour, Gravity
from meiku.media.watermark_steps import Watermark


@pytest.mark.parametrize(
    ("name", "dialect"),
    [
        ("x-amz-process", OSS),
        ("x-oss-process", OSS),
        ("x-zos-process", ZOS),
        ("x-image-process", OSS),
        ("x-tos-process", OSS),
        ("x-bos-process", OSS),
        ("x-cos-process", OSS),
        ("x-ct-process", OSS),
        ("x-ctyun-process", OSS),
    ],
)
def test_a_query_name_stands_for_a_dialect(name: str, dialect: Dialect) -> None:
    """All names of the reference's table are known; only ZOS's own means ZOS."""
    asked = asked_in([("a", "b"), (name, "image/info")])
    assert asked is not None
    assert (asked.query_name, asked.text, asked.dialect) == (name, "image/info", dialect)
    assert len(QUERY_NAMES) == 9
    assert PRIMARY_NAME == "x-amz-process"


@pytest.mark.parametrize("first", ["ProcessObject", "PostProcessObject"])
def test_every_query_name_is_offered(first: str) -> None:
    """What the dialects know and what the table of operations holds are the same names, all offered."""
    siblings = model.operations()[first].siblings
    assert set(siblings.values()) == QUERY_NAMES.keys()
    assert siblings.keys() <= ops.offered().keys()
    for name, query_name in siblings.items():
        entry = model.operations()[name]
        assert dict(entry.required_query) == {query_name: None}
        assert entry.input.members["Process"].wire_name == query_name
        assert entry.siblings == siblings


def test_a_query_without_a_recipe() -> None:
    """Names have a case, and other parameters are none of ours."""
    assert asked_in([]) is None
    assert asked_in([("X-Amz-Process", "image/info"), ("x-amz-date", "1")]) is None


@pytest.mark.parametrize("second", ["x-zos-process", "x-oss-process"])
def test_two_recipes_are_refused(second: str) -> None:
    """Only one could be followed, be they under two names or under one."""
    with pytest.raises(RecipeRefused, match="one recipe"):
        asked_in([("x-oss-process", "image/info"), (second, "image/info")])


@pytest.mark.parametrize(
    ("dialect", "gravity", "colour"), [(OSS, Gravity.SOUTH_EAST, BLACK), (ZOS, Gravity.NORTH_WEST, WHITE)]
)
def test_a_watermarks_defaults(dialect: Dialect, gravity: Gravity, colour: Colour) -> None:
    """Where it stands and what colour its text has differ; the rest does not."""
    step = step_of("image/watermark,text_SGVsbG8", dialect)
    assert step == Watermark(text="Hello", gravity=gravity, text_colour=colour)
    assert isinstance(step, Watermark)
    assert (step.opacity_percent, step.x_px, step.y_px, step.text_size_px) == (100, 10, 10, 40)


@pytest.mark.parametrize(("dialect", "corners"), [(OSS, None), (ZOS, WHITE)])
def test_a_turns_corners(dialect: Dialect, corners: Colour | None) -> None:
    """OSS leaves them transparent, ZOS fills them white; right angles have none."""
    assert step_of("image/rotate,45", dialect) == Rotate(45, corners)
    assert step_of("image/rotate,90", dialect) == Rotate(90)


@pytest.mark.parametrize("side", ["w", "h"])
def test_a_resize_ends_earlier_at_zos(side: str) -> None:
    """4,096 at ZOS, 16,384 at OSS."""
    assert isinstance(step_of(f"image/resize,{side}_4096", ZOS), Resize)
    assert isinstance(step_of(f"image/resize,{side}_4097", OSS), Resize)
    assert "from 1 to 4096" in refusal_of(f"image/resize,{side}_4097", ZOS).message


@pytest.mark.parametrize("word", ["jpg", "png", "webp", "bmp", "tiff"])
def test_formats_of_both(word: str) -> None:
    """Five formats are written by both."""
    assert step_of(f"image/format,{word}", ZOS) == step_of(f"image/format,{word}", OSS)


@pytest.mark.parametrize("word", ["jpeg", "gif", "heic", "avif"])
def test_formats_of_oss_only(word: str) -> None:
    """ZOS writes five formats."""
    step_of(f"image/format,{word}", OSS)
    assert "jpg, png, webp, bmp, tiff" in refusal_of(f"image/format,{word}", ZOS).message


@pytest.mark.parametrize(
    ("step", "argument"),
    [
        ("resize", "l_10"),
        ("resize", "s_10"),
        *[
            ("watermark,text_SGVsbG8", argument)
            for argument in (
                "voffset_1",
                "fill_1",
                "padx_1",
                "pady_1",
                "shadow_1",
                "rotate_1",
                "order_1",
                "align_1",
                "interval_1",
            )
        ],
    ],
)
def test_parameters_that_zos_does_not_know(step: str, argument: str) -> None:
    """They are refused with the name under which they are known."""
    step_of(f"image/{step},{argument}", OSS)
    refused = refusal_of(f"image/{step},{argument}", ZOS)
    assert refused.parameter == argument.partition("_")[0]
    assert "x-amz-process" in refused.message


def test_zos_wants_an_index() -> None:
    """OSS takes the first slice, ZOS wants to be told."""
    step_of("image/indexcrop,x_10", OSS)
    refused = refusal_of("image/indexcrop,x_10", ZOS)
    assert (refused.step, refused.parameter) == ("indexcrop", "i")


@pytest.mark.parametrize("dialect", [OSS, ZOS])
def test_a_dialect_travels_between_processes(dialect: Dialect) -> None:
    """There are two, in every process."""
    assert pickle.loads(pickle.dumps(dialect)) is dialect
