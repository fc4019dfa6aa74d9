"""Pace: how fast stored bytes are read again when nobody waits for it. Knows no stores and no findings."""

import asyncio
import time

# A small object costs a look at the disk too, however few its bytes.
LEAST_BYTES = 4096


class Pace:
    """Holds up whoever spends bytes, so that on average no more than the limit is spent each second."""

    def __init__(self, bytes_per_s: float | None) -> None:
        self._bytes_per_s = bytes_per_s
        self._due_s = 0.0

    async def spend(self, size_bytes: int) -> None:
        """Wait until so many bytes may be spent; without a limit, only let others go first."""
        if not self._bytes_per_s:
            await asyncio.sleep(0)
            return
        now_s = time.monotonic()
        # Time in which nothing was spent is not saved up: the disk would feel it as a burst.
        self._due_s = max(self._due_s, now_s) + max(size_bytes, LEAST_BYTES) / self._bytes_per_s
        await asyncio.sleep(self._due_s - now_s)
