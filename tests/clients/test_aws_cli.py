"""The AWS command line, as its users type it: version 1 from PyPI, with no settings but the endpoint."""

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

LARGE = os.urandom(9 << 20)  # above the size from which the command line sends parts
Aws = Callable[..., str]


@pytest.fixture
def aws(server: Any, tmp_path: Path) -> Aws:
    """Run `aws --endpoint-url …` with files of its own and give what it prints."""
    environment = {
        "PATH": os.environ["PATH"],
        "HOME": str(tmp_path),
        "AWS_ACCESS_KEY_ID": ACCESS_KEY,
        "AWS_SECRET_ACCESS_KEY": SECRET_KEY,
        "AWS_DEFAULT_REGION": "us-east-1",
        "AWS_CONFIG_FILE": str(tmp_path / "config"),
        "AWS_SHARED_CREDENTIALS_FILE": str(tmp_path / "credentials"),
        "AWS_EC2_METADATA_DISABLED": "true",
    }
    program = Path(sys.executable).parent / "aws"

    def run(*arguments: str) -> str:
        command = [program, "--endpoint-url", server.url, *arguments]
        done = subprocess.run(command, env=environment, cwd=tmp_path, capture_output=True, text=True)
        assert done.returncode == 0, done.stderr
        return done.stdout

    return run


@pytest.fixture
def name(s3: Any, bucket: str) -> str:
    """A bucket of this test's own."""
    return bucket


def test_a_bucket_and_an_object_live_and_die(aws: Aws, tmp_path: Path) -> None:
    """mb, cp both ways, ls, mv, rm, rb."""
    url = f"s3://aws-{uuid4().hex[:8]}"
    (tmp_path / "a.txt").write_text("文本")
    aws("s3", "mb", url)
    aws("s3", "cp", "a.txt", f"{url}/dir/图 1.txt")
    assert "dir/图 1.txt" in aws("s3", "ls", "--recursive", url)
    assert "PRE dir/" in aws("s3", "ls", url)
    aws("s3", "mv", f"{url}/dir/图 1.txt", f"{url}/b.txt")
    assert aws("s3", "cp", f"{url}/b.txt", "-") == "文本"
    aws("s3", "rm", f"{url}/b.txt")
    aws("s3", "rb", url)
    assert url.removeprefix("s3://") not in aws("s3", "ls")


def test_a_large_file_goes_in_parts(aws: Aws, s3: Any, name: str, tmp_path: Path) -> None:
    """cp sends and fetches a large file in parts, and copies it inside the service."""
    (tmp_path / "large").write_bytes(LARGE)
    aws("s3", "cp", "large", f"s3://{name}/large")
    assert s3.head_object(Bucket=name, Key="large")["ETag"].endswith('-2"')
    aws("s3", "cp", f"s3://{name}/large", f"s3://{name}/copy")
    aws("s3", "cp", f"s3://{name}/copy", "back")
    assert (tmp_path / "back").read_bytes() == LARGE


def test_folders_are_kept_in_step(aws: Aws, s3: Any, name: str, tmp_path: Path) -> None:
    """sync sends what is new, and with --delete removes what is gone; a second run does nothing."""
    folder = tmp_path / "site"
    (folder / "sub").mkdir(parents=True)
    for number in range(5):
        page = folder / "sub" / f"{number}.html"
        page.write_text(f"<p>{number}")
        os.utime(page, (1_700_000_000, 1_700_000_000))  # it compares times, and S3 shows no fractions
    aws("s3", "sync", "site", f"s3://{name}/www", "--acl", "public-read")
    assert aws("s3", "sync", "site", f"s3://{name}/www") == ""
    (folder / "sub" / "0.html").unlink()
    aws("s3", "sync", "site", f"s3://{name}/www", "--delete")
    listed = s3.list_objects_v2(Bucket=name)["Contents"]
    assert [entry["Key"] for entry in listed] == [f"www/sub/{number}.html" for number in range(1, 5)]
    aws("s3", "sync", f"s3://{name}/www", "again")
    assert (tmp_path / "again" / "sub" / "4.html").read_text() == "<p>4"
    aws("s3", "rm", "--recursive", f"s3://{name}/")
    assert s3.list_objects_v2(Bucket=name)["KeyCount"] == 0


def test_addresses_are_presigned(aws: Aws, server: Any, s3: Any, name: str) -> None:
    """presign prints an address that anyone may read with."""
    s3.put_object(Bucket=name, Key="k", Body=b"shared")
    url = aws("s3", "presign", f"s3://{name}/k", "--expires-in", "60").strip()
    assert send(server.port, "GET", url.removeprefix(server.url)).body == b"shared"


def test_the_api_s_own_commands(aws: Aws, s3: Any, name: str, tmp_path: Path) -> None:
    """s3api puts with a checksum and metadata, and reads a range."""
    (tmp_path / "body").write_bytes(b"0123456789")
    put = ["s3api", "put-object", "--bucket", name, "--key", "k", "--body", "body"]
    assert "ChecksumSHA256" in aws(*put, "--checksum-algorithm", "SHA256", "--metadata", "who=me")
    aws("s3api", "get-object", "--bucket", name, "--key", "k", "--range", "bytes=2-4", "piece")
    assert (tmp_path / "piece").read_bytes() == b"234"
    assert s3.head_object(Bucket=name, Key="k")["Metadata"] == {"who": "me"}
