"""Another object than the one that a request is addressed to: named in it, and had by the caller's rights.

What a copy is made of, a watermark's picture, the place where a result is kept. How a request names it is not
known here.
"""

from dataclasses import replace

from meiku import errors
from meiku.access.authorise import authorise
from meiku.meta.buckets import find_bucket
from meiku.meta.records import BucketRecord
from meiku.ops.call import Call


async def turned_to(call: Call, bucket_name: str, key: bytes, action: str) -> Call:
    """Give the same caller's call of this object; NoSuchBucket, or AccessDenied where they may not."""
    bucket = await call.meta.read(find_bucket, bucket_name)
    if bucket is None:
        raise errors.NoSuchBucket(BucketName=bucket_name)
    return await turned_within(call, bucket, key, action)


async def turned_within(call: Call, bucket: BucketRecord, key: bytes, action: str) -> Call:
    """Do the same where the bucket has been found."""
    inherits = call.settings.objects_inherit_bucket_acl
    await authorise(call.meta, call.caller, action, bucket, key, inherits=inherits)
    return replace(call, bucket_name=bucket.name, found_bucket=bucket, key=key)
