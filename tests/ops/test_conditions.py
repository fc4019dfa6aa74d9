"""Conditions: what a request demands of the object it finds."""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from botocore.exceptions import ClientError

from ops.conftest import Send

Refusal = Callable[..., tuple[str, int]]
BEFORE, AFTER = datetime(2001, 1, 1, tzinfo=UTC), datetime.now(UTC) + timedelta(days=1)


@pytest.fixture
def etag(s3: Any, bucket: str) -> str:
    """Store the object `k` and tell its tag."""
    tag: str = s3.put_object(Bucket=bucket, Key="k", Body=b"one")["ETag"]
    return tag


@pytest.mark.parametrize("name", ["get_object", "head_object"])
def test_reads_whose_conditions_hold(s3: Any, bucket: str, etag: str, name: str) -> None:
    """A condition that holds changes nothing; a true If-Match outweighs If-Unmodified-Since."""
    read = getattr(s3, name)
    for condition in (
        {"IfMatch": etag},
        {"IfMatch": "*"},
        {"IfMatch": etag.strip('"')},
        {"IfNoneMatch": '"other"'},
        {"IfModifiedSince": BEFORE},
        {"IfUnmodifiedSince": AFTER},
        {"IfMatch": etag, "IfUnmodifiedSince": BEFORE},
        {"IfNoneMatch": '"other"', "IfModifiedSince": AFTER},
    ):
        assert read(Bucket=bucket, Key="k", **condition)["ContentLength"] == 3


@pytest.mark.parametrize("name", ["get_object", "head_object"])
@pytest.mark.parametrize(
    ("condition", "status"),
    [
        ({"IfMatch": '"other"'}, 412),
        ({"IfUnmodifiedSince": BEFORE}, 412),
        ({"IfNoneMatch": "*"}, 304),
        ({"IfModifiedSince": AFTER}, 304),
        ({"IfMatch": '"other"', "IfNoneMatch": "*"}, 412),
    ],
)
def test_reads_whose_conditions_fail(
    s3: Any, bucket: str, etag: str, refusal: Refusal, name: str, condition: dict[str, Any], status: int
) -> None:
    """If-Match and If-Unmodified-Since fail as 412, the others as 304; 412 goes first."""
    assert refusal(getattr(s3, name), Bucket=bucket, Key="k", **condition)[1] == status


def test_a_list_of_tags_holds_when_one_does(raw: Send, bucket: str, etag: str) -> None:
    """If-None-Match may list tags, weak ones too."""
    answer = raw("GET", f"/{bucket}/k", b"", {"If-None-Match": f'"a", W/{etag}'})
    assert answer.status == 304


def test_not_modified_repeats_the_validators(s3: Any, raw: Send, bucket: str) -> None:
    """A 304 has no body and says what a cache needs (RFC 9110, 15.4.5)."""
    tag = s3.put_object(Bucket=bucket, Key="k", Body=b"one", CacheControl="max-age=9")["ETag"]
    answer = raw("GET", f"/{bucket}/k", b"", {"If-None-Match": tag})
    assert (answer.status, answer.body) == (304, b"")
    assert (answer.headers["etag"], answer.headers["cache-control"]) == (tag, "max-age=9")
    assert "last-modified" in answer.headers


def test_a_date_that_is_none_is_ignored(raw: Send, bucket: str, etag: str) -> None:
    """A recipient ignores a date it cannot read (RFC 9110, 13.1.3)."""
    for name in ("If-Modified-Since", "If-Unmodified-Since"):
        assert raw("GET", f"/{bucket}/k", b"", {name: "yesterday"}).status == 200


def test_last_modified_is_its_own_answer(s3: Any, bucket: str, etag: str, refusal: Refusal) -> None:
    """The time that GET tells, sent back, means unmodified: conditions count whole seconds as headers do."""
    told = s3.head_object(Bucket=bucket, Key="k")["LastModified"]
    assert refusal(s3.get_object, Bucket=bucket, Key="k", IfModifiedSince=told)[1] == 304
    assert s3.get_object(Bucket=bucket, Key="k", IfUnmodifiedSince=told)["ContentLength"] == 3


def test_writing_only_what_is_new(s3: Any, bucket: str, etag: str, refusal: Refusal) -> None:
    """If-None-Match: * makes a PUT fail where there is an object, and pass where there is none."""
    asked = {"Bucket": bucket, "Body": b"two", "IfNoneMatch": "*"}
    assert refusal(s3.put_object, Key="k", **asked) == ("PreconditionFailed", 412)
    assert s3.get_object(Bucket=bucket, Key="k")["Body"].read() == b"one"
    s3.put_object(Key="new", **asked)


def test_writing_only_over_what_is_known(s3: Any, bucket: str, etag: str, refusal: Refusal) -> None:
    """If-Match makes a PUT fail over anything else, and is NoSuchKey over nothing."""
    asked = {"Bucket": bucket, "Key": "k", "Body": b"two"}
    assert refusal(s3.put_object, IfMatch='"other"', **asked) == ("PreconditionFailed", 412)
    s3.put_object(IfMatch=etag, **asked)
    assert refusal(s3.put_object, IfMatch=etag, **asked) == ("PreconditionFailed", 412)
    assert refusal(s3.put_object, IfMatch=etag, **asked | {"Key": "none"}) == ("NoSuchKey", 404)


def test_a_condition_that_is_not_offered_is_refused(s3: Any, bucket: str, refusal: Refusal) -> None:
    """If-None-Match with a tag, on a write, is NotImplemented as in S3."""
    asked = {"Bucket": bucket, "Key": "k", "Body": b"x", "IfNoneMatch": '"tag"'}
    assert refusal(s3.put_object, **asked) == ("NotImplemented", 501)


def test_removing_only_what_is_known(s3: Any, bucket: str, etag: str, refusal: Refusal) -> None:
    """DeleteObject with If-Match removes that object and no other."""
    assert refusal(s3.delete_object, Bucket=bucket, Key="k", IfMatch='"other"') == ("PreconditionFailed", 412)
    s3.delete_object(Bucket=bucket, Key="k", IfMatch=etag)
    assert refusal(s3.head_object, Bucket=bucket, Key="k")[1] == 404


def test_of_many_writers_of_something_new_one_wins(server: Any, s3: Any, bucket: str) -> None:
    """The condition is judged in the transaction that writes: exactly one of twelve racing PUTs succeeds."""

    def put(n: int) -> bytes | None:
        body = b"%d" % n
        try:
            s3.put_object(Bucket=bucket, Key="race", Body=body, IfNoneMatch="*")
        except ClientError:
            return None
        return body

    with ThreadPoolExecutor(6) as threads:
        winners = [body for body in threads.map(put, range(12)) if body is not None]
    assert [s3.get_object(Bucket=bucket, Key="race")["Body"].read()] == winners
