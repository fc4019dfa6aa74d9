"""How a group lists its commands: each with its whole sentence, in both languages. It only prints."""

import inspect
from typing import Any

from typer.core import TyperGroup


class Listing(TyperGroup):
    """A group whose list of commands leaves nothing out.

    The usual list stops at the first full stop or at the end of a line: the Chinese stands behind both.
    """

    def format_commands(self, ctx: Any, formatter: Any) -> None:
        """Write the first paragraph of each command's help beside its name."""
        found = ((name, self.get_command(ctx, name)) for name in self.list_commands(ctx))
        rows = [(name, _first_paragraph(command.help or "")) for name, command in found if command]
        with formatter.section("Commands"):
            formatter.write_dl(rows)


def _first_paragraph(text: str) -> str:
    return " ".join(inspect.cleandoc(text).split("\n\n")[0].split())
