"""The mistakes that break V2 signatures in practice, each as a cause and the reading that proves it.

The likely ones stand first, for the number of trials is bounded.
"""

from collections.abc import Iterator
from dataclasses import replace
from urllib.parse import unquote

from meiku.auth.diagnose import Trial
from meiku.auth.reading import ReadingV2
from meiku.auth.request import SignedRequest
from meiku.auth.variants import content_types, methods
from meiku.signing import uri_encode

_PROOF = ("AWSAccessKeyId=", "Signature=", "Expires=")
_AMZ_LIMIT = 6
Variant = tuple[str, ReadingV2]


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
    yield "The client signed the request without its Content-MD5.", reading.with_header("content-md5", "")
    yield from _dates(request, reading)
    yield from _amz_headers(reading)


def _resources(request: SignedRequest, reading: ReadingV2) -> Iterator[Variant]:
    bucket, slash, key = reading.resource[1:].partition("/")
    encoded = uri_encode(unquote(key))
    wrong = {
        "The client signed the resource without the bucket; V2 wants /bucket/key in either style.": f"/{key}",
        "The client signed the resource with the bucket twice.": f"/{bucket}{reading.resource}",
        "The client signed the key without percent-encoding it.": unquote(reading.resource),
        "The client encoded the path twice; S3 encodes it once.": uri_encode(reading.resource, safe="/"),
        "The client encoded the slashes within the key as %2F.": f"/{bucket}{slash}{encoded}",
        "The client signed the path without the slash at its end.": reading.resource.rstrip("/"),
        "The client signed the path with a slash at its end.": f"{reading.resource}/",
        "The client signed the host's name in the resource.": f"/{request.host}{request.raw_path}",
    }
    for cause, resource in wrong.items():
        yield cause, replace(reading, resource=resource)


def _queries(request: SignedRequest, reading: ReadingV2) -> Iterator[Variant]:
    if not reading.query:
        return
    sent = "&".join([part for part in request.query_string.split("&") if not part.startswith(_PROOF)])
    yield (
        "The client signed the resource without the sub-resources that it asks for.",
        replace(reading, query=()),
    )
    yield (
        "The client signed its whole query; V2 signs only the sub-resources.",
        replace(reading, resource=f"{reading.resource}?{sent}", query=()),
    )
    encoded = [(name, uri_encode(value)) for name, value in reading.query]
    yield (
        "The client signed the sub-resources' values encoded; V2 wants them decoded.",
        replace(reading, query=encoded),
    )
    for dropped in dict.fromkeys(reading.query):
        yield (
            f"The client did not sign the sub-resource {dropped[0]}.",
            replace(reading, query=[pair for pair in reading.query if pair != dropped]),
        )


def _dates(request: SignedRequest, reading: ReadingV2) -> Iterator[Variant]:
    signed = "The client signed {}; V2 wants the Date header's value, or nothing where x-amz-date is sent."
    for name in ("date", "x-amz-date"):
        yield (
            signed.format(f"the value of {name} as its date"),
            replace(reading, date=request.headers.get(name, "")),
        )
    yield signed.format("no date"), replace(reading, date="")


def _amz_headers(reading: ReadingV2) -> Iterator[Variant]:
    amz = [name for name in reading.headers if name.startswith("x-amz-")]
    for name in amz[:_AMZ_LIMIT]:
        rest = {other: value for other, value in reading.headers.items() if other != name}
        yield f"The client did not sign the header {name}.", replace(reading, headers=rest)
    plain = {name: value for name, value in reading.headers.items() if name not in amz}
    yield "The client signed none of the x-amz-* headers.", replace(reading, headers=plain)
