"""`meiku serve` as an operator meets it: first run and later ones, refusals, stopping, TLS and host names."""

import http.client
import json
import os
import re
import socket
import ssl
import stat
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest
from botocore.exceptions import ClientError

from meiku import __version__
from meiku.signing import presign_v4
from signed_http import ACCESS, SignedHttp

Start = Callable[..., Any]
NO_PAIR = {"MEIKU_ACCESS_KEY": "", "MEIKU_SECRET_KEY": ""}


def mode_of(path: Path) -> int:
    return stat.S_IMODE(path.stat().st_mode)


def test_the_first_run_makes_a_pair_that_later_runs_keep(own_server: Start) -> None:
    """Random keys for the owner's eyes only, in a file that is named; a second run changes nothing."""
    server = own_server("--workers", "1", **NO_PAIR)
    kept = server.data / "root-key.json"
    pair = json.loads(kept.read_text())
    assert (mode_of(kept), mode_of(server.data)) == (0o600, 0o700)
    assert {mode_of(path) for path in server.data.iterdir() if path.is_file()} == {0o600}
    client = (pair["access_key"], pair["secret_key"])
    assert server.client(*client).list_buckets()["Buckets"] == []
    assert server.stop() == 0
    first_said = server.read_log()
    assert pair["access_key"] in first_said and server.url in first_said
    assert pair["secret_key"] not in first_said and str(kept) in first_said, "it is a log that this goes into"
    server.start()
    assert json.loads(kept.read_text()) == pair
    assert server.client(*client).list_buckets()["Buckets"] == []
    assert server.stop() == 0
    said_again = server.read_log().removeprefix(first_said)
    assert str(kept) in said_again and pair["secret_key"] not in said_again


def test_a_pair_from_the_environment_is_written_to_no_key_file(own_server: Start) -> None:
    """MEIKU_ACCESS_KEY and MEIKU_SECRET_KEY are the root pair, never printed, and no key file is made."""
    server = own_server("--workers", "1", MEIKU_ACCESS_KEY="AKfixed", MEIKU_SECRET_KEY="SKfixed-and-long")
    assert server.client("AKfixed", "SKfixed-and-long").list_buckets()["Buckets"] == []
    assert not (server.data / "root-key.json").exists()
    assert server.stop() == 0
    assert "AKfixed" in server.read_log() and "SKfixed-and-long" not in server.read_log()


def test_a_changed_secret_in_the_environment_replaces_the_old(own_server: Start) -> None:
    """After a restart with another secret the former one is refused."""
    server = own_server("--workers", "1")
    server.stop()
    server.environment["MEIKU_SECRET_KEY"] = "another-secret-of-root"
    server.start()
    assert server.client("testak", "another-secret-of-root").list_buckets()["Buckets"] == []
    with pytest.raises(ClientError, match="SignatureDoesNotMatch"):
        server.client().list_buckets()


def run_serve(data: Path, *arguments: str, **environment: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "meiku", "serve", "--data", str(data), *arguments]
    inherited = {name: value for name, value in os.environ.items() if not name.startswith("MEIKU_")}
    return subprocess.run(command, capture_output=True, text=True, timeout=60, env=inherited | environment)


def test_a_taken_port_is_one_line_and_exit_code_2(tmp_path: Path) -> None:
    """Where somebody listens already, the sentence says so and names the address."""
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = str(taken.getsockname()[1])
        done = run_serve(tmp_path / "data", "--port", port)
    assert done.returncode == 2
    said = f"meiku: cannot listen on 127.0.0.1:{port}: Address already in use; --port chooses another port\n"
    assert done.stderr == said


@pytest.mark.parametrize(
    ("arguments", "environment", "words"),
    [
        (["--port", "99999"], {}, "port is 99999: expected 0 to 65535"),
        (["--tls-key", "k.pem"], {}, "tls_certificate"),
        ([], {"MEIKU_ACCESS_KEY": "AKalone"}, "both MEIKU_ACCESS_KEY and MEIKU_SECRET_KEY"),
        ([], {"MEIKU_ACCESS_KEY": "AK1", "MEIKU_SECRET_KEY": "with space"}, "without spaces"),
        ([], {"MEIKU_BLOB_GRACE_S": "soon"}, "MEIKU_BLOB_GRACE_S is 'soon': expected a number"),
    ],
)
def test_a_wrong_setting_is_one_sentence(
    tmp_path: Path, arguments: list[str], environment: dict[str, str], words: str
) -> None:
    """What cannot be is refused before anything listens, with the setting's name and what is expected."""
    done = run_serve(tmp_path / "data", *arguments, **environment)
    assert done.returncode == 1
    assert done.stderr.startswith("meiku: ") and done.stderr.count("\n") == 1 and words in done.stderr


def test_a_broken_key_file_is_named_and_left_alone(tmp_path: Path) -> None:
    """A key file that cannot be read is never overwritten: it may be all there is."""
    kept = tmp_path / "root-key.json"
    kept.write_text("{half")
    done = run_serve(tmp_path, "--port", "0")
    assert done.returncode == 1 and str(kept) in done.stderr and done.stderr.count("\n") == 1
    assert kept.read_text() == "{half"


def test_as_many_workers_answer_as_were_asked_for(own_server: Start) -> None:
    """--workers 3 is three answering processes under one parent."""
    server = own_server("--workers", "3")
    seen = set()
    for _ in range(500):
        http = SignedHttp(server.url)
        seen.add(http.send("GET", "").headers["x-amz-request-id"].split("-")[2])
        http.close()
    assert len(seen) == 3


def slow_request(server: Any, head: bytes) -> socket.socket:
    """Connect, send the head of a request, and leave the rest for later."""
    client = socket.create_connection(("127.0.0.1", server.port), timeout=30)
    client.sendall(head)
    return client


def head_of(method: str, server: Any, path: str, length: int | None = None) -> bytes:
    target = urlsplit(presign_v4(ACCESS, method, f"{server.url}/{path}"))
    lines = [f"{method} {target.path}?{target.query} HTTP/1.1", f"Host: {target.netloc}"]
    lines += [] if length is None else [f"Content-Length: {length}"]
    return "\r\n".join([*lines, "", ""]).encode()


def test_a_stop_lets_running_transfers_finish(own_server: Start) -> None:
    """A download that is being read and an upload that is being sent end whole after SIGTERM."""
    server = own_server("--workers", "1")
    http = SignedHttp(server.url)
    data = os.urandom(1 << 20) * 24
    assert http.send("PUT", "slow").status == 200
    assert http.send("PUT", "slow/down", data).status == 200
    http.close()
    download = slow_request(server, head_of("GET", server, "slow/down"))
    answer = http_answer(download)
    first = answer.read(1000)
    upload = slow_request(server, head_of("PUT", server, "slow/up", len(data)) + data[:500_000])
    time.sleep(0.2)
    stopping = threading.Thread(target=server.stop)
    stopping.start()
    wait_until_refused(server.port)
    upload.sendall(data[500_000:])
    assert http_answer(upload).status == 200
    assert first + answer.read() == data
    stopping.join()
    assert server.process.returncode == 0
    server.start()
    assert SignedHttp(server.url).send("GET", "slow/up").body == data


def http_answer(connection: socket.socket) -> http.client.HTTPResponse:
    answer = http.client.HTTPResponse(connection)
    answer.begin()
    return answer


def wait_until_refused(port: int) -> None:
    """Wait until nobody listens any more."""
    for _ in range(200):
        try:
            socket.create_connection(("127.0.0.1", port), timeout=5).close()
        except ConnectionError:
            return
        time.sleep(0.02)
    raise AssertionError("new connections are still accepted")


@pytest.fixture
def certificate(tmp_path: Path) -> tuple[Path, Path]:
    """A self-signed certificate of localhost and its key."""
    pem, key = tmp_path / "cert.pem", tmp_path / "key.pem"
    names = ["-subj", "/CN=localhost", "-addext", "subjectAltName=DNS:localhost,IP:127.0.0.1"]
    made = ["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2", *names]
    subprocess.run([*made, "-keyout", str(key), "-out", str(pem)], check=True, capture_output=True)
    return pem, key


def test_tls_with_a_certificate_of_ones_own(tmp_path: Path, certificate: tuple[Path, Path]) -> None:
    """With certificate and key the same service speaks HTTPS, and says so in its greeting."""
    pem, key = certificate
    command = [sys.executable, "-m", "meiku", "serve", "--data", str(tmp_path / "data"), "--port", "0"]
    secure = ["--tls-certificate", str(pem), "--tls-key", str(key), "--workers", "1"]
    pair = {"MEIKU_ACCESS_KEY": ACCESS.access_key, "MEIKU_SECRET_KEY": ACCESS.secret_key}
    process = subprocess.Popen(
        [*command, *secure], stdout=subprocess.PIPE, text=True, env=os.environ | pair | {"COLUMNS": "200"}
    )
    try:
        assert process.stdout is not None
        greeting = next(line for line in process.stdout if "endpoint" in line)
        url = greeting.split()[-1]
        assert url.startswith("https://127.0.0.1:")
        connection = http.client.HTTPSConnection(
            urlsplit(url).netloc, context=ssl.create_default_context(cafile=str(pem)), timeout=30
        )
        connection.request("PUT", presign_v4(ACCESS, "PUT", f"{url}/secure").removeprefix(url))
        assert connection.getresponse().read() == b""
        connection.request("GET", presign_v4(ACCESS, "GET", f"{url}/").removeprefix(url))
        assert b"<Name>secure</Name>" in connection.getresponse().read()
    finally:
        process.terminate()
        # Less than the grace for transfers: a client that is idle and says no goodbye is not waited for.
        assert process.wait(timeout=15) == 0


def test_a_certificate_that_does_not_fit_is_one_line(tmp_path: Path, certificate: tuple[Path, Path]) -> None:
    """A key that is no key is refused at once, with both file names."""
    pem, _ = certificate
    done = run_serve(tmp_path / "data", "--tls-certificate", str(pem), "--tls-key", str(pem), "--port", "0")
    assert done.returncode == 2 and done.stderr.count("\n") == 1 and str(pem) in done.stderr


def test_buckets_stand_in_front_of_domains(own_server: Start) -> None:
    """bucket.localhost always, and bucket.<domain> for every --domain, are the bucket; others are not."""
    server = own_server("--workers", "1", "--domain", "media.example", "--domain", "s3.example")
    SignedHttp(server.url).send("PUT", "hosted")
    for host in ("hosted.localhost", "hosted.media.example", "hosted.s3.example"):
        address = f"http://{host}:{server.port}"
        put = through_host(server.port, "PUT", f"{address}/key", host.encode())
        assert put.status == 200
        assert SignedHttp(server.url).send("GET", "hosted/key").body == host.encode()
        assert through_host(server.port, "GET", f"{address}/key").read() == host.encode()
    elsewhere = through_host(server.port, "GET", f"http://hosted.other.example:{server.port}/key")
    assert b"<BucketName>key</BucketName>" in elsewhere.read() or elsewhere.status in (403, 404)


def through_host(port: int, method: str, url: str, body: bytes = b"") -> http.client.HTTPResponse:
    """Send a presigned request to this machine under another name."""
    signed = urlsplit(presign_v4(ACCESS, method, url))
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=30)
    connection.request(method, f"{signed.path}?{signed.query}", body=body, headers={"Host": signed.netloc})
    return connection.getresponse()


def test_version_is_told_both_ways(meiku: Start) -> None:
    """For people a word and a number, for scripts JSON."""
    assert meiku("version").out == f"meiku {__version__}\n"
    assert meiku("version", "--json").json == {"version": __version__}


def test_help_teaches(meiku: Start) -> None:
    """Every command explains itself with what one does next, and in Chinese too."""
    top = meiku("--help").out
    for line in ("meiku serve", "meiku user add alice", "meiku explain url URL"):
        assert line in top
    for command in (("user", "add"), ("explain", "url")):
        said = meiku(*command, "--help")
        assert said.code == 0 and re.search(r"[\u4e00-\u9fff]", said.out), command
    assert "MEIKU_ACCESS_KEY" in meiku("serve", "--help").out
    assert "No such command" in meiku("srve").err
