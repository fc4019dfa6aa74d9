"""Times as the wire writes them. Inside the house a time is whole milliseconds since 1970, UTC.

S3 shows seconds everywhere, so that what a listing says and what HEAD says agree; so do we.
"""

from calendar import timegm
from datetime import UTC, datetime
from email.utils import formatdate, parsedate_tz
from functools import lru_cache
from time import time


def iso8601(time_ms: int) -> str:
    """Write a time as XML documents carry it: `2026-01-02T03:04:05.000Z`."""
    return _iso8601_of_second(time_ms // 1000)


def http_date(time_ms: int) -> str:
    """Write a time as headers carry it (RFC 9110, 5.6.7)."""
    return _http_date_of_second(time_ms // 1000)


class _Present:
    """The second that it is, written out; renewed by whoever finds that it has passed."""

    __slots__ = ("header", "next_s", "text")

    def __init__(self) -> None:
        self.renew(0.0)

    def renew(self, now_s: float) -> None:
        """Take note of a moment."""
        second = int(now_s)
        self.next_s, self.text = second + 1, _http_date_of_second(second)
        self.header = (b"date", self.text.encode())


def past_http_date(time_ms: int) -> str:
    """Write when something changed: never later than now, whatever the clock did (RFC 9110, 8.8.2.1)."""
    if time_ms >= _present.next_s * 1000:
        _present.renew(time())
        if time_ms >= _present.next_s * 1000:
            return _present.text
    return _http_date_of_second(time_ms // 1000)


def date_header() -> tuple[bytes, bytes]:
    """Say when an answer is sent: asked for as it is written, so that no time in it is later."""
    now_s = time()
    if not _present.next_s - 1 <= now_s < _present.next_s:
        _present.renew(now_s)
    return _present.header


@lru_cache(maxsize=4096)
def _iso8601_of_second(second: int) -> str:
    return datetime.fromtimestamp(second, UTC).strftime("%Y-%m-%dT%H:%M:%S.000Z")


@lru_cache(maxsize=4096)
def _http_date_of_second(second: int) -> str:
    return formatdate(second, usegmt=True)


_present = _Present()


def read_time(text: str) -> int | None:
    """Read an HTTP date, an ISO 8601 time or a Unix second; None where it is none of them."""
    try:
        if text.isdecimal():
            return int(text[:12]) * 1000
        if len(text) > 10 and text[4] == "-":
            moment = datetime.fromisoformat(text)
            return int(moment.replace(tzinfo=moment.tzinfo or UTC).timestamp() * 1000)
        parts = parsedate_tz(text)
        return (timegm(parts[:9]) - (parts[9] or 0)) * 1000 if parts else None
    except (ValueError, OverflowError, TypeError):
        return None
