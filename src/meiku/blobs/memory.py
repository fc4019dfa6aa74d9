"""Blobs in memory: what the seam means, in the fewest words. For tests; nothing here lasts."""

import secrets
import time
from collections.abc import AsyncGenerator, AsyncIterable, AsyncIterator

from meiku import errors
from meiku.blobs.nameless import nameless_file

_PIECE_BYTES = 1 << 20


class MemoryBlobs:
    """`Blobs` as a dictionary."""

    def __init__(self) -> None:
        self._blobs: dict[str, tuple[bytes, float]] = {}
        self._held: set[str] = set()

    async def write(self, stream: AsyncIterable[bytes]) -> str:
        """Gather a stream, and keep it once it has ended well."""
        data = b"".join([piece async for piece in stream])
        blob_id = secrets.token_hex(16)
        self._blobs[blob_id] = data, time.time()
        self._held.add(blob_id)
        return blob_id

    def let_go(self, blob_id: str) -> None:
        """Forget that a blob is held."""
        self._held.discard(blob_id)

    async def try_hold(self, blob_id: str) -> bool:
        """Note that a blob is held, where it is there and is not."""
        is_free = blob_id in self._blobs and blob_id not in self._held
        if is_free:
            self._held.add(blob_id)
        return is_free

    async def read(self, blob_id: str, start: int, stop: int) -> AsyncGenerator[bytes, None]:
        """Yield a range in pieces; Missing when the blob is not there or ends before it."""
        if blob_id not in self._blobs:
            raise errors.Missing(blob_id)
        data, _ = self._blobs[blob_id]
        for position in range(start, min(stop, len(data)), _PIECE_BYTES):
            yield data[position : min(position + _PIECE_BYTES, stop)]
        if stop > len(data) and stop > start:
            raise errors.Missing(f"{blob_id} ends at {len(data)}")

    async def open(self, blob_id: str) -> int:
        """Write a blob to a file without a name."""
        size_bytes = len(self._blobs.get(blob_id, (b"", 0.0))[0])
        return await nameless_file(self.read(blob_id, 0, size_bytes))

    async def delete(self, blob_id: str) -> None:
        """Drop a blob, if it is there."""
        self._blobs.pop(blob_id, None)

    async def ids(self) -> AsyncIterator[tuple[str, float]]:
        """Yield every id and its age basis."""
        for blob_id, (_, written_at_s) in list(self._blobs.items()):
            yield blob_id, written_at_s

    async def close(self) -> None:
        """Keep everything; there is nothing to let go of."""
