"""What every operation is handed: who calls, on what, when, and where rows and bytes are kept.

Made by the pipeline for one request. It holds no HTTP and decides nothing.
"""

from collections.abc import Awaitable, Callable
from urllib.parse import quote

from msgspec import Struct

from meiku.access.caller import Caller
from meiku.blobs import Blobs
from meiku.config import Settings
from meiku.media.flights import Flights
from meiku.media.workshop import Workshop
from meiku.meta import Meta
from meiku.meta.records import BucketRecord
from meiku.ops.found import Found


class Call(Struct, frozen=True):
    """One call of an operation; `bucket` is None only where the operation makes it or needs none.

    `client` is the address that it came from. `found_object` is there where the action is one on an object:
    the caller was judged by this very record.
    `still_may` raises what would refuse the call now: whoever took time asks it before anything is changed.
    `require_room` raises Full where so many bytes more would not fit; whoever stores more than the request
    brings asks it.
    """

    caller: Caller
    bucket_name: str
    found_bucket: BucketRecord | None
    key: bytes
    found_object: Found | None
    bucket_url: str
    client: str
    now_ms: int
    meta: Meta
    blobs: Blobs
    settings: Settings
    workshop: Workshop
    flights: Flights
    still_may: Callable[[], Awaitable[None]]
    require_room: Callable[[int], None]

    @property
    def bucket(self) -> BucketRecord:
        """The bucket that the call is addressed to; the pipeline has made sure that it exists."""
        if self.found_bucket is None:
            raise LookupError("this operation was declared without a bucket")
        return self.found_bucket

    @property
    def found(self) -> Found:
        """The object that the call is addressed to, as its caller was judged by it."""
        if self.found_object is None:
            raise LookupError("this operation was declared with an action that is not one on an object")
        return self.found_object

    @property
    def owner_id(self) -> str:
        """Who will own what this call makes: the caller, or the bucket's owner when nobody signed."""
        return self.caller.user_id or self.bucket.owner_id

    def url_of(self, key: bytes) -> str:
        """Write the address of an object in this bucket, as the client reached it."""
        return f"{self.bucket_url}/{quote(key)}"
