"""What an address names beside a key, a part or a version: judged by its form before anything is looked up.

So it is refused alike whether there is such a key or not. Whether there is such a part is not known here.
"""

from collections.abc import Mapping

from meiku import errors
from meiku.ops.versions import require_version_id

PART_NUMBER_LIMIT = 10_000


def check_addressed(query: Mapping[str, str]) -> None:
    """Raise InvalidArgument for a part number or a version's id that there can not be."""
    if "partNumber" in query:
        text = query["partNumber"]
        is_number = len(text) <= 18 and text.isascii() and text.isdecimal()
        require_part_number(int(text) if is_number else text, "partNumber")
    require_version_id(query.get("versionId"))


def require_part_number(number: int | str, name: str) -> None:
    """Refuse what is no number of a part."""
    if not isinstance(number, int) or not 1 <= number <= PART_NUMBER_LIMIT:
        raise errors.InvalidArgument(
            f"Part number must be an integer between 1 and {PART_NUMBER_LIMIT}, inclusive",
            ArgumentName=name,
            ArgumentValue=str(number)[:100],
        )
