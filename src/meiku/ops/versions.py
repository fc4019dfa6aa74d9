"""Version ids. Buckets keep one version of an object so far; it goes by S3's name for such, `null`."""

from meiku import errors


def check_version(version_id: str | None) -> None:
    """Refuse a version that can not be there, rather than answer with another."""
    if version_id not in (None, "", "null"):
        raise errors.NoSuchVersion(VersionId=str(version_id)[:200])
