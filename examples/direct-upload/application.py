"""The application server: it decides what a visitor may upload, signs exactly that, and sees no file.

Three ways to say yes (a V2 form, a V4 form, a presigned PUT), the pages that use them, and a list of what has
arrived. The secret key stays in this process; a page only ever gets signatures. Your own server would ask who
is calling before it signs: here everyone may. Links to look at things are signed in `links.py`.
"""

import hashlib
import hmac
import mimetypes
import secrets
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Annotated
from urllib.parse import urlsplit

from fastapi import APIRouter, FastAPI, HTTPException, Request, Response
from fastapi.responses import HTMLResponse, JSONResponse
from fastapi.staticfiles import StaticFiles
from pydantic import BaseModel, Field

from gallery import GROUPS
from links import RECIPE_LIMIT, Links, links_router
from meiku.signing import Form, Policy, post_form_v2, post_form_v4, presign_v4
from page import done_places, form_places, gallery_places, language_of, remember_language, render
from samples import Samples
from storage import Storage, StorageRefused

GB = 10**9
PAGES = Path(__file__).parent / "pages"
LISTED_AT_MOST = 24


@dataclass(frozen=True, slots=True)
class Rules:
    """What visitors may upload; change these and the signatures change with them."""

    prefix: str = "uploads/"
    size_limit_bytes: int = GB
    signature_expires_s: int = 600
    form_expires_s: int = 3600
    shown_types: tuple[str, ...] = ("image/", "video/", "audio/", "text/plain", "application/pdf")

    def new_folder(self) -> str:
        """Invent a folder of its own for one upload, so that equal names do not overwrite each other."""
        return f"{self.prefix}{secrets.token_hex(4)}/"

    def key(self, folder: str, filename: str) -> str:
        """Choose the key of one upload: of the visitor's path, the last folders and the name survive."""
        printable = "".join(character for character in filename if character.isprintable())
        parts = [part for part in printable.replace("\\", "/").split("/") if part not in ("", ".", "..")]
        return folder + ("/".join(parts[-8:])[-240:].lstrip("/") or "file")

    def content_type(self, claimed: str) -> str:
        """Choose the type an object is stored with: the claimed one where browsers may show it."""
        return claimed if claimed.startswith(self.shown_types) else "application/octet-stream"


class Announced(BaseModel):
    """What a page says about the file that it wants to upload."""

    filename: Annotated[str, Field(min_length=1, max_length=1024)]
    batch: Annotated[str, Field(pattern=r"^([0-9a-f]{32})?$")] = ""
    content_type: Annotated[str, Field(max_length=200, pattern=r"^[\x20-\x7e]*$")] = ""
    size_bytes: Annotated[int, Field(ge=0)]


class SignedForm(BaseModel):
    """A form's address, and the fields that come before the file."""

    action: str
    fields: dict[str, str]


class SignedPut(BaseModel):
    """A URL for one PUT, and the headers that must go with it."""

    key: str
    url: str
    headers: dict[str, str]


class Upload(BaseModel):
    """One object of the list; `url` shows it, for a quarter of an hour, straight from the storage."""

    key: str
    size_bytes: int
    modified_at: datetime
    content_type: str
    url: str


@dataclass(frozen=True, slots=True)
class Signer:
    """Signs what the rules allow, and nothing else."""

    storage: Storage
    rules: Rules
    origin: str

    def form_v2(self) -> Form:
        """Sign a plain form: whatever the file is called, it lands in this form's own folder."""
        folder = self.rules.new_folder()
        policy = (
            Policy(expires_in_s=self.rules.form_expires_s)
            .bucket(self.storage.bucket)
            .starts_with("key", folder)
            .content_length(1, self.rules.size_limit_bytes)
            .eq("success_action_redirect", f"{self.origin}/done")
        )
        form = post_form_v2(self.storage.credentials, policy, action=self.storage.public_url)
        return Form(form.action, {"key": f"{folder}${{filename}}", **form.fields})

    def key(self, file: Announced) -> str:
        """Choose where a file is stored: what was chosen together goes into one folder.

        The page names its batch by a number that only it knows. Whoever sees the folder can't tell the number
        from it, and so cannot have another upload signed for the same folder.
        """
        if not file.batch:
            return self.rules.key(self.rules.new_folder(), file.filename)
        secret = self.storage.credentials.secret_key.encode()
        folder = hmac.new(secret, file.batch.encode(), hashlib.sha256).hexdigest()[:8]
        return self.rules.key(f"{self.rules.prefix}{folder}/", file.filename)

    def form_v4(self, file: Announced) -> Form:
        """Sign a form for one file: exactly this key, this type, this size."""
        policy = (
            Policy(expires_in_s=self.rules.signature_expires_s)
            .bucket(self.storage.bucket)
            .key(self.key(file))
            .eq("Content-Type", self.rules.content_type(file.content_type))
            .eq("success_action_status", "201")
            .content_length(file.size_bytes, file.size_bytes)
        )
        return post_form_v4(self.storage.credentials, policy, action=self.storage.public_url)

    def put(self, file: Announced) -> SignedPut:
        """Sign a URL for one file; the size is signed too, and browsers send it by themselves."""
        key = self.key(file)
        headers = {"Content-Type": self.rules.content_type(file.content_type)}
        url = presign_v4(
            self.storage.credentials,
            "PUT",
            self.storage.public_address(key),
            expires_in_s=self.rules.signature_expires_s,
            headers={**headers, "Content-Length": str(file.size_bytes)},
        )
        return SignedPut(key=key, url=url, headers=headers)


def create_application(storage: Storage, *, origin: str, rules: Rules | None = None) -> FastAPI:
    """Build the application; `origin` is where its pages are opened, such as http://localhost:8080."""
    signer = Signer(storage, rules or Rules(), origin)
    application = FastAPI(title="meiku direct upload", docs_url=None, redoc_url=None, openapi_url=None)
    application.include_router(_signatures(signer))
    application.include_router(_uploads(signer))
    application.include_router(links_router(Links(storage, Samples(storage), signer.rules.prefix)))
    application.include_router(_pages(signer))
    application.mount("/assets", StaticFiles(directory=PAGES))
    application.exception_handler(404)(_apology(signer, "missing", 404, "没有页面 · Nothing here"))
    for storage_is_away in (StorageRefused, OSError):
        away = _apology(signer, "away", 502, "没有响应 · No answer")
        application.exception_handler(storage_is_away)(away)
    application.middleware("http")(_guard(signer))
    return application


def _signatures(signer: Signer) -> APIRouter:
    router = APIRouter(prefix="/sign")

    @router.post("/form-v2")
    def sign_form_v2() -> SignedForm:
        form = signer.form_v2()
        return SignedForm(action=form.action, fields=form.fields)

    @router.post("/form-v4")
    def sign_form_v4(file: Announced) -> SignedForm:
        _check_size(file, signer.rules)
        form = signer.form_v4(file)
        return SignedForm(action=form.action, fields=form.fields)

    @router.post("/put")
    def sign_put(file: Announced) -> SignedPut:
        _check_size(file, signer.rules)
        return signer.put(file)

    return router


def _check_size(file: Announced, rules: Rules) -> None:
    """Refuse with 413 what no signature would let through."""
    if file.size_bytes > rules.size_limit_bytes:
        raise HTTPException(413, f"{file.size_bytes} bytes; at most {rules.size_limit_bytes} are signed for")


def _uploads(signer: Signer) -> APIRouter:
    router = APIRouter()
    storage = signer.storage

    @router.get("/uploads")
    def list_uploads() -> list[Upload]:
        newest = sorted(
            storage.stored(signer.rules.prefix), key=lambda found: found.modified_at, reverse=True
        )
        return [
            Upload(
                key=found.key,
                size_bytes=found.size_bytes,
                modified_at=found.modified_at,
                content_type=mimetypes.guess_type(found.key)[0] or "",
                url=storage.view_url(found.key),
            )
            for found in newest[:LISTED_AT_MOST]
        ]

    return router


def _pages(signer: Signer) -> APIRouter:
    router = APIRouter(default_response_class=HTMLResponse)
    places = {"origin": signer.origin, "limit": f"{signer.rules.size_limit_bytes / GB:g} GB"}

    @router.get("/")
    def start(request: Request) -> str:
        return render("start", "网页直传 · Direct upload", language_of(request), places)

    @router.get("/form")
    def plain_form(request: Request) -> str:
        expires_at = datetime.now(UTC) + timedelta(seconds=signer.rules.form_expires_s)
        own = form_places(signer.form_v2(), expires_at)
        return render("form", "普通表单 · Plain form", language_of(request), {**places, **own})

    @router.get("/post")
    def scripted_post(request: Request) -> str:
        return render("post", "脚本上传 · Script upload", language_of(request), places)

    @router.get("/put")
    def presigned_put(request: Request) -> str:
        return render("put", "预签名 PUT · Presigned PUT", language_of(request), places)

    @router.get("/pictures")
    def pictures(request: Request) -> str:
        own = gallery_places(GROUPS, RECIPE_LIMIT)
        return render("pictures", "图片处理 · Pictures by URL", language_of(request), {**places, **own})

    @router.get("/done")
    def done(request: Request, response: Response, key: str = "", bucket: str = "", etag: str = "") -> str:
        # Anyone can write this address by hand, so the storage is asked whether it is true.
        ours = bucket == signer.storage.bucket and key.startswith(signer.rules.prefix)
        found = signer.storage.find(key) if ours else None
        response.status_code = 200 if found else 404
        own = done_places(bucket, key, etag, found, signer.storage.public_address(key))
        return render("done", "已上传 · Uploaded", language_of(request), {**places, **own})

    return router


def _apology(
    signer: Signer, name: str, status: int, title: str
) -> Callable[[Request, Exception], Awaitable[Response]]:
    """Answer what cannot be done: with a page for who asks for one, else with the reason in JSON."""
    places = {"origin": signer.origin, "limit": "", "status": str(status)}

    async def apologize(request: Request, error: Exception) -> Response:
        if "text/html" not in request.headers.get("accept", ""):
            return JSONResponse({"detail": getattr(error, "detail", str(error))}, status)
        return HTMLResponse(render(name, title, language_of(request), places), status)

    return apologize


def _guard(
    signer: Signer,
) -> Callable[[Request, Callable[[Request], Awaitable[Response]]], Awaitable[Response]]:
    """Tell browsers whom these pages speak with: this server and the storage, nobody else."""
    parts = urlsplit(signer.storage.public_url)
    storage = f"{parts.scheme}://{parts.netloc}"
    policy = (
        f"default-src 'self'; img-src 'self' data: blob: {storage}; media-src 'self' {storage}; "
        f"connect-src 'self' {storage}; form-action 'self' {storage} {signer.origin}; "
        "base-uri 'none'; frame-ancestors 'none'"
    )

    async def guard(request: Request, answer: Callable[[Request], Awaitable[Response]]) -> Response:
        response = await answer(request)
        response.headers["Content-Security-Policy"] = policy
        response.headers["X-Content-Type-Options"] = "nosniff"
        # A signature is for this visitor and for now; what is edited shows at the next reload.
        response.headers.setdefault("Cache-Control", "no-cache")
        remember_language(request, response)
        return response

    return guard
