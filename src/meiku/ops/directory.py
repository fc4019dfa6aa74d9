"""Who and where, by name: keys with their users, and buckets with their settings.

Every request asks for both, so they are remembered, and forgotten as soon as any user, key, bucket or setting
changed in any process: what one worker changes, the next request to another sees. Objects are never
remembered.
"""

import asyncio
from dataclasses import dataclass

from meiku.meta import Meta
from meiku.meta.buckets import find_bucket
from meiku.meta.records import BucketRecord, KeyRecord, UserRecord
from meiku.meta.users import find_key

ENTRIES_LIMIT = 10_000


@dataclass(frozen=True, slots=True, eq=False)
class Identity:
    """An access key and the user it belongs to, as found at one moment; a later look makes another."""

    key: KeyRecord
    user: UserRecord


class Directory:
    """Looks names up, and remembers what it found while nothing changes."""

    def __init__(self, meta: Meta) -> None:
        self._meta = meta
        self._version: object = None
        self._is_current = False
        self._identities: dict[str, Identity] = {}
        self._buckets: dict[str, BucketRecord] = {}

    @property
    def version(self) -> object:
        """Return what the last look compared: as long as it stays, nothing that is remembered changed."""
        return self._version

    async def identity(self, access_key: str) -> Identity | None:
        """Find an access key's owner."""
        known = self._identities.get(access_key)
        if known is None:
            found = await self._meta.read(find_key, access_key)
            if found is None:
                return None
            known = self._identities[access_key] = Identity(*found)
        return known

    async def bucket(self, name: str) -> BucketRecord | None:
        """Find a bucket with its settings."""
        known = self._buckets.get(name)
        if known is None:
            known = await self._meta.read(find_bucket, name)
            if known is not None:
                self._buckets[name] = known
        return known

    def refresh(self) -> None:
        """Forget everything if anything changed; called once at the beginning of each request.

        One look serves all requests that are answered in this round of the loop: they had all arrived before
        it. What arrives later is queued behind the end of the round.
        """
        if self._is_current:
            return
        self._is_current = True
        asyncio.get_running_loop().call_soon(self._end_round)
        version = self._meta.version()
        if version != self._version or len(self._identities) + len(self._buckets) > ENTRIES_LIMIT:
            self._identities.clear()
            self._buckets.clear()
            self._version = version

    def _end_round(self) -> None:
        self._is_current = False
