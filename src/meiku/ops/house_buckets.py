"""Buckets, as whoever looks after the server makes, opens, lists and removes them: without a request.

The same rules as for requests, said in sentences. What must not live here: what is typed or printed.
"""

from collections.abc import Iterable
from dataclasses import dataclass

from meiku import errors
from meiku.access.acl import acl_from_json, canned_acl, private
from meiku.meta import Meta, buckets
from meiku.meta.records import BucketRecord, UserRecord
from meiku.ops.accounts import ROOT, require_user
from meiku.ops.buckets import check_bucket_name

# What a bucket's list may be called; the others name an object's owner, or nobody who exists here.
CANNED = ("private", "public-read", "public-read-write", "authenticated-read")
_OWN_WORDS = "its own list"


class BucketError(Exception):
    """What was asked for cannot be done; the sentence says why."""


@dataclass(frozen=True, slots=True)
class Wanted:
    """A bucket that is to be there: its name, and who else than its owner may use it."""

    name: str
    acl: str = "private"


def read_wanted(texts: Iterable[str]) -> tuple[Wanted, ...]:
    """Return the buckets that `photos` or `photos:public-read` name; BucketError where one cannot be."""
    pairs = [text.partition(":") for text in texts]
    wanted = tuple(Wanted(name, acl or "private") for name, _, acl in pairs)
    for each in wanted:
        _check(each)
    return wanted


async def ensure_buckets(meta: Meta, wanted: Iterable[Wanted], location: str, now_ms: int) -> None:
    """Make what is not there yet, for the root user; what is there stays as it is, list and all."""
    for each in wanted:
        if await meta.read(buckets.find_bucket, each.name) is None:
            await make_bucket(meta, each, ROOT, location, now_ms)


async def make_bucket(meta: Meta, wanted: Wanted, owner: str, location: str, now_ms: int) -> BucketRecord:
    """Make a bucket that a user owns."""
    _check(wanted)
    user = await require_user(meta, owner)
    settings = {"acl": canned_acl(wanted.acl, user.user_id, user.user_id).to_json()}
    try:
        return await meta.write(buckets.add_bucket, wanted.name, user.user_id, now_ms, location, settings)
    except errors.Conflict:
        raise BucketError(f"there is a bucket '{wanted.name}' already") from None


async def require_bucket(meta: Meta, name: str) -> BucketRecord:
    """Find a bucket by name."""
    bucket = await meta.read(buckets.find_bucket, name)
    if bucket is None:
        raise BucketError(f"there is no bucket '{name}'; `meiku bucket list` shows which there are")
    return bucket


async def owned_buckets(meta: Meta, users: Iterable[UserRecord]) -> list[tuple[BucketRecord, str]]:
    """List these users' buckets with their owners' names, by the buckets' names."""
    found = [(each, user.name) for user in users for each in await _all_buckets(meta, user.user_id)]
    return sorted(found, key=lambda pair: pair[0].name)


async def _all_buckets(meta: Meta, user_id: str) -> list[BucketRecord]:
    found: list[BucketRecord] = []
    while page := await meta.read(buckets.list_buckets, user_id, found[-1].name if found else ""):
        found += page
    return found


async def set_acl(meta: Meta, name: str, acl: str) -> None:
    """Replace a bucket's list by a canned one."""
    _check(Wanted(name, acl))
    bucket = await require_bucket(meta, name)
    document = canned_acl(acl, bucket.owner_id, bucket.owner_id).to_json()
    await meta.write(buckets.put_setting, bucket.bucket_id, "acl", document)


async def remove_bucket(meta: Meta, name: str, now_ms: int, *, with_uploads: bool) -> None:
    """Remove a bucket that holds no objects."""
    bucket = await require_bucket(meta, name)
    try:
        await meta.write(buckets.remove_bucket, bucket.bucket_id, now_ms, with_uploads=with_uploads)
    except errors.Conflict:
        raise BucketError(f"'{name}' is not empty; remove its objects and unfinished uploads first") from None


def acl_name(bucket: BucketRecord) -> str:
    """Return the canned name of a bucket's list, or say that it is none of those."""
    text = bucket.settings.get("acl")
    acl = acl_from_json(text) if text else private(bucket.owner_id)
    named = {canned_acl(name, acl.owner_id, bucket.owner_id): name for name in CANNED}
    return named.get(acl, _OWN_WORDS)


def _check(wanted: Wanted) -> None:
    """Raise BucketError for a name that S3 would refuse, and for a list that is not one of CANNED."""
    if wanted.acl not in CANNED:
        raise BucketError(f"'{wanted.acl}' is not an ACL of a bucket: it is one of {', '.join(CANNED)}")
    try:
        check_bucket_name(wanted.name)
    except errors.InvalidBucketName:
        raise BucketError(
            f"'{wanted.name}' is not a bucket's name: 3 to 63 of a-z, 0-9, '-' and '.', "
            "beginning and ending with a letter or a digit"
        ) from None
