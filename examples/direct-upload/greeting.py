"""What the terminal says once everything runs: where things are, and what to try. It only prints."""

import sys
from pathlib import Path

from rich.console import Console
from rich.text import Text

from storage import Storage

LABEL_CELLS = 26


def greet(storage: Storage, data: Path, kept_in: Path | None, origin: str, *, shows_secret: bool) -> None:
    """Print the addresses and keys; the secret only when it has just been made and is kept in a file."""
    console = Console(soft_wrap=True, highlight=False)
    credentials = storage.credentials
    console.print()
    console.print(Text.assemble("  ", (" 媒库 meiku ", "bold reverse"), (" 已就绪 is ready", "bold")))
    console.print()
    for label, value in (
        ("上传页面 upload page", origin),
        ("图片处理 pictures", f"{origin}/pictures"),
        ("服务地址 endpoint", storage.endpoint),
        ("访问密钥 access key", credentials.access_key),
        ("私有密钥 secret key", credentials.secret_key if shows_secret and kept_in else "••••••••"),
        ("密钥保存在 kept in", str(kept_in or "$MEIKU_SECRET_KEY")),
        ("数据目录 data", str(data.resolve())),
    ):
        console.print(_line(label, value, "bold cyan" if value.startswith(origin) else ""))
    console.print("\n  [bold]试一试 try[/bold]")
    for command in _curl(storage, kept_in), _boto3(storage, kept_in):
        console.print(Text(f"  {command}", "dim"))
    console.print("\n  Ctrl-C 停止两者 stops both\n")
    sys.stdout.flush()


def _line(label: str, value: str, style: str) -> Text:
    text = Text(f"  {label}")
    text.append(" " * max(1, LABEL_CELLS - text.cell_len))
    return text.append(value, style)


def _curl(storage: Storage, kept_in: Path | None) -> str:
    """Write a command that lists the bucket and can be pasted as it stands, without the secret in it."""
    pair = "$MEIKU_ACCESS_KEY:$MEIKU_SECRET_KEY"
    if kept_in:
        pair = f"$(python3 -c \"import json; print(':'.join(json.load(open('{kept_in}')).values()))\")"
    # curl signs what it sends, and S3 wants to be told of the payload even where there is none.
    header = "x-amz-content-sha256: UNSIGNED-PAYLOAD"
    address = f"{storage.endpoint}/{storage.bucket}"
    return f'curl --aws-sigv4 aws:amz:us-east-1:s3 --user "{pair}" -H "{header}" {address}'


def _boto3(storage: Storage, kept_in: Path | None) -> str:
    """Write the same for boto3."""
    imports, access_key, secret_key = "os", "os.environ['MEIKU_ACCESS_KEY']", "os.environ['MEIKU_SECRET_KEY']"
    if kept_in:
        imports = f"json; k = json.load(open('{kept_in}'))"
        access_key, secret_key = "k['access_key']", "k['secret_key']"
    return (
        f'python3 -c "import boto3, {imports}; '
        f"s3 = boto3.client('s3', endpoint_url='{storage.endpoint}', region_name='us-east-1', "
        f"aws_access_key_id={access_key}, aws_secret_access_key={secret_key}); "
        f"print(s3.list_objects_v2(Bucket='{storage.bucket}'))\""
    )
