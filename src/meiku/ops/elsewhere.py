"""Another object than the one that a request is addressed to: named in it, and had by the caller's rights.

What a copy is made of, a watermark's picture, the place where a result is kept. How a request names it is not
known here.
"""

from msgspec.structs import replace

from meiku import errors
from meiku.access.authorise import authorise, is_of_object
from meiku.meta.buckets import find_bucket
from meiku.meta.records import BucketRecord
from meiku.ops.call import Call
from meiku.ops.found import find_permitted


async def turned_to(call: Call, bucket_name: str, key: bytes, action: str) -> Call:
    """Return the same caller's call of this object; NoSuchBucket, or AccessDenied where they may not.

    Where the action is one on an object, the call has it found.
    """
    bucket = await call.meta.read(find_bucket, bucket_name)
    if bucket is None:
        raise errors.NoSuchBucket(BucketName=bucket_name)
    return await turned_within(call, bucket, key, action)


async def turned_within(call: Call, bucket: BucketRecord, key: bytes, action: str) -> Call:
    """Do the same where the bucket has been found."""
    found = None
    if is_of_object(action):
        inherits = call.settings.objects_inherit_bucket_acl
        found = await find_permitted(
            call.meta, call.caller, action, bucket, key, inherits=inherits, with_bytes=True
        )
    else:
        authorise(call.caller, action, bucket)
    return replace(call, bucket_name=bucket.name, found_bucket=bucket, key=key, found_object=found)
