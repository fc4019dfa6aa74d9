"""Counts: the sums that are kept beside the rows, compared with the rows themselves and set right.

Who changes rows keeps the sum in the same transaction, so at any moment both agree; only another program, or
a damaged file, can part them. Each comparison is one statement, and so one moment.
"""

from dataclasses import dataclass

from meiku.meta.transaction import Statement, Transaction, long

_USAGE = (
    "SELECT b.name, u.objects, u.size_bytes, COUNT(o.key), COALESCE(SUM(o.size_bytes), 0) FROM buckets b "
    "LEFT JOIN bucket_usage u ON u.bucket_id = b.bucket_id "
    "LEFT JOIN objects o ON o.bucket_id = b.bucket_id GROUP BY b.bucket_id "
    "HAVING u.objects IS NOT COUNT(o.key) OR u.size_bytes IS NOT COALESCE(SUM(o.size_bytes), 0)"
)
_RECOUNT_USAGE = (
    "INSERT INTO bucket_usage (bucket_id, objects, size_bytes) "
    "SELECT b.bucket_id, COUNT(o.key), COALESCE(SUM(o.size_bytes), 0) "
    "FROM buckets b LEFT JOIN objects o ON o.bucket_id = b.bucket_id WHERE b.name = $1 GROUP BY b.bucket_id "
    "ON CONFLICT (bucket_id) DO UPDATE SET objects = excluded.objects, size_bytes = excluded.size_bytes"
)
_RESULTS = (
    "SELECT (SELECT SUM(size_bytes) FROM results_total), (SELECT COALESCE(SUM(size_bytes), 0) FROM results)"
)
_RECOUNT_RESULTS = "INSERT INTO results_total (size_bytes) SELECT COALESCE(SUM(size_bytes), 0) FROM results"


@dataclass(frozen=True, slots=True)
class WrongUsage:
    """A bucket whose count is not what its rows say; nothing is kept where the count itself is missing."""

    bucket: str
    kept_objects: int | None
    kept_bytes: int | None
    objects: int
    size_bytes: int


def wrong_usages() -> Transaction[list[WrongUsage]]:
    """List the buckets whose counts are wrong; looks at every object at once."""
    rows = yield Statement(_USAGE)
    return [WrongUsage(*row) for row in rows]


@long
def recount_usage(bucket: str) -> Transaction[None]:
    """Count once more what a bucket holds; nothing happens when it is gone."""
    yield Statement(_RECOUNT_USAGE, (bucket,))


def results_totals() -> Transaction[tuple[int | None, int]]:
    """Tell how many bytes all results are said to have, and how many they have."""
    rows = yield Statement(_RESULTS)
    return rows[0][0], rows[0][1]


@long
def recount_results() -> Transaction[None]:
    """Add up once more how many bytes all results have."""
    yield Statement("DELETE FROM results_total")
    yield Statement(_RECOUNT_RESULTS)
