"""Many pictures of 250 megapixels at once, on a real server: they wait or are refused, memory is bounded."""

import time
from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing, contextmanager, suppress
from pathlib import Path
from threading import Event
from typing import Any

import pytest
import pyvips

from load.crowd import MIB, Peak, in_background, processes_of
from meiku.signing import presign_v4
from running_server import Server
from signed_http import ACCESS, Answered, SignedHttp

BUCKET = "pictures"
SIDE_PX = 15_800  # squared nearly as many pixels as are allowed
CLIENTS, WORKERS = 64, 2
MEDIA_MEMORY_BYTES = 512 * MIB
# What the servers themselves may hold, as in the other tests of load, and what their workers may.
MEMORY_BOUND_BYTES = 200 * MIB + WORKERS * MEDIA_MEMORY_BYTES
LATEST_S = 5.0


def pictures() -> dict[str, bytes]:
    """Make a JPEG, a progressive JPEG and a PNG of smooth colours: large when decoded, small as files."""
    place: Any = pyvips.Image.xyz(SIDE_PX, SIDE_PX)
    bands = [(place[0] * 0.01), (place[1] * 0.012), (place[0] + place[1]) * 0.006]
    image = bands[0].bandjoin(bands[1:]).cast("uchar").copy(interpretation="srgb")
    return {
        "jpg": bytes(image.jpegsave_buffer(Q=40)),
        "png": bytes(image.pngsave_buffer(compression=1, filter="sub")),
        # A decoder holds all of it at once, however small it is wanted.
        "progressive": bytes(image.jpegsave_buffer(Q=20, interlace=True)),
    }


def recipes() -> Iterator[tuple[str, str]]:
    """Ask for something else each time: small pictures, one whole, and what cannot fit."""
    for number in range(CLIENTS // 4):
        yield "jpg", f"image/resize,w_{400 + number}/format,webp"
        yield "png", f"image/resize,w_{200 + number},h_200,m_fill"
        yield "jpg", f"image/rotate,90/resize,w_{100 + number}"
        yield "progressive", f"image/resize,w_{300 + number}"


@pytest.fixture
def hung(own_server: Any) -> Server:
    """A server with large pictures, and a small object."""
    server: Server = own_server("--workers", str(WORKERS), MEIKU_MEDIA_MEMORY_BYTES=str(MEDIA_MEMORY_BYTES))
    with closing(SignedHttp(server.url)) as http:
        assert http.send("PUT", BUCKET).status == 200
        assert http.send("PUT", f"{BUCKET}/small", b"small").status == 200
        for key, data in pictures().items():
            assert len(data) < 20 * MIB, f"{key} has {len(data)} bytes"
            assert http.send("PUT", f"{BUCKET}/{key}", data).status == 200
    return server


def asked(server: Server, key: str, recipe: str) -> Answered:
    """Ask for a picture over a connection of its own, and wait as long as it takes."""
    with closing(SignedHttp(server.url)) as http:
        http.connection.timeout = 300
        return http.send("GET", f"{BUCKET}/{key}", **{"x-amz-process": recipe})


@contextmanager
def others_are_served(server: Server) -> Iterator[None]:
    """While the block runs a plain object is read, over and over, and never waited for long."""
    took_s: list[float] = []

    def read(stop: Event) -> None:
        with closing(SignedHttp(server.url)) as http:
            target = presign_v4(ACCESS, "GET", f"{server.url}/{BUCKET}/small").removeprefix(server.url)
            while not stop.wait(0.05):
                began_s = time.monotonic()
                http.connection.request("GET", target)
                assert http.connection.getresponse().read() == b"small"
                took_s.append(time.monotonic() - began_s)

    with in_background(read):
        yield
    assert len(took_s) >= 20 and max(took_s) < LATEST_S, f"{len(took_s)} answers, {max(took_s):.1f} s"


@contextmanager
def no_file_is_opened(server: Server) -> Iterator[None]:
    """While the block runs no process of the server has a nameless file on a disk: memory by another name."""
    found: set[str] = set()

    def look(stop: Event) -> None:
        while not stop.wait(0.05):
            for pid in processes_of(server.process.pid):
                with suppress(OSError):
                    names = [str(link.readlink()) for link in Path(f"/proc/{pid}/fd").iterdir()]
                    found.update(name for name in names if name.endswith("(deleted)"))

    with in_background(look):
        yield
    assert not found, found


def test_sixty_four_pictures_of_250_megapixels_at_once(hung: Server) -> None:
    """Each is made, refused in words or told to slow down, within the memory that the settings name."""
    wanted = list(recipes())
    with (
        ThreadPoolExecutor(CLIENTS) as clients,
        Peak(hung.process.pid) as peak,
        others_are_served(hung),
        no_file_is_opened(hung),
    ):
        answers = list(clients.map(lambda each: asked(hung, *each), wanted))
    counted: Counter[tuple[str, int]] = Counter()
    for (key, recipe), answer in zip(wanted, answers, strict=True):
        kind = "rotated" if "rotate" in recipe else key
        counted[kind, answer.status] += 1
        if answer.status == 400:
            assert kind in ("rotated", "progressive") and b"more memory than it may have" in answer.body
        elif answer.status == 503:
            assert answer.code == "SlowDown" and int(answer.headers["retry-after"]) > 0
        else:
            assert answer.status == 200 and kind in ("jpg", "png"), (kind, answer.status, answer.body[:500])
            width = int(recipe.partition("w_")[2].partition(",")[0].partition("/")[0])
            assert pyvips.Image.new_from_buffer(answer.body, "").width == width
    assert counted["jpg", 200] and counted["png", 200], counted
    assert counted["rotated", 400] and counted["progressive", 400], counted
    assert peak.bytes <= MEMORY_BOUND_BYTES, f"{peak.bytes / MIB:.0f} MiB"
    assert asked(hung, "jpg", "image/resize,w_50").status == 200
