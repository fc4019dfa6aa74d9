"""What servers of plain files have in common: a folder for each bucket, and no signatures."""

from pathlib import Path

from bench.peers.peer import Peer


class FilePeer(Peer):
    """A server that reads what lies in a folder."""

    def start(self) -> None:
        """Start over an empty folder."""
        # Started by root some have workers who are somebody else, and must be able to write here.
        self.files.mkdir(mode=0o777, parents=True)
        super().start()

    @property
    def files(self) -> Path:
        """The folder that is served."""
        return self.folder.resolve() / "files"

    def sign(self, method: str, target: str) -> str:  # noqa: ARG002
        """Sign nothing: nobody would look at it."""
        return target

    def make_bucket(self, bucket: str) -> None:
        """Make a folder."""
        (self.files / bucket).mkdir(parents=True, exist_ok=True)

    def put(self, bucket: str, key: str, body: bytes) -> None:
        """Write a file."""
        (self.files / bucket / key).write_bytes(body)
