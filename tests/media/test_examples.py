"""Every operation of the reference reads to the step that it means, and is written back in one way."""

import pytest

from media.writing import encoded, step_of
from meiku.media import OSS, ZOS, Recipe, RecipeKind, canonical, read_recipe
from meiku.media.picture_steps import (
    AutoOrient,
    AverageHue,
    Blur,
    Bright,
    Circle,
    Contrast,
    Crop,
    Format,
    IndexCrop,
    Info,
    Interlace,
    PictureFormat,
    Quality,
    Resize,
    ResizeMode,
    Rotate,
    RoundedCorners,
    Sharpen,
    Strip,
)
from meiku.media.steps import BLACK, WHITE, Colour, Gravity, SaveAs, Step, StyleReference
from meiku.media.video_steps import (
    AnimationFormat,
    FrameTurn,
    Snapshot,
    SnapshotFormat,
    VideoAnimate,
    VideoInfo,
)
from meiku.media.watermark_steps import (
    Font,
    Watermark,
    WatermarkAlign,
    WatermarkImage,
    WatermarkKind,
    WatermarkOrder,
)

LOGO = encoded("logo.png")
EXAMPLES: list[tuple[str, Step]] = [
    ("image/resize,w_200", Resize(width_px=200)),
    ("image/resize,w_100,h_50,m_mfit", Resize(width_px=100, height_px=50, mode=ResizeMode.AROUND)),
    ("image/resize,h_50,m_fill,limit_0", Resize(height_px=50, mode=ResizeMode.FILL, enlarge=True)),
    (
        "image/resize,w_9,h_9,m_pad,color_FF8000",
        Resize(width_px=9, height_px=9, mode=ResizeMode.PAD, pad_colour=Colour(255, 128, 0)),
    ),
    ("image/resize,w_9,h_9,m_fixed", Resize(width_px=9, height_px=9, mode=ResizeMode.STRETCH)),
    ("image/resize,l_300", Resize(longest_side_px=300)),
    ("image/resize,s_300", Resize(shortest_side_px=300)),
    ("image/resize,l_300,s_200", Resize(longest_side_px=300, shortest_side_px=200)),
    ("image/resize,p_80", Resize(percent=80)),
    ("image/crop,w_100,h_200", Crop(width_px=100, height_px=200)),
    ("image/crop,x_10,y_20,g_se", Crop(x_px=10, y_px=20, gravity=Gravity.SOUTH_EAST)),
    ("image/crop,g_center", Crop(gravity=Gravity.CENTER)),
    ("image/rotate,45", Rotate(45)),
    ("image/rotate,45,color_000000", Rotate(45, corners=BLACK)),
    ("image/format,png", Format(PictureFormat.PNG)),
    ("image/format,avif", Format(PictureFormat.AVIF)),
    ("image/quality,q_80", Quality(relative_percent=80)),
    ("image/quality,Q_80", Quality(absolute_percent=80)),
    ("image/bright,-50", Bright(-50)),
    ("image/contrast,50", Contrast(50)),
    ("image/sharpen,100", Sharpen(100)),
    ("image/blur,r_3,s_2", Blur(3, 2)),
    ("image/interlace,1", Interlace(True)),
    ("image/interlace,0", Interlace(False)),
    ("image/auto-orient,1", AutoOrient(True)),
    ("image/auto-orient,0", AutoOrient(False)),
    ("image/circle,r_100", Circle(100)),
    ("image/rounded-corners,r_30", RoundedCorners(30)),
    ("image/indexcrop,x_200", IndexCrop(slice_width_px=200)),
    ("image/indexcrop,y_200,i_9", IndexCrop(slice_height_px=200, index=9)),
    ("image/strip", Strip()),
    ("image/info", Info()),
    ("image/average-hue", AverageHue()),
    (f"image/watermark,image_{LOGO}", Watermark(image=WatermarkImage("logo.png"))),
    (
        f"image/watermark,image_{LOGO},t_90,g_nw,x_0,y_20",
        Watermark(
            image=WatermarkImage("logo.png"),
            opacity_percent=90,
            gravity=Gravity.NORTH_WEST,
            x_px=0,
            y_px=20,
        ),
    ),
    (
        f"image/watermark,text_{encoded('媒库')},g_west,voffset_-30",
        Watermark(text="媒库", gravity=Gravity.WEST, middle_offset_px=-30),
    ),
    (
        "image/watermark,text_SGVsbG8,fill_1,padx_7,pady_8",
        Watermark(text="Hello", tiled=True, tile_gap_x_px=7, tile_gap_y_px=8),
    ),
    (
        f"image/watermark,text_SGVsbG8,type_{encoded('fangzhengkaiti')},color_FF0000,size_30,shadow_50,rotate_90",
        Watermark(
            text="Hello",
            font=Font.FANGZHENG_KAITI,
            text_colour=Colour(255, 0, 0),
            text_size_px=30,
            shadow_percent=50,
            text_angle_degrees=90,
        ),
    ),
    (
        f"image/watermark,image_{LOGO},text_SGVsbG8,order_1,align_0,interval_5",
        Watermark(
            image=WatermarkImage("logo.png"),
            text="Hello",
            order=WatermarkOrder.TEXT_FIRST,
            align=WatermarkAlign.TOP,
            interval_px=5,
        ),
    ),
    (
        f"image/watermark,image_{encoded('logo.png?x-amz-process=image/resize,P_30/rotate,90')}",
        Watermark(image=WatermarkImage("logo.png", (Resize(main_percent=30), Rotate(90)))),
    ),
    ("video/snapshot,t_7000", Snapshot(7000)),
    (
        "video/snapshot,t_7000,w_800,h_600,m_fast,f_png,ar_auto",
        Snapshot(7000, 800, 600, True, SnapshotFormat.PNG, FrameTurn.METADATA),
    ),
    ("video/info", VideoInfo()),
    ("video/animation", VideoAnimate()),
    (
        "video/animation,ss_500,num_20,inter_250,fps_4.5,w_320,f_gif",
        VideoAnimate(500, 20, 250, 4.5, 320, 0, AnimationFormat.GIF),
    ),
    ("style/small-2.0", StyleReference("small-2.0")),
]


@pytest.mark.parametrize(("text", "step"), EXAMPLES, ids=lambda v: v if isinstance(v, str) else "")
def test_an_example_reads_and_is_written_back(text: str, step: Step) -> None:
    """These texts are written as canonical writes them, so both ways are judged by independent values."""
    assert step_of(text) == step
    assert canonical(read_recipe(text)) == text


@pytest.mark.parametrize(
    ("text", "same"),
    [
        ("image/resize,h_50,w_0100", "image/resize,w_100,h_50"),
        ("image/resize,w_100,m_lfit,limit_1,color_FFFFFF", "image/resize,w_100"),
        ("image/resize,w_100,color_00ff00", "image/resize,w_100"),
        ("image/resize,w_100,p_50", "image/resize,w_100"),
        ("image/resize,h_100,p_50,l_9", "image/resize,h_100"),
        ("image/resize,l_100,p_50", "image/resize,l_100"),
        ("image/resize,p_50,m_fill", "image/resize,p_50"),
        ("image/resize,w_9,m_pad,color_00ff00", "image/resize,w_9,m_pad,color_00FF00"),
        ("image/crop,g_nw,x_0", "image/crop"),
        ("image/rotate", "image/rotate,0"),
        ("image/rotate,360", "image/rotate,0"),
        ("image/rotate,90,color_000000", "image/rotate,90"),
        ("image/auto-orient", "image/auto-orient,0"),
        ("image/bright,-0", "image/bright,0"),
        ("image/format,jpeg", "image/format,jpg"),
        ("image/crop,w_0,h_0,x_1", "image/crop,x_1"),
        ("image/indexcrop,x_10,y_20,i_1", "image/indexcrop,y_20,i_1"),
        ("image/quality,q_80,Q_50", "image/quality,Q_50"),
        ("image/watermark,text_SGVsbG8=", "image/watermark,text_SGVsbG8"),
        ("image/watermark,text_SGVsbG8,voffset_5,padx_3,interval_9", "image/watermark,text_SGVsbG8"),
        (f"image/watermark,image_{LOGO},size_9,color_FFFFFF", f"image/watermark,image_{LOGO}"),
        ("image/watermark,text_YWE+,type_heiti", "image/watermark,text_YWE-,type_aGVpdGk"),
        ("image/watermark,text_YWE ", "image/watermark,text_YWE-"),
        (
            f"image/watermark,image_{encoded('a.png?x-oss-process=image/resize,P_030')}",
            f"image/watermark,image_{encoded('a.png?x-amz-process=image/resize,P_30')}",
        ),
        ("image/rotate,45|image/resize,p_80", "image/rotate,45/resize,p_80"),
        ("image/rotate,45/strip|image/resize,p_80", "image/rotate,45/strip/resize,p_80"),
        ("video/snapshot,t_7000,f_jpg,w_0,h_0", "video/snapshot,t_7000"),
        ("video/snapshot,t_0,f_jpeg", "video/snapshot,t_0"),
        ("video/animation,fps_2.00,num_10", "video/animation"),
        (
            "image/strip|sys/saveas,b_dGVzdA==,o_YS5qcGc=",
            "image/strip|sys/saveas,o_YS5qcGc,b_dGVzdA",
        ),
    ],
)
def test_texts_that_mean_the_same_have_one_key(text: str, same: str) -> None:
    """Order, defaults, aliases, spelling, and what has no effect make no difference."""
    assert canonical(read_recipe(text)) == same
    assert read_recipe(text) == read_recipe(same)


def test_steps_keep_their_order() -> None:
    """Left to right, also where the order could not matter."""
    recipe = read_recipe("image/resize,w_200/rotate,90/format,webp/quality,q_80")
    assert [type(step) for step in recipe.steps] == [Resize, Rotate, Format, Quality]
    assert recipe.kind is RecipeKind.IMAGE


def test_a_target_is_read_and_left_out_of_a_cache_key() -> None:
    """`sys/saveas` names where the result is kept; the picture is the same without it."""
    text = f"image/resize,w_100|sys/saveas,o_{encoded('小/a.jpg')},b_{encoded('demo')}"
    recipe = read_recipe(text)
    assert recipe == Recipe(RecipeKind.IMAGE, (Resize(width_px=100),), SaveAs("小/a.jpg", "demo"))
    assert canonical(recipe) == text
    assert canonical(recipe.unsaved()) == "image/resize,w_100"
    assert read_recipe("style/a|sys/saveas,o_YQ").save_as == SaveAs("a")
    assert read_recipe("video/snapshot,t_0|sys/saveas,o_YQ").save_as == SaveAs("a")


@pytest.mark.parametrize(
    ("text", "kind"),
    [
        (f"image_{LOGO}", WatermarkKind.IMAGE),
        ("text_SGVsbG8", WatermarkKind.TEXT),
        (f"text_SGVsbG8,image_{LOGO}", WatermarkKind.MIXED),
    ],
)
def test_a_watermark_knows_what_it_is_made_of(text: str, kind: WatermarkKind) -> None:
    """Of a picture, a text, or both."""
    step = step_of(f"image/watermark,{text}")
    assert isinstance(step, Watermark)
    assert step.kind is kind


@pytest.mark.parametrize("key", ["a?b.png", "a?b=c.png", "目录/图 片.png", "a?x-amz-thing=1"])
def test_a_watermarks_key_may_hold_what_looks_like_a_query(key: str) -> None:
    """Only a known query name after the last question mark begins a recipe."""
    step = step_of(f"image/watermark,image_{encoded(key)}")
    assert isinstance(step, Watermark)
    assert step.image == WatermarkImage(key)


@pytest.mark.parametrize(
    ("text", "facts"),
    [("image/info", True), ("image/strip/average-hue", True), ("video/info", True), ("image/strip", False)],
)
def test_a_recipe_knows_whether_it_answers_facts(text: str, facts: bool) -> None:
    """JSON comes of info and average-hue, a picture of everything else."""
    assert read_recipe(text).answers_facts is facts


def test_zos_reads_its_own_examples() -> None:
    """The reference's sample of a padded key, and the small p that means percent of the main picture."""
    own = encoded("shuiyin.png?x-zos-process=image/resize,p_30")
    assert step_of("image/watermark,image_c2h1aXlpbi5wbmc=", ZOS) == Watermark(
        image=WatermarkImage("shuiyin.png"), gravity=Gravity.NORTH_WEST
    )
    assert step_of(f"image/watermark,image_{own},g_se", ZOS) == Watermark(
        image=WatermarkImage("shuiyin.png", (Resize(main_percent=30),))
    )
    assert step_of("image/watermark,text_SGVsbG8,type_Arial,g_se", ZOS) == Watermark(
        text="Hello", font=Font.ARIAL, text_colour=WHITE
    )
    assert canonical(read_recipe("image/resize,w_200", ZOS)) == canonical(
        read_recipe("image/resize,w_200", OSS)
    )
