"""What happened, written down: one line per request where that is wanted, and every mistake of ours.

Lines are JSON, one event each. A line names the operation, who called, the status and the time; never a query
string, a header or a field, because those carry signatures and tokens.
"""

import json
import logging
import os
import re
import sys
import time
from typing import TextIO

from meiku.access.caller import Caller

_log = logging.getLogger("meiku")


# What a terminal obeys, or shows in another order than it is written; JSON escapes the first 32 by itself.
_UNSHOWN = re.compile("[\x7f-\x9f\u061c\u200b-\u200f\u2028-\u202e\u2060-\u206f\ufeff]")
_IDS_AT_ONCE, _ID_BYTES = 256, 12


class JsonLines(logging.Formatter):
    """Writes a record as one line of JSON."""

    def format(self, record: logging.LogRecord) -> str:
        """Write the record's message and fields; a traceback goes in as text."""
        entry = {"time": self.formatTime(record, "%Y-%m-%dT%H:%M:%S%z"), "level": record.levelname.lower()}
        entry |= {"event": record.getMessage()} | getattr(record, "fields", {})
        if record.exc_info:
            entry["traceback"] = self.formatException(record.exc_info)
        line = json.dumps(entry, ensure_ascii=False, default=str)
        return _UNSHOWN.sub(lambda found: f"\\u{ord(found[0]):04x}", line)


def write_log_to(stream: TextIO = sys.stderr) -> None:
    """Send what the house logs to a stream."""
    handler = logging.StreamHandler(stream)
    handler.setFormatter(JsonLines())
    _log.handlers[:] = [handler]
    _log.setLevel(logging.INFO)
    _log.propagate = False


class RequestIds:
    """Makes ids in the form that the family's servers use: `tx<21 hex>-<hex time>-<hex process>-<zone>`.

    They can be neither guessed nor counted, and the process is a number of its own, not the system's.
    """

    def __init__(self, zone: str) -> None:
        self._tail = f"-{os.urandom(3).hex()}-{zone}"
        self._drawn: list[str] = []

    def next(self) -> str:
        """Make the next id."""
        if not self._drawn:
            digits = os.urandom(_IDS_AT_ONCE * _ID_BYTES).hex()
            self._drawn = [digits[start : start + 21] for start in range(0, len(digits), 2 * _ID_BYTES)]
        return f"tx{self._drawn.pop()}-{int(time.time()):x}{self._tail}"


def record_request(
    *,
    request_id: str,
    operation: str,
    caller: Caller | None,
    bucket: str | None,
    key: str | None,
    status: int,
    duration_s: float,
) -> None:
    """Write down one request that was answered."""
    fields = {
        "request_id": request_id,
        "operation": operation,
        "caller": caller.name if caller else None,
        "bucket": bucket,
        "key": key,
        "status": status,
        "duration_ms": round(duration_s * 1000, 3),
    }
    _log.info("request", extra={"fields": fields})


def warn(sentence: str) -> None:
    """Write down what an operator should know of, though it stops nothing."""
    _log.warning(sentence)


def record_damage(damage: BaseException) -> None:
    """Write down that stored bytes are not what they were; the sentence names the object."""
    _log.error("damage", extra={"fields": {"kind": "read", "sentence": str(damage)}})


def record_mistake(request_id: str, error: BaseException) -> None:
    """Write down an error of ours, with its traceback, for the operator only."""
    _log.error("mistake", exc_info=error, extra={"fields": {"request_id": request_id}})
