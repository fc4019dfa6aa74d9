"""What clients were promised: every write with the moment it began and, if it was answered, ended.

From the ledger follows what each key may hold after a crash. It knows no server and no bytes, only etags.
"""

import threading
import time
from dataclasses import dataclass, field

ABSENT = ""


@dataclass
class Write:
    """One attempt to make a key hold an etag; ABSENT is a removal."""

    etag: str
    began_s: float
    answered_s: float | None = None


@dataclass
class Ledger:
    """All writes by key, and what an etag's bytes must hash to."""

    writes: dict[str, list[Write]] = field(default_factory=dict)
    sha256_of: dict[str, str] = field(default_factory=dict)
    lock: threading.Lock = field(default_factory=threading.Lock)

    def begin(self, key: str, etag: str, sha256: str = "") -> Write:
        """Note that a write is about to be sent."""
        write = Write(etag, time.monotonic())
        with self.lock:
            self.writes.setdefault(key, []).append(write)
            self.sha256_of[etag] = sha256
        return write

    def end(self, write: Write) -> None:
        """Note that a write was answered with success."""
        write.answered_s = time.monotonic()

    def allowed(self, key: str) -> set[str]:
        """Tell which etags a key may hold: whatever no answered write certainly came after."""
        writes = [Write(ABSENT, float("-inf"), float("-inf")), *self.writes[key]]
        return {write.etag for write in writes if not _is_surely_replaced(write, writes)}

    def settle(self, key: str, etag: str) -> None:
        """Take what was found as what the key holds: from now on it may not become anything else."""
        now_s = time.monotonic()
        self.writes[key] = [Write(etag, now_s, now_s)]

    def answered(self) -> int:
        """Count the answered writes."""
        return sum(write.answered_s is not None for writes in self.writes.values() for write in writes)


def _is_surely_replaced(write: Write, writes: list[Write]) -> bool:
    """An unanswered write may take effect at any time, so nothing surely came after it."""
    ended_s = write.answered_s
    if ended_s is None:
        return False
    return any(other.answered_s is not None and other.began_s > ended_s for other in writes)
