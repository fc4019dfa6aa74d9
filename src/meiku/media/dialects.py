"""The names under which a recipe is asked for, and what each of them takes for granted.

Two dialects: OSS, which most names copy and media storage's own name is taken to mean, and ZOS. A dialect is
the table of operations with its changes. Nothing here reads a recipe.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from types import MappingProxyType

from meiku.media.operations import FROM_STEP, OPERATIONS, Operation, Parameter
from meiku.media.parameters import Kind, WholeNumber, Words
from meiku.media.picture_steps import PictureFormat
from meiku.media.refusal import RecipeRefused
from meiku.media.steps import WHITE, Gravity

PRIMARY_NAME = "x-amz-process"
_ZOS_SIDE = WholeNumber(1, 4_096)
_ZOS_FORMATS = ("jpg", "png", "webp", "bmp", "tiff")


@dataclass(frozen=True, slots=True)
class Change:
    """What a dialect does differently with one parameter."""

    kind: Kind | None = None
    default: object = FROM_STEP
    required: bool = False
    absent: bool = False
    name: str | None = None

    def applied(self, parameter: Parameter) -> Parameter:
        """Answer the parameter as this dialect knows it."""
        kind, name = self.kind or parameter.kind, parameter.name if self.name is None else self.name
        default = parameter.default if self.default is FROM_STEP else self.default
        return replace(parameter, name=name, kind=kind, default=default, required=self.required)


@dataclass(frozen=True, slots=True)
class Dialect:
    """A way to read recipes; `families` holds for each beginning ("image") its operations by name."""

    name: str
    families: Mapping[str, Mapping[str, Operation]] = field(repr=False, compare=False)

    def __reduce__(self) -> str:
        """Be one of the two, also in another process."""
        return self.name


def _dialect(name: str, changes: Mapping[tuple[str, str], Change]) -> Dialect:
    families: dict[str, dict[str, Operation]] = {}
    for operation in OPERATIONS:
        families.setdefault(operation.family, {})[operation.name] = _changed(operation, changes)
    frozen = {family: MappingProxyType(operations) for family, operations in families.items()}
    return Dialect(name, MappingProxyType(frozen))


def _changed(operation: Operation, changes: Mapping[tuple[str, str], Change]) -> Operation:
    if operation.family != "image":
        return operation
    pairs = [(each, changes.get((operation.name, each.name), Change())) for each in operation.parameters]
    kept = tuple(change.applied(each) for each, change in pairs if not change.absent)
    return replace(operation, parameters=kept)


_ABSENT = Change(absent=True)
OSS = _dialect("OSS", {})
ZOS = _dialect(
    "ZOS",
    {
        ("resize", "w"): Change(kind=_ZOS_SIDE),
        ("resize", "h"): Change(kind=_ZOS_SIDE),
        ("resize", "l"): _ABSENT,
        ("resize", "s"): _ABSENT,
        # White corners, where OSS leaves them transparent.
        ("rotate", "color"): Change(default=WHITE),
        ("format", ""): Change(kind=Words({word: PictureFormat(word) for word in _ZOS_FORMATS})),
        ("indexcrop", "i"): Change(required=True),
        # In a watermark's own recipe ZOS writes the percent of the main picture with a small p.
        ("resize", "P"): Change(name="p"),
        ("watermark", "g"): Change(default=Gravity.NORTH_WEST),
        ("watermark", "color"): Change(default=WHITE),
        **{
            ("watermark", name): _ABSENT
            for name in ("voffset", "fill", "padx", "pady", "shadow", "rotate", "order", "align", "interval")
        },
    },
)

DIALECTS: Mapping[str, Dialect] = MappingProxyType({each.name: each for each in (OSS, ZOS)})

QUERY_NAMES: Mapping[str, Dialect] = MappingProxyType(
    {
        PRIMARY_NAME: OSS,
        "x-oss-process": OSS,
        "x-zos-process": ZOS,
        "x-image-process": OSS,
        "x-tos-process": OSS,
        "x-bos-process": OSS,
        "x-cos-process": OSS,
        "x-ct-process": OSS,
        "x-ctyun-process": OSS,
    }
)


@dataclass(frozen=True, slots=True)
class Asked:
    """A recipe's text as a query carries it, with the name that it stands under."""

    query_name: str
    text: str

    @property
    def dialect(self) -> Dialect:
        """Answer how the text is read."""
        return QUERY_NAMES[self.query_name]


def asked_in(query: Iterable[tuple[str, str]]) -> Asked | None:
    """Find the recipe that a query asks for; refuses two, because only one of them could be followed."""
    found = [Asked(name, text) for name, text in query if name in QUERY_NAMES]
    if len(found) > 1:
        names = " and ".join(dict.fromkeys(each.query_name for each in found))
        raise RecipeRefused("", "", f"A request asks for one recipe, but {names} stand for {len(found)}.")
    return found[0] if found else None
