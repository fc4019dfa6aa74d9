"""The measure of the golden pictures lets through what no eye sees, and nothing else."""

import pytest
import pyvips

from media.golden.distance import JPEG, NEAR, Distance, distance
from media.golden.drawing import BADGE, GLASS, MOTIF, WHITE, Drawing, flat, opaque


def _shifted(pixels: float) -> Drawing:
    return MOTIF.cut(pixels, 0, 120, 90)


FAR = [
    (MOTIF.mirrored(), MOTIF),
    (MOTIF.turned(180), MOTIF),
    (_shifted(3), MOTIF),
    (MOTIF.cut(0, -3, 120, 90), MOTIF),
    (MOTIF.cut(2, 0, 116, 90).stretched(120, 90), MOTIF),
    (MOTIF.coloured(lambda colours: colours + 12), MOTIF),
    (MOTIF.coloured(lambda colours: colours * [1, 1, 0.9]), MOTIF),
    (MOTIF.faded(90), MOTIF),
    (flat(120, 90, WHITE).under(GLASS, 0, 0), GLASS),
    (MOTIF.under(BADGE, 10, 10), MOTIF.under(BADGE, 86, 64)),
    (MOTIF.under(BADGE, 10, 10), MOTIF.under(BADGE, 13, 10)),
    (MOTIF.under(BADGE.mirrored(), 10, 10), MOTIF.under(BADGE, 10, 10)),
    (MOTIF, MOTIF.under(BADGE, 10, 10)),
    (MOTIF.turned(43).stretched(149, 149), MOTIF.turned(45)),
]


@pytest.mark.parametrize(
    ("wrong", "meant"), [*FAR, (MOTIF.under(BADGE.faded(80), 10, 10), MOTIF.under(BADGE, 10, 10))]
)
def test_a_wrong_picture_is_far(wrong: Drawing, meant: Drawing) -> None:
    """Mirrored, shifted by three pixels, of another colour, at another place: over the limit."""
    assert not distance(wrong.drawn(), meant.drawn()).within(NEAR)


@pytest.mark.parametrize(("wrong", "meant"), FAR)
def test_a_wrong_picture_is_far_also_for_a_jpeg(wrong: Drawing, meant: Drawing) -> None:
    """What a JPEG may differ by hides no picture that is another."""
    assert not distance(wrong.drawn(), meant.drawn()).within(JPEG)


def test_what_nobody_sees_is_near() -> None:
    """A good JPEG, a colour one step off, and a tenth of a pixel."""
    jpeg = pyvips.Image.new_from_buffer(opaque(MOTIF).jpegsave_buffer(Q=95, subsample_mode="off"), "")
    assert distance(jpeg, MOTIF.drawn()).within(NEAR)
    assert distance(MOTIF.coloured(lambda colours: colours + 1).drawn(), MOTIF.drawn()).within(NEAR)
    assert distance(_shifted(0.1).drawn(), MOTIF.drawn()).within(NEAR)
    assert distance(MOTIF.drawn(), MOTIF.drawn()) == Distance(0, 0)
