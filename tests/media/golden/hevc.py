"""HEIC read by FFmpeg (by way of PyAV), which is no relation of the library that wrote it."""

from io import BytesIO

import av
import pyvips


def decoded_by_ffmpeg(heic: bytes) -> pyvips.Image:
    """Decode the one picture of a file."""
    with av.open(BytesIO(heic), format="mov") as container:
        frame = next(container.decode(video=0)).to_rgb()
    plane = frame.planes[0]
    lines = pyvips.Image.new_from_memory(bytes(plane), plane.line_size, frame.height, 1, "uchar")
    pixels = lines.crop(0, 0, frame.width * 3, frame.height).write_to_memory()
    return pyvips.Image.new_from_memory(pixels, frame.width, frame.height, 3, "uchar").copy(
        interpretation="srgb"
    )
