"""What is made of an object: bytes, and what they are. Nothing about how."""

from dataclasses import dataclass

# Part of every result's identity: raise it when the engine makes something else of the same recipe.
ENGINE_VERSION = 4


@dataclass(frozen=True, slots=True)
class Made:
    """A finished picture, or facts as JSON."""

    body: bytes
    content_type: str
