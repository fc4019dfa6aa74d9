"""What is made of an object: bytes, and what they are. Nothing about how."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Made:
    """A finished picture, or facts as JSON."""

    body: bytes
    content_type: str
