"""The limit of pictures: libvips' calls in processes that do nothing else. No server, watched like one."""

import sys
from pathlib import Path

from bench.peers.files import FilePeer
from bench.pictures import Thumbnail


class Limit(FilePeer):
    """The least that a picture can cost."""

    name = "limit"
    title = "libvips alone"
    offers = frozenset({"made"})
    is_exact = True
    works_within = True

    def launch(self) -> None:
        """Run our own program, with one core for each of its processes."""
        command: list[str | Path] = [sys.executable, "-m", "bench.limit", str(self.port), self.files]
        self.spawn(command, {"VIPS_CONCURRENCY": "1"})

    def thumbnail(self, bucket: str, key: str, thumbnail: Thumbnail, unasked: int | None = None) -> str:
        """Write down what is to be made; whatever is asked for is made anew."""
        size = f"w={thumbnail.width_px}&h={thumbnail.height_px}"
        return f"/{bucket}/{key}?{size}&format={thumbnail.format}&unasked={unasked}"
