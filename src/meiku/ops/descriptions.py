"""What is remembered of an object beside its bytes: headers, metadata, class, checksum, owner's ACL.

Every way of making an object (PUT, form, copy, upload) describes it here, so that they can not differ.
"""

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

from meiku import checksums, errors
from meiku.access.acl import Acl
from meiku.ops.content import Incoming

METADATA_LIMIT_BYTES = 2048
REDIRECTS = ("http://", "https://", "/")
STORAGE_CLASSES = ("STANDARD", "STANDARD_IA", "REDUCED_REDUNDANCY", "ONEZONE_IA", "INTELLIGENT_TIERING")
_write = json.JSONEncoder(separators=(",", ":"), ensure_ascii=False).encode
_CHUNKED = re.compile(r"(?:^|,)\s*aws-chunked\s*(?=,|$)", re.IGNORECASE)
DEFAULT_CONTENT_TYPE = "binary/octet-stream"


@dataclass(frozen=True, slots=True)
class Description:
    """An object's description as the stores keep it."""

    storage_class: str
    headers: str
    metadata: str
    acl: str | None


def describe(
    system_headers: Mapping[str, str],
    metadata: Mapping[str, str],
    storage_class: str | None,
    acl: Acl | None,
) -> Description:
    """Check and pack what a request says of the object it makes."""
    if storage_class is not None and storage_class not in STORAGE_CLASSES:
        raise errors.InvalidStorageClass(
            f"The storage class '{storage_class}' is not offered; it is one of {', '.join(STORAGE_CLASSES)}.",
            StorageClassRequested=storage_class,
        )
    check_metadata(metadata)
    if not system_headers.get("WebsiteRedirectLocation", "/").startswith(REDIRECTS):
        raise errors.InvalidRedirectLocation
    return Description(
        storage_class=storage_class or "STANDARD",
        headers=_packed(tuple(_stored_headers(system_headers).items())),
        metadata=pack(metadata),
        acl=acl.to_json() if acl else None,
    )


def check_metadata(metadata: Mapping[str, str]) -> None:
    """Refuse more metadata than an object may have."""
    size_bytes = sum(len(name.encode()) + len(value.encode()) for name, value in metadata.items())
    if size_bytes > METADATA_LIMIT_BYTES:
        raise errors.MetadataTooLarge(Size=str(size_bytes), MaxSizeAllowed=str(METADATA_LIMIT_BYTES))


def _stored_headers(given: Mapping[str, str]) -> dict[str, str]:
    """Keep what is to be sent back; aws-chunked is how the bytes travelled, not what they are."""
    headers = {name: value for name, value in given.items() if value}
    coding = _CHUNKED.sub("", headers.pop("ContentEncoding", "")).strip(", \t")
    if coding:
        headers["ContentEncoding"] = coding
    headers.setdefault("ContentType", DEFAULT_CONTENT_TYPE)
    return headers


def pack(value: Mapping[str, str]) -> str:
    """Write a description as it is kept."""
    return _write(value) if value else "{}"


@lru_cache(maxsize=256)
def _packed(items: tuple[tuple[str, str], ...]) -> str:
    """Write headers as they are kept; clients send the same few again and again."""
    return pack(dict(items))


@lru_cache(maxsize=8192)
def unpack(text: str) -> Mapping[str, Any]:
    """Read a packed description back; the caller must not change it."""
    value: Mapping[str, Any] = json.loads(text)
    return value


def checksums_of(incoming: Incoming, algorithm: str | None = None) -> str:
    """Pack the checksums to keep: the client's own or the one asked for, else CRC64NVME as S3 adds it.

    CRC64NVME is kept in any case: a scrub compares stored bytes with it.
    """
    digests = incoming.digests
    shown = incoming.checksum[0] if incoming.checksum else algorithm or "CRC64NVME"
    kept = {name: checksums.encode(digests[name]) for name in ("CRC64NVME", shown)}
    return pack({**kept, "type": "FULL_OBJECT", "shown": shown})


def shown_checksum(packed: str) -> dict[str, str]:
    """Name the checksum that answers show, by members of the model."""
    kept = unpack(packed)
    shown = kept.get("shown")
    if shown is None:
        return {}
    return {f"Checksum{shown}": kept[shown], "ChecksumType": kept["type"]}


def shown_kind(packed: str) -> tuple[str | None, str | None]:
    """Name the algorithm and the type of the checksum that answers show; a listing asks for no more."""
    start = packed.find('"type":')  # these two are packed last, and alike for nearly all objects
    return _kind("{" + packed[start:]) if start >= 0 else (None, None)


@lru_cache(maxsize=64)
def _kind(text: str) -> tuple[str | None, str | None]:
    kept = json.loads(text)
    return kept.get("shown"), kept.get("type")


def etag_of(incoming: Incoming) -> str:
    """Make the entity tag of bytes that came in one piece: their MD5."""
    return incoming.digests["MD5"].hex()


def quoted(etag: str) -> str:
    """Write an entity tag as headers and documents show it."""
    return f'"{etag}"'
