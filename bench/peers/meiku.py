"""meiku itself, started as its users start it: defaults, durable, as many workers as processors."""

import sys

from bench.peers.peer import Peer


class Meiku(Peer):
    """The server that all this is about."""

    name = "meiku"
    title = "meiku"

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
