"""Findings: what is wrong with what is stored, and whom it concerns. Words only."""

from dataclasses import dataclass
from typing import Any, Literal

Kind = Literal[
    "missing",  # the bytes are not there at all
    "truncated",  # they end too early
    "too-long",  # there are more than the record says
    "changed",  # as many as there should be, but others
    "unreadable",  # the disk does not give them
    "unverifiable",  # the record keeps no checksum to compare them with
    "parts",  # the rows of an object's parts do not add up to it
    "stray-parts",  # parts of no upload and of no object
    "orphan",  # bytes that no row names
    "released",  # bytes that a row names and that wait to be deleted nevertheless
    "count",  # a sum kept beside the rows is not theirs
    "database",  # the rows' own file contradicts itself
]


@dataclass(frozen=True, slots=True)
class Flaw:
    """What is wrong with some bytes: the kind, and one sentence."""

    kind: Kind
    sentence: str


@dataclass(frozen=True, slots=True)
class Finding:
    """A flaw and whom it concerns; an object by bucket and key, a part by its upload too."""

    kind: Kind
    sentence: str
    bucket: str | None = None
    key: bytes | None = None
    upload_id: str | None = None
    part_number: int | None = None
    content_id: str | None = None

    @property
    def name(self) -> str:
        """Name what is concerned, as people would."""
        if self.key is None:
            return self.content_id or self.upload_id or self.bucket or "the database"
        named = f"{self.bucket or '(no bucket)'}/{self.key.decode(errors='backslashreplace')}"
        return f"{named} (upload {self.upload_id}, part {self.part_number})" if self.upload_id else named

    def as_json(self) -> dict[str, Any]:
        """Write what is known, leaving out what is not."""
        known = {
            "kind": self.kind,
            "sentence": self.sentence,
            "bucket": self.bucket,
            "key": None if self.key is None else self.key.decode(errors="backslashreplace"),
            "upload_id": self.upload_id,
            "part_number": self.part_number,
            "content_id": self.content_id,
        }
        return {name: value for name, value in known.items() if value is not None}
