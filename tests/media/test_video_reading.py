"""A video is read by the range: a frame costs what lies around it, however large the file is."""

import pytest

from media.filming import number_of
from media.large_films import (
    FRAME_MS,
    FRAMES,
    KEY_EVERY,
    LENGTH_MS,
    Long,
    Padded,
    large,
    long_avi,
    long_flv,
    long_fragments,
    long_ts,
    padded,
)
from meiku.media import read_recipe
from meiku.media.refusal import RecipeRefused
from meiku.media.video import follow_video
from meiku.media.video_reading import BYTES_READ_LIMIT, PIECE_BYTES, PIECES_AT_ONCE, RangedFile


def asked(source: Padded | Long, time_ms: int, *, fast: bool = False) -> int:
    """Tell which frame is answered, and count anew."""
    source.read_bytes = 0
    recipe = read_recipe(f"video/snapshot,t_{time_ms},f_png{',m_fast' if fast else ''}")
    return number_of(follow_video(recipe, source).body)


@pytest.mark.parametrize("container", ["mp4", "mov", "matroska", "webm", "avi"])
def test_a_frame_of_an_indexed_file(container: str) -> None:
    """In four gigabytes with an index, a frame at either end or in the middle is found in few megabytes."""
    source = padded(container, large(container))
    # What lies behind an MKV's last frame is looked through: a void of gigabytes there is no file's.
    last = FRAMES - 1 if container in ("mp4", "mov", "avi") else 220
    for number in (0, 10, 125, 210, last):
        assert asked(source, number * FRAME_MS + 20) == number
        assert source.read_bytes < 1_500_000
        assert asked(source, number * FRAME_MS + 20, fast=True) == number // KEY_EVERY * KEY_EVERY
        assert source.read_bytes < 1_500_000


@pytest.mark.parametrize("container", ["flv", "mpegts"])
def test_a_frame_of_a_file_without_index(container: str) -> None:
    """So it is in an hour of FLV and of transport stream, which have none; knowing them takes five."""
    body = large(container)
    source = long_flv(body, LENGTH_MS) if container == "flv" else long_ts(body, LENGTH_MS // 1000)
    most_bytes = 6_500_000 if container == "flv" else 2_500_000
    assert source.size_bytes > 3_900_000_000 and source.rounds > 300
    for round_number in (0, 1, 200, source.rounds - 1):
        for number in (0, 60, 240):
            time_ms = round_number * LENGTH_MS + number * FRAME_MS + 20
            assert asked(source, time_ms) == number
            assert source.read_bytes < most_bytes
            assert asked(source, time_ms, fast=True) == number // KEY_EVERY * KEY_EVERY
            assert source.read_bytes < most_bytes
    assert asked(source, (source.rounds + 5) * LENGTH_MS) == LENGTH_MS // FRAME_MS - 1
    assert source.read_bytes < 2 * most_bytes


def test_an_hour_in_fragments() -> None:
    """Without an index FFmpeg hops from fragment to fragment: that costs little, so hours can be read."""
    source = long_fragments(60)
    assert source.size_bytes > 1_000_000_000
    for round_number, number in ((0, 0), (180, 60), (source.rounds - 1, FRAMES - 1)):
        assert asked(source, round_number * LENGTH_MS + number * FRAME_MS + 20) == number
        assert source.read_bytes < 70_000_000


def test_what_would_take_too_much_is_refused_in_words() -> None:
    """A recording that was never given an index is read through, up to a limit; then it says what helps."""
    source = long_avi(large("avi"))
    assert asked(source, 3 * LENGTH_MS + 60 * FRAME_MS) == 60
    with pytest.raises(RecipeRefused, match=r"ore than 268,435,456 bytes .* A video with an index"):
        asked(source, 500 * LENGTH_MS)
    assert source.read_bytes <= BYTES_READ_LIMIT


def test_a_source_that_breaks_off_says_so() -> None:
    """What the source says of itself is passed on, and is not taken for the end of the video."""

    class Broken(Padded):
        def read(self, start_byte: int, stop_byte: int) -> bytes:
            raise LookupError("the object is gone")

    with pytest.raises((LookupError, RecipeRefused)) as caught:
        follow_video(read_recipe("video/snapshot,t_0,f_jpg"), Broken(b""))
    assert "gone" in str(caught.value)


def test_who_reads_on_gets_more_and_who_hops_pays_for_little() -> None:
    """One piece for a hop, several where reading goes on; what is kept is not asked for twice."""
    source = Padded(b"")
    file = RangedFile(source)
    for _ in range(8 * PIECES_AT_ONCE):
        assert len(file.read(PIECE_BYTES)) == PIECE_BYTES
    assert source.read_bytes <= (8 * PIECES_AT_ONCE + 2 * PIECES_AT_ONCE) * PIECE_BYTES
    before = source.read_bytes
    for number in range(1, 11):
        file.seek(number * 100_000_000)
        file.read(8)
    assert source.read_bytes - before <= 10 * 2 * PIECE_BYTES
    before, place = source.read_bytes, file.tell()
    assert len(file.peek(0, 3 * PIECE_BYTES)) == 3 * PIECE_BYTES
    assert (source.read_bytes, file.tell()) == (before, place)


def test_no_more_is_read_than_may_be() -> None:
    """At the limit the file seems to end, and why is remembered."""
    source = Padded(b"")
    file = RangedFile(source, limit_bytes=10 * PIECE_BYTES)
    while file.read(PIECE_BYTES):
        pass
    assert source.read_bytes <= 10 * PIECE_BYTES
    assert isinstance(file.failure, RecipeRefused)
    assert f"More than {10 * PIECE_BYTES:,} bytes" in file.failure.message
