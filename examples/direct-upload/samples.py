"""The sample objects: what they are called, and how one that is missing comes into the bucket.

They are drawn when somebody first looks, not when the pages start, and no binary of them is in git.
"""

import threading
from collections.abc import Mapping
from types import MappingProxyType

from storage import Storage

PREFIX = "samples/"
PHOTO, SIDEWAYS = f"{PREFIX}photo.jpg", f"{PREFIX}sideways.jpg"
LOGO, FILM = f"{PREFIX}logo.png", f"{PREFIX}film.mp4"
CONTENT_TYPES: Mapping[str, str] = MappingProxyType(
    {PHOTO: "image/jpeg", SIDEWAYS: "image/jpeg", LOGO: "image/png", FILM: "video/mp4"}
)


def drawn(key: str) -> bytes:
    """Draw a sample."""
    # The libraries that draw are loaded by whoever looks first: a start needs none of them.
    import sample_film
    import sample_photo

    draw = {
        PHOTO: sample_photo.photo,
        SIDEWAYS: sample_photo.sideways_photo,
        LOGO: sample_photo.logo,
        FILM: sample_film.film,
    }
    return draw[key]()


class Samples:
    """Puts samples into the bucket; whoever asks for the same one meanwhile waits."""

    def __init__(self, storage: Storage) -> None:
        self._storage = storage
        self._locks = {key: threading.Lock() for key in CONTENT_TYPES}

    def put_missing(self, key: str) -> None:
        """Draw a sample that is not in the bucket; raises `StorageRefused` where it cannot be put there."""
        with self._locks[key]:
            if self._storage.find(key) is None:
                self._storage.put(key, drawn(key), CONTENT_TYPES[key])
