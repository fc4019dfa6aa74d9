"""A sentence to a person whose request was refused, in English and in Chinese, and which of them they read.

What the sentences are stands where the mistakes are recognised; nothing here knows signatures.
"""

from collections.abc import Mapping
from typing import Literal, NamedTuple

Language = Literal["en", "zh"]


class Cause(NamedTuple):
    """One sentence in both languages."""

    english: str
    chinese: str

    def told(self, language: Language | None) -> str:
        """Return it in one language; in both where nobody knows which is read."""
        if language is None:
            return f"{self.english} {self.chinese}"
        return self.chinese if language == "zh" else self.english


def language_of(accept_language: str | None) -> Language | None:
    """Choose by an Accept-Language header: the one of both that its sender likes better, None for neither."""
    liked: dict[Language, float] = {}
    for item in (accept_language or "").lower().split(","):
        name, _, weight = item.partition(";")
        language = _language(name.strip().partition("-")[0])
        if language is not None:
            liked[language] = max(liked.get(language, 0.0), _weight(weight))
    best = max(liked, key=lambda language: liked[language], default=None)
    return best if best is not None and liked[best] > 0 else None


def language_of_locale(environment: Mapping[str, str]) -> Language | None:
    """Choose as a terminal does: by the first of LC_ALL, LC_MESSAGES and LANG that says something."""
    said = (environment.get(name) for name in ("LC_ALL", "LC_MESSAGES", "LANG"))
    name = next((text for text in said if text), "")
    return _language(name.lower().partition(".")[0].partition("_")[0])


def _language(name: str) -> Language | None:
    return "en" if name == "en" else "zh" if name == "zh" else None


def _weight(text: str) -> float:
    name, _, value = text.strip().partition("=")
    if name.strip() != "q":
        return 1.0
    try:
        return min(max(float(value), 0.0), 1.0)
    except ValueError:
        return 0.0
