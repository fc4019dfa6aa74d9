"""Every step and every parameter gives the picture that its description means, as far as an eye can tell."""

import pytest

from media.golden import colour_cases, file_cases, geometry_cases, source_cases, video_cases, watermark_cases
from media.golden.case import Case, names_of
from meiku.media.operations import OPERATIONS

CASES: list[Case] = [
    *geometry_cases.CASES,
    *colour_cases.CASES,
    *watermark_cases.CASES,
    *file_cases.CASES,
    *source_cases.CASES,
    *video_cases.CASES,
]
# What no picture can show, and why.
NO_PICTURE = {
    "image/watermark,type": "one font stands for all of them",
    "sys/saveas,o": "it says where a picture is kept, and changes none",
    "sys/saveas,b": "it says where a picture is kept, and changes none",
    "video/info": "it answers facts; test_video_by_url has them",
}
PARAMETERS = sorted(set().union(*(names_of(operation) for operation in OPERATIONS)) - set(NO_PICTURE))


@pytest.mark.parametrize("case", CASES, ids=str)
def test_a_recipe_gives_what_is_meant(case: Case) -> None:
    """The result and a picture that was drawn from the description look the same."""
    assert case.fault(case.follow()) is None


@pytest.mark.parametrize("parameter", PARAMETERS)
def test_every_parameter_matters_somewhere(parameter: str) -> None:
    """Each has a case, and that case notices when the engine does as if the parameter were not there."""
    cases = [case for case in CASES if parameter in case.given()]
    assert cases, "it has no golden case"
    assert any(case.notices_without(parameter) for case in cases)


def test_only_known_parameters_are_left_out() -> None:
    """Who takes a parameter out of the table takes it out of here."""
    assert set(NO_PICTURE) <= set().union(*(names_of(operation) for operation in OPERATIONS))
