"""What a style may be called. What a style means is `styles`'; here is only the rule for its name."""

import re

NAME_LIMIT = 63
NAME_RULE = f"1 to {NAME_LIMIT} letters, digits, '_', '-' and '.'"
_NAME = re.compile(rf"[A-Za-z0-9_.-]{{1,{NAME_LIMIT}}}", re.ASCII)


def is_style_name(text: str) -> bool:
    """Tell whether a style may be called so."""
    return _NAME.fullmatch(text) is not None
