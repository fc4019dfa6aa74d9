"""The three ways S3 writes a moment, and how far a client's clock may be from ours."""

from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from functools import lru_cache

from meiku import errors

MAX_SKEW_S = 15 * 60
_TIMESTAMP_LENGTH = 16
_YEAR_10000_S = 253_402_300_800
_DIGITS_LIMIT = 15  # a count of seconds beyond this is not a moment; int() refuses thousands of digits


def moment_of_timestamp(text: str) -> float | None:
    """Read 20240102T030405Z into seconds since 1970; None where it is not in this form."""
    return _moment(text) if len(text) == _TIMESTAMP_LENGTH else None


@lru_cache(1024)  # many requests are signed in one second, and a page's links all at once
def _moment(text: str) -> float | None:
    if text[8] != "T" or text[15] != "Z":
        return None
    if not (text[:8] + text[9:15]).isdecimal():
        return None
    try:
        return datetime.fromisoformat(text).timestamp()
    except ValueError:
        return None


def moment_of_date(text: str) -> float | None:
    """Read an HTTP date, or a V4 timestamp in its place; None where it is neither."""
    moment = moment_of_timestamp(text)
    if moment is not None:
        return moment
    try:
        parsed = parsedate_to_datetime(text)
        moment = (parsed if parsed.tzinfo else parsed.replace(tzinfo=UTC)).timestamp()
    except (ValueError, TypeError, IndexError, OverflowError):
        return None
    return moment if 0 <= moment < _YEAR_10000_S else None


def timestamp_of(moment_s: float) -> str:
    """Write seconds since 1970 as 20240102T030405Z."""
    return datetime.fromtimestamp(moment_s, UTC).strftime("%Y%m%dT%H%M%SZ")


def written(moment_s: float) -> str:
    """Write seconds since 1970 as 2024-01-02T03:04:05Z; a moment no calendar holds as a plain number."""
    try:
        return datetime.fromtimestamp(moment_s, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
    except (ValueError, OverflowError, OSError):
        return f"{moment_s:.0f}"


def count_of(text: str) -> int | None:
    """Read a count of seconds; None where it is not a plain, sensible number."""
    return int(text) if text.isascii() and text.isdecimal() and len(text) <= _DIGITS_LIMIT else None


def check_skew(request_s: float, now_s: float, request_time: str) -> None:
    """Refuse a request whose clock is more than 15 minutes from ours."""
    if abs(now_s - request_s) > MAX_SKEW_S:
        raise errors.RequestTimeTooSkewed(
            RequestTime=request_time,
            ServerTime=written(now_s),
            MaxAllowedSkewMilliseconds=str(MAX_SKEW_S * 1000),
        )
