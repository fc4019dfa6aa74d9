"""How one parameter's text becomes a value, and back: a few declarative kinds, each with one clear error.

A kind knows its range and can say what would be right. It knows no operation, no step and no dialect.
"""

import re
from base64 import b64decode, urlsafe_b64encode
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Protocol

from meiku.media.refusal import Unfit, shown
from meiku.media.steps import Colour
from meiku.media.suggestions import nearest
from meiku.media.watermark_steps import Font

_WHOLE = re.compile(r"-?[0-9]{1,12}", re.ASCII)
_DECIMAL = re.compile(r"[0-9]{1,6}(\.[0-9]{1,2})?", re.ASCII)
_COLOUR = re.compile(r"[0-9A-Fa-f]{6}", re.ASCII)
_BASE64 = re.compile(r"[A-Za-z0-9_-]+", re.ASCII)
# A '+' that nobody escaped arrives as a space; standard base64 is taken as well as the URL-safe alphabet.
_URL_SAFE = str.maketrans("+ /", "--_")


class Kind(Protocol):
    """What a parameter's text may be."""

    @property
    def expected(self) -> str:
        """Say what would be right, as the end of a sentence."""

    def read(self, text: str) -> object:
        """Read the value; raises Unfit."""

    def write(self, value: object) -> str:
        """Write the value in the one way that reads to it."""


def _not(text: str, expected: str) -> Unfit:
    return Unfit(f"{shown(text)!r} is not {expected}.")


@dataclass(frozen=True, slots=True)
class WholeNumber:
    """A whole number, both ends included."""

    minimum: int
    maximum: int

    @property
    def expected(self) -> str:
        return f"a whole number from {self.minimum} to {self.maximum}"

    def read(self, text: str) -> int:
        if not _WHOLE.fullmatch(text) or not self.minimum <= int(text) <= self.maximum:
            raise _not(text, self.expected)
        return int(text)

    def write(self, value: object) -> str:
        return str(value)


@dataclass(frozen=True, slots=True)
class Fraction:
    """A number with at most two decimals, both ends included; never NaN, infinite, or with an exponent."""

    minimum: float
    maximum: float

    @property
    def expected(self) -> str:
        return f"a number from {self.minimum:g} to {self.maximum:g} with at most two decimals"

    def read(self, text: str) -> float:
        if not _DECIMAL.fullmatch(text) or not self.minimum <= float(text) <= self.maximum:
            raise _not(text, self.expected)
        return float(text)

    def write(self, value: object) -> str:
        return f"{value:.2f}".rstrip("0").rstrip(".")


@dataclass(frozen=True, slots=True)
class ColourCode:
    """A colour as six hexadecimal digits."""

    expected: str = "a colour as RRGGBB, six hexadecimal digits"

    def read(self, text: str) -> Colour:
        if not _COLOUR.fullmatch(text):
            raise _not(text, self.expected)
        return Colour(*bytes.fromhex(text))

    def write(self, value: object) -> str:
        assert isinstance(value, Colour)
        return bytes(value).hex().upper()


@dataclass(frozen=True, slots=True)
class Words:
    """One of a few words, each with its value; of two words for one value, the first is written."""

    values: Mapping[str, object]

    @property
    def expected(self) -> str:
        words = list(self.values)
        return f"one of {', '.join(words)}" if len(words) > 1 else repr(words[0])

    def read(self, text: str) -> object:
        if text not in self.values:
            near = nearest(text, self.values)
            meant = f" Did you mean {near!r}?" if near else ""
            raise Unfit(f"{shown(text)!r} is not {self.expected}.{meant}")
        return self.values[text]

    def write(self, value: object) -> str:
        return next(word for word, meant in self.values.items() if meant == value)


def words_of(choices: type[StrEnum], **more: StrEnum) -> Words:
    """Take an enumeration's own words, and others that mean the same."""
    return Words({choice.value: choice for choice in choices} | more)


def switch(*, off: str = "0", on: str = "1") -> Words:
    """Take 0 and 1 for no and yes, unless the parameter means it the other way round."""
    return Words({off: False, on: True})


@dataclass(frozen=True, slots=True)
class EncodedText:
    """Text as base64 of UTF-8: either alphabet, with or without padding; written URL-safe and without."""

    what: str
    maximum_bytes: int
    minimum_bytes: int = 1

    @property
    def expected(self) -> str:
        least = "" if self.minimum_bytes == 1 else f"at least {self.minimum_bytes} and "
        return f"the URL-safe base64 of {self.what}: {least}at most {self.maximum_bytes} bytes of UTF-8"

    def read(self, text: str) -> str:
        decoded = decoded_text(text)
        if decoded is None or not self.minimum_bytes <= len(decoded.encode()) <= self.maximum_bytes:
            raise _not(text, self.expected)
        if any(character < " " and character != "\n" for character in decoded):
            raise Unfit(f"{self.what} holds a control character.")
        return decoded

    def write(self, value: object) -> str:
        return urlsafe_b64encode(str(value).encode()).decode().rstrip("=")


class PictureReference(EncodedText):
    """A key, and after a question mark the recipe for it; who reads recipes takes the decoded text apart."""

    __slots__ = ()


@dataclass(frozen=True, slots=True)
class FontName:
    """A font by its plain name (ZOS) or the base64 of it (OSS); both vendors' fonts, in both ways."""

    expected: str = f"a font, plain or as URL-safe base64: {', '.join(Font)}"

    def read(self, text: str) -> Font:
        by_name: Mapping[str, Font] = {font.value: font for font in Font}
        font = by_name.get(text) or by_name.get(decoded_text(text) or "")
        if font is None:
            raise _not(text, self.expected)
        return font

    def write(self, value: object) -> str:
        return urlsafe_b64encode(str(value).encode()).decode().rstrip("=")


@dataclass(frozen=True, slots=True)
class Named:
    """A plain name with a rule of its own."""

    expected: str
    fits: Callable[[str], object]

    def read(self, text: str) -> str:
        if not self.fits(text):
            raise _not(text, self.expected)
        return text

    def write(self, value: object) -> str:
        return str(value)


def decoded_text(text: str) -> str | None:
    """Decode base64 of UTF-8 with all tolerance; None when it is neither."""
    body = text.rstrip("=").translate(_URL_SAFE)
    if len(text) - len(body) > 2 or not _BASE64.fullmatch(body):
        return None
    try:
        return b64decode(body + "=" * (-len(body) % 4), altchars=b"-_", validate=True).decode()
    except ValueError:
        return None
