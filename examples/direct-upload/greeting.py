"""What the terminal says once everything runs: where things are, and what to try. It only prints."""

import shlex
import sys
from collections.abc import Iterator
from pathlib import Path

from rich.console import Console
from rich.text import Text

from storage import Storage

LABEL_CELLS = 26
HOUSE = Path(__file__).resolve().parents[2]
USUAL_ENDPOINT = "http://127.0.0.1:9000"


def greet(storage: Storage, data: Path, kept_in: Path | None, origin: str, *, shows_secret: bool) -> None:
    """Print the addresses and keys; the secret only where it may be seen, and is kept in a file."""
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
    for command in _to_try(storage, data):
        console.print(Text(f"  {command}", "dim"))
    console.print("\n  Ctrl-C 停止两者 stops both\n")
    sys.stdout.flush()


def _line(label: str, value: str, style: str) -> Text:
    text = Text(f"  {label}")
    text.append(" " * max(1, LABEL_CELLS - text.cell_len))
    return text.append(value, style)


def _to_try(storage: Storage, data: Path) -> Iterator[str]:
    """Write commands that can be pasted as they stand, without the secret in them."""
    command = "./meiku" if Path.cwd() == HOUSE else shlex.quote(str(HOUSE / "meiku"))
    where = (
        ""
        if data.resolve() == Path("meiku-data").resolve()
        else f" --data {shlex.quote(str(data.resolve()))}"
    )
    reached = "" if storage.endpoint == USUAL_ENDPOINT else f" --endpoint-url {storage.endpoint}"
    yield f"{command} bucket make album --acl public-read{where}"
    yield f'eval "$({command} env{reached}{where})"'
    # curl signs what it sends, and S3 wants to be told of the payload even where there is none.
    pair, header = "$AWS_ACCESS_KEY_ID:$AWS_SECRET_ACCESS_KEY", "x-amz-content-sha256: UNSIGNED-PAYLOAD"
    address = f"{storage.endpoint}/{storage.bucket}"
    yield f'curl --aws-sigv4 aws:amz:us-east-1:s3 --user "{pair}" -H "{header}" {address}'
