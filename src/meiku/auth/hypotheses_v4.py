"""The mistakes that break V4 signatures in practice, each as a cause and the reading that proves it.

The likely ones stand first, for the number of trials is bounded.
"""

import posixpath
from collections.abc import Iterator, Sequence
from dataclasses import replace
from itertools import islice
from urllib.parse import unquote

from meiku.auth.diagnose import WRONG_KEY, Trial
from meiku.auth.reading import LENIENT, ReadingV4, hosts_of, signed_pairs
from meiku.auth.request import SignedRequest
from meiku.auth.variants import content_types, methods, names_of_host
from meiku.signing import UNSIGNED_PAYLOAD, canonical_query_v4, uri_encode
from meiku.signing.v4 import EMPTY_SHA256

_DROPS_LIMIT = 6
_JAVASCRIPT_SAFE = "!'()*"  # what encodeURIComponent leaves as it is, and V4 does not
_ALTERED = {"accept-encoding": ("identity", "gzip", ""), "content-length": ("0", ""), "te": ("",)}
Variant = tuple[str, ReadingV4]


def trials(request: SignedRequest, reading: ReadingV4, public_hosts: Sequence[str]) -> Iterator[Trial]:
    """List what the client may have signed instead of what the server reads."""
    for cause, variant in _variants(request, reading, public_hosts):
        yield cause, variant.text()


def guess(request: SignedRequest, signed_headers: Sequence[str]) -> str:
    """Name the likely cause where no trial found it."""
    lost = [name for name in signed_headers if name not in request.headers and name != "host"]
    if lost:
        return (
            f"The client signed the header {', '.join(lost)}, which did not arrive here; send it as signed."
        )
    host = request.host.rpartition(":")[0] or request.host
    if host in ("localhost", "127.0.0.1", "[::1]") and "x-forwarded-for" in request.headers:
        return (
            f"A proxy probably rewrote the Host header to «{request.host}»: let it pass Host on unchanged, "
            "or name the public host in the settings. If it does, the secret key is not the access key's."
        )
    if "content-type" in signed_headers:
        return (
            f"Either the Content-Type that was signed is not «{request.headers['content-type']}», with which "
            "the request came, or the secret key is not the access key's."
        )
    return WRONG_KEY


def _variants(request: SignedRequest, reading: ReadingV4, public_hosts: Sequence[str]) -> Iterator[Variant]:
    yield from _content_types(request, reading)
    yield from _payloads(reading)
    yield from _methods(reading)
    yield from _hosts(request, reading, public_hosts)
    yield from _moved_bucket(request, reading)
    yield from _queries(request, reading)
    yield from _paths(request, reading)
    yield from _altered_headers(reading)


def _content_types(request: SignedRequest, reading: ReadingV4) -> Iterator[Variant]:
    if "content-type" in reading.signed_headers:
        for cause, value in content_types(request):
            yield cause, reading.with_header("content-type", value)


def _payloads(reading: ReadingV4) -> Iterator[Variant]:
    for payload_hash, name in ((UNSIGNED_PAYLOAD, UNSIGNED_PAYLOAD), (EMPTY_SHA256, "that of an empty body")):
        cause = f"The client signed another payload hash than it sent: {name}."
        yield cause, replace(reading, payload_hash=payload_hash)


def _methods(reading: ReadingV4) -> Iterator[Variant]:
    for cause, method in methods(reading.method):
        yield cause, replace(reading, method=method)


def _hosts(request: SignedRequest, reading: ReadingV4, public_hosts: Sequence[str]) -> Iterator[Variant]:
    for host in names_of_host(request, hosts_of(request, public_hosts)):
        yield (
            f"The client signed the host «{host}», but the request arrived for «{request.host}»: a proxy "
            "rewrote the Host header. Let it pass Host on unchanged, or name that host in the settings.",
            reading.with_header("host", host),
        )


def _moved_bucket(request: SignedRequest, reading: ReadingV4) -> Iterator[Variant]:
    """Move the bucket between host and path, as a proxy does that turns one style into the other."""
    if request.bucket:
        host, path = request.host[len(request.bucket) + 1 :], f"/{request.bucket}{reading.path}"
        cause = "The client signed a path-style address (/bucket/key), but the request came host-style."
    else:
        bucket, _, key = reading.path[1:].partition("/")
        host, path = f"{unquote(bucket)}.{request.host}", f"/{key}"
        cause = "The client signed a host-style address (bucket.host), but the request came path-style."
    yield cause, replace(reading.with_header("host", host), path=path)
    yield cause, replace(reading, path=path)


def _queries(request: SignedRequest, reading: ReadingV4) -> Iterator[Variant]:
    pairs = signed_pairs(request.query)
    if pairs:
        yield from _written_queries(request, reading)
        yield from _dropped_parameters(pairs, reading)
    for name in ("PutObject", "GetObject"):
        query = canonical_query_v4([*pairs, ("x-id", name)])
        yield "The query parameter x-id was signed, but did not arrive here.", replace(reading, query=query)


def _written_queries(request: SignedRequest, reading: ReadingV4) -> Iterator[Variant]:
    """Write the same parameters as V4 does not."""
    sent = [part for part in request.query_string.split("&") if not _is_signature(part)]
    wrong = {
        "The client signed the query in the order it was sent; V4 sorts it by name.": "&".join(sent),
        "The client signed the query as it was sent; V4 percent-encodes names and values.": "&".join(
            sorted(part if "=" in part else f"{part}=" for part in sent)
        ),
        "The client encoded spaces in the query as '+'; V4 wants %20.": reading.query.replace("%20", "+"),
        "The client did not encode ! ' ( ) * in the query (encodeURIComponent leaves them).": "&".join(
            f"{uri_encode(name, safe=_JAVASCRIPT_SAFE)}={uri_encode(value, safe=_JAVASCRIPT_SAFE)}"
            for name, value in sorted(signed_pairs(request.query))
        ),
    }
    for cause, query in wrong.items():
        yield cause, replace(reading, query=query)


def _dropped_parameters(pairs: Sequence[tuple[str, str]], reading: ReadingV4) -> Iterator[Variant]:
    ours = [pair for pair in pairs if not pair[0].lower().startswith("x-amz-") or pair[0].lower() in LENIENT]
    every = [pair for pair in pairs if pair not in ours]
    for name, rest in _without(ours, pairs):
        yield (
            f"The query parameter {name} was added after the request was signed; V4 signs them all, so add "
            "it before signing.",
            replace(reading, query=canonical_query_v4(rest)),
        )
    cause = "The client signed the request without its query parameters; V4 signs them all."
    yield cause, replace(reading, query=canonical_query_v4(every))


def _without(
    ours: Sequence[tuple[str, str]], pairs: Sequence[tuple[str, str]]
) -> Iterator[tuple[str, list[tuple[str, str]]]]:
    for dropped in islice(reversed(ours), _DROPS_LIMIT):  # what was added stands last
        yield dropped[0], [pair for pair in pairs if pair != dropped]


def _paths(request: SignedRequest, reading: ReadingV4) -> Iterator[Variant]:
    decoded = unquote(request.raw_path)
    normal = posixpath.normpath(decoded).replace("//", "/") + ("/" if decoded.endswith("/") else "")
    bucket, slash, key = decoded[1:].partition("/")
    wrong = {
        "The client encoded the path twice; S3 encodes it once.": uri_encode(reading.path, safe="/"),
        "The client signed the path without percent-encoding it.": decoded,
        "The client normalised the path ('//' and '..'), which S3 does not.": uri_encode(normal, safe="/"),
        "The client normalised the path and encoded it twice, as for AWS's other services.": uri_encode(
            uri_encode(normal, safe="/"), safe="/"
        ),
        "The client encoded spaces in the path as '+'; S3 wants %20.": reading.path.replace("%20", "+"),
        "The client encoded the slashes within the key as %2F.": f"/{bucket}{slash}{uri_encode(key)}",
        "The client did not encode ! ' ( ) * in the path (encodeURIComponent leaves them).": uri_encode(
            decoded, safe="/" + _JAVASCRIPT_SAFE
        ),
        "The client signed the path without the slash at its end.": reading.path[:-1],
        "The client signed the path with a slash at its end.": f"{reading.path}/",
    }
    for cause, path in wrong.items():
        yield cause, replace(reading, path=path)


def _altered_headers(reading: ReadingV4) -> Iterator[Variant]:
    for name, values in _ALTERED.items():
        if name in reading.signed_headers:
            for value in values:
                cause = f"The client signed «{name}: {value}», but that header changed on its way."
                yield f"{cause} Leave it unsigned.", reading.with_header(name, value)


def _is_signature(part: str) -> bool:
    return part.lower().startswith("x-amz-signature=")
