"""Whatever arrives reads or is refused, and what reads is written in one way that reads to it again."""

import pickle

from hypothesis import example, given, settings
from hypothesis import strategies as st

from fuzzing import often
from media.writing import encoded
from meiku.media import OSS, ZOS, Dialect, Recipe, RecipeRefused, canonical, read_recipe
from meiku.media.operations import OPERATIONS, Parameter
from meiku.media.parameters import ColourCode, EncodedText, Fraction, WholeNumber, Words

NUMBERS = st.one_of(st.integers(-3, 120), st.integers(-(10**14), 10**14)).map(str)
WORDS = st.sampled_from(
    sorted(
        {
            word
            for each in OPERATIONS
            for p in each.parameters
            if isinstance(p.kind, Words)
            for word in p.kind.values
        }
    )
)
OWN = st.sampled_from(["?x-oss-process=image/", "?x-zos-process=image/", "?x-bad-process=", "?", ""])
TEXTS = st.builds(
    lambda key, own, steps: encoded(key + own + steps),
    st.text(max_size=8).map(lambda text: text.encode("utf-8", "replace").decode()),
    OWN,
    st.sampled_from(["resize,P_30", "resize,p_30/rotate,45", "rotate,361", "watermark,text_YQ", ""]),
)
VALUES = st.one_of(NUMBERS, WORDS, TEXTS, st.sampled_from(["FF00aa", "", "YQ==", "NaN"]), st.text(max_size=5))
NAMES = st.sampled_from(sorted({p.name for each in OPERATIONS for p in each.parameters}))
ARGUMENTS = st.one_of(st.builds("{}_{}".format, NAMES, VALUES), VALUES)


def likely_value(parameter: Parameter) -> st.SearchStrategy[str]:
    """Write a value that is mostly within what the parameter takes."""
    kind = parameter.kind
    if isinstance(kind, WholeNumber):
        return st.integers(kind.minimum, kind.maximum).map(str)
    if isinstance(kind, Words):
        return st.sampled_from(sorted(kind.values))
    if isinstance(kind, EncodedText):
        return st.one_of(st.text("aé媒?=&", min_size=3, max_size=12).map(encoded), TEXTS)
    if isinstance(kind, ColourCode):
        return st.sampled_from(["FF00aa", "000000", "ffffff"])
    return st.sampled_from(["2.50", "0.1"] if isinstance(kind, Fraction) else ["Arial", encoded("heiti")])


LARGE = [each for each in OPERATIONS if len(each.parameters) > 4]


@st.composite
def likely_steps(draw: st.DrawFn) -> str:
    """Write a step that has a good chance of being read: its own parameters, each once."""
    operation = draw(st.sampled_from([*OPERATIONS, *LARGE * 4]))
    known = [each for each in operation.parameters if not each.within_watermark]
    order = draw(st.permutations(known))
    chosen = order[: draw(st.integers(1, 7))]
    nameless_first = sorted(chosen, key=lambda each: bool(each.name))
    written = [(each.name, draw(likely_value(each))) for each in nameless_first]
    return ",".join([operation.name, *(f"{name}_{value}" if name else value for name, value in written)])


STEPS = st.one_of(
    likely_steps(),
    st.builds(
        lambda name, arguments: ",".join([name, *arguments]),
        st.sampled_from([each.name for each in OPERATIONS]),
        st.lists(ARGUMENTS, max_size=4),
    ),
)
PARTS = st.builds(
    lambda family, steps: f"{family}/{'/'.join(steps)}",
    st.sampled_from(["image", "image", "image", "video", "style", "sys"]),
    st.lists(STEPS, max_size=3),
)
RECIPES = st.one_of(st.text(), st.lists(PARTS, min_size=1, max_size=3).map("|".join))


def read_or_refused(text: str, dialect: Dialect) -> Recipe | None:
    """Read a text; nothing but RecipeRefused may come of it otherwise."""
    try:
        return read_recipe(text, dialect)
    except RecipeRefused as refused:
        assert refused.message.isascii() and refused.message.isprintable()
        return None


def check(text: str, dialect: Dialect) -> None:
    """Judge one text: canonical text reads to the same recipe, and is its own canonical text."""
    recipe = read_or_refused(text, dialect)
    if recipe is None:
        return
    key = canonical(recipe)
    assert read_recipe(key) == recipe
    assert canonical(read_recipe(key)) == key
    assert pickle.loads(pickle.dumps(recipe)) == recipe


@settings(max_examples=often(1000), deadline=None)
@given(RECIPES, st.sampled_from([OSS, ZOS]))
@example(
    f"image/watermark,image_{encoded('a?x-oss-process=image/rotate,1?x-oss-process=image/rotate,2')}", OSS
)
@example(f"image/watermark,image_{encoded('a?x-zos-process=image/resize,p_3,p_3')}", ZOS)
@example(f"image/watermark,image_{encoded('a?x-zos-process=image/rotate,3')}", OSS)
def test_any_text_reads_or_is_refused(text: str, dialect: Dialect) -> None:
    """Random text, and texts of real names with values of any kind."""
    check(text, dialect)


@settings(max_examples=often(1000), deadline=None)
@given(likely_steps(), st.sampled_from([OSS, ZOS]))
def test_likely_steps_read_or_are_refused(step: str, dialect: Dialect) -> None:
    """One step with its own parameters reaches deeper than random text does."""
    family = "image" if step.partition(",")[0] in OSS.families["image"] else "video"
    check(f"{family}/{step}", dialect)


@settings(max_examples=often(300), deadline=None)
@given(likely_steps(), st.sampled_from(["x-oss-process", "x-zos-process"]), st.sampled_from([OSS, ZOS]))
def test_a_watermarks_own_recipe_reads_or_is_refused(step: str, name: str, dialect: Dialect) -> None:
    """The recipe for a watermark's picture has a dialect of its own."""
    check(f"image/watermark,image_{encoded(f'a.png?{name}=image/{step}')}", dialect)
