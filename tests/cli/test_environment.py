"""`meiku env`: what a shell is given so that clients need no other setting."""

import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

Meiku = Callable[..., Any]


def test_it_is_read_by_a_shell_and_by_scripts(meiku: Meiku, folder: Path) -> None:
    """The same five facts as exports and as JSON; values are quoted for the shell."""
    pair = {"MEIKU_ACCESS_KEY": "AKroot", "MEIKU_SECRET_KEY": "it's $HOME"}
    meiku("user", "add", "alice")
    told = meiku("env", "--json", **pair).json
    assert told == {
        "AWS_ACCESS_KEY_ID": "AKroot",
        "AWS_SECRET_ACCESS_KEY": "it's $HOME",
        "AWS_REGION": "us-east-1",
        "AWS_DEFAULT_REGION": "us-east-1",
        "AWS_ENDPOINT_URL_S3": "http://127.0.0.1:9000",
    }
    script = meiku("env", **pair).out + 'printf %s "$AWS_SECRET_ACCESS_KEY"'
    assert subprocess.run(["sh", "-c", script], capture_output=True, text=True).stdout == "it's $HOME"


def test_the_address_is_one_that_this_machine_reaches(meiku: Meiku, folder: Path) -> None:
    """Where the server listens on every network, with TLS, or behind another name."""
    pair = {"MEIKU_ACCESS_KEY": "AK", "MEIKU_SECRET_KEY": "SK"}
    meiku("user", "add", "alice")
    tls = {"MEIKU_TLS_CERTIFICATE": "c.pem", "MEIKU_TLS_KEY": "k.pem"}
    for settings, url in (
        ({"MEIKU_HOST": "0.0.0.0", "MEIKU_PORT": "81"}, "http://127.0.0.1:81"),
        ({"MEIKU_HOST": "::"}, "http://[::1]:9000"),
        (tls | {"MEIKU_HOST": "media.example"}, "https://media.example:9000"),
    ):
        assert meiku("env", "--json", **pair, **settings).json["AWS_ENDPOINT_URL_S3"] == url
    elsewhere = meiku("env", "--json", "--endpoint-url", "https://s3.example", **pair).json
    assert elsewhere["AWS_ENDPOINT_URL_S3"] == "https://s3.example"


def test_a_folder_without_a_key_is_one_sentence(meiku: Meiku, folder: Path) -> None:
    """A mistyped folder, and one whose root key the environment holds: told, and no key is made."""
    assert "there is no data in" in meiku("env").err
    meiku("user", "add", "alice")
    said = meiku("env")
    assert said.code == 1 and f"there is no root key in {folder / 'root-key.json'}" in said.err
    assert not (folder / "root-key.json").exists()


def test_clients_need_nothing_else(own_server: Any, tmp_path: Path) -> None:
    """What the greeting offers can be pasted: a bucket is made, and boto3 finds its way by itself."""
    server = own_server("--workers", "1", MEIKU_ACCESS_KEY="", MEIKU_SECRET_KEY="")
    lines = [line.strip() for line in server.read_log().splitlines()]
    commands = [line for line in lines if "bucket make" in line or "eval" in line]
    offered = [command.removeprefix("试一试 try").strip() for command in commands]
    assert len(offered) == 2
    ask = "import boto3; print([each['Name'] for each in boto3.client('s3').list_buckets()['Buckets']])"
    script = "\n".join(["set -eu", *offered, f'{sys.executable} -c "{ask}"'])
    environment = {"PATH": os.environ["PATH"], "HOME": str(tmp_path)}
    done = subprocess.run(["sh", "-c", script], cwd=tmp_path, env=environment, capture_output=True, text=True)
    assert (done.returncode, done.stdout.splitlines()[-1]) == (0, "['photos']"), done.stderr
