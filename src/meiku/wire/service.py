"""The addresses under `/-/`, which belong to no bucket: whether the service lives, serves, and how it fares.

No bucket's name may be a hyphen, and on a bucket's own host these are keys of the bucket like all others: so
they can never hide anything. The figures name no bucket and no key, and still are not for everyone: with a
token they are for whoever has it, without one for this machine alone.
"""

import hmac
import json
import re
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from ipaddress import IPv6Address, ip_address

from meiku import __version__
from meiku.wire.renderer import Response
from meiku.wire.request import Scope, bucket_of_host, host_name

_EXPOSITION = b"text/plain; version=0.0.4; charset=utf-8"
# What a proxy on this machine adds, under hundreds of names: then the peer is the proxy, and the reader may
# be anybody. Nobody who reads figures sends a header with x- in front but Prometheus.
_FORWARDED = re.compile(
    rb"x-(?!prometheus-scrape-timeout-seconds$)|.*(forward|proxy|client|-ip$|-addr$)|via$|cdn-|cf-"
)


@dataclass(frozen=True, slots=True)
class Readiness:
    """What can be done now: `status` is `ready`, or one word for what is in the way, which `reason` tells."""

    status: str = "ready"
    reason: str = ""
    can_read: bool = True

    @property
    def can_write(self) -> bool:
        """Tell whether everything is done that is asked for."""
        return self.status == "ready"


def is_service(scope: Scope, domains: Sequence[str]) -> bool:
    """Tell whether a request is for one of these addresses; on a bucket's host none is."""
    return scope["path"].startswith("/-/") and bucket_of_host(_host(scope), domains) is None


async def answer_service(
    scope: Scope,
    *,
    ask_ready: Callable[[], Awaitable[Readiness]],
    token: str | None,
    read_metrics: Callable[[], Awaitable[bytes]],
) -> Response:
    """Answer one of the service's own addresses; `token` is what the figures are guarded by, if by any."""
    path = scope["path"]
    if scope["method"] not in ("GET", "HEAD"):
        return _json(405, {"error": "only GET and HEAD are answered here"})
    if path == "/-/health":
        return _json(200, {"status": "alive", "version": __version__})
    if path == "/-/ready":
        ready = await ask_ready()
        told = {"status": ready.status} | ({"reason": ready.reason} if ready.reason else {})
        return _json(200 if ready.can_write else 503, told)
    if path == "/-/metrics":
        refused = _refuse_stranger(scope, token)
        return refused or Response(200, [(b"content-type", _EXPOSITION)], await read_metrics())
    return _json(404, {"error": "there is nothing at this address; /-/health, /-/ready, /-/metrics are"})


def _refuse_stranger(scope: Scope, token: str | None) -> Response | None:
    """Refuse whoever may not read the figures."""
    headers = dict(scope["headers"])
    if token is None:
        if _comes_from_here(scope):
            return None
        return _json(403, {"error": "only this machine is answered here, or a bearer token where one is set"})
    if hmac.compare_digest(headers.get(b"authorization", b""), b"Bearer " + token.encode()):
        return None
    refused = _json(401, {"error": "a bearer token is needed here, from this machine too"})
    refused.headers.append((b"www-authenticate", b"Bearer"))
    return refused


def _comes_from_here(scope: Scope) -> bool:
    """Tell whether a request was sent on this machine, to this machine, by nobody in somebody else's name.

    HTTP/1.0 is what nginx speaks to whatever is behind it unless it is told otherwise, with a Host that is
    ours and no header that would say so.
    """
    peer, name = scope.get("client"), host_name(_host(scope))
    return (
        peer is not None
        and _is_loopback(peer[0])
        and (name == "localhost" or _is_loopback(name.removeprefix("[").removesuffix("]")))
        and scope.get("http_version") != "1.0"
        and not any(_FORWARDED.match(header) for header, _ in scope["headers"])
    )


def _host(scope: Scope) -> str:
    """Read the Host header; empty where there is none, or more than one."""
    hosts = [value for name, value in scope["headers"] if name == b"host"]
    return hosts[0].decode("latin-1") if len(hosts) == 1 else ""


def _is_loopback(text: str) -> bool:
    """Tell whether an address is this machine's own; what is no address is not known to be."""
    try:
        address = ip_address(text)
    except ValueError:
        return False
    if isinstance(address, IPv6Address):
        address = address.ipv4_mapped or address
    return address.is_loopback


def _json(status: int, value: dict[str, str]) -> Response:
    return Response(status, [(b"content-type", b"application/json")], json.dumps(value).encode())
