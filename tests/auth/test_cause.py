"""Which language a refusal is told in."""

import pytest

from meiku.auth.cause import Cause, language_of_locale


@pytest.mark.parametrize(
    ("environment", "language"),
    [
        ({"LANG": "zh_CN.UTF-8"}, "zh"),
        ({"LANG": "en_GB.UTF-8"}, "en"),
        ({"LANG": "zh"}, "zh"),
        ({"LANG": "C.UTF-8"}, None),
        ({}, None),
        ({"LC_ALL": "", "LANG": "zh_TW"}, "zh"),
        ({"LC_ALL": "en_US", "LANG": "zh_CN"}, "en"),
        ({"LC_MESSAGES": "zh_CN", "LANG": "en_US"}, "zh"),
    ],
)
def test_a_terminal_s_locale_chooses(environment: dict[str, str], language: str | None) -> None:
    """The first variable that says something decides, as for every program."""
    assert language_of_locale(environment) == language


def test_both_are_told_where_nobody_knows() -> None:
    """A sentence is never left out."""
    cause = Cause("Yes.", "是。")
    assert [cause.told(language) for language in ("en", "zh", None)] == ["Yes.", "是。", "Yes. 是。"]  # type: ignore[arg-type]
