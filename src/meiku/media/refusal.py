"""How a recipe is refused: one error, which names the step, the parameter, and what would be right.

Reading a text raises `Unfit` close to the fault, where the step's name is not known; `recipe` turns it into
`RecipeRefused`, which the edge answers as it answers every error of S3. Nothing here knows an operation.
"""

from meiku import errors

_SHOWN_LIMIT = 40


class Unfit(Exception):
    """A value, or a step's values together, cannot be used; `parameter` is its name in the text, or ''."""

    def __init__(self, reason: str, parameter: str = "") -> None:
        super().__init__(reason)
        self.reason = reason
        self.parameter = parameter


class RecipeRefused(errors.InvalidArgument):
    """A recipe cannot be followed; `step` and `parameter` are '' where the whole text is meant."""

    code = "InvalidArgument"

    def __init__(self, step: str, parameter: str, reason: str) -> None:
        """Write a sentence that begins with the place of the fault."""
        place = f"parameter {shown(parameter)}" if parameter else ""
        where = ", ".join(part for part in (shown(step) if step else "", place) if part)
        elements = {"Step": shown(step), "ArgumentName": shown(parameter)}
        detail: dict[str, errors.Detail] = {name: value for name, value in elements.items() if value}
        super().__init__(f"{where}: {reason}" if where else reason, headers=None, **detail)
        self.step = step
        self.parameter = parameter
        self.reason = reason

    def __reduce__(self) -> tuple[type["RecipeRefused"], tuple[str, str, str]]:
        """Travel whole between processes: pictures are made in another one than requests are answered in."""
        return type(self), (self.step, self.parameter, self.reason)


def shown(text: str) -> str:
    """Make what a caller sent fit to be repeated in a message: printable ASCII, and short."""
    short = text if len(text) <= _SHOWN_LIMIT else f"{text[:_SHOWN_LIMIT]}..."
    return short.encode("unicode_escape").decode() if not (short.isascii() and short.isprintable()) else short
