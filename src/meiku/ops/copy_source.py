"""What a copy copies: an object that the caller may read, named as `bucket/key`."""

import re
from dataclasses import dataclass
from urllib.parse import parse_qs, unquote_to_bytes

from meiku import errors
from meiku.meta.records import BucketRecord, ObjectRecord
from meiku.ops import content
from meiku.ops.call import Call
from meiku.ops.conditions import check_copy_source
from meiku.ops.content import Copied
from meiku.ops.elsewhere import turned_to, turned_within
from meiku.ops.styles import refuse_original
from meiku.ops.versions import check_version

SIZE_LIMIT_BYTES = 5 * 1024**3
_NOT_ENCODED = re.compile(r"%(?![0-9A-Fa-f]{2})")
Conditions = tuple[str | None, str | None, int | None, int | None]


@dataclass(frozen=True, slots=True)
class Source:
    """An object that is about to be copied."""

    call: Call
    bucket: BucketRecord
    record: ObjectRecord
    inline: bytes | None

    async def read(self, start: int, stop: int) -> Copied:
        """Read a range of it as if a client sent it; at most 5 GiB at once."""
        if stop - start > SIZE_LIMIT_BYTES:
            raise errors.InvalidRequest(
                "The specified copy source is larger than the maximum allowable size for a copy source: "
                f"{SIZE_LIMIT_BYTES}"
            )
        try:
            stored = await content.read(self.call, self.record, start, stop, self.inline)
        except errors.Missing as missing:
            await self._require_replaced(missing)
            raise errors.Replaced("copy source") from missing
        return Copied(stored, stop - start)

    async def _require_replaced(self, missing: errors.Missing) -> None:
        """Raise Damaged where the source is still the one whose bytes are not there: they are lost."""
        now = await turned_within(self.call, self.bucket, self.record.key, "s3:GetObject")
        if now.found.record == self.record:
            name = f"{self.bucket.name}/{self.record.key.decode()}"
            raise errors.Damaged(f"{name}: its bytes are lost ({missing})") from missing


async def open_source(call: Call, text: str, conditions: Conditions) -> Source:
    """Find the object, check that the caller may read it and that the conditions hold."""
    source = await turned_to(call, *read_source_name(text, "x-amz-copy-source"), "s3:GetObject")
    refuse_original(source.bucket, source.caller, source.key.decode())
    check_copy_source(source.found.record, *conditions)
    return Source(call, source.bucket, source.found.record, source.found.inline)


def read_source_name(text: str, header: str) -> tuple[str, bytes]:
    """Read `[/]bucket/key[?versionId=…]`, percent-encoded, as this header says it."""
    if _NOT_ENCODED.search(text):
        raise errors.InvalidArgument(
            "Invalid copy source encoding.", ArgumentName=header, ArgumentValue=text[:1024]
        )
    path, _, query = text.partition("?versionId=")
    if query:
        check_version(parse_qs(f"v={query}").get("v", [""])[0])
    try:
        # SDKs encode it as a form's field: what is a plus comes as %2B.
        name = unquote_to_bytes(path.replace("+", " ")).decode().removeprefix("/")
    except UnicodeDecodeError:
        name = ""
    bucket_name, _, key = name.partition("/")
    if not bucket_name or not key:
        raise errors.InvalidArgument(
            f"{header} must mention the source bucket and key: sourcebucket/sourcekey",
            ArgumentName=header,
            ArgumentValue=text[:1024],
        )
    return bucket_name, key.encode()
