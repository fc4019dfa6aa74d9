"""moto (PyPI): AWS imagined in the memory of one Python process; what people test against."""

from bench import packages
from bench.peers.peer import Peer


class Moto(Peer):
    """Everything in memory, nothing on disk."""

    name = "moto"
    title = "moto"
    pace = 0.2
    turns = 1

    def install(self) -> None:
        """Install it into a virtual environment of its own."""
        packages.pip(self.tools / "moto", "moto[server,s3]", "moto_server")

    def launch(self) -> None:
        """Run its server."""
        program = packages.pip(self.tools / "moto", "moto[server,s3]", "moto_server")
        self.spawn([program, "-H", "127.0.0.1", "-p", str(self.port)])
