"""The styles of one bucket and its separators, as they are kept: how many, and what may stand together.

A change answers a new whole and has no other effect, so that a transaction may make it again. What a style
means is `styles`'; where the text is kept is not known here.
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from functools import lru_cache

from meiku.media.dialects import DIALECTS
from meiku.media.refusal import RecipeRefused, shown
from meiku.media.styles import SEPARATORS, Style, check_style_name

STYLES_LIMIT = 50
EVERY_KEY = "*"
_ENDS_LIMIT, _END_LIMIT = 20, 16


@dataclass(frozen=True, slots=True)
class BucketStyles:
    """A bucket's styles by name, the separators that are switched on, and which originals are protected.

    `protected` are the ends of keys whose objects strangers see in a style only; `*` is all of them.
    """

    styles: Mapping[str, Style] = field(default_factory=dict)
    separators: str = ""
    protected: tuple[str, ...] = ()

    def protects(self, key: str) -> bool:
        """Tell whether strangers see this object in a style only."""
        end = key.rpartition(".")[2].lower() if "." in key else ""
        return EVERY_KEY in self.protected or end in self.protected

    def with_style(self, name: str, style: Style) -> "BucketStyles":
        """Add a style, whose content has been read; one that had the name leaves its time of creation."""
        check_style_name(name, self.separators)
        former = self.styles.get(name)
        if former is not None:
            style = replace(style, created_at_ms=former.created_at_ms)
        elif len(self.styles) >= STYLES_LIMIT:
            raise RecipeRefused("style", "", f"a bucket has at most {STYLES_LIMIT} styles; delete one first.")
        return replace(self, styles={**self.styles, name: style})

    def without_style(self, name: str) -> "BucketStyles":
        """Take a style away; one that is not there is gone too."""
        return replace(self, styles={each: style for each, style in self.styles.items() if each != name})

    def with_separators(self, separators: str) -> "BucketStyles":
        """Switch these separators on and all others off; refuses those that would cut a style's name."""
        for separator in separators:
            cut = next((name for name in sorted(self.styles) if separator in name), None)
            if cut is not None:
                reason = f"{separator!r} can separate nothing: the name of the style {cut!r} holds it."
                raise RecipeRefused("style", "", reason)
        return replace(self, separators=separators)

    def to_json(self) -> str | None:
        """Write all of it as it is kept; None where nothing is left to keep."""
        if not self.styles and not self.separators and not self.protected:
            return None
        styles = {
            name: [style.content, style.dialect.name, style.created_at_ms, style.modified_at_ms]
            for name, style in sorted(self.styles.items())
        }
        kept = {"separators": self.separators, "styles": styles, "protected": self.protected}
        return json.dumps(kept, separators=(",", ":"))


NO_STYLES = BucketStyles()


# Fifty styles of 8,192 characters are the most that one text holds.
@lru_cache(maxsize=256)
def styles_from_json(text: str) -> BucketStyles:
    """Read styles as they were kept."""
    document = json.loads(text)
    styles = {
        name: Style(content, DIALECTS[dialect], created_at_ms, modified_at_ms)
        for name, (content, dialect, created_at_ms, modified_at_ms) in document["styles"].items()
    }
    # What was kept before there was protection says nothing of it.
    return BucketStyles(styles, document["separators"], tuple(document.get("protected", ())))


def read_separators(text: str) -> str:
    """Read separators as OSS writes them, with commas between; in the house's order, each once."""
    asked = [part for part in text.split(",") if part]
    for separator in asked:
        if separator not in SEPARATORS:
            known = ", ".join(map(repr, SEPARATORS))
            raise RecipeRefused(
                "", "StyleDelimiters", f"{shown(separator)!r} is no separator; there is {known}, with commas."
            )
    return "".join(separator for separator in SEPARATORS if separator in asked)


def read_protected(switch: str, ends: str) -> tuple[str, ...]:
    """Read which originals are protected, as OSS writes it: a switch, and ends of keys, or `*`."""
    if switch not in ("Enabled", "Disabled"):
        raise RecipeRefused("", "SourceFileProtect", f"{shown(switch)!r} is neither Enabled nor Disabled.")
    named = [end.strip().lower().removeprefix(".") for end in ends.split(",") if end.strip()]
    if any(end != EVERY_KEY and not (end.isalnum() and len(end) <= _END_LIMIT) for end in named):
        raise RecipeRefused("", "SourceFileProtectSuffix", "expected * or ends of keys, such as jpg,png.")
    if len(named) > _ENDS_LIMIT:
        raise RecipeRefused("", "SourceFileProtectSuffix", f"there are more than {_ENDS_LIMIT} ends of keys.")
    return tuple(dict.fromkeys(named or [EVERY_KEY])) if switch == "Enabled" else ()


def write_separators(separators: str) -> str:
    """Write separators as OSS does."""
    return ",".join(separators)
