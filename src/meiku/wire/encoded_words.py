"""Text beyond ASCII in header values, as S3 answers it: encoded words of RFC 2047, in base64 of UTF-8.

Only whole values are encoded; what is not in this form is left as it is.
"""

import re
from base64 import b64encode
from email.errors import HeaderParseError
from email.header import decode_header

_ENCODED = re.compile(
    r"=\?[A-Za-z0-9._-]+\?[BbQq]\?[!->@-~]*\?=(?:\s+=\?[A-Za-z0-9._-]+\?[BbQq]\?[!->@-~]*\?=)*"
)


def encoded_word(text: str) -> str:
    """Return a value that travels in a header as it is, or as an encoded word."""
    return text if text.isascii() else f"=?UTF-8?B?{b64encode(text.encode()).decode()}?="


def decoded_words(text: str) -> str:
    """Return what a value of encoded words says; any other value as it is."""
    if not text.startswith("=?") or not _ENCODED.fullmatch(text):
        return text
    try:
        pieces = decode_header(text)
        return "".join(
            piece if isinstance(piece, str) else piece.decode(charset or "ascii") for piece, charset in pieces
        )
    except (HeaderParseError, ValueError, LookupError):
        return text
