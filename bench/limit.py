"""The limit of pictures: the calls of libvips alone, on bytes in memory, in as many processes as cores.

A program of its own (`python -m bench.limit <port> <folder>`), so that what it uses can be watched as with
any server: it answers GET with one picture, and POST with what it made of a whole plan in so many seconds.
"""

import http.client
import json
import multiprocessing
import os
import sys
import time
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, HTTPServer
from multiprocessing.pool import Pool
from pathlib import Path
from typing import ClassVar
from urllib.parse import parse_qs, urlsplit

from bench.pictures import Thumbnail, make
from bench.tally import BadAnswer, Plan, Tally, tally_of


def run(plan: Plan, address: tuple[str, int], connections: int, seconds: int) -> Tally:
    """Have a plan's pictures made by so many processes for so long."""
    question = {"targets": [target for _, target in plan.targets], "count": connections, "seconds": seconds}
    connection = http.client.HTTPConnection(*address, timeout=seconds + 60)
    try:
        connection.request("POST", "/", json.dumps(question))
        answer = connection.getresponse()
        written = answer.read()
    finally:
        connection.close()
    if answer.status != 200:
        raise BadAnswer(f"the limit was answered {answer.status}")
    return tally_of(json.loads(written))


@dataclass(frozen=True, slots=True)
class _Work:
    """A picture to be made, as a target says it."""

    photograph: Path
    thumbnail: Thumbnail

    @classmethod
    def of(cls, folder: Path, target: str) -> "_Work":
        """Read a target."""
        parts = urlsplit(target)
        (wide,), (high,), (kind,) = (parse_qs(parts.query)[name] for name in ("w", "h", "format"))
        thumbnail = Thumbnail(int(wide), int(high), "webp" if kind == "webp" else "jpg")
        return cls(folder / parts.path.lstrip("/"), thumbnail)


def _work(works: list[_Work], seconds: int) -> dict[str, list[int]]:
    """Make pictures until the time is up; answers durations and the window in microseconds."""
    photographs = {work.photograph: work.photograph.read_bytes() for work in works}
    make(photographs[works[0].photograph], works[0].thumbnail)  # loads what is loaded once
    durations_us: list[int] = []
    began_s = time.perf_counter()
    while (now_s := time.perf_counter()) < began_s + seconds:
        work = works[len(durations_us) % len(works)]
        make(photographs[work.photograph], work.thumbnail)
        durations_us.append(int((time.perf_counter() - now_s) * 1e6))
    return {"durations_us": durations_us, "window_us": [int((time.perf_counter() - began_s) * 1e6)]}


class _Handler(BaseHTTPRequestHandler):
    """Answers one question after another."""

    protocol_version = "HTTP/1.1"
    folder: ClassVar[Path]
    pool: ClassVar[Pool]

    def do_GET(self) -> None:
        """Make one picture."""
        try:
            work = _Work.of(self.folder, self.path)
            self._say(200, self.pool.apply(make, (work.photograph.read_bytes(), work.thumbnail)))
        except (KeyError, OSError):
            self._say(404, b"")

    def do_POST(self) -> None:
        """Make as many as can be."""
        question = json.loads(self.rfile.read(int(self.headers["content-length"])))
        works = [_Work.of(self.folder, target) for target in question["targets"]]
        count = question["count"]
        shares = [(works[number::count], question["seconds"]) for number in range(count)]
        self._say(200, json.dumps(self.pool.starmap(_work, shares, chunksize=1)).encode())

    def log_message(self, *_: object) -> None:
        """Keep no log."""

    def _say(self, status: int, body: bytes) -> None:
        self.send_response(status)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)


def _main(port: int, folder: Path) -> None:
    _Handler.folder = folder
    with multiprocessing.get_context("fork").Pool(len(os.sched_getaffinity(0))) as _Handler.pool:
        HTTPServer(("127.0.0.1", port), _Handler).serve_forever()


if __name__ == "__main__":
    _main(int(sys.argv[1]), Path(sys.argv[2]))
