"""An object whose bytes were lost under the server: an error that is ours, and never a claim of a race."""

from collections.abc import Callable

import pytest

from running_server import Server
from signed_http import SignedHttp

SIZE_BYTES = 300_000


def lose_blobs(server: Server) -> None:
    """Delete every stored blob, as a broken disk or a hasty hand would."""
    lost = [path for path in (server.data / "blobs").rglob("*") if path.stat().st_size == SIZE_BYTES]
    assert lost
    for path in lost:
        path.unlink()


@pytest.mark.parametrize("range_header", [None, "bytes=10-20"])
def test_lost_bytes_are_an_internal_error(
    own_server: Callable[..., Server], range_header: str | None
) -> None:
    """500 and not 409: trying again would not help, and the operator must hear of it."""
    server = own_server()
    http = SignedHttp(server.url)
    assert http.send("PUT", "holiday").status == 200
    assert http.send("PUT", "holiday/beach.jpg", body=b"x" * SIZE_BYTES).status == 200
    lose_blobs(server)
    headers = {"range": range_header} if range_header else {}
    answered = http.send("GET", "holiday/beach.jpg", headers=headers)
    assert answered.status == 500
    assert b"<Code>InternalError</Code>" in answered.body
