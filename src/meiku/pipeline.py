"""The way of a request: match · who · may they · bind · run · render · record.

Every request takes these steps in this order, and every error ends here. Nothing is decided in this file:
each step is one call into the part that knows.
"""

import asyncio
import time
from collections.abc import Callable
from functools import partial
from typing import Any

from msgspec.structs import replace

from meiku import errors, model, observe, ops
from meiku.access.cors import CorsRule, find_rule
from meiku.admission import Admission, Progress
from meiku.auth import Payload
from meiku.blobs import Blobs
from meiku.config import Settings
from meiku.media.flights import Flights
from meiku.media.workshop import Workshop
from meiku.meta import Meta
from meiku.operation import Operation
from meiku.ops.call import Call
from meiku.ops.cors import VARY, rules_of
from meiku.ops.directory import Directory
from meiku.ops.found import Found
from meiku.readiness import ReadinessProbe
from meiku.refusals import s3_error_of
from meiku.wire.binder import Binder, Given
from meiku.wire.body import Body, BodyLimits
from meiku.wire.documents import Documents
from meiku.wire.forms import read_form
from meiku.wire.renderer import Headers, Renderer, Response, render_error
from meiku.wire.request import Page, Receive, Request, Scope, check_key, read_page, read_request
from meiku.wire.router import Router
from meiku.wire.visitors import answer_visitor

# Types a browser shows but never runs: only these are taken from the file part of a form.
_SAFE_MEDIA = ("image/", "video/", "audio/")
_UNSAFE_MEDIA = "image/svg"
# Where the scope holds the name of its request's operation, for whoever counts.
OPERATION = "meiku.operation"
# What makes the stores grow; everything else goes on in the reserve of a full disk.
_FILLING = ("s3:PutObject", "s3:CreateBucket")

# Reading 1,000 short keys takes two milliseconds; reading what is larger would hold everybody else up.
_LARGE_DOCUMENT_BYTES = 64 * 1024
# What else than an object's bytes may be missing.
_REFERENCES = (("bucket",), ("upload",))
# How often an operation is begun anew because what it changes was replaced under it.
_ATTEMPTS = 5


class Pipeline:
    """Answers requests, with the stores it is given."""

    def __init__(
        self,
        meta: Meta,
        blobs: Blobs,
        settings: Settings,
        workshop: Workshop,
        clock: Callable[[], float] = time.time,
        require_room: Callable[[int], None] = lambda _: None,
        flights: Flights | None = None,
        count_damage: Callable[[], None] = lambda: None,
        readiness: ReadinessProbe | None = None,
    ) -> None:
        """Take the stores; `require_room` raises Full where so many bytes more would not fit.

        `workshop` follows recipes. `flights` keeps other processes from following the same ones.
        """
        self._workshop, self._flights = workshop, flights or Flights()
        self._require_room, self._count_damage = require_room, count_damage
        self.meta, self._blobs, self._settings, self._clock = meta, blobs, settings, clock
        self.readiness = readiness or ReadinessProbe(meta)
        self._operations = ops.offered()
        self._router = Router(model.operations(), frozenset(self._operations))
        self._binders = {name: Binder(operation) for name, operation in self._operations.items()}
        self._renderers = {name: Renderer(o.model) for name, o in self._operations.items()}
        self._directory = Directory(meta)
        self._admission = Admission(meta, self._directory, self._router, self._operations, settings, clock)
        self._documents = Documents(settings.document_timeout_s)
        self._domains = settings.bucket_domains
        self._limits = BodyLimits(settings.body_idle_timeout_s, settings.max_object_put_bytes)
        self._large_document = asyncio.Lock()
        self._request_ids = observe.RequestIds(settings.region)

    async def answer(self, scope: Scope, receive: Receive) -> Response:
        """Answer a request, whatever happens on its way."""
        started_s = time.perf_counter()
        progress = Progress(self._request_ids.next())
        response = await self._answer_or_error(scope, receive, progress)
        scope[OPERATION] = progress.operation
        request = progress.request
        page = request or read_page(scope, self._domains)
        if page.origin or progress.has_cors:
            response.headers.extend(await self._cors_headers(page, progress))
        response.headers.append((b"x-amz-request-id", progress.request_id.encode()))
        if self._settings.log_requests:
            observe.record_request(
                request_id=progress.request_id,
                operation=progress.operation,
                caller=progress.caller,
                bucket=request.bucket if request else None,
                key=request.key if request else None,
                status=response.status,
                duration_s=time.perf_counter() - started_s,
            )
        return response

    async def _answer_or_error(self, scope: Scope, receive: Receive, progress: Progress) -> Response:
        try:
            self._directory.refresh()
            progress.request = read_request(scope, receive, self._domains)
            return await self._answer(progress.request, progress)
        except errors.NotModified as unchanged:
            return replace(self._renderers[progress.operation].render(unchanged.answer), status=304, body=b"")
        except errors.Damaged as damage:
            self.note_damage(damage)
            return self._refuse(errors.InternalError(), progress)
        except Exception as error:
            refusal = s3_error_of(error)
            if refusal is None:
                observe.record_mistake(progress.request_id, error)
                refusal = errors.InternalError()
            return await self._visit(refusal, progress) or self._refuse(refusal, progress)

    async def _answer(self, request: Request, progress: Progress) -> Response:
        matched = self._router.match(request)
        progress.operation = matched.name
        operation = self._operations.get(matched.name)
        if operation is None:
            raise errors.NotImplemented(f"{matched.name} is not offered here.", Operation=matched.name)
        if operation.credentials == "form":
            return await self._answer_form(operation, request, progress)
        operation = await self._admission.admit(operation, progress)
        request = progress.request or request
        body = self._body(operation, request, progress.payload)
        if body is None or operation.model.streaming:
            return await self._run(operation, progress, Given(request, {}, body, b""))
        with self._documents.room_for(request.client) as room:
            document = await room.read(body, operation.document_limit_bytes)
            await self._admission.admit(operation, progress)
            return await self._run(operation, progress, Given(request, {}, body, document))

    async def _answer_form(self, operation: Operation, request: Request, progress: Progress) -> Response:
        """Answer a form: its fields are read and judged before the first byte of its file is taken."""
        await self._admission.require_bucket(operation, request)
        content_type = request.headers.get("content-type", "")
        form, file = await read_form(
            request.receive,
            content_type,
            request.content_length,
            limits=self._limits,
            fields_timeout_s=self._settings.header_timeout_s,
        )
        progress.request = request = replace(request, key=check_key(form.key()))
        progress.fields = fields = {**form.fields, "key": request.key or ""}
        await self._admission.admit(operation, progress)
        file.length_range = progress.length_range
        given = dict(fields)
        if "content-type" not in given and is_safe_media(form.file_content_type):
            given["content-type"] = form.file_content_type or ""
        return await self._run(operation, progress, Given(request, given, file, b""))

    def _body(self, operation: Operation, request: Request, payload: Payload) -> Body | None:
        if operation.model.payload is None:
            return None
        chunked = "transfer-encoding" in request.headers
        if operation.model.streaming and request.content_length is None and not chunked:
            raise errors.MissingContentLength
        return Body(
            request.receive,
            request.headers,
            payload,
            limits=self._limits,
            checksum_headers=operation.model.checksum_is_of_body,
        )

    async def _run(self, operation: Operation, progress: Progress, given: Given) -> Response:
        arguments = await self._bind(operation, given)
        if operation.action in _FILLING:
            self._require_room(given.request.content_length or 0)
        answer = await self._perform(operation, progress, arguments)
        return self._renderers[operation.name].render(answer)

    async def _bind(self, operation: Operation, given: Given) -> dict[str, Any]:
        """Make the arguments; a large document is read in a thread, one at a time."""
        binder = self._binders[operation.name]
        if len(given.document) < _LARGE_DOCUMENT_BYTES:
            return binder.bind(given)
        async with self._large_document:
            return await asyncio.to_thread(binder.bind, given)

    async def _perform(self, operation: Operation, progress: Progress, arguments: dict[str, Any]) -> Any:
        """Run the operation; again, from its look on, where what it relied on was replaced meanwhile."""
        for _ in range(_ATTEMPTS):
            relied_on = progress.found
            try:
                return await operation.function(self._call(operation, progress), **arguments)
            except (errors.Missing, errors.Replaced) as changed:
                if isinstance(changed, errors.Missing) and operation.model.method not in ("GET", "HEAD"):
                    raise
                await self._admission.admit(operation, progress)
                _require_replaced(relied_on, progress.found, changed)
        raise errors.OperationAborted

    def _call(self, operation: Operation, progress: Progress) -> Call:
        request, caller = progress.request, progress.caller
        if request is None or caller is None:
            raise LookupError("a request is let in before it is answered")
        endpoint = f"{request.scheme}://{request.host}"
        return Call(
            caller=caller,
            bucket_name=request.bucket or "",
            found_bucket=progress.bucket,
            key=(request.key or "").encode(),
            found_object=progress.found,
            bucket_url=endpoint if request.host_style else f"{endpoint}/{request.bucket}",
            client=request.client,
            now_ms=int(self._clock() * 1000),
            meta=self.meta,
            blobs=self._blobs,
            settings=self._settings,
            workshop=self._workshop,
            flights=self._flights,
            still_may=partial(self._admission.still_may, operation, progress),
            require_room=self._require_room,
        )

    def answer_mistake(self, mistake: Exception) -> Response:
        """Write down what is wrong with an answer that could not be sent; returns what is sent instead."""
        progress = Progress(self._request_ids.next())
        observe.record_mistake(progress.request_id, mistake)
        return self._refuse(errors.InternalError(), progress)

    def note_damage(self, damage: errors.StateError) -> None:
        """Write down and count what was found damaged while it was read."""
        observe.record_damage(damage)
        self._count_damage()

    async def _visit(self, refusal: errors.S3Error, progress: Progress) -> Response | None:
        """Answer whoever came without S3, in place of a refusal."""
        if progress.request is None:
            return None
        return await answer_visitor(
            progress.request, refusal, home_page=self._settings.home_page, ask_ready=self.readiness.ask
        )

    def _refuse(self, refusal: errors.S3Error, progress: Progress) -> Response:
        request = progress.request
        resource = request.raw_path if request else ""
        return render_error(
            refusal, resource=resource, request_id=progress.request_id, host_id=self._settings.region
        )

    async def _cors_headers(self, request: Request | Page, progress: Progress) -> Headers:
        """Say what the bucket's rules let the page see, and to caches that it depends on the page.

        The latter also where no page asks: a picture that was shown must not be what a script is given later.
        """
        bucket = await self._directory.bucket(request.bucket) if request.bucket else None
        rules = rules_of(bucket) if bucket else ()
        if not rules or progress.operation.startswith("Preflight"):
            return []
        headers = [(b"vary", VARY.encode())]
        rule = find_rule(rules, request.origin, request.method) if request.origin else None
        return headers if rule is None else headers + _shown_to(request.origin or "", rule)


def _shown_to(origin: str, rule: CorsRule) -> Headers:
    allowed_origin, credentials = rule.origin_answer(origin)
    headers = [(b"access-control-allow-origin", allowed_origin.encode())]
    if credentials:
        headers.append((b"access-control-allow-credentials", b"true"))
    headers.append((b"access-control-allow-methods", ", ".join(rule.allowed_methods).encode()))
    if rule.expose_headers:
        headers.append((b"access-control-expose-headers", ", ".join(rule.expose_headers).encode()))
    return headers


def _require_replaced(before: Found | None, now: Found | None, changed: errors.StateError) -> None:
    """Raise Damaged where an object's bytes are not there, and its record is still the very same: lost."""
    are_bytes = isinstance(changed, errors.Missing) and changed.args not in _REFERENCES
    if are_bytes and before is not None and now is not None and now.record == before.record:
        raise errors.Damaged(f"{now.record.key.decode()}: its bytes are lost ({changed})") from changed


def is_safe_media(content_type: str | None) -> bool:
    """Tell whether a file part's own type may be kept, where the form's fields name none."""
    kind = (content_type or "").lower()
    return kind.startswith(_SAFE_MEDIA) and not kind.startswith(_UNSAFE_MEDIA)
