"""Version ids. Buckets keep one version of an object so far; it goes by S3's name for such, `null`."""

import re

from meiku import errors

# As S3 and the family's servers write them.
_VERSION_ID = re.compile(r"[A-Za-z0-9._-]{32}")


def check_version(version_id: str | None) -> None:
    """Refuse a version that can not be there, rather than answer with another."""
    require_version_id(version_id)
    if version_id not in (None, "", "null"):
        raise errors.NoSuchVersion(VersionId=str(version_id)[:200])


def require_version_id(text: str | None) -> None:
    """Refuse what can be no version's id; an empty one is none, as with the family's servers."""
    if text not in (None, "", "null") and not _VERSION_ID.fullmatch(str(text)):
        raise errors.InvalidArgument(
            "Invalid version id specified", ArgumentName="versionId", ArgumentValue=str(text)[:200]
        )
