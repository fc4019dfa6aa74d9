"""The addresses under `/-/`, which belong to no bucket: whether the service lives, and whether it serves.

No bucket's name may begin with a hyphen, so these can never hide one.
"""

import json

from meiku import __version__
from meiku.wire.renderer import Response
from meiku.wire.request import Scope


def answer_service(scope: Scope, *, ready: bool) -> Response:
    """Answer one of the service's own addresses."""
    path = scope["path"]
    if scope["method"] not in ("GET", "HEAD"):
        return _json(405, {"error": "only GET and HEAD are answered here"})
    if path == "/-/health":
        return _json(200, {"status": "alive", "version": __version__})
    if path == "/-/ready":
        return _json(200 if ready else 503, {"status": "ready" if ready else "starting"})
    return _json(404, {"error": "there is nothing at this address; /-/health and /-/ready are"})


def _json(status: int, value: dict[str, str]) -> Response:
    return Response(status, [(b"content-type", b"application/json")], json.dumps(value).encode())
