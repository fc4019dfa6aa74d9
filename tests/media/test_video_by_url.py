"""A video's frames by URL, from a real server: read by ranges, refused in words, and harmless to others."""

import hashlib
import json
import os
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from typing import Any

import pytest
import pyvips

from media.filming import film, number_of, sounds_only
from media.large_films import large
from running_server import Server
from signed_http import Answered, SignedHttp

FILM = film("mp4", "libx264", frames=100, key_every=25)


@pytest.fixture
def ask(server: Server, s3: Any, bucket: str) -> Callable[..., Answered]:
    """Put a video and ask for what a recipe makes of it."""

    held = b""

    def send(
        recipe: str,
        body: bytes = FILM,
        method: str = "GET",
        name: str = "x-amz-process",
        headers: dict[str, str] | None = None,
    ) -> Answered:
        nonlocal held
        if body != held:
            s3.put_object(Bucket=bucket, Key="v.mp4", Body=body)
            held = body
        with closing(SignedHttp(server.url)) as http:
            return http.send(method, f"{bucket}/v.mp4", headers=headers, **{name: recipe})

    return send


@pytest.mark.parametrize("name", ["x-amz-process", "x-oss-process"])
def test_the_frame_at_a_time_is_answered(ask: Callable[..., Answered], name: str) -> None:
    """At 25 frames a second the frame at 2 s is number 50, exactly; fast, the key frame before it."""
    exact = ask("video/snapshot,t_2400,f_png,w_160", name=name)
    assert (exact.status, exact.headers["content-type"]) == (200, "image/png")
    image = pyvips.Image.new_from_buffer(exact.body, "")
    assert (image.width, number_of(exact.body)) == (160, 60)
    assert number_of(ask("video/snapshot,t_2400,f_jpg,m_fast", name=name).body) == 50


def test_facts_and_moving_pictures(ask: Callable[..., Answered]) -> None:
    """`video/info` answers JSON, `video/animation` a moving picture of as many frames as asked for."""
    facts = json.loads(ask("video/info").body)
    assert (facts["VideoWidth"], facts["Duration"], facts["VideoStreams"][0]["CodecName"]) == (
        320,
        4.0,
        "h264",
    )
    moving = ask("video/animation,num_5,w_160,f_webp")
    assert (moving.status, moving.headers["content-type"]) == (200, "image/webp")
    assert pyvips.Image.new_from_buffer(moving.body, "n=-1").get("n-pages") == 5


@pytest.mark.parametrize(
    ("recipe", "body", "said"),
    [
        ("video/animation,ss_90000,num_2", FILM, "past the end"),
        ("video/snapshot,t_0,f_jpg", sounds_only(), "video"),
        ("video/snapshot,t_0,f_jpg", FILM[:2000], "video"),
        ("video/snapshot,t_0,f_jpg", os.urandom(5000), "video"),
        ("video/snapshot,t_0,f_jpg", b"#EXTM3U\n#EXTINF:1,\nfile:///etc/passwd\n", "video"),
        ("video/snapshot,t_0,f_jpg", b"ffconcat version 1.0\nfile /etc/passwd\n", "video"),
        ("video/snapshot,t_x,f_jpg", FILM, "t"),
        ("image/resize,w_10", FILM, "image format"),
    ],
)
def test_what_cannot_be_is_refused_in_words(
    ask: Callable[..., Answered], recipe: str, body: bytes, said: str
) -> None:
    """400 with a sentence, and nothing of another file."""
    answer = ask(recipe, body)
    assert answer.status == 400 and said in answer.body.decode() and "root:" not in answer.body.decode()


def test_a_large_video_is_read_by_ranges(own_server: Callable[..., Server]) -> None:
    """A frame of a video larger than a picture may be, and than a worker's memory, is answered."""
    server = own_server(
        "--workers", "1", MEIKU_MEDIA_SOURCE_LIMIT_BYTES="100000", MEIKU_MEDIA_CACHE_BYTES="0"
    )
    # Space between the boxes: a legal file of 300 MB of which a reader needs little.
    padding = 300_000_000
    body = FILM + (padding + 8).to_bytes(4, "big") + b"free" + bytes(padding)
    with closing(SignedHttp(server.url)) as http:
        http.send("PUT", "videos")
        assert http.send("PUT", "videos/v.mp4", body).status == 200
        answer = http.send("GET", "videos/v.mp4", **{"x-amz-process": "video/snapshot,t_2000,f_png"})
    assert answer.status == 200 and number_of(answer.body) == 50


@pytest.mark.parametrize(
    ("container", "codec"),
    [
        ("mov", "libx264"),
        ("mp4", "libx265"),
        ("mp4", "libsvtav1"),
        ("matroska", "libx265"),
        ("webm", "libvpx-vp9"),
        ("webm", "libsvtav1"),
        ("flv", "libx264"),
        ("mpegts", "libx264"),
        ("avi", "libx264"),
    ],
)
def test_what_people_upload_is_read(ask: Callable[..., Answered], container: str, codec: str) -> None:
    """H.264, H.265, VP9 and AV1, in the containers they come in: the frame that was asked for."""
    answer = ask("video/snapshot,t_1000,f_png", film(container, codec, frames=50, key_every=10))
    assert answer.status == 200, answer.body
    assert number_of(answer.body) == 25


NAMES = [
    "concat:/etc/passwd|b.mp4",
    "subfile,,start,0,end,100,,:/etc/passwd",
    "http://127.0.0.1:9/v.mp4",
    "file:v.m3u8",
    "frames-%03d.jpg",
    "-i.mp4",
    "影片.mkv",
]


@pytest.mark.parametrize("key", NAMES)
def test_what_an_object_is_called_does_not_matter(server: Server, s3: Any, bucket: str, key: str) -> None:
    """A name is neither a path nor a protocol, nor does its ending say what the object is."""
    s3.put_object(Bucket=bucket, Key=key, Body=FILM)
    with closing(SignedHttp(server.url)) as http:
        answer = http.send("GET", f"{bucket}/{key}", **{"x-amz-process": "video/snapshot,t_2000,f_png"})
    assert answer.status == 200 and number_of(answer.body) == 50


@pytest.mark.parametrize(
    "recipe", ["video/snapshot,t_2000,f_jpg", "video/info", "video/animation,num_3,w_64"]
)
def test_a_result_is_kept_and_known_again(ask: Callable[..., Answered], recipe: str) -> None:
    """It has a tag of its own; who has it already is told so, and HEAD tells all but the bytes."""
    first, again = ask(recipe), ask(recipe)
    assert first.status == again.status == 200
    assert (first.body, first.etag) == (again.body, again.etag)
    assert first.etag != hashlib.md5(FILM).hexdigest()
    known = ask(recipe, headers={"If-None-Match": first.headers["etag"]})
    assert (known.status, known.body, known.etag) == (304, b"", first.etag)
    assert ask(recipe, headers={"If-Match": '"another"'}).status == 412
    head = ask(recipe, method="HEAD")
    assert (head.status, head.body, head.etag) == (200, b"", first.etag)
    for name in ("content-type", "content-length"):
        assert head.headers[name] == first.headers[name]
    other = ask(recipe, body=film("mp4", "libx264", frames=80, key_every=25))
    assert other.etag != first.etag


def test_a_range_does_no_harm(ask: Callable[..., Answered]) -> None:
    """A picture that was made is answered whole: a range of the film is not a range of its picture."""
    whole = ask("video/snapshot,t_2000,f_png")
    for asked in ("bytes=0-9", "bytes=999999999-", "bytes=-5"):
        answer = ask("video/snapshot,t_2000,f_png", headers={"Range": asked})
        assert (answer.status, answer.body) == (200, whole.body)


def test_eight_at_once(server: Server, s3: Any, bucket: str) -> None:
    """Different frames of one video, asked for together, are all answered."""
    s3.put_object(Bucket=bucket, Key="v.mp4", Body=FILM)

    def send(number: int) -> int:
        with closing(SignedHttp(server.url)) as http:
            recipe = f"video/snapshot,t_{number * 400},f_png"
            return number_of(http.send("GET", f"{bucket}/v.mp4", **{"x-amz-process": recipe}).body)

    with ThreadPoolExecutor(8) as clients:
        assert list(clients.map(send, range(8))) == [number * 10 for number in range(8)]


def refused_then_answered(server: Server, body: bytes, recipe: str) -> str:
    """Ask for too much, and then for a frame, which must come; answer why the first was refused."""
    with closing(SignedHttp(server.url)) as http:
        http.send("PUT", "videos")
        assert http.send("PUT", "videos/much.mp4", body).status == 200
        assert http.send("PUT", "videos/v.mp4", FILM).status == 200
        refused = http.send("GET", "videos/much.mp4", **{"x-amz-process": recipe})
        next_one = http.send("GET", "videos/v.mp4", **{"x-amz-process": "video/snapshot,t_2000,f_png"})
    assert (refused.status, refused.code) == (400, "InvalidArgument")
    assert next_one.status == 200 and number_of(next_one.body) == 50
    assert '"event": "mistake"' not in server.read_log()
    return refused.body.decode()


def test_a_video_that_takes_too_much_memory(own_server: Callable[..., Server]) -> None:
    """It is refused in words, and the next one is answered."""
    server = own_server("--workers", "1", MEIKU_MEDIA_MEMORY_BYTES=str(160 << 20))
    body = film("mp4", frames=2, width_px=8192, height_px=4320, options={"preset": "ultrafast"})
    assert "memory" in refused_then_answered(server, body, "video/snapshot,t_0,f_png")


def test_a_video_that_takes_too_long(own_server: Callable[..., Server]) -> None:
    """A hundred megapixels of grain are given up in time, and the next one is answered."""
    server = own_server("--workers", "1", MEIKU_MEDIA_TIMEOUT_S="2")
    said = refused_then_answered(server, large("mp4"), "video/animation,num_100,w_1000,h_1000")
    assert "longer than 2 seconds" in said
