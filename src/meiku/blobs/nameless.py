"""Files that have no name and lie in memory: for bytes that are no file, and readers who know only files."""

import os
from collections.abc import AsyncIterable


async def nameless_file(pieces: AsyncIterable[bytes]) -> int:
    """Gather pieces in a file of their own; answers its descriptor, which who asked closes."""
    with os.fdopen(os.memfd_create("nameless"), "wb") as file:
        async for piece in pieces:
            file.write(piece)
        file.flush()
        return os.dup(file.fileno())
