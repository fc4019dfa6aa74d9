"""What a media worker says, read as a stranger's words: it decodes what they sent, and may be one by now.

Whatever no worker of ours would say is a ConnectionError, as if it had died: nothing is answered, kept or
asked for on the word of a worker that was taken over but a picture, a refusal, or a source's range.
"""

import re
from typing import Any

from meiku.media.made import Made
from meiku.media.messages import Message
from meiku.media.refusal import RecipeRefused

_RANGE_LIMIT_BYTES = 1 << 20
_REASON_LIMIT = 2048
# What results are. A page or a drawing with a script in it is none: it would be run on the bucket's own host.
_CONTENT_TYPE = re.compile(r"image/(?!svg)[a-z0-9.-]{1,40}|application/json")


def made_of(said: Message) -> Made:
    """Read what the worker made; RecipeRefused where it refuses in words."""
    if "refused" in said.values:
        words = said.values["refused"]
        _require(isinstance(words, list) and len(words) == 3 and all(map(_is_short, words)))
        raise RecipeRefused(*words)
    content_type = said.values.get("content_type")
    _require(isinstance(content_type, str) and _CONTENT_TYPE.fullmatch(content_type) is not None)
    return Made(said.body, str(content_type))


def range_of(asked: Message, size_bytes: int) -> tuple[int, int]:
    """Read which range of a source of this size is asked for."""
    start_byte: Any = asked.values.get("start")
    stop_byte: Any = asked.values.get("stop")
    _require(type(start_byte) is int and type(stop_byte) is int)
    _require(0 <= start_byte <= stop_byte <= min(size_bytes, start_byte + _RANGE_LIMIT_BYTES))
    return start_byte, stop_byte


def wanted_of(asked: Message) -> str | None:
    """Read which object is asked for; None is the source."""
    key = asked.values["want"]
    _require(key is None or isinstance(key, str))
    return None if key is None else str(key)


def _is_short(word: object) -> bool:
    return isinstance(word, str) and len(word) <= _REASON_LIMIT


def _require(true: bool) -> None:
    if not true:
        raise ConnectionError("a worker says what no worker of ours says")
