"""Kept results: found again, made anew when what they are made of changes, and gone with their object."""

import sqlite3
import time
from base64 import urlsafe_b64encode
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing, contextmanager

import pytest
import pyvips

from meiku.signing import presign_v4
from running_server import Server
from signed_http import ACCESS, Answered, SignedHttp

BUCKET = "kept"
SMALL, LARGE = "image/resize,w_40/format,jpg", "image/resize,w_900/format,png"


def photo(level: int) -> bytes:
    noise = pyvips.Image.gaussnoise(900, 600, mean=level, sigma=40)
    return bytes(noise.bandjoin([noise, noise]).cast("uchar").jpegsave_buffer())


FIRST, SECOND = photo(60), photo(180)


@contextmanager
def rows(server: Server) -> Iterator[sqlite3.Connection]:
    with closing(sqlite3.connect(server.data / "meta.sqlite3")) as connection, connection:
        yield connection


def count(server: Server) -> int:
    with rows(server) as connection:
        return int(connection.execute("SELECT COUNT(*) FROM results").fetchone()[0])


def ask(server: Server, recipe: str, key: str = "p.jpg") -> Answered:
    """Ask for a picture, and wait until it is kept: it is answered before."""
    with closing(SignedHttp(server.url)) as http:
        answered = http.send("GET", f"{BUCKET}/{key}", **{"x-amz-process": recipe})
    deadline = time.monotonic() + 20
    while answered.status == 200 and not is_kept(server, answered.etag):
        assert time.monotonic() < deadline
        time.sleep(0.01)
    return answered


def sizes(server: Server) -> dict[str, int]:
    """Tell how many bytes each kept result has, by its tag."""
    with rows(server) as connection:
        return dict(connection.execute("SELECT substr(identity, 1, 32), size_bytes FROM results").fetchall())


def is_kept(server: Server, etag: str) -> bool:
    return etag in sizes(server)


def put(server: Server, body: bytes, key: str = "p.jpg") -> None:
    with closing(SignedHttp(server.url)) as http:
        assert http.send("PUT", f"{BUCKET}/{key}", body).status == 200


@pytest.fixture
def filled(own_server: Callable[..., Server]) -> Server:
    """A server of two workers, with a picture."""
    server = own_server("--workers", "2")
    with closing(SignedHttp(server.url)) as http:
        assert http.send("PUT", BUCKET).status == 200
    put(server, FIRST)
    return server


def test_a_result_is_found_again(filled: Server) -> None:
    """The second answer is the first one's bytes, from where they were kept: a change made there is seen."""
    first = ask(filled, SMALL)
    with rows(filled) as connection:
        (kept,) = connection.execute("SELECT body FROM results").fetchone()
        assert kept == first.body
        connection.execute("UPDATE results SET body = ?", (kept[:-1] + b"!",))
    again = [ask(filled, SMALL) for _ in range(6)]
    assert {answer.body for answer in again} == {first.body[:-1] + b"!"}
    assert {answer.etag for answer in again} == {first.etag}


@pytest.mark.parametrize("recipe", [SMALL, LARGE], ids=["beside the rows", "as a blob"])
def test_a_result_survives_a_kill(filled: Server, recipe: str) -> None:
    """What was kept is whole after the process tree was killed; nothing is made twice."""
    first = ask(filled, recipe)
    filled.kill()
    filled.start()
    assert ask(filled, recipe).body == first.body
    assert count(filled) == 1


def test_many_who_ask_at_once_cause_one_result(filled: Server) -> None:
    """Twenty requests on both workers are answered alike, and one result is kept."""
    with ThreadPoolExecutor(20) as clients:
        answers = list(clients.map(lambda _: ask(filled, LARGE), range(20)))
    assert {answer.status for answer in answers} == {200}
    assert len({answer.body for answer in answers}) == 1
    with rows(filled) as connection:
        blobs = connection.execute("SELECT COUNT(*) FROM released_blobs").fetchone()[0]
    assert (count(filled), blobs) == (1, 0)


def test_an_overwritten_object_has_new_results(filled: Server) -> None:
    """Nobody gets the former picture, nor its tag, once the new one is acknowledged."""
    first = ask(filled, SMALL)
    put(filled, SECOND)
    second = ask(filled, SMALL)
    assert second.body != first.body and second.etag != first.etag


def test_a_changed_watermark_makes_a_new_result(filled: Server) -> None:
    """Every object that a recipe names is part of what the result is known by."""
    mark = urlsafe_b64encode(b"mark.jpg?x-oss-process=image/resize,P_50").decode().rstrip("=")
    recipe = f"image/watermark,image_{mark}"
    assert ask(filled, recipe).status == 400
    put(filled, FIRST, "mark.jpg")
    first = ask(filled, recipe)
    put(filled, SECOND, "mark.jpg")
    second = ask(filled, recipe)
    assert first.status == second.status == 200
    assert first.body != second.body and first.etag != second.etag


def test_what_was_refused_is_not_kept(filled: Server) -> None:
    """A recipe that fails leaves nothing."""
    put(filled, b"no picture", "n.jpg")
    assert ask(filled, SMALL, "n.jpg").status == 400
    assert ask(filled, "image/resize,w_0").status == 400
    assert count(filled) == 0


def test_a_lost_result_is_made_anew(filled: Server) -> None:
    """Without its file a kept result is no error: it is made again, and kept again."""
    first = ask(filled, LARGE)
    with rows(filled) as connection:
        (blob_id,) = connection.execute("SELECT blob_id FROM results").fetchone()
    (path,) = (filled.data / "blobs").rglob(blob_id)
    path.unlink()
    assert ask(filled, LARGE).body == first.body
    with rows(filled) as connection:
        assert connection.execute("SELECT blob_id FROM results").fetchone() != (blob_id,)


def test_the_least_recently_used_gives_way(own_server: Callable[..., Server]) -> None:
    """Results together never take more than they may; who was used last stays."""
    server = own_server("--workers", "1", MEIKU_MEDIA_CACHE_BYTES="12000")
    with closing(SignedHttp(server.url)) as http:
        http.send("PUT", BUCKET)
    put(server, FIRST)
    first = ask(server, "image/resize,w_40/format,png")
    etags = [first.etag]
    for width in range(50, 110, 10):
        etags.append(ask(server, f"image/resize,w_{width}/format,png").etag)
        deadline = time.monotonic() + 20
        while sum((found := sizes(server)).values()) > 12_000:
            assert time.monotonic() < deadline
            time.sleep(0.01)
        assert etags[-1] in found
    assert first.etag not in found


def test_results_go_with_their_object(own_server: Callable[..., Server]) -> None:
    """After a delete and a sweep neither the row nor the file of a result is left."""
    server = own_server("--workers", "1", MEIKU_SWEEP_INTERVAL_S="1", MEIKU_BLOB_GRACE_S="0")
    with closing(SignedHttp(server.url)) as http:
        http.send("PUT", BUCKET)
        put(server, FIRST)
        assert ask(server, LARGE).status == ask(server, SMALL).status == 200
        assert http.send("DELETE", f"{BUCKET}/p.jpg").status == 204
    assert ask(server, LARGE).status == 404
    deadline = time.monotonic() + 20
    while count(server) or any(path.is_file() for path in (server.data / "blobs").rglob("*")):
        assert time.monotonic() < deadline
        time.sleep(0.1)


def test_a_private_object_stays_private_when_its_result_is_kept(filled: Server) -> None:
    """Who may not read the object may not read what was made of it, kept or not."""
    assert ask(filled, SMALL).status == 200
    with closing(SignedHttp(filled.url)) as http:
        address = f"{filled.url}/{BUCKET}/p.jpg?x-amz-process={SMALL}"
        stolen = presign_v4(ACCESS, "GET", address).replace("X-Amz-Signature=", "X-Amz-Signature=0")
        http.connection.request("GET", stolen.removeprefix(filled.url))
        assert http.connection.getresponse().status == 403
    with closing(SignedHttp(filled.url)) as http:
        http.connection.request("GET", f"/{BUCKET}/p.jpg?x-amz-process={SMALL}")
        assert http.connection.getresponse().status == 403
