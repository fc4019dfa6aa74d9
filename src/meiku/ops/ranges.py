"""The range of an object that a GET asks for.

Source: RFC 9110, 14.1 and 14.2; S3 answers one range only and ignores a header that is not a byte range.
"""

import re

from meiku import errors

_RANGE = re.compile(r"bytes=(\d*)-(\d*)", re.ASCII)
_COPY_RANGE = re.compile(r"bytes=(\d{1,18})-(\d{1,18})", re.ASCII)


def read_range(text: str | None, size_bytes: int) -> tuple[int, int] | None:
    """Read a Range header into [start, stop), None for the whole object; InvalidRange if outside."""
    match = _RANGE.fullmatch(text.strip()) if text else None
    if match is None or match[0] == "bytes=-":
        return None
    first, last = match[1], match[2]
    if not first:
        start, stop = max(size_bytes - _number(last), 0), size_bytes
    else:
        start = _number(first)
        stop = min(_number(last) + 1, size_bytes) if last else size_bytes
        if last and _number(last) < start:
            return None
    if start >= size_bytes or (not first and _number(last) == 0):
        raise errors.InvalidRange(
            RangeRequested=str(text),
            ActualObjectSize=str(size_bytes),
            headers={"content-range": f"bytes */{size_bytes}"},
        )
    return start, stop


def _number(digits: str) -> int:
    return int(digits[:18])


def read_copy_range(text: str, size_bytes: int) -> tuple[int, int]:
    """Read `x-amz-copy-source-range`, which must lie wholly inside the source."""
    match = _COPY_RANGE.fullmatch(text)
    if match is None:
        raise errors.InvalidArgument(
            "The x-amz-copy-source-range value must be of the form bytes=first-last.",
            ArgumentName="x-amz-copy-source-range",
            ArgumentValue=text[:100],
        )
    start, stop = int(match[1]), int(match[2]) + 1
    if start >= stop or stop > size_bytes:
        raise errors.InvalidArgument(
            f"Range specified is not valid for source object of size: {size_bytes}",
            ArgumentName="x-amz-copy-source-range",
            ArgumentValue=text,
        )
    return start, stop
