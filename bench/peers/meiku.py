"""meiku itself, started as its users start it: defaults, durable, as many workers as processors."""

import sys

from bench.peers.peer import EVERYTHING, Peer
from bench.pictures import Thumbnail


class Meiku(Peer):
    """The server that all this is about."""

    name = "meiku"
    title = "meiku"
    offers = EVERYTHING | {"made", "kept", "plain"}
    is_exact = True

    def launch(self) -> None:
        """Run `meiku serve` with nothing set but where it lives."""
        command = [sys.executable, "-m", "meiku", "serve", "--data", str(self.folder / "data")]
        self.spawn(
            [*command, "--port", str(self.port)],
            {
                "MEIKU_ACCESS_KEY": self.credentials.access_key,
                "MEIKU_SECRET_KEY": self.credentials.secret_key,
            },
        )

    def thumbnail(self, bucket: str, key: str, thumbnail: Thumbnail, unasked: int | None = None) -> str:
        """Write an address; a slice beyond the last, which changes nothing, tells one from the next."""
        size = f"w_{thumbnail.width_px}"
        size += f",h_{thumbnail.height_px},m_fill" if thumbnail.cropped else ""
        more = f"/indexcrop,x_16384,i_{unasked}" if unasked is not None else ""
        more += "/format,webp" if thumbnail.format == "webp" else ""
        return f"/{bucket}/{key}?x-amz-process=image/resize,{size}{more}"
