"""What `--help` lists: every command with its whole sentence, in both languages."""

import re
from collections.abc import Callable

import pytest

from cli.conftest import Said

CHINESE = re.compile("[\u4e00-\u9fff]")


@pytest.mark.parametrize("group", ["", "bucket", "user", "key", "explain"])
def test_each_command_is_told_in_both_languages(meiku: Callable[..., Said], group: str) -> None:
    """No sentence is cut off, and each stands in Chinese, too."""
    listed = meiku(*group.split(), "--help").out.split("Commands:\n")[1]
    rows = [row for row in re.split(r"\n  (?=\w)", "\n" + listed) if row.strip()]
    assert len(rows) > 1
    for row in rows:
        assert "..." not in row and CHINESE.search(row) and re.search(r"[a-z]{3}", row)
