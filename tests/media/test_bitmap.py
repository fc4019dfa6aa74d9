"""BMP goes in, in the forms that are met, and out; its limits are those of every format."""

import json
import struct

import pytest
import pyvips

from media.golden.distance import distance
from media.golden.drawing import MOTIF, opaque
from meiku.media import RecipeRefused, read_recipe
from meiku.media.engine import follow
from meiku.media.made import Made

RED, GREEN, BLUE, YELLOW = (220, 40, 30), (30, 180, 60), (40, 60, 200), (230, 210, 40)
PALETTE = b"".join(bytes([blue, green, red, 0]) for red, green, blue in (RED, GREEN, BLUE, YELLOW))
ALPHA_MASKS = struct.pack("<4I", 0xFF0000, 0xFF00, 0xFF, 0xFF000000)


def bitmap(bits: int, rows: bytes, *, compression: int = 0, height: int = 2, extra: bytes = b"") -> bytes:
    """Lay out a file of four columns: its head, what stands between, and its rows."""
    size = 40 + len(extra) if compression == 3 else 40
    info = struct.pack("<IiiHHIIiiII", size, 4, height, 1, bits, compression, len(rows), 0, 0, 0, 0)
    if bits <= 8:
        info = info[:32] + struct.pack("<I", len(extra) // 4) + info[36:]
    start = 14 + len(info) + len(extra)
    return b"BM" + struct.pack("<IHHI", start + len(rows), 0, 0, start) + info + extra + rows


def row(*colours: tuple[int, ...], bytes_each: int = 3) -> bytes:
    return b"".join(bytes([*colour[2::-1], *colour[3:]][:bytes_each]) for colour in colours)


# Two rows, the lower one first: blue and yellow under red and green.
LOWER, UPPER = (BLUE, BLUE, YELLOW, YELLOW), (RED, RED, GREEN, GREEN)
FORMS = {
    "24 bits": bitmap(24, row(*LOWER) + row(*UPPER)),
    "24 bits from the top": bitmap(24, row(*UPPER) + row(*LOWER), height=-2),
    "32 bits": bitmap(32, row(*((*c, 0) for c in (*LOWER, *UPPER)), bytes_each=4)),
    "8 bits": bitmap(8, bytes([2, 2, 3, 3, 0, 0, 1, 1]), extra=PALETTE),
    "4 bits": bitmap(4, b"\x22\x33\0\0\x00\x11\0\0", extra=PALETTE),
    "runs": bitmap(8, b"\2\2\2\3\0\0\2\0\2\1\0\1", compression=1, extra=PALETTE),
}


def made(text: str, source: bytes) -> Made:
    return follow(read_recipe(text), source, {}.__getitem__)


def picture(text: str, source: bytes) -> pyvips.Image:
    return pyvips.Image.new_from_buffer(made(text, source).body, "")


@pytest.mark.parametrize("form", FORMS)
def test_every_form_is_read(form: str) -> None:
    """Rows from below or from above, palettes, runs, four bytes a pixel."""
    shown = picture("image/format,png", FORMS[form])
    assert (shown.width, shown.height, shown.bands) == (4, 2, 3)
    corners = [tuple(shown(x, y)) for x, y in ((0, 0), (3, 0), (0, 1), (3, 1))]
    assert corners == [RED, GREEN, BLUE, YELLOW]


def test_opacity_is_read() -> None:
    """Where masks name a fourth channel; it is kept by what can keep it, and lies on white elsewhere."""
    source = bitmap(32, row(*((*RED, 0),) * 4, bytes_each=4) * 2, compression=3, extra=ALPHA_MASKS)
    assert picture("image/format,png", source)(1, 1) == [*RED, 0]
    written = made("image/bright,0", source)
    assert written.content_type == "image/bmp"
    assert picture("image/format,png", written.body)(1, 1) == [255, 255, 255]


def test_what_is_written_is_read_again() -> None:
    """Widths that are no multiple of four bytes have rows that are filled up."""
    for width_px in (119, 118, 117):
        source = bytes(opaque(MOTIF.cut(0, 0, width_px, 90)).pngsave_buffer())
        written = made("image/format,bmp", source)
        assert written.content_type == "image/bmp"
        again = pyvips.Image.new_from_buffer(made("image/format,png", written.body).body, "")
        assert distance(again, MOTIF.cut(0, 0, width_px, 90).drawn()).worst == 0


def test_info_tells_its_size() -> None:
    """From the head alone."""
    facts = json.loads(made("image/info", FORMS["24 bits"][:60]).body)
    assert facts["Format"] == {"value": "bmp"}
    assert (facts["ImageWidth"], facts["ImageHeight"]) == ({"value": "4"}, {"value": "2"})


@pytest.mark.parametrize(("width", "height"), [(30_001, 2), (2, 30_001), (20_000, 20_000)])
def test_a_bomb_is_refused_by_its_head(width: int, height: int) -> None:
    """Also when it is packed into a few runs."""
    for form in ("24 bits", "runs"):
        source = FORMS[form][:18] + struct.pack("<ii", width, height) + FORMS[form][26:]
        with pytest.raises(RecipeRefused, match="too large"):
            made("image/resize,w_9", source)


def test_sizes_that_nobody_has_are_refused() -> None:
    """Nothing, and more than any library counts."""
    for width, height in ((0, 2), (4, 0), (2**31 - 1, 2**31 - 1), (-(2**31), -(2**31))):
        source = FORMS["24 bits"]
        source = source[:18] + struct.pack("<ii", width, height) + source[26:]
        with pytest.raises(RecipeRefused, match="damaged"):
            made("image/resize,w_9", source)


@pytest.mark.parametrize("form", FORMS)
def test_a_truncated_picture_is_refused(form: str) -> None:
    """Never half shown, wherever it ends."""
    source = FORMS[form]
    for size_bytes in range(2, len(source) - 2):
        with pytest.raises(RecipeRefused, match="damaged"):
            made("image/resize,w_3,h_1,m_fixed/format,png", source[:size_bytes])
