"""Start meiku and, beside it on an origin of their own, the pages that upload straight into it.

    python examples/direct-upload/start.py [--data DIR] [--host HOST] [--port 9000] [--page-port 8080]

Two processes and a clean end for both: this one serves the pages, its child is the service. What a visitor
may upload is decided in `application.py`, not here.
"""

import signal
import socket
import sys
import threading
from pathlib import Path
from typing import Annotated, NoReturn

import typer
import uvicorn

from application import create_application
from greeting import greet
from service import Service, ServiceDied, key_file, running
from storage import Storage, StorageRefused

BUCKET = "direct-upload"
LOOPBACK = ("127.0.0.1", "localhost")
EVERYWHERE = ("0.0.0.0", "::")
PAGES_STOP_WITHIN_S = 3


def start(
    data: Annotated[Path, typer.Option(help="Folder for everything that is kept. 数据目录。")] = Path(
        "meiku-data"
    ),
    host: Annotated[str, typer.Option(help="Address to listen on. 监听地址。")] = "127.0.0.1",
    port: Annotated[int, typer.Option(help="Port of the service. 服务端口。", min=1, max=65535)] = 9000,
    page_port: Annotated[int, typer.Option(help="Port of the pages. 页面端口。", min=1, max=65535)] = 8080,
) -> None:
    """Start the service and its upload pages. 启动服务和上传页面。"""
    _leave_on_signals()
    is_new = not key_file(data).exists()
    _listen(host, port, "--port").close()
    listening = _listen(host, page_port, "--page-port")
    try:
        name = _name(host)
        origin = f"http://{name}{'' if page_port == 80 else f':{page_port}'}"
        with running(data, host, port, origin) as service:
            service.wait_until_ready()
            storage = _prepare(service, name, port, origin)
            # Not where a log is kept of what is printed: who may read logs need not be who may read keys.
            shows_secret = is_new and sys.stdout.isatty()
            greet(storage, data, service.kept_in, origin, shows_secret=shows_secret)
            _serve(storage, origin, listening, service)
    except (ServiceDied, StorageRefused) as failure:
        _refuse(str(failure))


def _prepare(service: Service, name: str, port: int, origin: str) -> Storage:
    """Make the bucket and let the pages' origin, and no other, upload into it by script."""
    # Browsers resolve every name under localhost to this machine; other hosts have no name per bucket.
    public_url = (
        f"http://{BUCKET}.localhost:{port}/" if name == "localhost" else f"http://{name}:{port}/{BUCKET}"
    )
    storage = Storage(service.credentials(), service.endpoint, public_url, BUCKET)
    storage.make_bucket()
    storage.allow_origin(origin)
    return storage


def _serve(storage: Storage, origin: str, listening: socket.socket, service: Service) -> None:
    """Serve the pages until a signal comes or the service dies; raises `ServiceDied`."""
    server = uvicorn.Server(
        uvicorn.Config(
            create_application(storage, origin=origin),
            log_level="warning",
            access_log=False,
            timeout_graceful_shutdown=PAGES_STOP_WITHIN_S,
        )
    )

    def watch() -> None:
        service.process.wait()
        server.should_exit = True

    asked: list[int] = []

    def stop(number: int, _frame: object) -> None:
        asked.append(number)
        server.should_exit = True

    # uvicorn looks after the other two. An exception in the midst of an answer would end that answer only.
    if signal.getsignal(signal.SIGHUP) is _leave:
        signal.signal(signal.SIGHUP, stop)
    threading.Thread(target=watch, daemon=True).start()
    server.run(sockets=[listening])
    if asked:
        raise SystemExit(0)
    raise ServiceDied(f"meiku ended with code {service.process.wait()}; the pages cannot go on alone")


def _leave_on_signals() -> None:
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, _leave)
    # Under nohup a terminal that closes is meant to be ignored.
    if signal.getsignal(signal.SIGHUP) is not signal.SIG_IGN:
        signal.signal(signal.SIGHUP, _leave)


def _leave(_number: int, _frame: object) -> NoReturn:
    """Unwind through every `finally`; being asked to stop is no failure."""
    raise SystemExit(0)


def _listen(host: str, port: int, option: str) -> socket.socket:
    """Listen on a port, or say which one is taken and end."""
    listening = socket.socket(socket.AF_INET6 if ":" in host else socket.AF_INET)
    listening.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        listening.bind((host, port))
        listening.listen()
    except OSError as error:
        _refuse(f"cannot listen on {host}:{port} ({error.strerror}); choose another with {option}")
    return listening


def _name(host: str) -> str:
    """Name the host as browsers are to call it."""
    if host in LOOPBACK:
        return "localhost"
    if host in EVERYWHERE:
        return _own_address()
    return f"[{host}]" if ":" in host else host


def _own_address() -> str:
    """Find the address at which other machines reach this one; localhost when it has no network."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
        try:
            # Nothing is sent: connecting a datagram socket only chooses the address it would be sent from.
            probe.connect(("192.0.2.1", 9))
        except OSError:
            return "localhost"
        return str(probe.getsockname()[0])


def _refuse(sentence: str) -> NoReturn:
    sys.stderr.write(f"direct-upload: {sentence}\n")
    sys.exit(2)


if __name__ == "__main__":
    typer.run(start)
