"""What `video/info` tells, of every container and codec."""

from fractions import Fraction

import pytest

from media.asking import facts, made
from media.filming import PAIRS, film, several_streams

CODECS = {"libx264": "h264", "libx265": "hevc", "libvpx-vp9": "vp9", "libsvtav1": "av1"}
FORMATS = {"mp4": "mov", "webm": "matroska"}


@pytest.mark.parametrize(("container", "codec"), PAIRS)
def test_every_codec_in_every_container(container: str, codec: str) -> None:
    """Length, size, codec, frame rate and rotation are the film's."""
    body = film(container, codec, frames=50, key_every=10)
    told = facts(body)
    (stream,) = told["VideoStreams"]
    assert told["FormatName"] == FORMATS.get(container, container)
    assert (told["Size"], told["NumStreams"], told["Rotation"]) == (len(body), 1, 0)
    assert told["Duration"] == pytest.approx(2, abs=0.081)
    assert (told["VideoWidth"], told["VideoHeight"]) == (stream["Width"], stream["Height"]) == (320, 192)
    assert told["FrameRate"] == stream["FrameRate"] == 25
    assert (stream["CodecName"], stream["PixelFormat"]) == (CODECS[codec], "yuv420p")
    assert made(body, "video/info").content_type == "application/json"


@pytest.mark.parametrize("container", ["mp4", "mov", "matroska", "flv", "mpegts", "avi"])
def test_sound(container: str) -> None:
    """The sound beside a video is told, too."""
    told = facts(film(container, "libx264", frames=50, sound_s=2.0))
    (sound,) = told["AudioStreams"]
    assert told["NumStreams"] == 2
    assert (sound["CodecName"], sound["SampleRate"], sound["Channels"]) == ("aac", 48_000, 2)
    assert sound["ChannelLayout"] == "stereo"


@pytest.mark.parametrize("degrees", [0, 90, 180, 270])
def test_rotation(degrees: int) -> None:
    """Clockwise, as a player turns it."""
    assert facts(film("mp4", frames=2, rotation_degrees=-degrees))["Rotation"] == degrees


@pytest.mark.parametrize("rate", [Fraction(24_000, 1_001), Fraction(30), Fraction(60)])
def test_frame_rates(rate: Fraction) -> None:
    """Those of television have six decimals."""
    assert facts(film("mp4", frames=30, rate=rate))["FrameRate"] == round(float(rate), 6)


def test_what_a_file_does_not_say_is_null() -> None:
    """A browser's recording knows no length and no bit rate."""
    told = facts(film("webm", "libvpx-vp9", frames=50, muxing={"live": "1"}))
    assert told["Duration"] is None and told["Bitrate"] is None


def test_a_cover_beside_a_video() -> None:
    """It is a stream and has no frame rate; the video is the other one."""
    told = facts(several_streams("mp4", film("mp4", frames=50), cover=True, sound=True))
    assert told["NumStreams"] == 3
    assert [(each["CodecName"], each["FrameRate"]) for each in told["VideoStreams"]] == [
        ("h264", 25),
        ("mjpeg", None),
    ]
    assert told["VideoWidth"] == 320


def test_ten_bits() -> None:
    """Depth and subsampling are in the pixel format."""
    (stream,) = facts(film("mp4", "libx265", frames=10, pixels="yuv422p10le"))["VideoStreams"]
    assert (stream["PixelFormat"], stream["Profile"]) == ("yuv422p10le", "Rext")
