"""Those who come without S3: a browser at the service's root, and whoever watches MinIO's health addresses.

Both are answered where S3 refuses them, and only there. So no request of an S3 client and no object
is ever taken for a visit: where there is a bucket called `minio`, its keys are keys. What must not live
here: anything of what is stored.
"""

import re
from collections.abc import Awaitable, Callable
from html import escape
from pathlib import Path

from meiku import errors
from meiku.wire.renderer import Headers, Response
from meiku.wire.request import Request
from meiku.wire.service import Readiness

# Source: https://github.com/minio/minio/blob/master/docs/metrics/healthcheck/README.md
_WATCHED: dict[str, Callable[[Readiness], bool] | None] = {
    "health/live": None,
    "health/ready": lambda ready: ready.can_write,
    "health/cluster": lambda ready: ready.can_write,
    "health/cluster/read": lambda ready: ready.can_read,
}
_WATCHED_BUCKET = "minio"
_PAGE = (Path(__file__).parent / "welcome.html").read_text(encoding="utf-8")
_PLACE = re.compile(r"\{\{(\w+)\}\}")
_LANGUAGE = re.compile(r"\b(zh|en)\b")
_POLICY = (
    b"default-src 'none'; style-src 'unsafe-inline'; img-src data:; base-uri 'none'; frame-ancestors 'none'"
)
_PAGES_TITLES = {"zh": "这台服务器的页面：", "en": "This server’s pages: "}


async def answer_visitor(
    request: Request,
    refusal: errors.S3Error,
    *,
    home_page: str | None,
    ask_ready: Callable[[], Awaitable[Readiness]],
) -> Response | None:
    """Return what somebody without S3 is told in place of a refusal, None where it is not one of them."""
    if request.method not in ("GET", "HEAD") or "authorization" in request.headers:
        return None
    if isinstance(refusal, errors.NoSuchBucket):
        return await _health(request, ask_ready)
    if isinstance(refusal, errors.AccessDenied) and request.level == "service" and not request.query_string:
        return _welcome(request, home_page)
    return None


async def _health(request: Request, ask_ready: Callable[[], Awaitable[Readiness]]) -> Response | None:
    """Say how the service fares, by the status alone, as MinIO does."""
    if request.host_style or request.bucket != _WATCHED_BUCKET or request.key not in _WATCHED:
        return None
    is_well = _WATCHED[request.key]
    status = 200 if is_well is None or is_well(await ask_ready()) else 503
    return Response(status, [(b"content-type", b"text/plain")], b"")


def _welcome(request: Request, home_page: str | None) -> Response | None:
    """Show a browser what this is; programs ask for no HTML."""
    if "text/html" not in request.headers.get("accept", ""):
        return None
    places = {
        "language": _language(request.headers.get("accept-language", "")),
        "endpoint": escape(f"{request.scheme}://{request.host}"),
        **{f"pages_{language}": _link(language, home_page) for language in _PAGES_TITLES},
    }
    headers: Headers = [
        (b"content-type", b"text/html; charset=utf-8"),
        (b"content-security-policy", _POLICY),
        (b"cache-control", b"no-cache"),
        (b"vary", b"Accept, Accept-Language"),
    ]
    return Response(200, headers, _PLACE.sub(lambda place: places[place[1]], _PAGE).encode())


def _language(accepted: str) -> str:
    """Return the first of the page's languages that a browser names, English where it names neither."""
    found = _LANGUAGE.search(accepted.lower())
    return found[1] if found else "en"


def _link(language: str, home_page: str | None) -> str:
    if home_page is None:
        return ""
    address = escape(home_page)
    return f'    <li>{_PAGES_TITLES[language]}<a href="{address}">{address}</a></li>\n'
