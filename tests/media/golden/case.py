"""A golden case: a recipe, what it is followed on, and what must come of it; and how that is judged."""

import json
from collections.abc import Callable, Iterator, Mapping
from dataclasses import MISSING, dataclass, field, replace
from io import BytesIO
from typing import Any

import pyvips
from PIL import Image as pillow

from media.golden.distance import NEAR, Distance, distance
from media.golden.drawing import MOTIF, Drawing, png
from media.golden.hevc import decoded_by_ffmpeg
from meiku.media import RecipeRefused, read_recipe
from meiku.media.engine import follow
from meiku.media.made import Made
from meiku.media.operations import BY_STEP, Operation, Parameter
from meiku.media.parameters import EncodedText, PictureReference, WholeNumber, Words
from meiku.media.picture_steps import AutoOrient
from meiku.media.recipe import Recipe, checked
from meiku.media.refusal import Unfit
from meiku.media.steps import Step
from meiku.media.video import follow_video
from meiku.media.watermark_steps import Watermark, WatermarkImage

# A picture, the pictures of an animation, or facts.
Meant = Drawing | pyvips.Image | list[Drawing] | dict[str, Any]
# A step that leaves everything as it is, and a picture that no watermark is.
_NOTHING = AutoOrient(upright=False)
_OTHER_KEY = "motif.png"


@dataclass(frozen=True)
class Case:
    """A recipe with a source, and what is meant by it.

    `file` looks at what no eye sees: whether the file is as it shall be. `named` are the other objects.
    """

    recipe: str
    meant: Meant
    source: Callable[[], bytes] = lambda: png(MOTIF)
    named: Mapping[str, Callable[[], bytes]] = field(default_factory=dict)
    file: Callable[[Made], bool] = lambda made: True
    limit: Distance = NEAR

    def __str__(self) -> str:
        return self.recipe

    def follow(self, recipe: Recipe | None = None) -> Made:
        """Follow the recipe, or another one in its place."""
        recipe = recipe or read_recipe(self.recipe)
        if recipe.kind == "video":
            return follow_video(recipe, _Whole(self.source()))
        named = {_OTHER_KEY: lambda: png(MOTIF), **self.named}
        return follow(recipe, self.source(), lambda key: named[key]())

    def fault(self, made: Made) -> str | None:
        """Say what is wrong with a result; None when nothing is."""
        if not self.file(made):
            return "the file is not as it shall be"
        if isinstance(self.meant, dict):
            told = json.loads(made.body) if made.content_type == "application/json" else made.content_type
            return None if told == self.meant else f"it tells {told}"
        shown, meant = _frames(made), self.meant if isinstance(self.meant, list) else [self.meant]
        if len(shown) != len(meant):
            return f"it has {len(shown)} frames, not {len(meant)}"
        faults = (self._fault_of(one, other) for one, other in zip(shown, meant, strict=True))
        return next((fault for fault in faults if fault), None)

    def _fault_of(self, shown: pyvips.Image, meant: Drawing | pyvips.Image) -> str | None:
        expected = meant.drawn() if isinstance(meant, Drawing) else meant
        if (shown.width, shown.height) != (expected.width, expected.height):
            return f"{shown.width} x {shown.height}, not {expected.width} x {expected.height}"
        far = distance(shown, expected)
        return None if far.within(self.limit) else str(far)

    def notices_without(self, parameter: str) -> bool:
        """Tell whether something is wrong when the engine does as if a parameter were not there."""
        return any(self._is_wrong(recipe) for recipe in self._without(parameter))

    def _is_wrong(self, recipe: Recipe) -> bool:
        try:
            return self.fault(self.follow(recipe)) is not None
        except RecipeRefused:
            return True

    def _without(self, parameter: str) -> Iterator[Recipe]:
        """Give the recipe once for each step that has this parameter, which then is as if it were not given.

        Where the step cannot be without it, it has another value.
        """
        recipe = read_recipe(self.recipe)
        for place, step in enumerate(recipe.steps):
            for changed in _without(step, parameter):
                yield checked(replace(recipe, steps=_put(recipe.steps, place, changed)))

    def given(self) -> set[str]:
        """Name the parameters that matter here: they are given, and not what they are by themselves."""
        return {name for step in read_recipe(self.recipe).steps for name in _given(step)}


def names_of(operation: Operation) -> set[str]:
    """Name an operation's parameters as `Case.given` does; without any, the operation itself."""
    return {_name(operation, parameter) for parameter in operation.parameters} or {_path(operation)}


@dataclass(frozen=True)
class _Whole:
    """A video that is read from memory."""

    data: bytes

    @property
    def size_bytes(self) -> int:
        return len(self.data)

    def read(self, start_byte: int, stop_byte: int) -> bytes:
        return self.data[start_byte:stop_byte]


def _path(operation: Operation) -> str:
    return f"{operation.family}/{operation.name}"


def _name(operation: Operation, parameter: Parameter) -> str:
    return f"{_path(operation)},{parameter.name or 'the value itself'}"


def _given(step: Step) -> Iterator[str]:
    operation = BY_STEP[type(step)]
    if not operation.parameters:
        yield _path(operation)
    for parameter in operation.parameters:
        if getattr(step, parameter.field) != operation.default_of(parameter):
            yield _name(operation, parameter)
    for own in _own_steps(step):
        yield from _given(own)


def _without(step: Step, name: str) -> Iterator[Step]:
    operation = BY_STEP[type(step)]
    if name == _path(operation):
        yield _NOTHING
    for parameter in operation.parameters:
        if _name(operation, parameter) == name and name in set(_given(step)):
            yield from _settled(step, parameter, operation.default_of(parameter))
    for place, own in enumerate(_own_steps(step)):
        for changed in _without(own, name):
            assert isinstance(step, Watermark) and step.image is not None
            image = replace(step.image, steps=_put(step.image.steps, place, changed))
            yield replace(step, image=image)


def _settled(step: Step, parameter: Parameter, default: object) -> Iterator[Step]:
    """Give the step without the parameter, or with another value where it has to have one."""
    for value in (default, *_others(step, parameter)):
        if value is not MISSING:
            try:
                yield replace(step, **{parameter.field: value}).settled()
                return
            except Unfit:
                continue


def _others(step: Step, parameter: Parameter) -> list[object]:
    kind, value = parameter.kind, getattr(step, parameter.field)
    if isinstance(kind, PictureReference):
        return [WatermarkImage(_OTHER_KEY)]
    if isinstance(kind, EncodedText):
        return ["other"]
    if isinstance(kind, Words):
        return [choice for choice in kind.values.values() if choice != value]
    ends = (kind.minimum, kind.maximum) if isinstance(kind, WholeNumber) else ()
    return [end for end in ends if end != value]


def _own_steps(step: Step) -> tuple[Step, ...]:
    return step.image.steps if isinstance(step, Watermark) and step.image is not None else ()


def _put(steps: tuple[Step, ...], place: int, step: Step) -> tuple[Step, ...]:
    return (*steps[:place], step, *steps[place + 1 :])


def _frames(made: Made) -> list[pyvips.Image]:
    """Decode a result, by other libraries than the engine's."""
    if made.content_type == "image/heic":
        return [decoded_by_ffmpeg(made.body)]
    with pillow.open(BytesIO(made.body)) as file:
        return [_frame(file, number) for number in range(getattr(file, "n_frames", 1))]


def _frame(file: pillow.Image, number: int) -> pyvips.Image:
    file.seek(number)
    return shown(file)


def shown(file: pillow.Image) -> pyvips.Image:
    """Take over what another library decoded."""
    frame = file.convert("RGBA")
    image = pyvips.Image.new_from_memory(frame.tobytes(), frame.width, frame.height, 4, "uchar")
    return image.copy(interpretation="srgb")
