"""What is written down: one line an event, of which no character is obeyed by a terminal, and ids."""

import json
import logging
from itertools import pairwise

import pytest

from meiku.observe import JsonLines, RequestIds


@pytest.mark.parametrize("character", [*"\x00\n\x1b\x7f\x85\x9b\u061c\u200f\u2028\u202e\u2066\ufeff"])
def test_what_a_terminal_would_obey_is_escaped(character: str) -> None:
    """Control characters of both blocks, and turns of direction, are written as numbers."""
    record = logging.LogRecord("meiku", logging.INFO, "", 0, "request", None, None)
    record.fields = {"key": f"a{character}b 图片 é"}
    line = JsonLines().format(record)
    assert character not in line and "图片 é" in line
    assert json.loads(line)["key"] == f"a{character}b 图片 é"


def test_ids_are_neither_guessed_nor_counted() -> None:
    """One id tells nothing of the next, of how many there were, or of the process."""
    ids = RequestIds("us-east-1")
    made = [ids.next() for _ in range(1000)]
    numbers = [int(one.removeprefix("tx").partition("-")[0], 16) for one in made]
    assert all(len(one.partition("-")[0]) == 23 for one in made)
    assert len({*numbers}) == 1000 and sorted(numbers) not in (numbers, numbers[::-1])
    assert len({second - first for first, second in pairwise(numbers)}) == 999
    assert RequestIds("us-east-1").next().split("-")[2] != made[0].split("-")[2]
