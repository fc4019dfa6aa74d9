"""`meiku serve`: what may be typed, turned into settings for the process that serves (`meiku.start`)."""

from pathlib import Path
from typing import Annotated

import typer

from meiku.cli.store import DataFolder
from meiku.config import Settings
from meiku.start import become

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
        Many,
        typer.Option(
            help="A host that clients sign for, behind a proxy. 经代理访问时，客户端签名用的域名；可重复。"
        ),
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
    become(settings)
