"""Who is let in: the caller, the bucket and the object of a request, judged together at one moment.

A request is let in before its body is taken, and once more whenever time has passed: behind its document, and
before what it streamed becomes visible. Rights are judged as they are then, signatures by the time at which
they came. Nothing is answered or changed here.
"""

import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass

from msgspec.structs import replace

from meiku import errors
from meiku.access.authorise import authorise, is_of_object
from meiku.access.caller import ANONYMOUS, Caller
from meiku.auth import Payload
from meiku.auth.payload import UNSIGNED
from meiku.auth.post_policy import LengthRange, check_policy
from meiku.auth.rules import SignatureRules
from meiku.config import Settings
from meiku.media import PRIMARY_NAME
from meiku.meta import Meta
from meiku.meta.records import BucketRecord
from meiku.operation import Operation
from meiku.ops.addressed import check_addressed
from meiku.ops.cors import SETTING as CORS
from meiku.ops.directory import Directory
from meiku.ops.found import Found, find_permitted
from meiku.ops.styles import READS, find_styled, refuse_original
from meiku.ops.styles import SETTING as STYLES
from meiku.who import caller_of_form, caller_of_request
from meiku.wire.request import Request, with_literal_plus
from meiku.wire.router import Router


@dataclass(slots=True)
class Progress:
    """How far a request came: what is known of it so far, and what is written down about it."""

    request_id: str
    request: Request | None = None
    operation: str = "-"
    # Of a form, once they have been read.
    fields: Mapping[str, str] | None = None
    caller: Caller | None = None
    payload: Payload = UNSIGNED
    length_range: LengthRange | None = None
    bucket: BucketRecord | None = None
    found: Found | None = None
    has_cors: bool = False
    # When the signature was judged, and the version of users, keys and buckets that all was judged by.
    came_at_s: float | None = None
    version: object = None


class Admission:
    """Lets requests in, by one worker's stores."""

    def __init__(
        self,
        meta: Meta,
        directory: Directory,
        router: Router,
        operations: Mapping[str, Operation],
        settings: Settings,
        clock: Callable[[], float] = time.time,
    ) -> None:
        self._meta, self._directory, self._settings, self._clock = meta, directory, settings, clock
        self._router, self._operations = router, operations
        self._rules = SignatureRules(settings.signature_v2, settings.longest_expires_s)
        self._listening = settings.listening_names

    async def admit(self, operation: Operation, progress: Progress) -> Operation:
        """Note in `progress` who asks for what, or raise the refusal; returns the operation that it is."""
        request = _request_of(progress)
        self._directory.refresh()
        progress.version = self._directory.version
        if progress.came_at_s is None:
            progress.came_at_s = self._clock()
        progress.caller, progress.payload = await self._who(operation, request, progress)
        if progress.payload.literal_plus:
            progress.request = request = with_literal_plus(request)
        progress.bucket = bucket = await self._bucket(operation, request)
        if bucket is not None and bucket.settings:
            progress.has_cors = CORS in bucket.settings
            if STYLES in bucket.settings:
                operation = self._with_style(operation, request, bucket, progress)
                if operation.name in READS:
                    refuse_original(bucket, progress.caller, request.key or "")
        if progress.fields is not None and not progress.caller.anonymous:
            progress.length_range = check_policy(
                progress.fields,
                bucket=request.bucket or "",
                now_s=progress.came_at_s,
                rules=self._rules,
            )
        if request.query:
            check_addressed(request.query)
        progress.found = await self._judge(operation, progress.caller, _request_of(progress), bucket)
        return operation

    async def require_bucket(self, operation: Operation, request: Request) -> None:
        """Raise NoSuchBucket, or what else refuses the address, before anything else is asked."""
        self._directory.refresh()
        await self._bucket(operation, request)

    async def still_may(self, operation: Operation, progress: Progress) -> None:
        """Let the request in again if any user, key, bucket or setting changed since it was; or refuse."""
        self._directory.refresh()
        if self._directory.version != progress.version:
            await self.admit(operation, progress)

    async def _who(
        self, operation: Operation, request: Request, progress: Progress
    ) -> tuple[Caller, Payload]:
        now_s = progress.came_at_s or 0.0
        if progress.fields is not None:
            form = caller_of_form(request, progress.fields, self._directory, now_s, self._rules)
            return await form, UNSIGNED
        if operation.credentials == "none":
            return ANONYMOUS, UNSIGNED
        hosts = self._settings.public_hosts
        return await caller_of_request(request, self._directory, now_s, hosts, self._rules, self._listening)

    async def _bucket(self, operation: Operation, request: Request) -> BucketRecord | None:
        if request.bucket is None or operation.creates_bucket:
            return None
        bucket = await self._directory.bucket(request.bucket)
        if bucket is None:
            raise errors.NoSuchBucket(BucketName=request.bucket)
        expected = request.headers.get("x-amz-expected-bucket-owner")
        if expected is not None and expected != bucket.owner_id:
            raise errors.AccessDenied(Reason="The bucket does not belong to the expected owner.")
        return bucket

    def _with_style(
        self, operation: Operation, request: Request, bucket: BucketRecord, progress: Progress
    ) -> Operation:
        """Read a key with a style behind it as what it stands for: the object, and the style as its recipe.

        The signature was judged before, over the address as it was sent; what the caller may is judged after.
        """
        styled = find_styled(bucket, operation.name, request.key or "")
        if styled is None:
            return operation
        query = {**request.query, PRIMARY_NAME: f"style/{styled.style}"}
        progress.request = request = replace(request, key=styled.key, query=query)
        progress.operation = self._router.match(request).name
        return self._operations[progress.operation]

    async def _judge(
        self, operation: Operation, caller: Caller, request: Request, bucket: BucketRecord | None
    ) -> Found | None:
        """Judge what the caller may; where an object's own list decides, by the very object found."""
        if bucket is None or not is_of_object(operation.action):
            authorise(caller, operation.action, bucket)
            return None
        return await find_permitted(
            self._meta,
            caller,
            operation.action,
            bucket,
            (request.key or "").encode(),
            inherits=self._settings.objects_inherit_bucket_acl,
            with_bytes=operation.reads_bytes,
        )


def _request_of(progress: Progress) -> Request:
    if progress.request is None:
        raise LookupError("a request is read before it is let in")
    return progress.request
