"""Room on the disk: what may be filled, and what is left free so that removing and repairing always work.

Removing an object writes too, to the log of the rows. Were the disk filled to its last byte, nothing could be
removed any more, and it would stay full for ever. Knows no blobs and no rows.
"""

import os
from dataclasses import dataclass
from pathlib import Path

from meiku import errors


@dataclass(frozen=True, slots=True)
class Room:
    """The disk that a folder is on, and the bytes that new data must leave free on it."""

    folder: Path
    reserve_bytes: int = 0

    def require(self, size_bytes: int = 0) -> None:
        """Raise Full unless so many more bytes leave the reserve untouched."""
        disk = os.statvfs(self.folder)
        if disk.f_bavail * disk.f_frsize < self.reserve_bytes + size_bytes:
            raise errors.Full("nothing but the reserve is left")
