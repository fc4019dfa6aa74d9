"""One step's text as a step, and back: `resize,w_100,m_fill`. What may follow what is `recipe`'s.

The table of operations says everything; no operation is named here. A watermark's picture carries a recipe of
its own, which is read here too, one level deep and never further.
"""

from collections.abc import Iterator, Mapping
from dataclasses import MISSING

from meiku.media.dialects import PRIMARY_NAME, QUERY_NAMES, Dialect
from meiku.media.operations import BY_STEP, KEY_LIMIT_BYTES, PREPARING, Operation, Parameter
from meiku.media.parameters import PictureReference
from meiku.media.refusal import RecipeRefused, Unfit, shown
from meiku.media.steps import Step
from meiku.media.suggestions import nearest, unknown
from meiku.media.watermark_steps import WatermarkImage

OWN_STEPS_LIMIT = 8


def read_step(text: str, family: str, dialect: Dialect, *, within_watermark: bool = False) -> Step:
    """Read one step; raises RecipeRefused."""
    # A comma behind the last parameter, or a slash behind the last step, is what programs leave that join.
    name, *arguments = text.rstrip(",").split(",")
    operation = _operation(name, dialect.families[family], within_watermark)
    try:
        values = _given(operation, arguments, within_watermark)
        return operation.step(**_completed(operation, values)).settled()
    except Unfit as unfit:
        raise RecipeRefused(name, unfit.parameter, unfit.reason) from None


def write_step(step: Step) -> str:
    """Write a step in the one way that reads to it under the primary name; defaults are left out."""
    operation = BY_STEP[type(step)]
    return ",".join([operation.name, *_written(operation, step)])


def _operation(name: str, operations: Mapping[str, Operation], within_watermark: bool) -> Operation:
    if not name:
        raise RecipeRefused("", "", "A step is empty: remove the '/' that nothing stands before.")
    operation = operations.get(name)
    known = [each for each in operations if each in PREPARING or not within_watermark]
    if operation is None:
        raise RecipeRefused(name, "", unknown("operation", name, known))
    if name not in known:
        can = ", ".join(known)
        raise RecipeRefused(name, "", f"it cannot be done to a watermark's own picture; there is {can}.")
    return operation


def _given(operation: Operation, arguments: list[str], within_watermark: bool) -> dict[str, object]:
    """Read the parameters that stand in the text, by the step's fields."""
    values: dict[str, object] = {}
    for place, argument in enumerate(arguments):
        parameter, text = _parameter(operation, argument, place, within_watermark)
        if parameter.field in values:
            raise Unfit("it is given twice; give it once.", parameter.name)
        values[parameter.field] = _value(parameter, text)
    return values


def _parameter(operation: Operation, argument: str, place: int, within: bool) -> tuple[Parameter, str]:
    if not argument:
        raise Unfit("a parameter is empty: between two commas stands nothing.")
    nameless = operation.parameter("")
    if nameless and place == 0:
        return nameless, argument
    name, _, text = argument.partition("_")
    named = [each for each in operation.parameters if each.name and (within or not each.within_watermark)]
    # ZOS writes two parameters as p: in a watermark's own recipe, the one that is only known there is meant.
    found = [each for each in named if each.name == name]
    parameter = max(found, key=lambda each: each.within_watermark, default=None)
    if parameter is None:
        raise Unfit(_unknown_parameter(operation, name, [each.name for each in named]), name)
    if not text:
        raise Unfit(f"it has no value; write {name}_ and {parameter.kind.expected}.", name)
    return parameter, text


def _unknown_parameter(operation: Operation, name: str, known: list[str]) -> str:
    elsewhere = BY_STEP[operation.step].parameter(name) if name else None
    if elsewhere and elsewhere.within_watermark:
        return "it is only known in the recipe for a watermark's own picture."
    if elsewhere:
        return f"ZOS does not know it; ask under {PRIMARY_NAME} instead."
    return unknown("parameter", name, known)


def _value(parameter: Parameter, text: str) -> object:
    try:
        value = parameter.kind.read(text)
        return _read_picture(str(value)) if isinstance(parameter.kind, PictureReference) else value
    except Unfit as unfit:
        raise Unfit(unfit.reason, parameter.name) from None


def _completed(operation: Operation, values: dict[str, object]) -> dict[str, object]:
    """Add what the dialect takes for granted; refuses where something must be given."""
    for parameter in operation.parameters:
        if parameter.field in values:
            continue
        default = operation.default_of(parameter)
        if default is MISSING:
            raise Unfit(f"it must be given: {parameter.kind.expected}.", parameter.name)
        values[parameter.field] = default
    return values


def _written(operation: Operation, step: Step) -> Iterator[str]:
    for parameter in operation.parameters:
        value = getattr(step, parameter.field)
        if parameter.name and value == operation.default_of(parameter):
            continue
        source = _write_picture(value) if isinstance(value, WatermarkImage) else value
        text = parameter.kind.write(source)
        yield f"{parameter.name}_{text}" if parameter.name else text


def _read_picture(text: str) -> WatermarkImage:
    """Take a key and its own recipe apart, as in `logo.png?x-oss-process=image/resize,P_30`."""
    key, mark, asked = text.rpartition("?")
    query_name, equals, chain = asked.partition("=")
    asks = mark and equals and query_name.startswith("x-") and query_name.endswith("-process")
    if asks and query_name not in QUERY_NAMES:
        near = nearest(query_name, QUERY_NAMES) or PRIMARY_NAME
        raise Unfit(f"no recipe is asked for as {shown(query_name)!r}; did you mean {near!r}?")
    key = key if asks else text
    if not 0 < len(key.encode()) <= KEY_LIMIT_BYTES:
        raise Unfit(f"a key has 1 to {KEY_LIMIT_BYTES} bytes of UTF-8.")
    return WatermarkImage(key, _own_steps(chain, QUERY_NAMES[query_name])) if asks else WatermarkImage(key)


def _own_steps(chain: str, dialect: Dialect) -> tuple[Step, ...]:
    family, _, rest = chain.partition("/")
    texts = rest.rstrip("/").split("/")
    if family != "image" or not chain.isascii() or len(texts) > OWN_STEPS_LIMIT:
        raise Unfit(f"its own recipe is image/ and 1 to {OWN_STEPS_LIMIT} steps, as in image/resize,P_30.")
    try:
        return tuple(read_step(text, "image", dialect, within_watermark=True) for text in texts)
    except RecipeRefused as refused:
        raise Unfit(f"in its own recipe, {refused.message}") from None


def _write_picture(picture: WatermarkImage) -> str:
    if not picture.steps:
        return picture.key
    return f"{picture.key}?{PRIMARY_NAME}=image/{'/'.join(write_step(step) for step in picture.steps)}"
