"""The frame that is seen at a time is the one that is answered: whatever codec, container and structure."""

import math
from fractions import Fraction

import pytest

from media.asking import frame_at, refusal
from media.filming import PAIRS, film, shifted

FRAMES, KEY_EVERY, FRAME_MS = 50, 10, 40
NO_OTHER_KEYS = {"preset": "ultrafast", "x264-params": "keyint=9999:scenecut=0:bframes=0"}
OPEN_GROUPS = "open-gop=1:keyint=10:min-keyint=10:bframes=3:scenecut=0"
X265 = "log-level=none:pools=1:frame-threads=1:scenecut=0:keyint=10:min-keyint=10:bframes=4"
# Reordered frames, groups that lean on the one before, and none of it.
STRUCTURES = {
    "no reordering": ("libx264", {"bf": "0"}),
    "pyramid": (
        "libx264",
        {"preset": "ultrafast", "x264-params": "bframes=7:b-pyramid=normal:b-adapt=0:ref=4"},
    ),
    "open groups": ("libx264", {"x264-params": OPEN_GROUPS}),
    "H.265 open": ("libx265", {"x265-params": f"{X265}:open-gop=1:b-pyramid=1"}),
    "H.265 closed": ("libx265", {"x265-params": f"{X265}:open-gop=0"}),
}


def check(body: bytes, *, frames: int = FRAMES, first: int = 0, frame_ms: float = FRAME_MS) -> None:
    """Hold what is answered against what was filmed: around key frames, in the middle, at both ends."""
    for number in (0, 1, 9, 10, 24, frames - 2, frames - 1):
        begins_ms, ends_ms = math.ceil(number * frame_ms), int((number + 1) * frame_ms - 0.6)
        for time_ms in (begins_ms, ends_ms):
            assert frame_at(body, time_ms) == first + number, f"exactly at {time_ms} ms"
        key = frame_at(body, ends_ms, fast=True)
        assert key == max(first, (first + number) // KEY_EVERY * KEY_EVERY), f"the key frame at {ends_ms} ms"


@pytest.mark.parametrize(("container", "codec"), PAIRS)
def test_every_codec_in_every_container(container: str, codec: str) -> None:
    """Exactly, and the key frame; past the end the last of them stays to be seen."""
    body = film(container, codec, frames=FRAMES, key_every=KEY_EVERY)
    check(body)
    for time_ms in (FRAMES * FRAME_MS, FRAMES * FRAME_MS + 60, 5_000, 86_400_000):
        assert frame_at(body, time_ms) == FRAMES - 1
        assert frame_at(body, time_ms, fast=True) == FRAMES - KEY_EVERY


@pytest.mark.parametrize("frames", [38, 40, 41, 42])
@pytest.mark.parametrize("bidirectional", ["1", "2", "3"])
@pytest.mark.parametrize("codec", ["mpeg4", "mpeg2video", "mpeg1video"])
def test_old_codecs_whose_key_frames_come_before_frames_that_are_shown_earlier(
    codec: str, bidirectional: str, frames: int
) -> None:
    """An AVI only counts its frames, and of these some do not come out behind a key frame that was sought."""
    options = {"bf": bidirectional, "b_strategy": "0", "sc_threshold": "1000000000"}
    for container in ("avi", "matroska"):
        body = film(container, codec, frames=frames, key_every=9, options=options)
        assert [frame_at(body, number * FRAME_MS) for number in range(frames)] == list(range(frames))
        keys = [frame_at(body, number * FRAME_MS, fast=True) for number in range(frames)]
        assert keys == sorted(keys) and len(set(keys)) >= frames // 12
        assert all(key <= number for number, key in enumerate(keys)) and keys[-1] >= frames - 12


@pytest.mark.parametrize("container", ["mp4", "mov", "matroska", "flv", "mpegts", "avi"])
@pytest.mark.parametrize("structure", STRUCTURES)
def test_reordered_frames(container: str, structure: str) -> None:
    """Frames that are decoded in another order than they are shown, also across the key frame."""
    codec, options = STRUCTURES[structure]
    if (container, codec) in PAIRS and not (container == "avi" and structure == "open groups"):
        check(film(container, codec, frames=FRAMES, key_every=KEY_EVERY, options=options))


@pytest.mark.parametrize("container", ["mp4", "mov", "matroska", "flv", "mpegts"])
def test_frames_that_are_refreshed_in_stripes(container: str) -> None:
    """Where no frame is a key to all, decoding begins so early that the wanted one is whole."""
    options = {"x264-params": "intra-refresh=1:keyint=10"}
    body = film(container, "libx264", frames=FRAMES, key_every=KEY_EVERY, options=options)
    for number in (0, 5, 10, 15, 24, 37, 49):
        assert frame_at(body, number * FRAME_MS + 20) == number
        assert frame_at(body, number * FRAME_MS + 20, fast=True) <= number


@pytest.mark.parametrize("container", ["mp4", "mov", "matroska", "flv", "mpegts", "avi"])
@pytest.mark.parametrize(
    "rate", [Fraction(1), Fraction(30_000, 1_001), Fraction(60_000, 1_001), Fraction(240)]
)
def test_frame_rates(container: str, rate: Fraction) -> None:
    """From slide shows to slow motion."""
    body = film(container, "libx264", frames=FRAMES, key_every=KEY_EVERY, rate=rate)
    check(body, frame_ms=float(1000 / rate))


@pytest.mark.parametrize("container", ["mp4", "mov", "matroska", "flv", "mpegts"])
def test_frames_of_unequal_length(container: str) -> None:
    """A frame is seen until the next one comes, however long that takes."""
    times = (
        *range(3),
        10,
        11,
        *range(30, 34),
        40,
        41,
        *range(60, 68),
        *range(100, 105),
        *range(200, 204),
        300,
        301,
    )
    body = film(container, "libx264", frames=len(times), key_every=7, times=times)
    for number, (begins, ends) in enumerate(zip(times, (*times[1:], 302), strict=True)):
        assert frame_at(body, begins * FRAME_MS + 10) == number
        assert frame_at(body, ends * FRAME_MS - 10) == number
    assert frame_at(body, 310 * FRAME_MS) == len(times) - 1


@pytest.mark.parametrize(
    ("container", "muxing"),
    [
        *[
            ("mp4", {"movflags": flags})
            for flags in ("faststart", "negative_cts_offsets", "hybrid_fragmented")
        ],
        *[
            ("mp4", {"movflags": f"frag_keyframe+empty_moov+{more}"})
            for more in ("default_base_moof", "skip_trailer")
        ],
        *[("mp4", {"movflags": flags}) for flags in ("dash+global_sidx+frag_keyframe", "cmaf+frag_keyframe")],
        *[("matroska", {name: value}) for name, value in (("live", "1"), ("cues_to_front", "1"))],
        ("matroska", {"cluster_time_limit": "100"}),
        *[
            ("flv", {"flvflags": flags})
            for flags in ("add_keyframe_index", "no_duration_filesize", "no_metadata")
        ],
        ("mpegts", {"mpegts_m2ts_mode": "1"}),
        ("mpegts", {"muxrate": "1000000"}),
        ("mpegts", {"output_ts_offset": "95442.5"}),
        ("mov", {"output_ts_offset": "3.3"}),
        *[(container, {"output_ts_offset": "3.3"}) for container in ("matroska", "flv", "mpegts")],
    ],
    ids=lambda value: "-".join(value.values()) if isinstance(value, dict) else value,
)
@pytest.mark.parametrize("sound_s", [0, 2.0], ids=["silent", "with sound"])
def test_ways_of_writing_a_container(container: str, muxing: dict[str, str], sound_s: float) -> None:
    """With and without an index, in fragments, beginning late, its clock running over: found all the same."""
    check(film(container, "libx264", frames=FRAMES, key_every=KEY_EVERY, muxing=muxing, sound_s=sound_s))


def test_a_broadcast_that_is_joined() -> None:
    """A recording of a transport stream begins anywhere: its first whole key frame is seen at first."""
    body = film("mpegts", "libx264", frames=FRAMES, key_every=KEY_EVERY, options={"bf": "0"})
    for lost_bytes in (1, 100, 187):
        assert [frame_at(body[lost_bytes:], time_ms) for time_ms in (0, 500)] == [0, 12]
    assert frame_at(body[3 * 188 + 50 :], 0) == KEY_EVERY


def without_index(body: bytes) -> bytes:
    """Take an AVI its index, as a recorder that was switched off leaves one."""
    place = body.rindex(b"idx1")
    return body[:place] + b"JUNK" + body[place + 4 :]


def unfinished(body: bytes) -> bytes:
    """Let an AVI not even know how many frames it has."""
    changed = bytearray(without_index(body))
    for kind, offset in ((b"avih", 24), (b"strh", 40)):
        place = changed.index(kind)
        changed[place + offset : place + offset + 4] = bytes(4)
    return bytes(changed)


@pytest.mark.parametrize("bend", [without_index, unfinished])
@pytest.mark.parametrize("options", [{}, {"bf": "0"}, {"preset": "ultrafast", "bf": "2"}], ids=str)
def test_an_avi_that_was_not_closed(bend: object, options: dict[str, str]) -> None:
    """It is read from its beginning."""
    assert callable(bend)
    check(bend(film("avi", "libx264", frames=FRAMES, key_every=KEY_EVERY, options=options)))


@pytest.mark.parametrize("container", ["mp4", "mov"])
@pytest.mark.parametrize("cut", [5, 10, 15])
def test_a_film_that_was_cut(container: str, cut: int) -> None:
    """What lies before an edit list is needed to decode, and not seen; time counts from where that begins."""
    body = shifted(film("mp4", "libx264", frames=FRAMES, key_every=KEY_EVERY), container, Fraction(-cut, 25))
    check(body, frames=FRAMES - cut, first=cut)
    for fast in (False, True):
        last = frame_at(body, (FRAMES - cut) * FRAME_MS - 1, fast=fast)
        assert frame_at(body, FRAMES * FRAME_MS + 500, fast=fast) == last


TICKS_A_FRAME, FIRST_TICK = 512, 1024  # of the films here; the first frame is shown two after it is decoded


def edited(*parts: tuple[int, int]) -> bytes:
    """Give an MP4 an edit list: from which frame on, and how many."""
    body = film("mp4", "libx264", frames=FRAMES, key_every=KEY_EVERY)
    entries = [
        (count * FRAME_MS).to_bytes(4, "big")
        + (FIRST_TICK + first * TICKS_A_FRAME).to_bytes(4, "big")
        + b"\0\1\0\0"
        for first, count in parts
    ]
    place = body.index(b"elst") - 4
    written = b"elst" + bytes(4) + len(entries).to_bytes(4, "big") + b"".join(entries)
    longer = 4 + len(written) - int.from_bytes(body[place : place + 4], "big")
    changed = bytearray(
        body[:place]
        + (4 + len(written)).to_bytes(4, "big")
        + written
        + body[place + 4 + len(written) - longer :]
    )
    for kind in (b"edts", b"trak", b"moov"):
        head = changed.rindex(kind) - 4
        changed[head : head + 4] = (int.from_bytes(changed[head : head + 4], "big") + longer).to_bytes(
            4, "big"
        )
    length_ms = sum(count for _, count in parts) * FRAME_MS
    for kind, offset in ((b"mvhd", 20), (b"tkhd", 24)):
        head = changed.index(kind) + offset
        changed[head : head + 4] = length_ms.to_bytes(4, "big")
    return bytes(changed)


@pytest.mark.parametrize(
    ("parts", "seen"),
    [
        ([(0, 25)], {0: 0, 500: 12, 960: 24}),
        ([(5, 20)], {0: 5, 500: 17, 760: 24}),
        ([(25, 10), (0, 10)], {0: 25, 360: 34, 400: 0, 760: 9}),
        ([(3, 10), (3, 10)], {0: 3, 360: 12, 400: 3, 760: 12}),
    ],
)
def test_edit_lists(parts: list[tuple[int, int]], seen: dict[int, int]) -> None:
    """What an edit list leaves out is not seen, though it is there; the parts come in its order."""
    body = edited(*parts)
    assert {time_ms: frame_at(body, time_ms) for time_ms in seen} == seen
    length_ms = sum(count for _, count in parts) * FRAME_MS
    assert frame_at(body, length_ms + 50) == seen[length_ms - FRAME_MS]
    assert frame_at(body, length_ms + 50, fast=True) == frame_at(body, length_ms - 1, fast=True)
    said = refusal(body, f"video/animation,ss_{length_ms + 50},num_2")
    assert f"the video is {length_ms} ms long" in said


@pytest.mark.parametrize("container", ["mp4", "mov", "matroska", "flv", "mpegts", "avi"])
@pytest.mark.parametrize("frames", [1, 2, 3])
def test_very_short_films(container: str, frames: int) -> None:
    """A film of a single frame is one."""
    body = film(container, "libx264", frames=frames)
    for number in range(frames):
        assert frame_at(body, number * FRAME_MS) == number
        assert frame_at(body, number * FRAME_MS, fast=True) == 0


def test_one_key_frame_for_all() -> None:
    """Where the only key frame is the first, every frame is decoded from there."""
    body = film("mp4", "libx264", frames=250, key_every=250)
    assert [frame_at(body, number * FRAME_MS) for number in (0, 100, 249)] == [0, 100, 249]
    assert frame_at(body, 249 * FRAME_MS, fast=True) == 0


def test_too_many_frames_since_the_key_frame() -> None:
    """Some thousands are decoded on the way, not more; then the key frame itself is offered."""
    body = film("mp4", frames=5_100, key_every=9_999, width_px=32, height_px=32, options=NO_OTHER_KEYS)
    assert frame_at(body, 255 * FRAME_MS) == 255
    said = refusal(body, f"video/snapshot,t_{5_090 * FRAME_MS},f_png")
    assert "ore than 5,000 frames" in said and "m_fast" in said
    assert frame_at(body, 5_090 * FRAME_MS, fast=True) == 0


@pytest.mark.parametrize("container", ["mp4", "mov", "matroska", "flv", "mpegts"])
def test_sound_that_begins_first(container: str) -> None:
    """Time counts from where the sound begins; before the first frame, that one is seen."""
    how = {"times": tuple(range(50, 100)), "sound_s": 4, "options": {"bf": "0"}}
    body = film(container, "libx264", frames=FRAMES, key_every=KEY_EVERY, **how)
    for time_ms, number in ((0, 0), (1500, 0), (2030, 0), (2070, 1), (2430, 10), (3990, 49)):
        assert frame_at(body, time_ms) == number
        assert frame_at(body, time_ms, fast=True) == number // KEY_EVERY * KEY_EVERY


@pytest.mark.parametrize("container", ["mp4", "matroska", "flv", "mpegts", "avi"])
def test_sound_that_lasts_longer(container: str) -> None:
    """While only sound is left, the last frame stays to be seen."""
    body = film(container, "libx264", frames=FRAMES, key_every=KEY_EVERY, sound_s=6)
    assert frame_at(body, 5500) == FRAMES - 1
    assert frame_at(body, 5500, fast=True) == FRAMES - KEY_EVERY
    assert frame_at(body, 9_000) == FRAMES - 1
