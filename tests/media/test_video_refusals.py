"""What is no video, or a broken one, is refused in words and soon; what can still be shown is shown."""

import contextlib
import random
import time
import zlib
from collections.abc import Callable

import pytest

from media.asking import InMemory, frame_at, made, refusal
from media.filming import WIDTH_PX, film, number_of, several_streams, sounds_only
from meiku.media import read_recipe
from meiku.media.refusal import RecipeRefused
from meiku.media.video import follow_video

SNAPSHOT = "video/snapshot,t_1000,f_png"
NO_FAULT_OF_OURS = ("damaged or not complete", "past the end", "holds no video", "no video that is read here")


def box(kind: bytes, body: bytes) -> bytes:
    """Write one box of an MP4."""
    return (8 + len(body)).to_bytes(4, "big") + kind + body


MP4_HEAD = box(b"ftyp", b"isom\0\0\0\0isom")


@pytest.mark.parametrize("container", ["mp4", "mov", "matroska", "flv", "mpegts", "avi"])
def test_sound_alone(container: str) -> None:
    """A file of sound says that it is one."""
    for recipe in (SNAPSHOT, "video/info", "video/animation"):
        assert "holds no video, only sound" in refusal(sounds_only(container), recipe)


@pytest.mark.parametrize("container", ["mp4", "matroska"])
def test_sound_with_a_cover(container: str) -> None:
    """A song's cover is no frame of a video; beside a video it is not taken for it."""
    said = refusal(several_streams(container, cover=True, sound=True), SNAPSHOT)
    assert "only sound and a cover picture" in said
    both = several_streams(container, film("mp4", frames=50), cover=True, sound=True)
    assert frame_at(both, 1000) == 25


@pytest.mark.parametrize("container", ["mp4", "mov", "matroska"])
def test_several_videos(container: str) -> None:
    """The one marked as usual is the video, otherwise the first."""
    short, long = film("mp4", frames=50), film("mp4", frames=60)
    assert frame_at(several_streams(container, short, long), 1000) == 25
    assert frame_at(several_streams(container, short, long, usual=1), 2300) == 57


def test_many_streams() -> None:
    """64 are taken, more are not, and that is said."""
    short = film("mp4", frames=5)
    assert frame_at(several_streams("mp4", *[short] * 64), 100) == 2
    assert "more than 64 streams" in refusal(several_streams("mp4", *[short] * 65), SNAPSHOT)


CUT_SHORT = [
    ("mp4", "libx264", {"movflags": "faststart"}),
    ("mp4", "libx264", {}),
    ("mp4", "libx265", {"movflags": "faststart"}),
    ("mp4", "libx264", {"movflags": "frag_keyframe+empty_moov"}),
    ("matroska", "libx264", {}),
    ("webm", "libvpx-vp9", {}),
    ("webm", "libsvtav1", {}),
    ("flv", "libx264", {}),
    ("mpegts", "libx264", {}),
    ("avi", "libx264", {}),
]


@pytest.mark.parametrize(("container", "codec", "muxing"), CUT_SHORT, ids=str)
def test_files_that_break_off(container: str, codec: str, muxing: dict[str, str]) -> None:
    """At every tenth: the frame that was asked for, where it is there, or words; never another for it.

    Of what does not say how long it is, the last that is there is the last.
    """
    body = film(container, codec, frames=100, key_every=10, muxing=muxing)
    says_length = container != "mpegts" and "empty_moov" not in str(muxing)
    for tenths in range(11):
        rest = body[: len(body) * tenths // 10]
        for time_ms, number in ((0, 0), (1000, 25), (2000, 50), (3900, 97)):
            for fast, wanted in (("", number), (",m_fast", number // 10 * 10)):
                try:
                    picture = made(rest, f"video/snapshot,t_{time_ms},f_png{fast}").body
                except RecipeRefused as refused:
                    assert any(words in refused.message for words in NO_FAULT_OF_OURS), refused.message
                    assert tenths < 10
                else:
                    # Half a second may be missing of what a whole file says of itself.
                    missing = 12 if says_length or tenths == 10 else 100
                    assert wanted - missing <= number_of(picture) <= wanted


def test_a_whole_file_with_a_piece_lost() -> None:
    """Where bytes are overwritten, the frames around them are still answered."""
    body = bytearray(film("mp4", frames=100, key_every=10))
    begins = len(body) // 2
    body[begins : begins + 200] = bytes(200)
    for number in (0, 5, 99):
        assert frame_at(bytes(body), number * 40) == number


def sized(side_px: int) -> bytes:
    """Write another size into every frame's head of a film of JPEGs."""
    changed = bytearray(film("mov", "mjpeg", frames=3, pixels="yuvj420p"))
    place = 0
    while (place := changed.find(b"\xff\xc0", place + 1)) > 0:
        changed[place + 5 : place + 9] = side_px.to_bytes(2, "big") * 2
    return bytes(changed)


WIDE_PX = 65_008  # its last four bits are those of the real width, where the height's neighbours stand


def of_width(width_px: int) -> bytes:
    """Write another width into a WebM's head and into the heads of its frames."""
    body = film("webm", "libvpx-vp9", frames=3)
    # Before the width come a mark of 24 bits and four more.
    heads = [b"\x49\x83\x42" + (width - 1 << 4).to_bytes(3, "big")[:2] for width in (WIDTH_PX, width_px)]
    widths = [b"\xb0\x82" + width.to_bytes(2, "big") for width in (WIDTH_PX, width_px)]
    assert heads[0] in body and widths[0] in body
    return body.replace(*heads).replace(*widths)


BOMBS: dict[str, Callable[[], bytes]] = {
    "frames of 65,000 x 65,000": lambda: sized(65_000),
    "a head and frames of 65,008 x 192": lambda: of_width(WIDE_PX),
    "a head packed a thousandfold": lambda: (
        MP4_HEAD
        + box(
            b"moov",
            box(
                b"cmov",
                box(b"dcom", b"zlib")
                + box(b"cmvd", (1 << 27).to_bytes(4, "big") + zlib.compress(bytes(1 << 27), 9)),
            ),
        )
    ),
    "a packed head of four gigabytes": lambda: (
        MP4_HEAD
        + box(
            b"moov",
            box(b"cmov", box(b"dcom", b"zlib") + box(b"cmvd", b"\xf0\0\0\0" + zlib.compress(bytes(100)))),
        )
    ),
    "boxes in boxes": lambda: MP4_HEAD + nested(5_000),
    "twenty thousand tracks": lambda: MP4_HEAD + box(b"moov", box(b"trak", box(b"tkhd", bytes(84))) * 20_000),
    "two billion samples": lambda: counting(b"stsz", 4, (100).to_bytes(4, "big") + b"\x7f\xff\xff\xff"),
    "two billion times": lambda: counting(b"stts", 4, b"\x7f\xff\xff\xff" * 2),
}


def nested(depth: int) -> bytes:
    inside = b""
    for _ in range(depth):
        inside = box(b"moov", inside)
    return inside


def counting(kind: bytes, offset: int, numbers: bytes) -> bytes:
    """Write other counts into a table of an MP4."""
    changed = bytearray(film("mp4", frames=5))
    place = changed.index(kind) + 4 + offset
    changed[place : place + len(numbers)] = numbers
    return bytes(changed)


@pytest.mark.parametrize("bomb", BOMBS)
def test_bombs(bomb: str) -> None:
    """What claims to be enormous is refused, or is not believed, and costs little."""
    body = BOMBS[bomb]()
    begun_s = time.process_time()
    for recipe in ("video/snapshot,t_0,f_jpg", "video/info"):
        source = InMemory(body)
        with contextlib.suppress(RecipeRefused):
            follow_video(read_recipe(recipe), source)
        assert source.read_bytes <= 2 * len(body)
    assert time.process_time() - begun_s < 5


def test_frames_larger_than_allowed_are_refused_by_the_head() -> None:
    """The message names the size and the limits."""
    said = refusal(of_width(WIDE_PX), "video/snapshot,t_0,f_jpg")
    assert f"{WIDE_PX} x 192" in said and "30,000" in said and "250,000,000" in said
    assert "damaged" in refusal(sized(65_000), "video/snapshot,t_0,f_jpg")


def test_a_film_that_says_it_has_no_length() -> None:
    """Zeros for its length are no word about it: what is there is found, and the last stays to be seen."""
    changed = bytearray(film("mp4", frames=5))
    for kind, offset in ((b"mvhd", 20), (b"tkhd", 24), (b"mdhd", 20)):
        place = changed.index(kind) + offset
        changed[place : place + 4] = bytes(4)
    body = bytes(changed)
    assert [frame_at(body, number * 40) for number in range(5)] == [0, 1, 2, 3, 4]
    assert frame_at(body, 1_200) == frame_at(body, 1_200, fast=True) + 4 == 4
    assert "1200 is past the end; the video is 200 ms long" in refusal(body, "video/animation,ss_1200,num_2")


@pytest.mark.parametrize(
    ("codec", "said"),
    [
        ("rawvideo", "codec is not read here"),
        ("huffyuv", "codec is not read here"),
        ("ffv1", "codec is not read"),
    ],
)
def test_codecs_that_are_not_read(codec: str, said: str) -> None:
    """FFmpeg would read hundreds; few are offered."""
    pixels = "yuv420p" if codec == "rawvideo" else "yuv422p"
    assert said in refusal(film("avi", codec, frames=2, pixels=pixels), SNAPSHOT)


FUZZED = [
    ("mp4", "libx264"),
    ("mp4", "libx265"),
    ("mov", "mpeg4"),
    ("matroska", "libx264"),
    ("matroska", "libx265"),
    ("webm", "libvpx-vp9"),
    ("webm", "libsvtav1"),
    ("flv", "libx264"),
    ("mpegts", "libx264"),
    ("mpegts", "libx265"),
    ("avi", "libx264"),
    ("avi", "mpeg4"),
]
RECIPES = [
    "video/snapshot,t_1000,f_jpg",
    "video/snapshot,t_1990,f_jpg,ar_auto",
    "video/snapshot,t_1000,f_jpg,m_fast",
    "video/info",
    "video/animation,num_3,w_32",
]
FUZZED_FOR_S = 20


def damaged(body: bytes, chance: random.Random) -> bytes:
    """Do to a file what disks, networks and strangers do."""
    changed = bytearray(body)
    place = chance.randrange(len(changed))
    match chance.randrange(5):
        case 0:
            for _ in range(chance.choice([1, 2, 5, 20, 100])):
                changed[chance.randrange(len(changed))] = chance.randrange(256)
        case 1:  # numbers of the head, at either end
            first = chance.choice([0, max(0, len(changed) - 3_000)])
            for _ in range(chance.choice([1, 2, 4])):
                changed[chance.randrange(first, min(len(changed), first + 3_000))] = chance.choice(
                    [0, 127, 128, 255]
                )
        case 2:
            del changed[place : place + chance.randrange(1, 2_000)]
        case 3:
            changed[place:place] = changed[place : place + chance.randrange(1, 2_000)]
        case _:
            del changed[place:]
    return bytes(changed)


def test_any_damage_is_a_picture_or_words() -> None:
    """Nothing but RecipeRefused comes of a damaged file, and none takes long. The seed is fixed."""
    chance = random.Random(20_261_125)
    bodies = [film(container, codec, frames=50, key_every=10, sound_s=1.0) for container, codec in FUZZED[:5]]
    bodies += [film(container, codec, frames=50, key_every=10) for container, codec in FUZZED[5:]]
    ends_at_s, followed = time.monotonic() + FUZZED_FOR_S, 0
    while time.monotonic() < ends_at_s:
        body, recipe = damaged(chance.choice(bodies), chance), chance.choice(RECIPES)
        begun_s = time.process_time()
        try:
            made(body, recipe)
        except RecipeRefused as refused:
            assert refused.message.isprintable()
        assert time.process_time() - begun_s < 10
        followed += 1
    assert followed > 200
