"""The how-to pages that need programs of Debian's, rclone, nginx, Caddy, openssl: each as it stands."""

import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from browser_form import ACCESS_KEY, SECRET_KEY
from docs.following import Reader
from docs.reading import HOUSE

DOCS = HOUSE / "docs"
# Debian's nginx reads the page's file from conf.d; the rest is as small as a test can have it.
NGINX = """
daemon off; master_process off; pid {0}/pid; error_log {0}/error;
events {{}}
http {{
  access_log off;
  client_body_temp_path {0}/body; proxy_temp_path {0}/proxy; fastcgi_temp_path {0}/fastcgi;
  uwsgi_temp_path {0}/uwsgi; scgi_temp_path {0}/scgi;
  include {0}/meiku/meiku.conf;
}}
"""


@pytest.fixture
def reader(tmp_path: Path) -> Reader:
    """A reader with all programs that these pages name."""
    for program in ("rclone", "nginx", "caddy", "openssl"):
        assert shutil.which(program), f"{program} is needed for this test: scripts/install-debian-packages"
    return Reader(tmp_path).move_in()


def test_clients(reader: Reader) -> None:
    """aws, s3cmd and rclone, each as its part of the page says, find what the others have put."""
    said = reader.follow(DOCS / "clients.md", after="rclone cat meiku:photos/cats/again.jpg")
    assert said.rstrip().endswith("a cat"), "what s3cmd has put, rclone reads"
    assert "album/图 1+.txt" in said


def test_moving(reader: Reader, own_server: Callable[..., Any]) -> None:
    """All buckets are there under the application's own keys, with types and metadata."""
    source = own_server("--workers", "1")
    client = source.client()
    for bucket in ("photos", "site"):
        client.create_bucket(Bucket=bucket)
        client.put_object(
            Bucket=bucket, Key="a b/图.txt", Body=b"moved", ContentType="text/x-mine", Metadata={"who": "me"}
        )
    before = f"""
        MINIO_URL={source.url} MINIO_ACCESS_KEY={ACCESS_KEY} MINIO_SECRET_KEY={SECRET_KEY}
        APPLICATION_ACCESS_KEY=application APPLICATION_SECRET_KEY=its-secret-of-before
    """
    after = """
        export AWS_ACCESS_KEY_ID=application AWS_SECRET_ACCESS_KEY=its-secret-of-before AWS_REGION=us-east-1
        aws --endpoint-url http://127.0.0.1:9000 s3api head-object --bucket site --key 'a b/图.txt'
        aws --endpoint-url http://127.0.0.1:9000 s3 cp 's3://photos/a b/图.txt' -
    """
    said = reader.follow(DOCS / "moving.md", before, after)
    assert '"who": "me"' in said and '"text/x-mine"' in said and said.rstrip().endswith("moved")


def test_proxies(reader: Reader) -> None:
    """Signed through nginx and Caddy, in the path and before the host, with awkward keys; and with TLS."""
    (reader.home / "nginx.conf").write_text(NGINX.format(reader.home))
    through = "aws --endpoint-url http://localhost:{0} s3 cp cat.jpg 's3://photos/a b+图.jpg'"
    fetched = 'curl --fail "$(python3 sign.py {0})"'
    (reader.house / "sign.py").write_text(_SIGN)
    both = [line.format(port) for port in ("8081", "8080") for line in (through, fetched)]
    after = "\n".join(
        [
            f"nginx -e {reader.home}/error -p {reader.home} -c {reader.home}/nginx.conf &",
            "until curl -s -o /dev/null http://localhost:8081/; do sleep 0.1; done",
            "./meiku bucket make photos",
            'eval "$(./meiku env)"',
            *both,
            "curl -s -o /dev/null -w 'metrics %{http_code}\\n' http://localhost:8081/-/metrics",
            'eval "$(./meiku env --data other-data)"',
            "AWS_ENDPOINT_URL_S3=http://127.0.0.1:9002 python3 sign_elsewhere.py",
        ]
    )
    (reader.house / "sign_elsewhere.py").write_text(reader.translate(_SIGN_ELSEWHERE))
    said = reader.follow(DOCS / "proxies.md", after=after)
    assert said.count("a cat") == 2
    assert "make_bucket: safe" in said, "TLS"
    assert "metrics 403" in said, "through a proxy, figures need a token"
    assert "public host 200" in said


_SIGN = """
import os, sys
from meiku.signing import Credentials, presign_v4
pair = Credentials(os.environ["AWS_ACCESS_KEY_ID"], os.environ["AWS_SECRET_ACCESS_KEY"])
print(presign_v4(pair, "GET", f"http://photos.localhost:{sys.argv[1]}/a b+图.jpg"))
"""
# Signed for the public name, sent with the Host that a proxy has put in its place.
_SIGN_ELSEWHERE = """
import os, urllib.request
from meiku.signing import Credentials, presign_v4
pair = Credentials(os.environ["AWS_ACCESS_KEY_ID"], os.environ["AWS_SECRET_ACCESS_KEY"])
url = presign_v4(pair, "GET", "http://media.example/")
with urllib.request.urlopen(url.replace("media.example", "127.0.0.1:9002")) as answer:
    print("public host", answer.status)
"""
