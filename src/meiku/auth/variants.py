"""What clients and the things between get wrong in both versions: the method, the type, the host."""

from collections.abc import Iterator, Sequence
from mimetypes import guess_type

from meiku.auth.request import SignedRequest

_METHODS = ("PUT", "GET", "POST", "HEAD", "DELETE")
_USUAL_TYPES = (
    "application/octet-stream",
    "binary/octet-stream",
    "text/plain",
    "application/x-www-form-urlencoded",
    "application/x-www-form-urlencoded; charset=utf-8",
    "multipart/form-data",
)


def methods(sent: str) -> Iterator[tuple[str, str]]:
    """List the methods that may have been signed instead."""
    for method in _METHODS:
        if method != sent:
            yield (
                f"The client signed the method {method}, but sent {sent}; a signature is good for one.",
                method,
            )


def content_types(request: SignedRequest) -> Iterator[tuple[str, str]]:
    """List the Content-Type that may have been signed instead."""
    sent = request.headers.get("content-type", "")
    plain = sent.partition(";")[0]
    guessed = guess_type(request.raw_path)[0] or ""
    charsets = (f"{plain}; charset=utf-8", f"{plain};charset=UTF-8") if plain else ()
    for value in dict.fromkeys(("", plain, *charsets, guessed, *_USUAL_TYPES)):
        if value != sent:
            yield _type_cause(sent, value), value


def names_of_host(request: SignedRequest, known: Sequence[str]) -> Iterator[str]:
    """List the hosts that a client may have signed, when a proxy stands between."""
    plain = _without_port(request.host)
    port = request.host[len(plain) :]
    forwarded = request.headers.get("x-forwarded-host", "").split(",")[0].strip()
    prefix = f"{request.bucket}." if request.bucket else ""
    local = (f"{prefix}localhost", "127.0.0.1")
    hosts = (
        forwarded,
        *(_without_port(host) for host in known),
        *(f"{_without_port(host)}{port}" for host in known),
        *(f"{plain}{suffix}" for suffix in (":80", ":443")),
        *(f"{host}{suffix}" for host in local for suffix in dict.fromkeys(("", port))),
    )
    for host in dict.fromkeys(hosts):
        if host and host != request.host:
            yield host


def _without_port(host: str) -> str:
    return host if host.endswith("]") else host.rpartition(":")[0] or host


def _type_cause(sent: str, signed: str) -> str:
    if not signed:
        return (
            f"The request came with the Content-Type «{sent}», but none was signed: browsers and libraries "
            "add one of their own. Sign the type that will be sent."
        )
    if not sent:
        return f"The Content-Type «{signed}» was signed, but the request came without one; send it as signed."
    return f"The Content-Type «{signed}» was signed, but the request came with «{sent}»; send it as signed."
