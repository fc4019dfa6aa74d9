"""A bucket's CORS rules, and the preflight that a browser asks before it sends anything."""

from typing import Any

from meiku import errors
from meiku.access.cors import (
    METHODS,
    CorsRule,
    document_of,
    find_rule,
    is_header_name,
    read_rules,
    rules_from_json,
    rules_to_json,
)
from meiku.access.decision import ANYBODY
from meiku.meta import buckets
from meiku.meta.records import BucketRecord
from meiku.operation import Answer, operation
from meiku.ops.call import Call

SETTING = "cors"
VARY = "Origin, Access-Control-Request-Headers, Access-Control-Request-Method"


def rules_of(bucket: BucketRecord) -> tuple[CorsRule, ...]:
    """Read the bucket's rules; none where none were set."""
    text = bucket.settings.get(SETTING)
    return rules_from_json(text) if text else ()


@operation("PutBucketCors", action="s3:PutBucketCORS")
async def put_bucket_cors(call: Call, cors_configuration: dict[str, Any]) -> Answer:
    """Replace the bucket's CORS rules, all of them."""
    rules = rules_to_json(read_rules(cors_configuration))
    await call.meta.write(buckets.put_setting, call.bucket.bucket_id, SETTING, rules)
    return {}


@operation("GetBucketCors", action="s3:GetBucketCORS")
async def get_bucket_cors(call: Call) -> Answer:
    """Tell the bucket's CORS rules."""
    rules = rules_of(call.bucket)
    if not rules:
        raise errors.NoSuchCORSConfiguration(BucketName=call.bucket_name)
    return {"CORSRules": [document_of(rule) for rule in rules]}


@operation("DeleteBucketCors", action="s3:PutBucketCORS")
async def delete_bucket_cors(call: Call) -> Answer:
    """Forget the bucket's CORS rules."""
    await call.meta.write(buckets.put_setting, call.bucket.bucket_id, SETTING, None)
    return {}


@operation("PreflightBucket", action=ANYBODY, credentials="none")
async def preflight_bucket(
    call: Call, origin: str | None, request_method: str | None, request_headers: str | None
) -> Answer:
    """Tell a browser whether a page may send a request to this bucket."""
    return _preflight(call, origin, request_method, request_headers)


@operation("PreflightObject", action=ANYBODY, credentials="none")
async def preflight_object(
    call: Call, origin: str | None, request_method: str | None, request_headers: str | None
) -> Answer:
    """Tell a browser whether a page may send a request for this object."""
    return _preflight(call, origin, request_method, request_headers)


def _preflight(call: Call, origin: str | None, method: str | None, headers: str | None) -> Answer:
    if not origin or not method:
        raise errors.BadRequest(
            "Insufficient information. Origin and Access-Control-Request-Method are needed."
        )
    if method not in METHODS:
        raise errors.BadRequest(f"Invalid Access-Control-Request-Method: {method[:40]}")
    names = [name.strip() for name in (headers or "").split(",") if name.strip()]
    for name in names:
        if not is_header_name(name):
            raise errors.BadRequest(f"Invalid Access-Control-Request-Headers: {name[:200]}")
    rules = rules_of(call.bucket)
    rule = find_rule(rules, origin, method, names)
    if rule is None:
        raise errors.AccessForbidden(
            _refusal(rules, origin, method),
            Method=method,
            ResourceType="BUCKET" if not call.key else "OBJECT",
        )
    allowed_origin, credentials = rule.origin_answer(origin)
    return {
        "AllowOrigin": allowed_origin,
        "AllowMethods": ", ".join(rule.allowed_methods),
        "AllowHeaders": ", ".join(names).lower() or None,
        "AllowCredentials": "true" if credentials else None,
        "ExposeHeaders": ", ".join(rule.expose_headers) or None,
        "MaxAge": rule.max_age_seconds,
        "Vary": VARY,
    }


def _refusal(rules: tuple[CorsRule, ...], origin: str, method: str) -> str:
    """Say which part of the question no rule fits."""
    if not rules:
        return "CORSResponse: CORS is not enabled for this bucket."
    if not any(find_rule([rule], origin, m) for rule in rules for m in rule.allowed_methods):
        return f"CORSResponse: no rule of this bucket allows the origin {origin}."
    if find_rule(rules, origin, method) is None:
        return f"CORSResponse: no rule that allows the origin {origin} allows the method {method}."
    return "CORSResponse: a header in Access-Control-Request-Headers is not allowed by the rule."
