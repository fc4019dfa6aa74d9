"""What clients and the things between get wrong in both versions: the method, the type, the host."""

from collections.abc import Iterator, Sequence
from itertools import islice
from mimetypes import guess_type

from meiku.auth.cause import Cause
from meiku.auth.request import SignedRequest

_HOSTS_LIMIT = 16
_METHODS = ("PUT", "GET", "POST", "HEAD", "DELETE")
_USUAL_TYPES = (
    "application/octet-stream",
    "binary/octet-stream",
    "text/plain",
    "application/x-www-form-urlencoded",
    "application/x-www-form-urlencoded; charset=utf-8",
    "multipart/form-data",
)


def methods(sent: str) -> Iterator[tuple[Cause, str]]:
    """List the methods that may have been signed instead."""
    for method in _METHODS:
        if method != sent:
            yield (
                Cause(
                    f"The client signed the method {method}, but sent {sent}; a signature is good for one.",
                    f"签名时的方法是 {method}，发送时却是 {sent}；一个签名只对一种方法有效。",
                ),
                method,
            )


def content_types(request: SignedRequest) -> Iterator[tuple[Cause, str]]:
    """List the Content-Type that may have been signed instead."""
    sent = request.headers.get("content-type", "")
    plain = sent.partition(";")[0]
    guessed = guess_type(request.raw_path)[0] or ""
    charsets = (f"{plain}; charset=utf-8", f"{plain};charset=UTF-8") if plain else ()
    for value in dict.fromkeys(("", plain, *charsets, guessed, *_USUAL_TYPES)):
        if value != sent:
            yield _type_cause(sent, value), value


def methods_with_types(request: SignedRequest) -> Iterator[tuple[Cause, str, str]]:
    """List the method and the Content-Type that may both have been signed otherwise.

    Of types only none and the one that the key's name tells: whoever sends by another method than was signed
    sends a body, or none, against what was meant, and its library adds or leaves out the type.
    """
    likely = ("", guess_type(request.raw_path)[0])
    for of_type, value in content_types(request):
        if value in likely:
            for of_method, method in methods(request.method):
                both = Cause(
                    f"{of_method.english} {of_type.english}", f"{of_method.chinese}{of_type.chinese}"
                )
                yield both, method, value


def names_of_host(
    request: SignedRequest, known: Sequence[str], listening: Sequence[str] = ()
) -> Iterator[str]:
    """List the hosts that a client may have signed, when a proxy stands between.

    `listening` are this server's own names, each with its port: nginx passes on the name without its port
    (`$host`), or the upstream's instead (its default).
    """
    plain = _without_port(request.host)
    port = request.host[len(plain) :]
    forwarded = request.headers.get("x-forwarded-host", "").split(",")[0].strip()
    forwarded_port = request.headers.get("x-forwarded-port", "").strip()
    own_ports = dict.fromkeys(name[len(_without_port(name)) :] for name in listening)
    prefix = f"{request.bucket}." if request.bucket else ""
    local = (f"{prefix}localhost", "127.0.0.1")
    hosts = (
        forwarded,
        *(f"{name}:{forwarded_port}" for name in (forwarded, plain) if name and forwarded_port),
        *(_without_port(host) for host in known),
        *(f"{_without_port(host)}{port}" for host in known),
        *(f"{plain}{suffix}" for suffix in ("", *own_ports, ":80", ":443")),
        *(f"{prefix}{name}" for name in listening),
        *(f"{prefix}{_without_port(name)}" for name in listening),
        *(f"{host}{suffix}" for host in local for suffix in dict.fromkeys(("", port))),
    )
    for host in islice(dict.fromkeys(hosts), _HOSTS_LIMIT):
        if host and host != request.host:
            yield host


def _without_port(host: str) -> str:
    return host if host.endswith("]") else host.rpartition(":")[0] or host


def _type_cause(sent: str, signed: str) -> Cause:
    if not signed:
        return Cause(
            f"The request came with the Content-Type «{sent}», but none was signed: browsers and libraries "
            "add one of their own. Sign the type that will be sent.",
            f"请求带有 Content-Type «{sent}»，签名时却没有：浏览器和库会自行添加。请按实际发送的类型签名。",
        )
    if not sent:
        return Cause(
            f"The Content-Type «{signed}» was signed, but the request came without one; send it as signed.",
            f"签名时的 Content-Type 是 «{signed}»，请求却没有带；请按签名时的内容发送。",
        )
    return Cause(
        f"The Content-Type «{signed}» was signed, but the request came with «{sent}»; send it as signed.",
        f"签名时的 Content-Type 是 «{signed}»，请求带的却是 «{sent}»；请按签名时的内容发送。",
    )
