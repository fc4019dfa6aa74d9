"""curl: its own Version 4, an address that was signed elsewhere, and a form with -F."""

import json
import shutil
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import pyvips

from browser_form import ACCESS_KEY, SECRET_KEY, policy, signed_v2
from media.writing import encoded

CONTENT = bytes(range(256)) * 1000
Curl = Callable[..., str]


@pytest.fixture
def curl(tmp_path: Path) -> Curl:
    """Run curl and give the status; the answer's body goes to the file `body`."""
    program = shutil.which("curl")
    assert program, "curl is needed for this test"
    (tmp_path / "sent").write_bytes(CONTENT)

    def run(*arguments: str) -> str:
        command = [program, "--disable", "--silent", "--output", "body", "--write-out", "%{http_code}"]
        done = subprocess.run([*command, *arguments], cwd=tmp_path, capture_output=True, text=True)
        assert done.returncode == 0, done.stderr
        return done.stdout

    return run


SIGV4 = ("--aws-sigv4", "aws:amz:us-east-1:s3", "--user", f"{ACCESS_KEY}:{SECRET_KEY}")


def test_curl_signs_by_itself(curl: Curl, server: Any, bucket: str, tmp_path: Path) -> None:
    """--aws-sigv4 puts, with the payload left unsigned as curl's manual shows, and gets."""
    url = f"{server.url}/{bucket}/a%20b.bin"
    unsigned = ("--header", "x-amz-content-sha256: UNSIGNED-PAYLOAD")
    assert curl(*SIGV4, *unsigned, "--upload-file", "sent", url) == "200"
    assert curl(*SIGV4, *unsigned, url) == "200"
    assert (tmp_path / "body").read_bytes() == CONTENT
    assert curl(*SIGV4, *unsigned, "--request", "DELETE", url) == "204"


def test_curl_saves_what_a_recipe_makes(
    curl: Curl, server: Any, bucket: str, s3: Any, tmp_path: Path
) -> None:
    """Both forms of the POST, as media.md shows; the header that names the source is signed with the rest."""
    picture = pyvips.Image.black(40, 20).pngsave_buffer()
    s3.put_object(Bucket=bucket, Key="p.png", Body=picture)
    signed = (*SIGV4, "--header", "x-amz-content-sha256: UNSIGNED-PAYLOAD")
    body = f"x-oss-process=image/rotate,90|sys/saveas,o_{encoded('a.png')}"
    assert curl(*signed, "--data", body, f"{server.url}/{bucket}/p.png?x-oss-process=") == "200"
    assert json.loads((tmp_path / "body").read_bytes())["object"] == "a.png"
    named = ("--header", f"x-zos-process-source: /{bucket}/p.png")
    url = f"{server.url}/{bucket}/b.png?x-zos-process="
    assert curl(*signed, *named, "--data", "image/rotate,90", url) == "200"
    for key in ("a.png", "b.png"):
        kept = pyvips.Image.new_from_buffer(s3.get_object(Bucket=bucket, Key=key)["Body"].read(), "")
        assert (kept.width, kept.height) == (20, 40)


@pytest.mark.parametrize("version", ["s3v4", "s3"])
def test_curl_uses_a_signed_address(
    curl: Curl, server: Any, bucket: str, tmp_path: Path, version: str
) -> None:
    """A presigned address of either version takes --upload-file, which asks before it sends a large body."""
    client = server.client(signature_version=version)
    parameters = {"Bucket": bucket, "Key": "k"}
    (tmp_path / "sent").write_bytes(CONTENT * 10)
    assert (
        curl("--upload-file", "sent", client.generate_presigned_url("put_object", Params=parameters)) == "200"
    )
    assert curl(client.generate_presigned_url("get_object", Params=parameters)) == "200"
    assert (tmp_path / "body").read_bytes() == CONTENT * 10


def test_curl_sends_a_body_of_unknown_length(curl: Curl, server: Any, s3: Any, bucket: str) -> None:
    """Plain chunked transfer, without a length, is an upload too."""
    url = s3.generate_presigned_url("put_object", Params={"Bucket": bucket, "Key": "k"})
    assert curl("--header", "Transfer-Encoding: chunked", "--upload-file", "sent", url) == "200"
    assert s3.get_object(Bucket=bucket, Key="k")["Body"].read() == CONTENT


def test_curl_posts_a_form(curl: Curl, server: Any, s3: Any, bucket: str, tmp_path: Path) -> None:
    """-F posts a form as browsers do, and is answered as the form asks."""
    signed = signed_v2(policy(["starts-with", "$key", "u/"], ["eq", "$success_action_status", "201"]))
    fields = {"key": "u/${filename}", "success_action_status": "201", **signed}
    form = [part for field in fields.items() for part in ("--form-string", "=".join(field))]
    assert curl(*form, "--form", "file=@sent;type=video/mp4", f"{server.url}/{bucket}") == "201"
    stored = s3.get_object(Bucket=bucket, Key="u/sent")
    assert (stored["Body"].read(), stored["ContentType"]) == (CONTENT, "video/mp4")
    assert b"<Key>u/sent</Key>" in (tmp_path / "body").read_bytes()


def test_curl_is_told_before_it_sends(curl: Curl, server: Any, bucket: str, tmp_path: Path) -> None:
    """A refusal comes instead of 100 Continue, and the connection ends cleanly."""
    (tmp_path / "sent").write_bytes(CONTENT * 40)
    url = f"{server.url}/{bucket}/k"
    assert curl("--header", "Expect: 100-continue", "--upload-file", "sent", url) == "403"
    assert b"<Code>AccessDenied</Code>" in (tmp_path / "body").read_bytes()


def test_curl_is_told_why_its_form_is_refused(curl: Curl, server: Any, bucket: str, tmp_path: Path) -> None:
    """A refused form is answered although its large file is still on its way."""
    (tmp_path / "sent").write_bytes(CONTENT * 100)
    fields = {"key": "k", **signed_v2(policy({"key": "other"}))}
    form = [part for field in fields.items() for part in ("--form-string", "=".join(field))]
    assert curl(*form, "--form", "file=@sent", f"{server.url}/{bucket}") == "403"
    assert b"Policy Condition failed" in (tmp_path / "body").read_bytes()
