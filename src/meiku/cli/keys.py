"""`meiku key`: add, list and remove key pairs, lasting or temporary."""

import time
from datetime import UTC, datetime
from typing import Annotated, Any

import typer

from meiku.cli.listing import Listing
from meiku.cli.output import AsJson, show, table
from meiku.cli.store import DataFolder, with_meta
from meiku.meta import Meta
from meiku.meta.records import KeyRecord
from meiku.meta.users import list_keys, list_users
from meiku.ops import accounts
from meiku.ops.accounts import KeyPair, new_key_pair

command = typer.Typer(cls=Listing, help="Access keys. 密钥管理。", no_args_is_help=True)
LIFETIME_LEAST_S, LIFETIME_MOST_S = 900, 43_200


@command.command()
def add(
    user: Annotated[str, typer.Argument(help="Name of the account. 用户名。")],
    access_key: Annotated[str | None, typer.Option(help="Fixed access key. 固定的 AK。")] = None,
    secret_key: Annotated[
        str | None, typer.Option(envvar="MEIKU_USER_SECRET_KEY", help="Fixed secret key. 固定的 SK。")
    ] = None,
    expires_in: Annotated[
        int | None,
        typer.Option(
            min=LIFETIME_LEAST_S,
            max=LIFETIME_MOST_S,
            help="Seconds until it ends: a temporary key with a session token. 临时密钥的有效秒数。",
        ),
    ] = None,
    data: DataFolder = None,
    as_json: AsJson = False,
) -> None:
    """Give an account one more key pair. 新建密钥。"""
    made = new_key_pair()
    pair = KeyPair(access_key or made.access_key, secret_key or made.secret_key)

    async def work(meta: Meta) -> KeyRecord:
        owner = await accounts.require_user(meta, user)
        return await accounts.add_key(meta, owner, pair, int(time.time() * 1000), expires_in)

    key = with_meta(data, work)
    value = {**_shown(key, user), "secret_key": key.secret_key, "session_token": key.session_token}
    lines = [f"access key     {key.access_key}", f"secret key     {key.secret_key}"]
    if key.session_token:
        lines.append(f"session token  {key.session_token}")
    show(value, "\n".join(lines), as_json)


@command.command("list")
def list_(
    user: Annotated[str | None, typer.Argument(help="Only this account's. 只列出该用户的。")] = None,
    data: DataFolder = None,
    as_json: AsJson = False,
) -> None:
    """List key pairs; secrets are never shown again. 列出密钥。"""

    async def work(meta: Meta) -> list[dict[str, Any]]:
        owner = await accounts.require_user(meta, user) if user else None
        names = {u.user_id: u.name for u in await meta.read(list_users)}
        found = await meta.read(list_keys, owner.user_id if owner else None)
        return [_shown(key, names[key.user_id]) for key in found]

    rows = with_meta(data, work)
    told = [{**row, "expires": _told(row["expires_at_s"])} for row in rows]
    show(rows, table("keys 密钥", told, ("access_key", "user", "active", "expires")), as_json)


@command.command()
def remove(
    access_key: Annotated[str, typer.Argument(help="The access key to take away. 要删除的 AK。")],
    data: DataFolder = None,
    as_json: AsJson = False,
) -> None:
    """Take a key pair away; it is refused from the next request on. 删除密钥。"""
    with_meta(data, lambda meta: accounts.remove_key(meta, access_key))
    show({"removed": access_key}, f"removed {access_key}", as_json)


def _told(expires_at_s: int | None) -> str:
    """Write a time as people read it, and what never ends as such."""
    if expires_at_s is None:
        return "never 永久"
    return f"{datetime.fromtimestamp(expires_at_s, UTC):%Y-%m-%d %H:%M:%S} UTC"


def _shown(key: KeyRecord, user: str) -> dict[str, Any]:
    return {
        "access_key": key.access_key,
        "user": user,
        "active": key.active,
        "expires_at_s": key.expires_at_s,
    }
