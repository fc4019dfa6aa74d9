"""What the example's application server signs for strangers: samples, uploads, and nothing else."""

import asyncio
import socket
from base64 import b64encode, urlsafe_b64encode
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from threading import Thread
from urllib.parse import parse_qsl, urlsplit

import httpx
import pytest
import pyvips
import uvicorn

import samples
from application import create_application
from links import RECIPE_LIMIT
from meiku.signing import Credentials
from running_server import ACCESS_KEY, SECRET_KEY, Server
from storage import Storage

MINE, SECRET = "uploads/0a1b2c3d/mine.png", "private/secret.png"
PICTURE = bytes(pyvips.Image.black(60, 40).write_to_buffer(".png"))
Ask = Callable[..., httpx.Response]


@pytest.fixture
def storage(server: Server, bucket: str) -> Storage:
    """The bucket as the application server knows it, with an upload and something else in it."""
    s3 = server.client()
    for key in (MINE, SECRET):
        s3.put_object(Bucket=bucket, Key=key, Body=PICTURE, ContentType="image/png")
    return Storage(Credentials(ACCESS_KEY, SECRET_KEY), server.url, f"{server.url}/{bucket}", bucket)


@pytest.fixture
def pages(storage: Storage) -> Iterator[str]:
    """The application server, reached over TCP."""
    application = create_application(storage, origin="http://pages.example")
    server = uvicorn.Server(uvicorn.Config(application, log_level="warning", timeout_graceful_shutdown=1))
    with socket.create_server(("127.0.0.1", 0)) as listening:
        serving = Thread(target=server.run, kwargs={"sockets": [listening]})
        serving.start()
        yield f"http://127.0.0.1:{listening.getsockname()[1]}"
        server.should_exit = True
        serving.join()


@pytest.fixture
def ask(pages: str) -> Ask:
    """Ask for a link as anybody may."""

    def view(key: str, recipe: str = "", *, method: str = "GET", **query: str) -> httpx.Response:
        asked = {"x-amz-process": recipe} if recipe else {}
        return httpx.request(method, f"{pages}/view/{key}", params=asked | query, timeout=60)

    return view


@pytest.mark.parametrize(("path", "accept"), [("/uploads", "*/*"), ("/done", "text/html,*/*;q=0.8")])
def test_a_storage_that_is_away_is_told_in_words(path: str, accept: str) -> None:
    """Nobody listens where the storage should be: 502, in JSON for a script and as a page for a browser."""
    with socket.create_server(("127.0.0.1", 0)) as taken:
        nowhere = f"http://127.0.0.1:{taken.getsockname()[1]}"
    storage = Storage(Credentials(ACCESS_KEY, SECRET_KEY), nowhere, f"{nowhere}/b", "b")
    application = create_application(storage, origin=nowhere)

    async def ask() -> httpx.Response:
        transport = httpx.ASGITransport(application, raise_app_exceptions=False)
        async with httpx.AsyncClient(transport=transport, base_url="http://pages.example") as client:
            named = {"bucket": "b", "key": "uploads/k"}
            return await client.get(path, params=named, headers={"accept": accept})

    answer = asyncio.run(ask())
    assert answer.status_code == 502
    if "html" in accept:
        assert "媒库没有响应" in answer.text and "meiku does not answer" in answer.text
    else:
        assert "refused" in answer.json()["detail"]


def encoded(text: str) -> str:
    return urlsafe_b64encode(text.encode()).decode().rstrip("=")


def followed(answer: httpx.Response, method: str = "GET") -> httpx.Response:
    """Use a link as a browser does."""
    return httpx.request(method, answer.headers["location"], timeout=60)


@pytest.mark.parametrize("recipe", ["", "image/resize,w_30", f"image/watermark,image_{encoded(MINE)},g_nw"])
def test_a_link_to_an_upload_shows_it(ask: Ask, recipe: str) -> None:
    """As it is, or as a recipe makes it."""
    answer = ask(MINE, recipe)
    assert answer.status_code == 307 and answer.headers["cache-control"] == "no-store"
    assert followed(answer).headers["content-type"] == "image/png"


def test_a_sample_is_drawn_when_somebody_looks(ask: Ask, server: Server, bucket: str) -> None:
    """It is not there before, it is there after, and it comes back where it was removed."""
    s3 = server.client()
    for _ in range(2):
        assert "Contents" not in s3.list_objects_v2(Bucket=bucket, Prefix=samples.PREFIX)
        answer = followed(ask(samples.PHOTO, f"image/watermark,image_{encoded(samples.LOGO)}"))
        assert (answer.status_code, answer.headers["content-type"]) == (200, "image/jpeg")
        for key in (samples.PHOTO, samples.LOGO):
            s3.delete_object(Bucket=bucket, Key=key)


def test_a_sample_is_drawn_once_for_all_who_look(ask: Ask, monkeypatch: pytest.MonkeyPatch) -> None:
    """Who comes second waits."""
    drawn: list[str] = []
    monkeypatch.setattr(samples, "drawn", lambda key: drawn.append(key) or PICTURE)
    with ThreadPoolExecutor(6) as visitors:
        answers = list(visitors.map(lambda _: ask(samples.LOGO).status_code, range(6)))
    assert answers == [307] * 6 and drawn == [samples.LOGO]


@pytest.mark.parametrize("key", [SECRET, "samples/other.jpg", "samples/", "uploads", "../x", "UPLOADS/x", ""])
def test_nothing_else_is_signed(ask: Ask, key: str) -> None:
    """Of other keys a stranger learns not even whether they exist."""
    answer = ask(key, "image/info")
    assert answer.status_code == 404 and "location" not in answer.headers


@pytest.mark.parametrize(
    "mark",
    [
        encoded(SECRET),
        b64encode(SECRET.encode()).decode(),
        encoded(f"{SECRET}?x-amz-process=image/resize,P_50"),
        encoded(f"{SECRET}?x-zos-process=image/resize,p_50"),
        encoded("samples/../" + SECRET),
    ],
)
@pytest.mark.parametrize(
    "recipe",
    [
        "image/watermark,image_{}",
        "image/strip/watermark,text_YQ,image_{}",
        "image/strip|image/watermark,image_{}",
    ],
)
def test_a_watermark_does_not_open_the_bucket(ask: Ask, mark: str, recipe: str) -> None:
    """The signing key may read everything, so what a recipe names is looked at first, however spelled."""
    answer = ask(MINE, recipe.format(mark))
    assert answer.status_code == 404 and "location" not in answer.headers


@pytest.mark.parametrize(
    ("recipe", "step", "parameter"),
    [
        ("image/resize,w_0", "resize", "w"),
        (f"image/watermark,image_{encoded(SECRET)},size_0", "watermark", "size"),
        ("image/info&response-content-type=text/html", "info&amp;response-content-type=text", ""),
        ("image/resize,w_1|sys/saveas,o_YQ", "saveas", ""),
        ("图片/缩放", "", ""),
    ],
)
def test_what_cannot_be_read_is_refused_by_the_storage(
    ask: Ask, recipe: str, step: str, parameter: str
) -> None:
    """It may be signed, for nothing is made of it; the storage's own words name step and parameter."""
    answer = followed(ask(MINE, recipe))
    assert answer.status_code == 400 and "<Code>InvalidArgument</Code>" in answer.text
    assert (f"<Step>{step}</Step>" in answer.text) is bool(step)
    assert (f"<ArgumentName>{parameter}</ArgumentName>" in answer.text) is bool(parameter)


def test_a_link_is_for_one_recipe_and_for_looking(ask: Ask) -> None:
    """Nothing that was asked for beside the recipe is signed, and nothing but GET is allowed."""
    answer = ask(MINE, "image/resize,w_30", **{"response-content-type": "text/html", "versionId": "null"})
    names = {name for name, _ in parse_qsl(urlsplit(answer.headers["location"]).query)}
    assert {name for name in names if not name.startswith("X-Amz-")} == {"x-amz-process"}
    assert {followed(answer, method).status_code for method in ("PUT", "POST", "DELETE")} <= {403, 405, 501}
    assert httpx.get(answer.headers["location"].replace("w_30", "w_31")).status_code == 403


def test_a_recipe_has_a_longest(ask: Ask) -> None:
    """One that is longer is refused before it is read."""
    steps = "/strip" * RECIPE_LIMIT
    assert ask(MINE, f"image{steps}"[: RECIPE_LIMIT + 1]).status_code == 414
    assert ask(MINE, "x" * RECIPE_LIMIT).status_code == 307


def test_looking_changes_nothing(ask: Ask) -> None:
    """Links are got, and got only."""
    assert {ask(MINE, method=method).status_code for method in ("POST", "PUT", "DELETE")} == {405}
