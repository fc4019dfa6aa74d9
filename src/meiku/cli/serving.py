"""`meiku serve`: start the service and say what to do next."""

import asyncio
import sys
import time
from pathlib import Path
from typing import Annotated, cast

import typer
from rich.text import Text
from uvicorn._types import ASGI3Application

from meiku import observe
from meiku.app import Application, open_meta
from meiku.cli.output import console
from meiku.cli.store import DataFolder
from meiku.config import Settings
from meiku.ops.accounts import KeyPair, ensure_root
from meiku.root_key import FILE_NAME, root_key_pair
from meiku.serve import Address, serve

Many = list[str] | None


def serve_command(
    data: DataFolder = None,
    host: Annotated[str | None, typer.Option(help="Address to listen on. 监听地址。")] = None,
    port: Annotated[int | None, typer.Option(help="Port; 0 chooses one. 监听端口。")] = None,
    workers: Annotated[int | None, typer.Option(help="Worker processes. 工作进程数。")] = None,
    domain: Annotated[
        Many, typer.Option(help="A domain in front of which bucket names stand. 桶域名的后缀，可重复。")
    ] = None,
    public_host: Annotated[
        Many, typer.Option(help="A host that clients sign for, behind a proxy. 代理之前的域名，可重复。")
    ] = None,
    tls_certificate: Annotated[Path | None, typer.Option(help="PEM certificate chain. 证书文件。")] = None,
    tls_key: Annotated[Path | None, typer.Option(help="PEM private key. 私钥文件。")] = None,
    log_requests: Annotated[bool, typer.Option(help="Log every request. 记录每个请求。")] = False,
) -> None:
    """Start the service; with nothing said it is safe: loopback only, random keys. 启动服务。

    Every setting is also an environment variable, MEIKU_<NAME>; MEIKU_ACCESS_KEY and MEIKU_SECRET_KEY fix the
    root key pair. docs/settings.md lists them all.
    """
    settings = Settings.from_environment(
        {
            "data_folder": data,
            "host": host,
            "port": port,
            "workers": workers,
            "domains": tuple(domain) if domain else None,
            "public_hosts": tuple(public_host) if public_host else None,
            "tls_certificate": tls_certificate,
            "tls_key": tls_key,
            "log_requests": log_requests or None,
        }
    )
    observe.write_log_to(sys.stderr)
    settings.data_folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    is_new = not (settings.data_folder / FILE_NAME).exists()
    pair, kept_in = root_key_pair(settings.data_folder)
    asyncio.run(_prepare(settings, pair))
    sys.exit(
        serve(
            settings,
            lambda: cast(ASGI3Application, Application(settings)),
            lambda address: _greet(address, settings, pair, kept_in, is_new),
        )
    )


async def _prepare(settings: Settings, pair: KeyPair) -> None:
    """Bring the database up to date and make the root user, before there are workers to race for it."""
    async with open_meta(settings) as meta:
        await ensure_root(meta, pair, int(time.time() * 1000))


def _greet(address: Address, settings: Settings, pair: KeyPair, kept_in: Path | None, is_new: bool) -> None:
    secret = f"kept in {kept_in}" if kept_in else "as MEIKU_SECRET_KEY says"
    lines = [
        ("媒库 meiku", "is ready 已就绪"),
        ("endpoint", address.url),
        ("access key", pair.access_key),
        ("secret key", pair.secret_key if is_new and kept_in else secret),
        ("data", str(settings.data_folder.resolve())),
        ("", ""),
        ("try", f"aws --endpoint-url {address.url} s3 mb s3://demo"),
        ("stop", "Ctrl-C: running transfers finish first"),
    ]
    text = Text()
    for label, value in lines:
        text.append(f"  {label:<12}", style="bold" if label else "").append(f"{value}\n")
    console().print(text)
