"""`meiku user`: add, list and remove accounts."""

import time
from typing import Annotated, Any

import typer

from meiku.cli.listing import Listing
from meiku.cli.output import AsJson, show, table
from meiku.cli.store import DataFolder, with_meta
from meiku.meta import Meta
from meiku.meta.records import UserRecord
from meiku.meta.users import list_users
from meiku.ops import accounts
from meiku.ops.accounts import KeyPair, new_key_pair

command = typer.Typer(cls=Listing, help="Accounts: who owns buckets. 用户管理。", no_args_is_help=True)

Name = Annotated[str, typer.Argument(help="Name of the account. 用户名。")]


@command.command()
def add(
    name: Name,
    user_id: Annotated[str | None, typer.Option("--id", help="Fixed canonical id. 固定的用户 ID。")] = None,
    email: Annotated[str, typer.Option(help="E-mail address, for grants. 电子邮箱。")] = "",
    access_key: Annotated[str | None, typer.Option(help="Fixed access key. 固定的 AK。")] = None,
    secret_key: Annotated[
        str | None, typer.Option(envvar="MEIKU_USER_SECRET_KEY", help="Fixed secret key. 固定的 SK。")
    ] = None,
    data: DataFolder = None,
    as_json: AsJson = False,
) -> None:
    """Make an account with a key pair; what is left out is generated. 新建用户。"""
    made = new_key_pair()
    pair = KeyPair(access_key or made.access_key, secret_key or made.secret_key)

    async def work(meta: Meta) -> UserRecord:
        now_ms = int(time.time() * 1000)
        user = await accounts.add_user(meta, name, user_id, email, now_ms)
        try:
            await accounts.add_key(meta, user, pair, now_ms)
        except accounts.AccountError:
            await accounts.remove_user(meta, name)
            raise
        return user

    user = with_meta(data, work, may_make=True)
    value = {**_shown(user), "access_key": pair.access_key, "secret_key": pair.secret_key}
    text = f"user        {name}\nid          {user.user_id}\naccess key  {pair.access_key}\n"
    show(value, text + f"secret key  {pair.secret_key}", as_json)


@command.command("list")
def list_(data: DataFolder = None, as_json: AsJson = False) -> None:
    """List the accounts. 列出用户。"""
    rows = [_shown(user) for user in with_meta(data, lambda meta: meta.read(list_users))]
    show(rows, table("users 用户", rows, ("name", "user_id", "email", "active")), as_json)


@command.command()
def remove(name: Name, data: DataFolder = None, as_json: AsJson = False) -> None:
    """Remove an account and its keys; one that owns buckets stays. 删除用户。"""
    user = with_meta(data, lambda meta: accounts.remove_user(meta, name))
    show({"removed": _shown(user)}, f"removed {name}", as_json)


def _shown(user: UserRecord) -> dict[str, Any]:
    return {"name": user.name, "user_id": user.user_id, "email": user.email, "active": user.active}
