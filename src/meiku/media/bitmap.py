"""BMP, which libvips does not know: read and written by Pillow.

Import this only for those who have BMP: it is memory that no other picture needs. No limits and no refusals.
"""

from io import BytesIO

import pyvips
from PIL import Image as pillow
from PIL.BmpImagePlugin import BmpImageFile

from meiku.media.facts import Image


def head(data: bytes) -> Image:
    """Read a head: an empty image of its size; raises whatever its damage leads to."""
    return pyvips.Image.black(*BmpImageFile(BytesIO(data)).size)


def decoded(data: bytes) -> Image:
    """Decode to three bands, or four where it has opacity; raises whatever its damage leads to."""
    file = BmpImageFile(BytesIO(data))
    mode = "RGBA" if file.mode == "RGBA" else "RGB"
    image = pyvips.Image.new_from_memory(file.convert(mode).tobytes(), *file.size, len(mode), "uchar")
    return image.copy(interpretation="srgb")


def encoded(image: Image) -> bytes:
    """Write a picture of three bands."""
    file = BytesIO()
    pillow.frombuffer("RGB", (image.width, image.height), image.write_to_memory()).save(file, "BMP")
    return file.getvalue()
