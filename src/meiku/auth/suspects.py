"""What to look at where no trial explains a refused signature: the facts that were signed, in order.

Nothing is tried here, and no value is told that could be somebody's secret.
"""

from collections.abc import Iterator, Sequence

from meiku.auth.cause import Cause
from meiku.auth.reading import ReadingV2, ReadingV4
from meiku.auth.request import SignedRequest

_PROXY_MARKS = ("x-forwarded-for", "x-forwarded-proto", "x-forwarded-host", "x-real-ip", "forwarded", "via")
# Headers that clients, browsers and proxies change without being asked, as they are written.
_OFTEN_CHANGED = {
    "content-length": "Content-Length",
    "content-type": "Content-Type",
    "content-md5": "Content-MD5",
}
_ABOUT_THE_PROOF = frozenset({"x-amz-date", "x-amz-content-sha256", "x-amz-security-token"})
_LOCAL = ("localhost", "127.0.0.1", "[::1]")
_UNUSUAL = Cause("None of the usual mistakes explains it.", "不属于常见错误。")
_NAMED_LIMIT = 5
_SHOWN_CHARACTERS = 200


def suspects_v4(request: SignedRequest, reading: ReadingV4, access_key: str) -> Cause:
    """Name what may differ from what was signed: a header that is missing, else the host and all others."""
    signed = [name for name in reading.signed_headers if name != "host"]
    if lost := ", ".join(name for name in signed if name not in reading.headers):
        return Cause(
            f"The client signed the header {lost}, which did not arrive here; send it as signed.",
            f"客户端签名时包含请求头 {lost}，但服务器没有收到；请按签名时的内容发送。",
        )
    rest = _path(reading.path), *_headers(signed, reading), _key(access_key)
    return _joined(_host(request), rest)


def suspects_v2(reading: ReadingV2, access_key: str) -> Cause:
    """Name what may differ from what was signed; V2 signs no host."""
    signed = [name for name, value in reading.headers.items() if value]
    return _joined(_UNUSUAL, (_path(reading.resource), *_headers(signed, reading), _key(access_key)))


def suspect_key(access_key: str) -> Cause:
    """Name the secret key, where nothing else was signed but what was sent."""
    return _joined(_UNUSUAL, (_key(access_key),))


def _host(request: SignedRequest) -> Cause:
    plain = request.host.rpartition(":")[0] or request.host
    if plain in _LOCAL and any(mark in request.headers for mark in _PROXY_MARKS):
        return Cause(
            f"A proxy probably rewrote the Host header to «{request.host}»: let it pass Host on unchanged, "
            "or name the public host in the settings.",
            f"代理很可能把 Host 改写成了 «{request.host}»：请让代理原样转发 Host，或在设置中写明对外主机名。",
        )
    return Cause(
        f"None of the usual mistakes explains it. Look at the Host first: the request arrived for "
        f"«{request.host}»; if another was signed, a proxy rewrote it (let it pass Host on unchanged, or "
        "name the public host in the settings).",
        f"不属于常见错误。首先检查 Host：请求到达时的主机是 «{request.host}»；若签名时不是它，说明代理改写了 "
        "Host（请让代理原样转发 Host，或在设置中写明对外主机名）。",
    )


def _path(path: str) -> Cause:
    shown = _shown(path)
    return Cause(f"the path that was signed is not «{shown}»", f"签名时的路径不是 «{shown}»")


def _headers(signed: Sequence[str], reading: ReadingV2 | ReadingV4) -> Iterator[Cause]:
    for name, written in _OFTEN_CHANGED.items():
        if name in signed:
            value = _shown(reading.headers[name])
            yield Cause(
                f"the {written} that was signed is not «{value}»", f"签名时的 {written} 不是 «{value}»"
            )
    others = [name for name in signed if name not in _OFTEN_CHANGED and name not in _ABOUT_THE_PROOF]
    if others:
        named = ", ".join(others[:_NAMED_LIMIT])
        yield Cause(f"another value was signed for {named}", f"签名时 {named} 的值不同")


def _key(access_key: str) -> Cause:
    shown = _shown(access_key)
    return Cause(
        f"the secret key is probably not the one that belongs to {shown}",
        f"SK 很可能不是 {shown} 对应的那一个",
    )


def _joined(first: Cause, rest: Sequence[Cause]) -> Cause:
    english = ", or ".join(cause.english for cause in rest)
    chinese = "；或者".join(cause.chinese for cause in rest)
    return Cause(f"{first.english} Otherwise {english}.", f"{first.chinese}否则，{chinese}。")


def _shown(text: str) -> str:
    return text if len(text) <= _SHOWN_CHARACTERS else text[:_SHOWN_CHARACTERS] + "…"
