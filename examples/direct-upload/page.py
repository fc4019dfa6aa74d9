"""A page: one frame, one HTML file in it, and `{{places}}` that are filled in, always escaped or built here.

Both languages stand in the HTML and the style sheet shows one of them, so a page needs no script to be read.
"""

import re
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from html import escape
from pathlib import Path
from urllib.parse import quote

from fastapi import Request, Response

from gallery import Card, Group
from meiku.signing import Form
from storage import Stored

_FOLDER = Path(__file__).parent / "pages"
_PLACE = re.compile(r"\{\{(\w+)\}\}")
_LANGUAGES = ("zh", "en")
_LINKED = ("form", "post", "put", "pictures")
_COOKIE = "language"
_YEAR_S = 365 * 24 * 3600


class Html(str):
    """Text that is HTML already."""

    __slots__ = ()


def render(name: str, title: str, language: str, places: Mapping[str, str]) -> str:
    """Fill one page into the frame; KeyError when a place has no value."""
    content = Html(_fill(name, {**places, "panel": Html(_fill("panel", places))}))
    current = {f"{way}_current": "page" if way == name else "false" for way in _LINKED}
    own = {"title": title, "language": language, "content": content, **current}
    return _fill("frame", {**places, **own})


def _fill(name: str, places: Mapping[str, str]) -> str:
    text = (_FOLDER / f"{name}.html").read_text(encoding="utf-8")
    return _PLACE.sub(lambda place: _written(places[place[1]]), text)


def _written(value: str) -> str:
    return value if isinstance(value, Html) else escape(value)


def language_of(request: Request) -> str:
    """Choose the language: asked for, remembered, or the first one that the browser prefers."""
    for asked in (request.query_params.get("lang"), request.cookies.get(_COOKIE)):
        if asked in _LANGUAGES:
            return str(asked)
    preferred = request.headers.get("accept-language", "zh").lower()
    found = re.search(r"\b(zh|en)\b", preferred)
    return found[1] if found else "en"


def remember_language(request: Request, response: Response) -> None:
    """Keep a language that was asked for, also where no script runs."""
    asked = request.query_params.get("lang")
    if asked in _LANGUAGES:
        response.set_cookie(_COOKIE, str(asked), max_age=_YEAR_S, samesite="lax")


def form_places(form: Form, expires_at: datetime) -> Mapping[str, str]:
    """Write a signed form's address and hidden fields, in their order."""
    hidden = "\n".join(
        f'    <input type="hidden" name="{escape(name)}" value="{escape(value)}">'
        for name, value in form.fields.items()
    )
    elsewhere = hidden.replace(escape(form.fields["key"]), "elsewhere/${filename}", 1)
    return {
        "action": form.action,
        "fields": Html(hidden),
        "elsewhere": Html(elsewhere),
        "expires": f"{expires_at.astimezone():%H:%M}",
    }


def done_places(bucket: str, key: str, etag: str, found: Stored | None, address: str) -> Mapping[str, str]:
    """Write what the storage says about an upload, or that it knows nothing of it."""
    return {
        "bucket": bucket,
        "key": key,
        "etag": etag,
        "verdict": "found" if found else "missing",
        "address": address,
        "size": f"{found.size_bytes:,}" if found else "–",
        "type": found.content_type if found else "–",
        "time": f"{found.modified_at.astimezone(UTC):%Y-%m-%d %H:%M:%S} UTC" if found else "–",
        "preview": Html(_preview(key, found) if found else ""),
    }


def gallery_places(groups: Sequence[Group], recipe_limit: int) -> Mapping[str, str]:
    """Write every card of every group, and the list of groups."""
    titles = "".join(
        _fill("group_link", {"name": group.name, "zh": group.zh, "en": group.en}) for group in groups
    )
    return {
        "index": Html(titles),
        "groups": Html("".join(_group(group, recipe_limit) for group in groups)),
    }


def _group(group: Group, recipe_limit: int) -> str:
    cards = Html("".join(_card(card, recipe_limit) for card in group.cards))
    return _fill("group", {"name": group.name, "zh": group.zh, "en": group.en, "cards": cards})


def _card(card: Card, recipe_limit: int) -> str:
    address = f"/view/{quote(card.sample)}?x-amz-process={quote(card.recipe, safe=',/')}"
    own = {"title": card.title, "address": address, "kind": card.recipe.partition("/")[0]}
    words = {"zh": card.zh, "en": card.en}
    named = {"name": card.name, "recipe": card.recipe, "sample": card.sample}
    return _fill("card", {**own, **words, **named, "limit": str(recipe_limit)})


def _preview(key: str, found: Stored) -> str:
    source = escape(f"/view/{quote(key)}")
    kind = found.content_type.partition("/")[0]
    shown = {
        "image": f'<img src="{source}" alt="">',
        "video": f'<video src="{source}" controls></video>',
        "audio": f'<audio src="{source}" controls></audio>',
    }
    return f'<figure class="preview">{shown[kind]}</figure>' if kind in shown else ""
