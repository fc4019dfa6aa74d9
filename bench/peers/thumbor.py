"""thumbor (PyPI): pictures by URL with Pillow, as many processes as cores; it keeps what it made in files."""

import os

from bench import packages
from bench.peers.files import FilePeer
from bench.pictures import QUALITY_PERCENT, Thumbnail

_CONFIGURATION = """
LOADER = 'thumbor.loaders.file_loader'
FILE_LOADER_ROOT_PATH = '{files}'
STORAGE = 'thumbor.storages.no_storage'
RESULT_STORAGE = 'thumbor.result_storages.file_storage'
RESULT_STORAGE_FILE_STORAGE_ROOT_PATH = '{results}'
RESULT_STORAGE_STORES_UNSAFE = True
ALLOW_UNSAFE_URL = True
QUALITY = {quality}
WEBP_QUALITY = {quality}
PROGRESSIVE_JPEG = False
"""


class Thumbor(FilePeer):
    """What people put beside their storage for pictures by URL."""

    name = "thumbor"
    title = "thumbor"
    offers = frozenset({"made", "kept"})

    def install(self) -> None:
        """Install it into a virtual environment of its own."""
        packages.pip(self.tools / "thumbor", "thumbor", "thumbor")

    def launch(self) -> None:
        """Run it with a configuration of its own."""
        program = packages.pip(self.tools / "thumbor", "thumbor", "thumbor")
        path = self.folder.resolve() / "thumbor.conf"
        results = self.folder.resolve() / "results"
        path.write_text(_CONFIGURATION.format(files=self.files, results=results, quality=QUALITY_PERCENT))
        processes = str(len(os.sched_getaffinity(0)))
        self.spawn(
            [program, "--ip", "127.0.0.1", "--port", str(self.port), "--conf", path, "--processes", processes]
        )

    def thumbnail(self, bucket: str, key: str, thumbnail: Thumbnail, unasked: int | None = None) -> str:
        """Write an address; how long a picture may be held by others tells one from the next."""
        filters = ["format(webp)"] if thumbnail.format == "webp" else []
        filters += [f"max_age({unasked})"] if unasked is not None else []
        said = f"filters:{':'.join(filters)}/" if filters else ""
        return f"/unsafe/{thumbnail.width_px}x{thumbnail.height_px}/{said}{bucket}/{key}"
