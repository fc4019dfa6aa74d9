"""A video is read by the range: a frame costs what lies around it, however large the file is."""

from dataclasses import dataclass, field

import pytest

from media.filming import film, number_of
from meiku.media import read_recipe
from meiku.media.refusal import RecipeRefused
from meiku.media.video import follow_video

PADDING_BYTES = 4_000_000_000
# The head of what each container lets a reader skip.
SKIPPED = {
    "mp4": PADDING_BYTES.to_bytes(4, "big") + b"free",
    "matroska": b"\xec\x01" + PADDING_BYTES.to_bytes(7, "big"),
}


@dataclass
class Padded:
    """A file of four gigabytes that is nowhere: a video, and zeros in a box that players skip."""

    video: bytes
    read_bytes: int = 0
    starts: list[int] = field(default_factory=list)

    @property
    def size_bytes(self) -> int:
        return len(self.video) + PADDING_BYTES

    def read(self, start_byte: int, stop_byte: int) -> bytes:
        self.read_bytes += stop_byte - start_byte
        self.starts.append(start_byte)
        return self.video[start_byte:stop_byte].ljust(stop_byte - start_byte, b"\0")


@pytest.mark.parametrize(
    ("container", "time_ms"), [("mp4", 0), ("mp4", 4000), ("mp4", 9900), ("matroska", 0), ("matroska", 9000)]
)
def test_a_frame_costs_what_lies_around_it(container: str, time_ms: int) -> None:
    """A frame at the start, in the middle or at the end of a 4 GB file is found by reading few megabytes."""
    video = film(container, "libx264", frames=250, key_every=25)
    source = Padded(video + SKIPPED[container])
    made = follow_video(read_recipe(f"video/snapshot,t_{time_ms},f_png"), source)
    assert number_of(made.body) == time_ms // 40
    assert source.read_bytes < 4_000_000


def test_a_source_that_breaks_off_says_so() -> None:
    """What the source says of itself is passed on, and is not taken for the end of the video."""

    class Broken(Padded):
        def read(self, start_byte: int, stop_byte: int) -> bytes:
            raise LookupError("the object is gone")

    with pytest.raises((LookupError, RecipeRefused)) as caught:
        follow_video(read_recipe("video/snapshot,t_0,f_jpg"), Broken(b""))
    assert "gone" in str(caught.value)
