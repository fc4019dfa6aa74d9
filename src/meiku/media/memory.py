"""Tells want of memory from a damaged picture: libraries report both alike, and only their words differ."""

# As libvips, libjpeg, libwebp and libheif write it.
_WORDS = ("out of memory", "insufficient memory", "memory allocation", "failed to allocate")


def check_memory(error: Exception) -> None:
    """Raise MemoryError where an error of a library says that there was not the memory it needed."""
    said = str(error).lower()
    if any(words in said for words in _WORDS):
        raise MemoryError
