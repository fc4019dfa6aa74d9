"""One client asks for heavy recipes without end: the pictures of all others go on, over the wire."""

import contextlib
import http.client
import threading
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest
import pyvips

from running_server import Server, free_port

HEAVY = f"image/resize,w_9000,limit_0{'/blur,r_50,s_50' * 4}/format,jpg"
LIGHT = "image/resize,w_20"


def photo() -> bytes:
    noise = pyvips.Image.gaussnoise(900, 600, mean=128, sigma=40)
    return bytes(noise.bandjoin([noise, noise]).cast("uchar").jpegsave_buffer())


@pytest.fixture(params=["1", "2"])
def server(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Server]:
    server = Server(tmp_path / "data", free_port(), arguments=("--workers", request.param)).start()
    client = server.client()
    for bucket in ("photos", "others"):
        client.create_bucket(Bucket=bucket)
        client.put_object(Bucket=bucket, Key="cat.jpg", Body=photo(), ACL="public-read")
    yield server
    server.kill()


def ask(server: Server, source: str, target: str, timeout_s: float = 60) -> int:
    """Ask as another machine would: from an address of one's own."""
    connection = http.client.HTTPConnection(
        "127.0.0.1", server.port, timeout=timeout_s, source_address=(source, 0)
    )
    with closing(connection):
        connection.request("GET", target)
        answer = connection.getresponse()
        answer.read()
        return answer.status


def ask_in_vain(server: Server, source: str, target: str) -> None:
    with contextlib.suppress(OSError, http.client.HTTPException):  # the test has ended meanwhile
        ask(server, source, target)


def test_one_client_does_not_keep_others_from_their_pictures(server: Server) -> None:
    """24 recipes that take half a minute each, from one address; others have their thumbnails."""
    for number in range(24):
        target = f"/photos/cat.jpg?x-oss-process={HEAVY}/quality,q_{number + 50}"
        threading.Thread(target=ask_in_vain, args=(server, "127.0.0.2", target), daemon=True).start()
    for number, bucket in enumerate(["photos", "others"] * 3):
        target = f"/{bucket}/cat.jpg?x-oss-process={LIGHT}/rotate,{number}"
        assert ask(server, f"127.0.0.{3 + number}", target) == 200
