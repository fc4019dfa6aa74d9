"""Scrubs: how far the slow comparison of all stored bytes has got, so that a restart goes on where it was.

Two rows: the latest round, which may still run, and the last one that came to its end. What is compared, and
how, is not known here.
"""

# Statements are joined from constants of the house, never from values.
# ruff: noqa: S608

from dataclasses import dataclass

from meiku.meta.transaction import Statement, Transaction

_LATEST, _FINISHED = 1, 2
_COLUMNS = "began_at_ms, finished_at_ms, bucket_id, key, objects, size_bytes, damaged"


@dataclass(frozen=True, slots=True)
class Scrub:
    """A round: when it began and ended (None while it runs), the last object seen, and what was counted."""

    began_at_ms: int
    finished_at_ms: int | None = None
    bucket_id: int = -1
    key: bytes = b""
    objects: int = 0
    size_bytes: int = 0
    damaged: int = 0


def find_scrub() -> Transaction[Scrub | None]:
    """Find the round that runs, or the last one."""
    rows = yield Statement(f"SELECT {_COLUMNS} FROM scrubs WHERE scrub_id = $1", (_LATEST,))
    return Scrub(*rows[0]) if rows else None


def find_finished_scrub() -> Transaction[Scrub | None]:
    """Find the last round that came to its end."""
    rows = yield Statement(f"SELECT {_COLUMNS} FROM scrubs WHERE scrub_id = $1", (_FINISHED,))
    return Scrub(*rows[0]) if rows else None


def store_scrub(scrub: Scrub) -> Transaction[None]:
    """Remember how far the round has got."""
    yield _store(_LATEST, scrub)


def finish_scrub(scrub: Scrub) -> Transaction[None]:
    """Remember how the round ended, also while the next one runs."""
    yield _store(_LATEST, scrub)
    yield _store(_FINISHED, scrub)


def _store(scrub_id: int, scrub: Scrub) -> Statement:
    return Statement(
        f"INSERT INTO scrubs (scrub_id, {_COLUMNS}) VALUES ($1, $2, $3, $4, $5, $6, $7, $8) "
        "ON CONFLICT (scrub_id) DO UPDATE SET began_at_ms = excluded.began_at_ms, "
        "finished_at_ms = excluded.finished_at_ms, bucket_id = excluded.bucket_id, key = excluded.key, "
        "objects = excluded.objects, size_bytes = excluded.size_bytes, damaged = excluded.damaged",
        (
            scrub_id,
            scrub.began_at_ms,
            scrub.finished_at_ms,
            scrub.bucket_id,
            scrub.key,
            scrub.objects,
            scrub.size_bytes,
            scrub.damaged,
        ),
    )
