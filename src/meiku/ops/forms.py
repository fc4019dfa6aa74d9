"""PostObject: what a browser's form stores, and how the browser is told.

The form's policy was checked before this is called; here its fields are arguments like any other. The file
is stored exactly as a PUT would store it.
Source: https://docs.aws.amazon.com/AmazonS3/latest/API/RESTObjectPOST.html; reference, browser-upload.md §2.
"""

from urllib.parse import quote, urlsplit, urlunsplit

from meiku import errors
from meiku.meta.records import ObjectRecord
from meiku.operation import Answer, operation
from meiku.ops.call import Call
from meiku.ops.content import Incoming
from meiku.ops.descriptions import describe, quoted, shown_checksum
from meiku.ops.grants import asked_acl
from meiku.ops.objects import keep

STATUSES = {"200": 200, "201": 201, "204": 204}


@operation("PostObject", action="s3:PutObject", credentials="form")
async def post_object(
    call: Call,
    body: Incoming,
    acl: str | None,
    amz_acl: str | None,
    system_headers: dict[str, str],
    metadata: dict[str, str],
    storage_class: str | None,
    success_action_redirect: str | None,
    redirect: str | None,
    success_action_status: str | None,
) -> Answer:
    """Store the form's file; answer with the status, or the redirect, that the form asks for."""
    target = _redirect_target(success_action_redirect or redirect)
    asked = await asked_acl(call, owner_id=call.owner_id, canned=acl or amz_acl)
    description = describe(system_headers, metadata, storage_class, asked)
    record = await keep(call, body, description)
    location = call.url_of(call.key)
    answer: Answer = {"ETagHeader": quoted(record.etag), **shown_checksum(record.checksums)}
    if target is not None:
        return {**answer, "StatusCode": 303, "LocationHeader": _landing(target, call, record)}
    status = STATUSES.get(success_action_status or "", 204)
    answer |= {"StatusCode": status, "LocationHeader": location}
    if status == 201:
        answer["PostResponse"] = {
            "Location": location,
            "Bucket": call.bucket_name,
            "Key": call.key.decode(),
            "ETag": quoted(record.etag),
        }
    return answer


def _redirect_target(text: str | None) -> str | None:
    """Check the redirect before anything is stored; S3 ignores one that it cannot read, we say so."""
    if not text:
        return None
    try:
        parts = urlsplit(text)
    except ValueError:
        parts = urlsplit("")
    if parts.scheme not in ("http", "https") or not parts.netloc or not text.isprintable():
        raise errors.InvalidArgument(
            "success_action_redirect must be an absolute http or https URL.",
            ArgumentName="success_action_redirect",
            ArgumentValue=text[:200],
        )
    return text


def _landing(target: str, call: Call, record: ObjectRecord) -> str:
    """Add bucket, key and etag to the redirect's query."""
    parts = urlsplit(target)
    added = "&".join(
        f"{name}={quote(value, safe='')}"
        for name, value in (
            ("bucket", call.bucket_name),
            ("key", call.key.decode()),
            ("etag", quoted(record.etag)),
        )
    )
    query = f"{parts.query}&{added}" if parts.query else added
    path = quote(parts.path, safe="/%:@!$&'()*+,;=-._~")
    return urlunsplit((parts.scheme, parts.netloc, path, query, parts.fragment))
