"""What somebody may have meant by a name that is not known. Words for messages only; nothing acts on them."""

from collections.abc import Iterable
from difflib import get_close_matches

from meiku.media.refusal import shown

_CLOSE_ENOUGH = 0.6


def unknown(what: str, name: str, known: Iterable[str]) -> str:
    """Say that a name is not known, and which known one is nearest, or else all of them."""
    names = [each for each in known if each]
    said = f"there is no {what} {shown(name)!r}"
    near = nearest(name, names)
    if near:
        return f"{said}; did you mean {near!r}?"
    return f"{said}; there is {', '.join(names)}." if names else f"{said}; it takes none."


def nearest(name: str, known: Iterable[str]) -> str | None:
    """Find the known name that is most alike; letters of another case are alike, and so is an underscore."""
    by_plain = {_plain(each): each for each in known}
    found = get_close_matches(_plain(name[:64]), by_plain, n=1, cutoff=_CLOSE_ENOUGH)
    return by_plain[found[0]] if found else None


def _plain(name: str) -> str:
    return name.lower().replace("_", "-")
