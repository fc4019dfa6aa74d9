"""nginx: not S3, but the limit. It serves the same bytes with sendfile and takes them with its DAV module,
checks no signature, computes no digest and waits for no disk.
"""

import os
from collections.abc import Mapping
from typing import ClassVar

from bench.peers.files import FilePeer

_CONFIGURATION = """
daemon off;
worker_processes {workers};
pid {folder}/nginx.pid;
error_log stderr crit;
events {{ worker_connections 4096; }}
http {{
    access_log off;
    sendfile on;
    tcp_nopush on;
    keepalive_requests 1000000000;
    client_max_body_size 0;
    client_body_temp_path {folder}/incoming;
    server {{
        listen 127.0.0.1:{port};
        root {folder}/files;
        dav_methods PUT DELETE;
        create_full_put_path on;
    }}
}}
"""


class Nginx(FilePeer):
    """Files, as fast as they go."""

    name = "nginx"
    title = "nginx"
    programs: ClassVar[Mapping[str, str]] = {"nginx": "nginx"}
    offers = frozenset({"put", "get", "head", "delete"})

    def launch(self) -> None:
        """Run nginx in the foreground with a configuration of its own."""
        # Started by root its workers are somebody else, and must be able to write here.
        user = "user root;" if os.geteuid() == 0 else ""
        path = self.folder / "nginx.conf"
        workers = len(os.sched_getaffinity(0))
        path.write_text(
            user + _CONFIGURATION.format(folder=self.folder.resolve(), port=self.port, workers=workers)
        )
        self.spawn(["nginx", "-c", path.resolve(), "-p", self.folder.resolve()])
