"""The mistakes that break V2 signatures in practice, each as a cause and the reading that proves it.

The likely ones stand first, for the number of trials is bounded.
"""

from collections.abc import Iterator
from dataclasses import replace
from urllib.parse import unquote

from meiku.auth.cause import Cause
from meiku.auth.diagnose import Trial
from meiku.auth.reading import ReadingV2
from meiku.auth.request import SignedRequest
from meiku.auth.variants import content_types, methods, methods_with_types
from meiku.signing import uri_encode

_PROOF = ("AWSAccessKeyId=", "Signature=", "Expires=")
_AMZ_LIMIT = 6
Variant = tuple[Cause, ReadingV2]


def trials(request: SignedRequest, reading: ReadingV2) -> Iterator[Trial]:
    """List what the client may have signed instead of what the server reads."""
    for cause, variant in _variants(request, reading):
        yield cause, variant.text()


def _variants(request: SignedRequest, reading: ReadingV2) -> Iterator[Variant]:
    for cause, value in content_types(request):
        yield cause, reading.with_header("content-type", value)
    for cause, method in methods(reading.method):
        yield cause, replace(reading, method=method)
    yield from _resources(request, reading)
    yield from _queries(request, reading)
    yield (
        Cause("The client signed the request without its Content-MD5.", "客户端签名时没有包含 Content-MD5。"),
        reading.with_header("content-md5", ""),
    )
    yield from _dates(request, reading)
    yield from _amz_headers(reading)
    for cause, method, value in methods_with_types(request):
        yield cause, replace(reading.with_header("content-type", value), method=method)


def _resources(request: SignedRequest, reading: ReadingV2) -> Iterator[Variant]:
    bucket, slash, key = reading.resource[1:].partition("/")
    encoded = uri_encode(unquote(key))
    wrong = {
        Cause(
            "The client signed the resource without the bucket; V2 wants /bucket/key in either style.",
            "客户端签的资源里没有桶名；V2 无论哪种地址都要求 /bucket/key。",
        ): f"/{key}",
        Cause(
            "The client signed the resource with the bucket twice.", "客户端签的资源里桶名出现了两次。"
        ): f"/{bucket}{reading.resource}",
        Cause(
            "The client signed the key without percent-encoding it.", "客户端签名时没有对对象名做百分号编码。"
        ): unquote(reading.resource),
        Cause(
            "The client encoded the path twice; S3 encodes it once.",
            "客户端对路径编码了两次；S3 只编码一次。",
        ): uri_encode(reading.resource, safe="/"),
        Cause(
            "The client encoded the slashes within the key as %2F.", "客户端把对象名中的斜杠编码成了 %2F。"
        ): f"/{bucket}{slash}{encoded}",
        Cause(
            "The client signed the path without the slash at its end.", "客户端签名时路径末尾少了斜杠。"
        ): reading.resource.removesuffix("/"),
        Cause(
            "The client signed the path with a slash at its end.", "客户端签名时路径末尾多了斜杠。"
        ): f"{reading.resource}/",
        Cause(
            "The client signed the host's name in the resource.", "客户端把主机名签进了资源。"
        ): f"/{request.host}{request.raw_path}",
    }
    for cause, resource in wrong.items():
        yield cause, replace(reading, resource=resource)


def _queries(request: SignedRequest, reading: ReadingV2) -> Iterator[Variant]:
    if not reading.query:
        return
    sent = "&".join([part for part in request.query_string.split("&") if not part.startswith(_PROOF)])
    yield (
        Cause(
            "The client signed the resource without the sub-resources that it asks for.",
            "客户端签的资源里缺少所请求的子资源。",
        ),
        replace(reading, query=()),
    )
    yield (
        Cause(
            "The client signed its whole query; V2 signs only the sub-resources.",
            "客户端签了整个查询串；V2 只签子资源。",
        ),
        replace(reading, resource=f"{reading.resource}?{sent}", query=()),
    )
    encoded = [(name, uri_encode(value)) for name, value in reading.query]
    yield (
        Cause(
            "The client signed the sub-resources' values encoded; V2 wants them decoded.",
            "客户端签了编码后的子资源值；V2 要求未编码的值。",
        ),
        replace(reading, query=encoded),
    )
    for dropped in dict.fromkeys(reading.query):
        yield (
            Cause(
                f"The client did not sign the sub-resource {dropped[0]}.",
                f"客户端没有签子资源 {dropped[0]}。",
            ),
            replace(reading, query=[pair for pair in reading.query if pair != dropped]),
        )


def _dates(request: SignedRequest, reading: ReadingV2) -> Iterator[Variant]:
    for name in ("date", "x-amz-date"):
        cause = _date_cause(f"the value of {name} as its date", f"{name} 的值作为日期")
        yield cause, replace(reading, date=request.headers.get(name, ""))
    yield _date_cause("no date", "空的日期"), replace(reading, date="")


def _date_cause(english: str, chinese: str) -> Cause:
    return Cause(
        f"The client signed {english}; V2 wants the Date header's value, or nothing where x-amz-date is "
        "sent.",
        f"客户端签了{chinese}；V2 要求 Date 请求头的值，若发送了 x-amz-date 则留空。",
    )


def _header_cause(name: str) -> Cause:
    return Cause(f"The client did not sign the header {name}.", f"客户端没有签请求头 {name}。")


def _amz_headers(reading: ReadingV2) -> Iterator[Variant]:
    amz = [name for name in reading.headers if name.startswith("x-amz-")]
    for name in amz[:_AMZ_LIMIT]:
        rest = {other: value for other, value in reading.headers.items() if other != name}
        yield _header_cause(name), replace(reading, headers=rest)
    plain = {name: value for name, value in reading.headers.items() if name not in amz}
    yield (
        Cause("The client signed none of the x-amz-* headers.", "客户端没有签任何 x-amz-* 请求头。"),
        replace(reading, headers=plain),
    )
