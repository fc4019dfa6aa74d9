"""How long ago something was written down, where the clock may have been set meanwhile.

Rows and files carry the time of the wall clock; ages are measured by one that nobody sets. So a moment of the
wall clock counts as so long ago only when this process has watched both clocks for as long, and no reading
since then was earlier.
"""

import time
from collections import deque
from collections.abc import Callable


class Ages:
    """What one process has seen of both clocks; `note` is called again and again."""

    def __init__(
        self,
        longest_s: float,
        wall: Callable[[], float] = time.time,
        steady: Callable[[], float] = time.monotonic,
    ) -> None:
        """Remember no more than is needed for ages up to `longest_s`."""
        self._longest_s, self._wall, self._steady = longest_s, wall, steady
        self._seen: deque[tuple[float, float]] = deque()
        self.note()

    def note(self) -> None:
        """Look at both clocks."""
        now_s = self._steady()
        self._seen.append((now_s, self._wall()))
        # The last look that is old enough stays: it is the one that counts for the longest age.
        while len(self._seen) > 1 and self._seen[1][0] <= now_s - self._longest_s:
            self._seen.popleft()

    def before_s(self, age_s: float) -> float | None:
        """Tell the wall clock's moment such that all that is dated before it is at least so old.

        None while this process has not watched for as long.
        """
        since_s = self._steady() - age_s
        if self._seen[0][0] > since_s:
            return None
        old_enough = max(seen_s for seen_s, _ in self._seen if seen_s <= since_s)
        return min(wall_s for seen_s, wall_s in self._seen if seen_s >= old_enough)
