"""s3rver (npm): an S3 server on plain files, one Node process; it syncs nothing."""

from collections.abc import Mapping
from typing import ClassVar

from bench import packages
from bench.peers.peer import Peer
from meiku.signing import Credentials


class S3rver(Peer):
    """What JavaScript people test against."""

    name = "s3rver"
    title = "s3rver"
    programs: ClassVar[Mapping[str, str]] = {"node": "nodejs", "npm": "npm"}
    credentials = Credentials("S3RVER", "S3RVER")  # it knows no other

    def install(self) -> None:
        """Install it from npm."""
        packages.npm(self.tools / "s3rver", "s3rver")

    def launch(self) -> None:
        """Run it without a log of requests."""
        program = packages.npm(self.tools / "s3rver", "s3rver") / ".bin" / "s3rver"
        data = self.folder / "data"
        data.mkdir()
        options = ["--silent", "--no-vhost-buckets", "-a", "127.0.0.1", "-p", str(self.port)]
        self.spawn([program, "-d", data, *options])
