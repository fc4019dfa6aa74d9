"""How many examples a test draws: a few seconds' worth, or so many times more as MEIKU_FUZZ_TIMES says.

    MEIKU_FUZZ_TIMES=100 .venv/bin/python -m pytest tests/wire tests/auth tests/bad_input tests/media

A hundred times takes about an hour. What it finds becomes an `@example`.
"""

import os

TIMES = int(os.environ.get("MEIKU_FUZZ_TIMES", "1"))
_BY_ITSELF = 100  # as many as hypothesis draws where nobody says how many


def often(examples: int = _BY_ITSELF) -> int:
    """Tell how many examples to draw where so many are usual."""
    return examples * TIMES
