"""s3cmd, as its users type it, in both versions of the signature."""

import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest

from browser_form import ACCESS_KEY, SECRET_KEY
from plain_http import send

S3cmd = Callable[..., str]


@pytest.fixture(params=["v4", "v2"])
def s3cmd(request: pytest.FixtureRequest, server: Any, tmp_path: Path) -> S3cmd:
    """Run s3cmd with a configuration of its own and give what it prints."""
    settings = {
        "access_key": ACCESS_KEY,
        "secret_key": SECRET_KEY,
        "host_base": f"127.0.0.1:{server.port}",
        "host_bucket": f"127.0.0.1:{server.port}",
        "use_https": "False",
        "signature_v2": str(request.param == "v2"),
        "multipart_chunk_size_mb": "5",
    }
    config = tmp_path / "s3cfg"
    config.write_text("[default]\n" + "".join(f"{name} = {value}\n" for name, value in settings.items()))
    program = Path(sys.executable).parent / "s3cmd"
    environment = {"PATH": os.environ["PATH"], "HOME": str(tmp_path), "LC_ALL": "C.UTF-8"}

    def run(*arguments: str) -> str:
        command = [sys.executable, program, "--config", config, "--no-progress", *arguments]
        done = subprocess.run(command, env=environment, cwd=tmp_path, capture_output=True, text=True)
        assert done.returncode == 0, done.stderr
        return done.stdout

    return run


def test_a_bucket_and_an_object_live_and_die(s3cmd: S3cmd, tmp_path: Path) -> None:
    """mb, put, ls, info, get, cp, mv, del, rb, with a key that needs encoding."""
    url = f"s3://cmd-{uuid4().hex[:8]}"
    (tmp_path / "a.txt").write_text("文本")
    s3cmd("mb", url)
    s3cmd("put", "a.txt", f"{url}/dir/图 1+.txt", "--add-header=x-amz-meta-who:me", "--mime-type=text/plain")
    assert f"{url}/dir/图 1+.txt" in s3cmd("ls", "--recursive", url)
    info = s3cmd("info", f"{url}/dir/图 1+.txt")
    assert "text/plain" in info
    assert "x-amz-meta-who" in info
    s3cmd("cp", f"{url}/dir/图 1+.txt", f"{url}/b.txt")
    s3cmd("mv", f"{url}/b.txt", f"{url}/c.txt")
    s3cmd("get", f"{url}/c.txt", "back.txt")
    assert (tmp_path / "back.txt").read_text() == "文本"
    assert "c.txt" in s3cmd("ls", f"{url}/")
    s3cmd("del", "--recursive", "--force", url)
    s3cmd("rb", url)
    assert url not in s3cmd("ls")


def test_acls_are_set(s3cmd: S3cmd, server: Any, s3: Any, bucket: str) -> None:
    """setacl opens an object to everybody and closes it again."""
    s3.put_object(Bucket=bucket, Key="k", Body=b"open")
    s3cmd("setacl", "--acl-public", f"s3://{bucket}/k")
    assert send(server.port, "GET", f"/{bucket}/k").body == b"open"
    assert "anon" in s3cmd("info", f"s3://{bucket}/k")
    s3cmd("setacl", "--acl-private", f"s3://{bucket}/k")
    assert send(server.port, "GET", f"/{bucket}/k").status == 403


def test_a_large_file_goes_in_parts(s3cmd: S3cmd, s3: Any, bucket: str, tmp_path: Path) -> None:
    """put sends a large file in parts and get brings it back."""
    content = os.urandom(11 << 20)
    (tmp_path / "large").write_bytes(content)
    s3cmd("put", "large", f"s3://{bucket}/large")
    assert s3.head_object(Bucket=bucket, Key="large")["ETag"].endswith('-3"')
    s3cmd("get", f"s3://{bucket}/large", "back")
    assert (tmp_path / "back").read_bytes() == content


def test_folders_are_kept_in_step(s3cmd: S3cmd, s3: Any, bucket: str, tmp_path: Path) -> None:
    """sync sends a folder, and removes what is gone."""
    folder = tmp_path / "site"
    folder.mkdir()
    for name in ("a.html", "b.html"):
        (folder / name).write_text(name)
    s3cmd("sync", "site/", f"s3://{bucket}/www/")
    (folder / "a.html").unlink()
    s3cmd("sync", "--delete-removed", "site/", f"s3://{bucket}/www/")
    assert [entry["Key"] for entry in s3.list_objects_v2(Bucket=bucket)["Contents"]] == ["www/b.html"]


def test_addresses_are_signed(s3cmd: S3cmd, server: Any, s3: Any, bucket: str) -> None:
    """signurl prints an address that anyone may read with, until it expires."""
    s3.put_object(Bucket=bucket, Key="a b", Body=b"shared")
    url = s3cmd("signurl", f"s3://{bucket}/a b", "+60").strip()
    assert send(server.port, "GET", url.removeprefix(server.url)).body == b"shared"
