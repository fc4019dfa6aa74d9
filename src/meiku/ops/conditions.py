"""Conditions that a request puts on the object it finds.

Source: RFC 9110, 13.2.2 (precedence), and
https://docs.aws.amazon.com/AmazonS3/latest/userguide/conditional-requests.html
"""

from collections.abc import Mapping

from meiku import errors
from meiku.meta.records import Condition, ObjectRecord

_REPEATED = ("ETag", "LastModified", "CacheControl", "Expires")


def check_read(
    record: ObjectRecord,
    if_match: str | None,
    if_none_match: str | None,
    if_modified_since_ms: int | None,
    if_unmodified_since_ms: int | None,
    answer: Mapping[str, object],
) -> None:
    """Raise PreconditionFailed or NotModified, the latter with what a cache needs of the answer."""
    if if_match is not None:
        if not etag_matches(if_match, record.etag):
            raise errors.PreconditionFailed(Condition="If-Match")
    elif if_unmodified_since_ms is not None and _second(record.modified_at_ms) > _second(
        if_unmodified_since_ms
    ):
        raise errors.PreconditionFailed(Condition="If-Unmodified-Since")
    if if_none_match is not None:
        if etag_matches(if_none_match, record.etag):
            raise errors.NotModified(_validators(answer))
    elif if_modified_since_ms is not None and _second(record.modified_at_ms) <= _second(if_modified_since_ms):
        raise errors.NotModified(_validators(answer))


def _validators(answer: Mapping[str, object]) -> Mapping[str, object]:
    """Keep what a 304 must repeat (RFC 9110, 15.4.5)."""
    return {name: answer[name] for name in _REPEATED if name in answer}


def check_copy_source(
    record: ObjectRecord,
    if_match: str | None,
    if_none_match: str | None,
    if_modified_since_ms: int | None,
    if_unmodified_since_ms: int | None,
) -> None:
    """Raise PreconditionFailed; a copy has no 304."""
    try:
        check_read(record, if_match, if_none_match, if_modified_since_ms, if_unmodified_since_ms, {})
    except errors.NotModified:
        raise errors.PreconditionFailed(Condition="x-amz-copy-source-If-*") from None


def write_condition(if_match: str | None, if_none_match: str | None) -> Condition | None:
    """Make the condition that a write's transaction checks; S3 knows If-None-Match only as `*`."""
    if if_none_match not in (None, "*"):
        raise errors.NotImplemented("If-None-Match is offered as '*' only, for writes.")
    if if_match is None and if_none_match is None:
        return None
    return Condition(None if if_match is None else if_match.strip().strip('"'), if_none_match)


def refused_write(unmet: errors.Unmet, condition: Condition | None, key: bytes) -> errors.S3Error:
    """Say which condition a write did not meet; If-Match on nothing is NoSuchKey, as in S3."""
    if condition is not None and condition.if_match is not None and unmet.args and unmet.args[0] is None:
        return errors.NoSuchKey(Key=key.decode())
    name = "If-Match" if condition is not None and condition.if_match is not None else "If-None-Match"
    return errors.PreconditionFailed(Condition=name)


def etag_matches(header: str, etag: str) -> bool:
    """Tell whether one of the entity tags listed is this one; `*` is any."""
    listed = (tag.strip().removeprefix("W/").strip('"') for tag in header.split(","))
    return header.strip() == "*" or etag in listed


def is_same(if_range: str, record: ObjectRecord) -> bool:
    """Tell whether a range continues what the caller has (RFC 9110, 13.1.5).

    Only a strong entity tag proves that; a date does not, and then the whole object is sent.
    """
    return if_range.strip() == f'"{record.etag}"'


def _second(time_ms: int) -> int:
    return time_ms // 1000
