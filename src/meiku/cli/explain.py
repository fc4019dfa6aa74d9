"""`meiku explain`: why a URL or a form's policy is refused, found out offline.

With the secret key (from --secret-key, its variable, or the data folder) the signature is checked too;
without it, what the server would compute is shown. Secrets are never printed.
"""

import os
import time
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Annotated
from urllib.parse import urlsplit

import typer
from rich.table import Table
from rich.text import Text

from meiku.auth import Credential
from meiku.auth.cause import language_of_locale
from meiku.auth.explain import Explanation, compare, explain_policy, explain_url
from meiku.cli.listing import Listing
from meiku.cli.output import AsJson, console, refuse, show
from meiku.cli.store import DataFolder, with_meta
from meiku.config import Settings
from meiku.meta.users import find_key
from meiku.wire.request import bucket_of_host

command = typer.Typer(cls=Listing, help="Why is it refused? 为什么被拒绝？", no_args_is_help=True)

AccessKey = Annotated[
    str | None, typer.Option(help="Look this key's secret up in the data folder. 从数据目录查找 SK。")
]
SecretKey = Annotated[
    str | None,
    typer.Option(
        envvar="MEIKU_EXPLAIN_SECRET_KEY", help="The secret key that should have signed. 签名用的 SK。"
    ),
]
Pairs = Annotated[list[str] | None, typer.Option(help="name=value, may be repeated. 可重复。")]
MARKS = {"ok": ("accepted 会被接受", "green"), "refused": ("refused 会被拒绝", "red")}


@command.command("url")
def url_command(
    url: Annotated[str, typer.Argument(help="The presigned URL, in quotes. 预签名 URL。")],
    method: Annotated[str, typer.Option(help="The method it is used with. 请求方法。")] = "GET",
    header: Pairs = None,
    client_text: Annotated[
        Path | None,
        typer.Option(
            help="A file with the client's own string to sign or canonical request. 客户端的待签字符串。"
        ),
    ] = None,
    access_key: AccessKey = None,
    secret_key: SecretKey = None,
    data: DataFolder = None,
    as_json: AsJson = False,
) -> None:
    """Explain a presigned URL. 解释一个预签名 URL。"""
    if not urlsplit(url).netloc:
        refuse(f"'{url}' is no URL: expected one such as 'http://127.0.0.1:9000/photos/cat.jpg?…', in quotes")
    credential = _credential(access_key, secret_key, data)
    headers = {name.lower(): value for name, value in _pairs(header or ()).items()}
    domains = (*Settings.from_environment().domains, "localhost")
    bucket = bucket_of_host(urlsplit(url).netloc, domains)
    explanation = explain_url(
        method.upper(),
        url,
        headers,
        credential=credential,
        now_s=time.time(),
        bucket=bucket,
        language=language_of_locale(os.environ),
    )
    difference = _difference(client_text, explanation)
    _show(explanation, difference, as_json)


@command.command("policy")
def policy_command(
    policy: Annotated[
        str, typer.Argument(help="The policy, as base64 or JSON; - reads it from a pipe. 策略。")
    ],
    field: Pairs = None,
    bucket: Annotated[str | None, typer.Option(help="The bucket the form is posted to. 桶名。")] = None,
    access_key: AccessKey = None,
    secret_key: SecretKey = None,
    data: DataFolder = None,
    as_json: AsJson = False,
) -> None:
    """Explain a form's policy against the form's fields. 解释表单上传的策略。"""
    text = typer.get_text_stream("stdin").read() if policy == "-" else policy
    fields = _pairs(field or ())
    credential = _credential(access_key, secret_key, data)
    explanation = explain_policy(
        text.strip(),
        fields,
        credential=credential,
        now_s=time.time(),
        bucket=bucket,
        language=language_of_locale(os.environ),
    )
    _show(explanation, None, as_json)


def _pairs(texts: Sequence[str]) -> Mapping[str, str]:
    pairs = [text.partition("=") for text in texts]
    if any(not separator for _, separator, _ in pairs):
        refuse("a field or a header must be given as name=value")
    return {name: value for name, _, value in pairs}


def _credential(access_key: str | None, secret_key: str | None, data: Path | None) -> Credential | None:
    if secret_key is not None:
        return Credential(access_key or "", secret_key, "")
    if access_key is None:
        return None
    found = with_meta(data, lambda meta: meta.read(find_key, access_key))
    if found is None:
        refuse(f"there is no access key '{access_key}' in this data folder")
    key = found[0]
    return Credential(
        key.access_key, key.secret_key, key.user_id, key.session_token, key.expires_at_s, key.active
    )


def _difference(client_text: Path | None, explanation: Explanation) -> str | None:
    if client_text is None:
        return None
    client = client_text.read_text(encoding="utf-8")
    ours = explanation.string_to_sign if client.startswith("AWS4-") else explanation.canonical_request
    return compare(client, ours or explanation.string_to_sign or "") or "no line differs"


def _show(explanation: Explanation, difference: str | None, as_json: bool) -> None:
    if as_json:
        show({**asdict(explanation), "first_difference": difference}, "", as_json)
        raise typer.Exit(explanation.verdict == "refused")
    out = console()
    word, colour = MARKS.get(explanation.verdict, ("not checked 未校验签名", "yellow"))
    out.print(Text(f"{explanation.title}: ", style="bold").append(word, style=colour))
    if explanation.cause:
        out.print(Text(explanation.cause))
    facts = Table.grid(padding=(0, 2))
    for label, text in explanation.facts:
        facts.add_row(Text(label, style="bold"), Text(text, overflow="fold"))
    out.print(facts)
    for label, block in (
        ("canonical request", explanation.canonical_request),
        ("string to sign", explanation.string_to_sign),
        ("first difference", difference),
    ):
        if block:
            out.print(Text(f"\n{label}", style="bold"))
            out.print(Text(block))
    raise typer.Exit(explanation.verdict == "refused")
