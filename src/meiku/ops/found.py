"""One look: an object is found, and whoever asks for it is judged by the very record that was found.

Nothing else in the house reads the record of an object that a request names. What is answered, copied, made
into a picture or changed is what was judged, whatever other writers do meanwhile.
"""

from msgspec import Struct

from meiku.access.authorise import authorise_object
from meiku.access.caller import Caller
from meiku.meta import Meta
from meiku.meta.objects import find_object, find_object_with_bytes
from meiku.meta.records import BucketRecord, ObjectRecord


class Found(Struct, frozen=True):
    """An object as its caller may have it; `inline` are its bytes, if small and asked for."""

    record: ObjectRecord
    inline: bytes | None = None


async def find_permitted(
    meta: Meta,
    caller: Caller,
    action: str,
    bucket: BucketRecord,
    key: bytes,
    *,
    inherits: bool,
    with_bytes: bool,
) -> Found:
    """Find an object for a caller who may do this to it; AccessDenied or NoSuchKey as `access` words them."""
    record, inline = None, None
    if with_bytes:
        found = await meta.read(find_object_with_bytes, bucket.bucket_id, key)
        if found is not None:
            record, inline = found
    else:
        record = await meta.read(find_object, bucket.bucket_id, key)
    return Found(authorise_object(caller, action, bucket, key, record, inherits=inherits), inline)
