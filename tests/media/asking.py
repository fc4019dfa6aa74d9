"""Recipes followed in this process on bytes in memory: what came back, or in which words it was refused."""

import json
from dataclasses import dataclass
from typing import Any

import pyvips

from media.filming import number_of
from meiku.media import read_recipe
from meiku.media.made import Made
from meiku.media.refusal import RecipeRefused
from meiku.media.video import follow_video


@dataclass
class InMemory:
    """A source that counts what is read of it."""

    body: bytes
    read_bytes: int = 0

    @property
    def size_bytes(self) -> int:
        return len(self.body)

    def read(self, start_byte: int, stop_byte: int) -> bytes:
        self.read_bytes += stop_byte - start_byte
        return self.body[start_byte:stop_byte]


def made(body: bytes, recipe: str) -> Made:
    """Follow a recipe."""
    return follow_video(read_recipe(recipe), InMemory(body))


def picture(body: bytes, recipe: str) -> pyvips.Image:
    """Follow a recipe for a picture."""
    return pyvips.Image.new_from_buffer(made(body, recipe).body, "")


def frame_at(body: bytes, time_ms: float, *, fast: bool = False) -> int:
    """Tell the number of the frame that is seen at a time, or of the key frame before."""
    return number_of(made(body, f"video/snapshot,t_{int(time_ms)},f_png{',m_fast' if fast else ''}").body)


def facts(body: bytes) -> dict[str, Any]:
    """Tell what `video/info` says."""
    answer: dict[str, Any] = json.loads(made(body, "video/info").body)
    return answer


def refusal(body: bytes, recipe: str) -> str:
    """Tell why a recipe is refused; AssertionError when it is not."""
    try:
        made(body, recipe)
    except RecipeRefused as refused:
        return refused.message
    raise AssertionError("it is not refused")
