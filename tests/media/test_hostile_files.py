"""Files and recipes of people who mean harm, asked of a real server: refused, or a clean picture."""

import sqlite3
import struct
import zlib
from base64 import urlsafe_b64encode
from contextlib import closing
from functools import cache
from gzip import compress
from io import BytesIO
from typing import Any
from zipfile import ZipFile

import pytest
import pyvips

from media.golden.drawing import MOTIF, opaque
from media.test_bitmap import FORMS
from media.test_heic import heic
from running_server import Server
from signed_http import Answered, SignedHttp

HTML = b"<html><script>alert(document.domain)</script></html>"
SVG = (
    b'<svg xmlns="http://www.w3.org/2000/svg" xmlns:x="http://www.w3.org/1999/xlink">'
    b'<image x:href="file:///etc/passwd"/><image href="http://127.0.0.1:1/x.png"/></svg>'
)
HEIC_HEAD = b"\0\0\0\x18ftypheic\0\0\0\0mif1heic"


@cache
def file(suffix: str) -> bytes:
    return bytes(opaque(MOTIF).write_to_buffer(suffix))


def zipped() -> bytes:
    archive = BytesIO()
    with ZipFile(archive, "w") as made:
        made.writestr("evil.html", HTML)
    return archive.getvalue()


def chunk(kind: bytes, body: bytes) -> bytes:
    return len(body).to_bytes(4, "big") + kind + body + zlib.crc32(kind + body).to_bytes(4, "big")


def png_bomb() -> bytes:
    """A head that says 20,000 x 20,000, and pixels that are all zeros."""
    head = struct.pack(">IIBBBBB", 20_000, 20_000, 8, 2, 0, 0, 0)
    pixels = zlib.compress(bytes(1_000_000), 9)
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", head) + chunk(b"IDAT", pixels) + chunk(b"IEND", b"")


def gif_page() -> bytes:
    """A GIF whose size is the beginning of a comment in a script, and whose comment is a page."""
    gif = bytes(pyvips.Image.black(10_799, 10).gifsave_buffer())
    assert gif.startswith(b"GIF89a/*")
    return gif[:-1] + b"\x21\xfe" + bytes([len(HTML)]) + HTML + b"\0" + b"\x3b*/=1;" + HTML


# Two files in one: both a picture and something else.
POLYGLOTS = {
    "jpeg and zip": lambda: file(".jpg") + zipped(),
    "png and script": lambda: file(".png") + HTML,
    "gif and page": gif_page,
    "webp and page": lambda: file(".webp") + HTML,
    "bmp and page": lambda: FORMS["24 bits"] + HTML,
    "heic and page": lambda: heic() + HTML,
    "tiff and zip": lambda: file(".tiff") + zipped(),
}
# What is no picture that is read here, whatever it is called, or one that wants too much.
REFUSED = {
    "svg": lambda: SVG,
    "svg with a head": lambda: b'<?xml version="1.0"?><!DOCTYPE svg [<!ENTITY x SYSTEM "file:///x">]>' + SVG,
    "svgz": lambda: compress(SVG),
    "postscript": lambda: b"%!PS-Adobe-3.0 EPSF-3.0\n(/etc/passwd) (r) file",
    "pdf": lambda: b"%PDF-1.4\n%\xe2\xe3\xcf\xd3",
    "script of ImageMagick": lambda: b"push graphic-context\nimage over 0,0 0,0 'url(http://127.0.0.1:1/)'\n",
    "portable pixels": lambda: b"P6 99999 99999 255\n" + bytes(99),
    "page": lambda: HTML,
    "zip": zipped,
    "png bomb": png_bomb,
    "png bomb in a HEIC coat": lambda: HEIC_HEAD + png_bomb(),
    "png bomb in a JPEG coat": lambda: b"\xff\xd8\xff\xe0" + png_bomb(),
    "page in a PNG coat": lambda: b"\x89PNG\r\n\x1a\n" + HTML,
    "page in a GIF coat": lambda: b"GIF89a" + HTML,
    "nothing": lambda: b"",
}
# Their heads are whole, and say one codec where the pixels have another.
CONFUSED = {
    "avif in a HEIC coat": lambda: file(".avif").replace(b"avif", b"heic").replace(b"avis", b"heic"),
    "heic in an AVIF coat": lambda: heic().replace(b"ftypheic", b"ftypavif"),
}


@pytest.fixture
def ask(server: Server, bucket: str) -> Any:
    """Give a function that puts a body and asks for what a recipe makes of it."""

    def put_and_ask(body: bytes, recipe: str, key: str = "p.jpg", content_type: str = "") -> Answered:
        headers = {"content-type": content_type} if content_type else {}
        with closing(SignedHttp(server.url)) as http:
            assert http.send("PUT", f"{bucket}/{key}", body, headers=headers).status == 200
            return http.send("GET", f"{bucket}/{key}", **{"x-amz-process": recipe})

    return put_and_ask


def kept(server: Server, key: str) -> int:
    """Count the results that are kept of an object."""
    with closing(sqlite3.connect(server.data / "meta.sqlite3")) as rows:
        count = rows.execute("SELECT COUNT(*) FROM results WHERE key = ?", (key.encode(),)).fetchone()[0]
    return int(count)


@pytest.mark.parametrize("name", POLYGLOTS)
def test_only_the_picture_comes_of_a_file_that_is_two(name: str, ask: Any) -> None:
    """Nothing of the other file is in the result."""
    for recipe in ("image/resize,w_50", "image/format,png"):
        answer = ask(POLYGLOTS[name](), recipe)
        assert answer.status == 200 and answer.headers["content-type"].startswith("image/")
        assert b"alert" not in answer.body and b"evil" not in answer.body


@pytest.mark.parametrize("name", [*REFUSED, *CONFUSED])
def test_what_is_no_picture_here_is_refused(name: str, ask: Any, server: Server) -> None:
    """400 with a sentence, and nothing is kept."""
    key = f"refused-{name.replace(' ', '-')}.png"
    body = (REFUSED | CONFUSED)[name]()
    for recipe in ("resize,w_50/format,png", "rotate,45", *(["info"] if name in REFUSED else [])):
        answer = ask(body, f"image/{recipe}", key, content_type="image/png")
        assert (answer.status, answer.code) == (400, "InvalidArgument"), (recipe, answer.body)
        assert b"image" in answer.body and b"passwd" not in answer.body
    assert kept(server, key) == 0


@pytest.mark.parametrize("suffix", [".png", ".jpg", ".webp", ".gif", ".tiff", ".avif"])
def test_names_and_types_say_nothing(suffix: str, ask: Any) -> None:
    """What a file is, its first bytes say."""
    answer = ask(file(suffix), "image/resize,w_50/format,webp", "page.html", content_type="text/html")
    assert (answer.status, answer.headers["content-type"]) == (200, "image/webp")


MARK = urlsafe_b64encode(b"p.jpg?x-oss-process=image/watermark,text_YQ").decode().rstrip("=")
RECIPES = [
    "image" + "/strip" * 1_000,
    "|".join(["image/strip"] * 1_000),
    "image/resize" + ",w_1" * 1_000,
    "image/resize,w_NaN",
    "image/resize,w_1e3",
    "image/resize,w_-1",
    "image/resize,w_" + "9" * 1_000,
    "image/resize,p_Infinity",
    "image/rotate,1" + "0" * 4_000,
    "image/blur,r_0x10,s_5",
    "image/bright,-101",
    f"image/watermark,image_{MARK}",
    "image/watermark,text_" + "YQ" * 3_000,
    "image/zzz",
    "video/animation,fps_NaN",
]


@pytest.mark.parametrize("recipe", RECIPES, ids=lambda recipe: recipe[:40])
def test_a_hostile_recipe_is_refused(recipe: str, ask: Any, server: Server) -> None:
    """400 with a short sentence, before anything is read, and nothing is kept."""
    key = f"recipe-{zlib.crc32(recipe.encode())}.jpg"
    answer = ask(file(".jpg"), recipe, key)
    assert (answer.status, answer.code) == (400, "InvalidArgument")
    assert len(answer.body) < 1_500
    assert kept(server, key) == 0


@pytest.mark.parametrize("name", ["svg", "png bomb", "page in a PNG coat"])
def test_a_hostile_watermark_names_its_place(name: str, ask: Any, server: Server) -> None:
    """The picture is whole, its mark is not: the answer says which of them is meant."""
    mark = urlsafe_b64encode(b"mark.png").decode().rstrip("=")
    assert ask(REFUSED[name](), "image/info", "mark.png").status == 400
    answer = ask(file(".jpg"), f"image/watermark,image_{mark}", "marked.jpg")
    assert answer.status == 400 and b"<Step>watermark</Step><ArgumentName>image</ArgumentName>" in answer.body
    assert kept(server, "marked.jpg") == 0
