"""A video is read alone: whatever other files or addresses it names, none is opened and none is called.

The controls let FFmpeg do what it does by itself, and show that these tests would notice.
"""

import contextlib
import struct
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import av
import pytest

from media.asking import made
from media.bait import Listener, WatchedFolder
from media.filming import film
from meiku.media.refusal import RecipeRefused

RECIPES = (
    "video/snapshot,t_1000,f_png",
    "video/snapshot,t_0,f_png,m_fast",
    "video/info",
    "video/animation,num_2",
)


@dataclass
class Bait:
    """What a file may try to have opened."""

    path: Path
    url: str
    folder: WatchedFolder
    listener: Listener

    def was_taken(self) -> bool:
        """Tell whether it was since this was last asked."""
        time.sleep(0.01)  # a call arrives in another thread
        calls, self.listener.calls = self.listener.calls, 0
        return self.folder.was_touched() or calls > 0


@pytest.fixture(scope="module")
def bait(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Bait]:
    path = tmp_path_factory.mktemp("bait") / "secret.mp4"
    path.write_bytes(film("mp4", frames=50))
    listener, folder = Listener(), WatchedFolder(path.parent)
    yield Bait(path, f"http://127.0.0.1:{listener.port}/secret.mp4", folder, listener)
    listener.close()
    folder.close()


def box(kind: bytes, body: bytes) -> bytes:
    return (8 + len(body)).to_bytes(4, "big") + kind + body


def alias(path: str, levels: int = -1) -> bytes:
    """Write a Macintosh alias record (QuickTime's `alis`) to a path, or from so many folders above."""
    name, target = path.rpartition("/")[2].encode(), path.encode()
    record = bytes(14) + b"\x03vol".ljust(28, b"\0") + bytes(12) + bytes([len(name)]) + name.ljust(63, b"\0")
    record += bytes(16) + struct.pack(">hh", levels, levels) + bytes(16)
    target += b"\0" * (len(target) % 2)
    return box(b"alis", record + struct.pack(">hH", 2, len(target)) + target + struct.pack(">hH", -1, 0))


def with_reference(entry: bytes) -> bytes:
    """Let a MOV's track lie in another file."""
    body = film("mov", frames=50)
    place = body.rindex(b"dref") - 4
    before = int.from_bytes(body[place : place + 4], "big")
    reference = box(b"dref", bytes(4) + (1).to_bytes(4, "big") + entry)
    changed = bytearray(body[:place] + reference + body[place + before :])
    for kind in (b"dinf", b"minf", b"mdia", b"trak", b"moov"):
        head = changed.rindex(kind) - 4
        longer = int.from_bytes(changed[head : head + 4], "big") + len(reference) - before
        changed[head : head + 4] = longer.to_bytes(4, "big")
    return bytes(changed)


def reference_movie(url: str) -> bytes:
    """Write a QuickTime film that only names another."""
    data = box(b"rdrf", bytes(4) + b"url " + (len(url) + 1).to_bytes(4, "big") + url.encode() + b"\0")
    return box(b"ftyp", b"qt  \0\0\0\0qt  ") + box(b"moov", box(b"rmra", box(b"rmda", data)))


def hls(target: str) -> bytes:
    return f"#EXTM3U\n#EXT-X-TARGETDURATION:2\n#EXTINF:2,\n{target}\n#EXT-X-ENDLIST\n".encode()


def dash(target: str) -> bytes:
    return (
        '<?xml version="1.0"?><MPD xmlns="urn:mpeg:dash:schema:mpd:2011" type="static" '
        'mediaPresentationDuration="PT2S"><Period><AdaptationSet mimeType="video/mp4"><Representation id="1">'
        f"<BaseURL>{target}</BaseURL></Representation></AdaptationSet></Period></MPD>"
    ).encode()


def imf(target: str) -> bytes:
    return (
        '<?xml version="1.0"?><CompositionPlaylist xmlns="http://www.smpte-ra.org/schemas/2067-3/2016">'
        f"<Id>urn:uuid:0</Id><SegmentList><Segment><Path>{target}</Path></Segment></SegmentList>"
        "</CompositionPlaylist>"
    ).encode()


def concat(target: str) -> bytes:
    return f"ffconcat version 1.0\nfile '{target}'\n".encode()


def session(target: str) -> bytes:
    port = target.split(":")[-1].split("/")[0]
    return f"v=0\no=- 0 0 IN IP4 127.0.0.1\nc=IN IP4 127.0.0.1\nt=0 0\nm=video {port} RTP/AVP 96\n".encode()


WRITERS: dict[str, Callable[[str], bytes]] = {
    "HLS": hls,
    "DASH": dash,
    "IMF": imf,
    "concat": concat,
    "SDP": session,
    "an address alone": str.encode,
    "an alias in a MOV": lambda target: with_reference(alias(target)),
    "an alias beside a MOV": lambda target: with_reference(alias(target, 1)),
    "an address in a MOV": lambda target: with_reference(box(b"url ", bytes(4) + target.encode() + b"\0")),
    "a reference movie": reference_movie,
    # What begins as a video and goes on as something else is read as what it began as.
    "HLS behind an MP4's head": lambda target: box(b"ftyp", b"isom\0\0\0\0isom") + hls(target),
    "HLS in an MKV's head": lambda target: b"\x1a\x45\xdf\xa3" + hls(target),
    "HLS behind an FLV's head": lambda target: b"FLV\x01\x01\0\0\0\x09\0\0\0\0" + hls(target),
    "HLS in an AVI's head": lambda target: b"RIFF\xff\0\0\0AVI LIST" + hls(target),
    "HLS in a transport stream": lambda target: b"".join(
        b"G" + hls(target)[:187].ljust(187, b"\n") for _ in range(20)
    ),
    "HLS behind a film": lambda target: film("mpegts", frames=50) + hls(target),
}
TARGETS: dict[str, Callable[[Bait], str]] = {
    "a path": lambda bait: str(bait.path),
    "file:": lambda bait: f"file:{bait.path}",
    "file://": lambda bait: f"file://{bait.path}",
    "a name": lambda bait: bait.path.name,
    "concat:": lambda bait: f"concat:{bait.path}|{bait.path}",
    "subfile": lambda bait: f"subfile,,start,0,end,100,,:{bait.path}",
    "crypto:": lambda bait: f"crypto:{bait.path}",
    "cache:": lambda bait: f"cache:{bait.path}",
    "http:": lambda bait: bait.url,
    "tcp:": lambda bait: f"tcp://127.0.0.1:{bait.listener.port}",
    "udp:": lambda bait: f"udp://127.0.0.1:{bait.listener.port}",
    "hls:": lambda bait: f"hls+{bait.url}",
    "async:": lambda bait: f"async:{bait.url}",
}


@pytest.mark.parametrize("writer", WRITERS)
@pytest.mark.parametrize("target", TARGETS)
def test_nothing_else_is_opened(
    writer: str, target: str, bait: Bait, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Playlists, descriptions, references; by paths, protocols and addresses."""
    monkeypatch.chdir(bait.path.parent)
    body = WRITERS[writer](TARGETS[target](bait))
    bait.was_taken()
    for recipe in RECIPES:
        with contextlib.suppress(RecipeRefused):
            made(body, recipe)
    assert not bait.was_taken()


CONTROLS: dict[str, tuple[Callable[[str], bytes], str, str | None, dict[str, str]]] = {
    "concat": (concat, "a path", "concat", {"safe": "0"}),
    "HLS": (hls, "http:", "hls", {"protocol_whitelist": "file,http,tcp", "allowed_extensions": "ALL"}),
    "an alias in a MOV": (
        lambda target: with_reference(alias(target)),
        "a path",
        "mov",
        {"enable_drefs": "1", "use_absolute_path": "1"},
    ),
}


@pytest.mark.parametrize("control", CONTROLS)
def test_ffmpeg_by_itself_takes_the_bait(
    control: str, bait: Bait, tmp_path_factory: pytest.TempPathFactory
) -> None:
    """Left to itself it does open and call what a file names: then it is noticed."""
    write, target, demuxer, options = CONTROLS[control]
    path = tmp_path_factory.mktemp("control") / "film"
    path.write_bytes(write(TARGETS[target](bait)))
    bait.was_taken()
    with (
        contextlib.suppress(av.error.FFmpegError),
        av.open(str(path), format=demuxer, options=options) as opened,
    ):
        next(opened.demux())
    assert bait.was_taken()
