"""sharp (npm) behind the least server that there can be, which keeps nothing."""

from collections.abc import Mapping
from pathlib import Path
from typing import ClassVar

from bench import packages
from bench.peers.files import FilePeer
from bench.pictures import QUALITY_PERCENT, Thumbnail

_PROGRAM = Path(__file__).with_name("sharp.js")


class Sharp(FilePeer):
    """What people write themselves for pictures by URL."""

    name = "sharp"
    title = "sharp"
    programs: ClassVar[Mapping[str, str]] = {"node": "nodejs", "npm": "npm"}
    offers = frozenset({"made"})

    def install(self) -> None:
        """Install it from npm."""
        packages.npm(self.tools / "sharp", "sharp")

    def launch(self) -> None:
        """Run our few lines of JavaScript."""
        modules = packages.npm(self.tools / "sharp", "sharp")
        command: list[str | Path] = ["node", _PROGRAM, str(self.port), self.files, str(QUALITY_PERCENT)]
        self.spawn(command, {"NODE_PATH": str(modules.resolve())})

    def thumbnail(self, bucket: str, key: str, thumbnail: Thumbnail, unasked: int | None = None) -> str:
        """Write an address; whatever is asked for is made anew."""
        size = f"w={thumbnail.width_px}&h={thumbnail.height_px}"
        return f"/{bucket}/{key}?{size}&format={thumbnail.format}&unasked={unasked}"
