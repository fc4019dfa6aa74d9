"""The mistakes that break V4 signatures in practice, each as a cause and the reading that proves it.

The likely ones stand first, for the number of trials is bounded.
"""

import posixpath
from collections.abc import Iterator, Sequence
from dataclasses import replace
from itertools import islice
from urllib.parse import unquote

from meiku.auth.cause import Cause
from meiku.auth.diagnose import Trial
from meiku.auth.reading import LENIENT, ReadingV4, hosts_of, signed_pairs
from meiku.auth.request import SignedRequest
from meiku.auth.variants import content_types, methods, names_of_host
from meiku.signing import UNSIGNED_PAYLOAD, canonical_query_v4, uri_encode
from meiku.signing.v4 import EMPTY_SHA256

_DROPS_LIMIT = 6
_JAVASCRIPT_SAFE = "!'()*"  # what encodeURIComponent leaves as it is, and V4 does not
_ALTERED = {"accept-encoding": ("identity", "gzip", ""), "content-length": ("0", ""), "te": ("",)}
Variant = tuple[Cause, ReadingV4]


def trials(
    request: SignedRequest, reading: ReadingV4, public_hosts: Sequence[str], listening: Sequence[str] = ()
) -> Iterator[Trial]:
    """List what the client may have signed instead of what the server reads."""
    for cause, variant in _variants(request, reading, public_hosts, listening):
        yield cause, variant.text()


def _variants(
    request: SignedRequest, reading: ReadingV4, public_hosts: Sequence[str], listening: Sequence[str]
) -> Iterator[Variant]:
    yield from _content_types(request, reading)
    yield from _payloads(reading)
    yield from _methods(reading)
    yield from _paths(request, reading)
    yield from _hosts(request, reading, public_hosts, listening)
    yield from _moved_bucket(request, reading)
    yield from _queries(request, reading)
    yield from _altered_headers(reading)


def _content_types(request: SignedRequest, reading: ReadingV4) -> Iterator[Variant]:
    if "content-type" in reading.signed_headers:
        for cause, value in content_types(request):
            yield cause, reading.with_header("content-type", value)


def _payloads(reading: ReadingV4) -> Iterator[Variant]:
    unsigned = Cause(UNSIGNED_PAYLOAD, UNSIGNED_PAYLOAD)
    empty = Cause("that of an empty body", "空请求体的哈希")
    for payload_hash, name in ((UNSIGNED_PAYLOAD, unsigned), (EMPTY_SHA256, empty)):
        cause = Cause(
            f"The client signed another payload hash than it sent: {name.english}.",
            f"客户端签的内容哈希与发送的不同：签的是 {name.chinese}。",
        )
        yield cause, replace(reading, payload_hash=payload_hash)


def _methods(reading: ReadingV4) -> Iterator[Variant]:
    for cause, method in methods(reading.method):
        yield cause, replace(reading, method=method)


def _hosts(
    request: SignedRequest, reading: ReadingV4, public_hosts: Sequence[str], listening: Sequence[str]
) -> Iterator[Variant]:
    for host in names_of_host(request, hosts_of(request, public_hosts), listening):
        cause = Cause(
            f"The client signed the host «{host}», but the request arrived for «{request.host}»: a proxy "
            "rewrote the Host header. Let it pass Host on unchanged, or name that host in the settings.",
            f"客户端签的主机是 «{host}»，请求到达时却是 «{request.host}»：代理改写了 Host。"
            "请让代理原样转发 Host，或在设置中写明该主机名。",
        )
        yield cause, reading.with_header("host", host)


def _moved_bucket(request: SignedRequest, reading: ReadingV4) -> Iterator[Variant]:
    """Move the bucket between host and path, as a proxy does that turns one style into the other."""
    if request.bucket:
        host, path = request.host[len(request.bucket) + 1 :], f"/{request.bucket}{reading.path}"
        cause = Cause(
            "The client signed a path-style address (/bucket/key), but the request came host-style.",
            "客户端签的是路径式地址（/bucket/key），请求却是以主机式到达的。",
        )
    else:
        bucket, _, key = reading.path[1:].partition("/")
        host, path = f"{unquote(bucket)}.{request.host}", f"/{key}"
        cause = Cause(
            "The client signed a host-style address (bucket.host), but the request came path-style.",
            "客户端签的是主机式地址（bucket.host），请求却是以路径式到达的。",
        )
    yield cause, replace(reading.with_header("host", host), path=path)
    yield cause, replace(reading, path=path)


def _queries(request: SignedRequest, reading: ReadingV4) -> Iterator[Variant]:
    pairs = signed_pairs(request.query)
    if pairs:
        yield from _written_queries(request, reading)
        yield from _dropped_parameters(pairs, reading)
    for name in ("PutObject", "GetObject"):
        query = canonical_query_v4([*pairs, ("x-id", name)])
        yield (
            Cause(
                "The query parameter x-id was signed, but did not arrive here.",
                "签名时包含查询参数 x-id，但服务器没有收到。",
            ),
            replace(reading, query=query),
        )


def _written_queries(request: SignedRequest, reading: ReadingV4) -> Iterator[Variant]:
    """Write the same parameters as V4 does not."""
    sent = [part for part in request.query_string.split("&") if not _is_signature(part)]
    wrong = {
        Cause(
            "The client signed the query in the order it was sent; V4 sorts it by name.",
            "客户端按发送顺序签了查询参数；V4 要求按名称排序。",
        ): "&".join(sent),
        Cause(
            "The client signed the query as it was sent; V4 percent-encodes names and values.",
            "客户端按原样签了查询参数；V4 要求对名称和值做百分号编码。",
        ): "&".join(sorted(part if "=" in part else f"{part}=" for part in sent)),
        Cause(
            "The client encoded spaces in the query as '+'; V4 wants %20.",
            "客户端把查询参数中的空格编码成了 '+'；V4 要求 %20。",
        ): reading.query.replace("%20", "+"),
        Cause(
            "The client did not encode ! ' ( ) * in the query (encodeURIComponent leaves them).",
            "客户端没有编码查询参数中的 ! ' ( ) *（encodeURIComponent 会保留它们）。",
        ): "&".join(
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
        added = Cause(
            f"The query parameter {name} was added after the request was signed; V4 signs them all, so add "
            "it before signing.",
            f"查询参数 {name} 是签名之后才加上的；V4 要求全部签名，请在签名前加上。",
        )
        yield added, replace(reading, query=canonical_query_v4(rest))
    cause = Cause(
        "The client signed the request without its query parameters; V4 signs them all.",
        "客户端签名时没有包含查询参数；V4 要求全部签名。",
    )
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
        Cause(
            "The client encoded the path twice; S3 encodes it once.",
            "客户端对路径编码了两次；S3 只编码一次。",
        ): uri_encode(reading.path, safe="/"),
        Cause(
            "The client signed the path without percent-encoding it.", "客户端签名时没有对路径做百分号编码。"
        ): decoded,
        Cause(
            "The client normalised the path ('//' and '..'), which S3 does not.",
            "客户端对路径做了规范化（'//' 和 '..'），S3 不这样做。",
        ): uri_encode(normal, safe="/"),
        Cause(
            "The client normalised the path and encoded it twice, as for AWS's other services.",
            "客户端对路径做了规范化并编码了两次，那是 AWS 其他服务的做法。",
        ): uri_encode(uri_encode(normal, safe="/"), safe="/"),
        Cause(
            "The client encoded spaces in the path as '+'; S3 wants %20.",
            "客户端把路径中的空格编码成了 '+'；S3 要求 %20。",
        ): reading.path.replace("%20", "+"),
        Cause(
            "The client encoded the slashes within the key as %2F.", "客户端把对象名中的斜杠编码成了 %2F。"
        ): f"/{bucket}{slash}{uri_encode(key)}",
        Cause(
            "The client did not encode ! ' ( ) * in the path (encodeURIComponent leaves them).",
            "客户端没有编码路径中的 ! ' ( ) *（encodeURIComponent 会保留它们）。",
        ): uri_encode(decoded, safe="/" + _JAVASCRIPT_SAFE),
        Cause(
            "The client signed the path without the slash at its end.", "客户端签名时路径末尾少了斜杠。"
        ): reading.path.removesuffix("/"),
        Cause(
            "The client signed the path with a slash at its end.", "客户端签名时路径末尾多了斜杠。"
        ): f"{reading.path}/",
    }
    for cause, path in wrong.items():
        yield cause, replace(reading, path=path)


def _altered_headers(reading: ReadingV4) -> Iterator[Variant]:
    for name, values in _ALTERED.items():
        if name in reading.signed_headers:
            for value in values:
                cause = Cause(
                    f"The client signed «{name}: {value}», but that header changed on its way. "
                    "Leave it unsigned.",
                    f"客户端签的是 «{name}: {value}»，但该请求头在途中变了；请不要签它。",
                )
                yield cause, reading.with_header(name, value)


def _is_signature(part: str) -> bool:
    return part.lower().startswith("x-amz-signature=")
