"""The bytes: blobs, written once and never changed. The seam that meaning sees.

An engine offers `Blobs` and nothing else. It knows no keys, no buckets and no records: who needs which blob,
and until when, is asked of `meta`. Imports nothing of the house but the leaves.
"""

from collections.abc import AsyncGenerator, AsyncIterable, AsyncIterator
from typing import Protocol

__all__ = ["Blobs"]


class Blobs(Protocol):
    """A store of immutable byte strings under ids that it chooses."""

    async def write(self, stream: AsyncIterable[bytes]) -> str:
        """Store a stream and tell its id; the bytes are durable when this returns, and held.

        Whatever the stream raises, and a cancellation, passes through and leaves nothing behind. Raises Full
        when there is no room.
        """
        ...

    def let_go(self, blob_id: str) -> None:
        """Hold a blob no longer: a row names it, or none ever will. What is not held can be let go of too.

        A process that ends lets go of all that it held.
        """
        ...

    async def try_hold(self, blob_id: str) -> bool:
        """Hold a blob that nobody holds; False where a writer still does, in any process, or it is gone."""
        ...

    def read(self, blob_id: str, start: int, stop: int) -> AsyncGenerator[bytes, None]:
        """Yield the bytes from `start` up to but not `stop`, in pieces of at most 1 MiB.

        A read that has begun is not cut when the blob is deleted. Raises Missing at the first step when there
        is no such blob, and where the blob ends when it is shorter than asked for. Close it when you
        leave early.
        """
        ...

    async def open(self, blob_id: str) -> int:
        """Open a blob as a file and answer its descriptor, for another process to read; who asked closes it.

        It is not cut when the blob is deleted. Raises Missing when there is no such blob.
        """
        ...

    async def delete(self, blob_id: str) -> None:
        """Delete a blob; deleting what is not there is no error."""
        ...

    def ids(self) -> AsyncIterator[tuple[str, float]]:
        """Yield every blob's id and when it was written, in seconds since the epoch; in no order."""
        ...

    async def close(self) -> None:
        """Let go of everything; what was written stays."""
        ...
