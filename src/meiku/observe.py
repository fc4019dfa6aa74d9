"""What happened, written down: one line per request where that is wanted, and every mistake of ours.

Lines are JSON, one event each. A line names the operation, who called, the status and the time; never a query
string, a header or a field, because those carry signatures and tokens.
"""

import json
import logging
import os
import sys
import time
from typing import TextIO

from meiku.access.caller import Caller

_log = logging.getLogger("meiku")


class JsonLines(logging.Formatter):
    """Writes a record as one line of JSON."""

    def format(self, record: logging.LogRecord) -> str:
        """Write the record's message and fields; a traceback goes in as text."""
        entry = {"time": self.formatTime(record, "%Y-%m-%dT%H:%M:%S%z"), "level": record.levelname.lower()}
        entry |= {"event": record.getMessage()} | getattr(record, "fields", {})
        if record.exc_info:
            entry["traceback"] = self.formatException(record.exc_info)
        return json.dumps(entry, ensure_ascii=False, default=str)


def write_log_to(stream: TextIO = sys.stderr) -> None:
    """Send what the house logs to a stream."""
    handler = logging.StreamHandler(stream)
    handler.setFormatter(JsonLines())
    _log.handlers[:] = [handler]
    _log.setLevel(logging.INFO)
    _log.propagate = False


class RequestIds:
    """Makes ids in the form that the family's servers use: `tx<21 hex>-<hex time>-<hex process>-<zone>`."""

    def __init__(self, zone: str) -> None:
        self._count = time.time_ns() & 0xFFFFFFFFFF
        self._tail = f"-{os.getpid():x}-{zone}"

    def next(self) -> str:
        """Make the next id."""
        self._count += 1
        return f"tx{self._count:021x}-{int(time.time()):x}{self._tail}"


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


def record_mistake(request_id: str, error: BaseException) -> None:
    """Write down an error of ours, with its traceback, for the operator only."""
    _log.error("mistake", exc_info=error, extra={"fields": {"request_id": request_id}})
