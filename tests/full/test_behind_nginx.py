"""What clients get through a real nginx: signatures hold where Host is passed on, else they are explained."""

import shutil
import subprocess
import time
from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path

import pytest

from plain_http import connect
from running_server import Server, free_port
from signed_request import sign

NGINX = shutil.which("nginx", path="/usr/sbin:/usr/local/sbin:/usr/bin:/usr/local/bin") or "nginx"
CONFIGURATION = """
daemon off; master_process off; pid {folder}/pid; error_log {folder}/error;
events {{}}
http {{
  access_log off;
  client_body_temp_path {folder}/body; proxy_temp_path {folder}/proxy; fastcgi_temp_path {folder}/fastcgi;
  uwsgi_temp_path {folder}/uwsgi; scgi_temp_path {folder}/scgi;
  server {{ listen 127.0.0.1:{port}; location / {{ proxy_pass http://127.0.0.1:{upstream}; {more} }} }}
}}
"""
Proxy = Callable[[str], int]


@pytest.fixture
def proxy(server: Server, tmp_path: Path) -> Iterator[Proxy]:
    """Start nginx before the server with these lines in its location; answers the port."""
    started: list[subprocess.Popen[bytes]] = []

    def start(more: str) -> int:
        port = free_port()
        text = CONFIGURATION.format(folder=tmp_path, port=port, upstream=server.port, more=more)
        (tmp_path / "nginx.conf").write_text(text)
        command = [NGINX, "-e", str(tmp_path / "error"), "-p", str(tmp_path)]
        started.append(subprocess.Popen([*command, "-c", str(tmp_path / "nginx.conf")]))
        _wait_for(port)
        return port

    yield start
    for process in started:
        process.terminate()
        process.wait(timeout=10)


def _wait_for(port: int) -> None:
    deadline = time.monotonic() + 10
    while True:
        try:
            with closing(connect(port)):
                return
        except OSError:
            assert time.monotonic() < deadline, "nginx did not start"
            time.sleep(0.05)


@pytest.mark.parametrize("way", ["v4-header", "v4-query", "v2-header", "v2-query"])
def test_host_passed_on_is_accepted(proxy: Proxy, bucket: str, way: str) -> None:
    """`proxy_set_header Host $http_host` is all that signatures need."""
    port = proxy("proxy_set_header Host $http_host;")
    signed = sign(way, "PUT", f"http://127.0.0.1:{port}/{bucket}/a%20b+c.png", body=b"x")
    assert signed.send(port).status == 200


@pytest.mark.parametrize("way", ["v4-header", "v4-query"])
@pytest.mark.parametrize("more", ["", "proxy_set_header Host $host;", "proxy_set_header Host $proxy_host;"])
def test_a_host_that_nginx_rewrote_is_suspected_first(proxy: Proxy, bucket: str, way: str, more: str) -> None:
    """nginx says nothing of itself: its default, and a port that it drops, are told from a wrong key."""
    port = proxy(more)
    answer = sign(way, "GET", f"http://127.0.0.1:{port}/{bucket}/k").send(port)
    assert (answer.status, answer.code) == (403, "SignatureDoesNotMatch")
    told = answer.element("LikelyCause")
    assert told.index("Host first") < told.index("secret key")
    assert "let it pass Host on unchanged" in told
    assert "请让代理原样转发 Host" in told


@pytest.mark.parametrize("name", ["localhost", "127.0.0.1"])
def test_a_name_of_our_own_that_nginx_replaced_is_proved(
    proxy: Proxy, server: Server, bucket: str, name: str
) -> None:
    """Where the client signed a name that this server listens on, the proof is told and no guess."""
    port = proxy("proxy_set_header Host backend;")
    answer = sign("v4-query", "GET", f"http://{name}:{server.port}/{bucket}/k").send(port)
    assert f"signed the host «{name}:{server.port}»" in answer.element("LikelyCause")
