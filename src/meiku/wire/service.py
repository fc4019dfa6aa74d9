"""The addresses under `/-/`, which belong to no bucket: whether the service lives, serves, and how it fares.

No bucket's name may begin with a hyphen, so these can never hide one. The figures name no bucket and no key,
and still are not for everyone: with a token they are for whoever has it, without one for this machine alone.
"""

import hmac
import json
from collections.abc import Awaitable, Callable
from ipaddress import IPv6Address, ip_address

from meiku import __version__
from meiku.wire.renderer import Response
from meiku.wire.request import Scope

_EXPOSITION = b"text/plain; version=0.0.4; charset=utf-8"
# What a proxy on this machine adds: then the peer is the proxy, and the reader may be anybody.
_FORWARDED = {b"forwarded", b"via", b"x-forwarded-for", b"x-forwarded-host", b"x-real-ip"}


async def answer_service(
    scope: Scope, *, ready: bool, token: str | None, read_metrics: Callable[[], Awaitable[bytes]]
) -> Response:
    """Answer one of the service's own addresses; `token` is what the figures are guarded by, if by any."""
    path = scope["path"]
    if scope["method"] not in ("GET", "HEAD"):
        return _json(405, {"error": "only GET and HEAD are answered here"})
    if path == "/-/health":
        return _json(200, {"status": "alive", "version": __version__})
    if path == "/-/ready":
        return _json(200 if ready else 503, {"status": "ready" if ready else "starting"})
    if path == "/-/metrics":
        refused = _refuse_stranger(scope, token)
        return refused or Response(200, [(b"content-type", _EXPOSITION)], await read_metrics())
    return _json(404, {"error": "there is nothing at this address; /-/health, /-/ready, /-/metrics are"})


def _refuse_stranger(scope: Scope, token: str | None) -> Response | None:
    """Refuse whoever may not read the figures."""
    headers = dict(scope["headers"])
    if token is None:
        if _is_loopback(scope.get("client")) and _FORWARDED.isdisjoint(headers):
            return None
        return _json(403, {"error": "only this machine is answered here, or a bearer token where one is set"})
    if hmac.compare_digest(headers.get(b"authorization", b""), b"Bearer " + token.encode()):
        return None
    refused = _json(401, {"error": "a bearer token is needed here, from this machine too"})
    refused.headers.append((b"www-authenticate", b"Bearer"))
    return refused


def _is_loopback(client: tuple[str, int] | None) -> bool:
    """Tell whether a peer is this machine; one without an address is not known to be."""
    try:
        address = ip_address(client[0]) if client else None
    except ValueError:
        return False
    if isinstance(address, IPv6Address):
        address = address.ipv4_mapped or address
    return address is not None and address.is_loopback


def _json(status: int, value: dict[str, str]) -> Response:
    return Response(status, [(b"content-type", b"application/json")], json.dumps(value).encode())
