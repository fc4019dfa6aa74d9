"""The records: what a row means once it has left the store.

Frozen, slotted, plain values only; built straight from rows by position, so the order of the fields is the
order of the columns in the statements. No behaviour, no SQL, no S3 rules, nothing that can fail. JSON
documents stay text here: their meaning belongs to who wrote them.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Literal

from msgspec import Struct

ContentKind = Literal["inline", "blob", "parts", "empty"]


@dataclass(frozen=True, slots=True)
class UserRecord:
    """An account: who owns buckets, objects and keys."""

    user_id: str
    name: str
    email: str  # "" when there is none
    created_at_ms: int
    active: bool


@dataclass(frozen=True, slots=True)
class KeyRecord:
    """An access key, lasting or (with a session token) temporary."""

    access_key: str
    secret_key: str = field(repr=False)
    user_id: str
    created_at_ms: int
    active: bool
    session_token: str | None = field(repr=False, default=None)
    expires_at_s: int | None = None


@dataclass(frozen=True, slots=True)
class BucketRecord:
    """A bucket with all its settings: kind ("acl", "cors", …) to JSON text."""

    bucket_id: int
    name: str
    owner_id: str
    created_at_ms: int
    location: str
    settings: Mapping[str, str]


class Content(Struct, frozen=True):
    """Where an object's bytes are: beside the rows, in one blob, in the parts of an upload, or nowhere."""

    kind: ContentKind
    id: str | None = None


EMPTY = Content("empty")


class ObjectRecord(Struct, frozen=True):
    """An object as a GET needs it."""

    key: bytes
    size_bytes: int
    etag: str  # without quotes
    modified_at_ms: int
    owner_id: str
    storage_class: str
    content: Content
    checksums: str = "{}"  # JSON: {"CRC32": base64, …, "type": "FULL_OBJECT" | "COMPOSITE"}
    headers: str = "{}"  # JSON: the stored system headers (Content-Type, Cache-Control …)
    metadata: str = "{}"  # JSON: the user's metadata
    acl: str | None = None  # JSON; None: the bucket's default


@dataclass(frozen=True, slots=True)
class ListedObjects:
    """The objects of a page, column by column: a record for each would cost more than reading them."""

    keys: Sequence[bytes] = ()
    sizes_bytes: Sequence[int] = ()
    etags: Sequence[str] = ()
    modified_at_ms: Sequence[int] = ()
    owner_ids: Sequence[str] = ()
    storage_classes: Sequence[str] = ()
    checksums: Sequence[str] = ()


@dataclass(frozen=True, slots=True)
class UploadRecord:
    """A multipart upload that is neither completed nor aborted."""

    upload_id: str
    bucket_id: int
    key: bytes
    initiated_at_ms: int
    owner_id: str
    initiator_id: str
    storage_class: str
    headers: str = "{}"
    metadata: str = "{}"
    acl: str | None = None
    checksum_algorithm: str | None = None
    checksum_type: str | None = None


@dataclass(frozen=True, slots=True)
class PartRecord:
    """One part, of an upload in progress or of the object that the upload became."""

    upload_id: str
    part_number: int
    size_bytes: int
    etag: str
    modified_at_ms: int
    content_kind: ContentKind
    content_id: str | None
    checksums: str = "{}"
    offset_bytes: int = 0  # meaningful once the upload is completed


@dataclass(frozen=True, slots=True)
class Condition:
    """What must hold of the object being replaced or removed; "*" stands for any object."""

    if_match: str | None = None
    if_none_match: str | None = None


@dataclass(frozen=True, slots=True)
class ObjectPage:
    """One page of objects; `next_after` is the `after` of the next page, None when this is the last."""

    objects: ListedObjects = ListedObjects()
    common_prefixes: Sequence[bytes] = ()
    next_after: bytes | None = None

    @property
    def truncated(self) -> bool:
        """Tell whether more follows."""
        return self.next_after is not None


@dataclass(frozen=True, slots=True)
class UploadListing:
    """One page of uploads; both markers together ask for the next page."""

    uploads: list[UploadRecord]
    common_prefixes: list[bytes]
    next_key_marker: bytes | None
    next_upload_id_marker: str | None  # None when the page ends with a common prefix
    truncated: bool
