"""Every test here signs at one fixed moment."""

import pytest

from auth import oracle


@pytest.fixture(autouse=True)
def _fixed_clock(monkeypatch: pytest.MonkeyPatch) -> None:
    oracle.freeze(monkeypatch)
