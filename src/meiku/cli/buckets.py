"""`meiku bucket`: make, list, open and remove buckets without an S3 client, also while a server runs."""

import time
from typing import Annotated, Any

import typer

from meiku.cli.listing import Listing
from meiku.cli.output import AsJson, show, table
from meiku.cli.store import DataFolder, settings_of, with_meta
from meiku.meta import Meta
from meiku.meta.records import BucketRecord
from meiku.meta.users import list_users
from meiku.ops import house_buckets
from meiku.ops.accounts import ROOT, require_user
from meiku.ops.house_buckets import CANNED, Wanted, acl_name

command = typer.Typer(cls=Listing, help="Buckets: where objects live. 桶管理。", no_args_is_help=True)

Name = Annotated[str, typer.Argument(help="Name of the bucket. 桶名。")]
_CHOICES = ", ".join(CANNED)


@command.command()
def make(
    name: Name,
    acl: Annotated[str, typer.Option(help=f"Who may use it: {_CHOICES}. 访问权限。")] = "private",
    owner: Annotated[str, typer.Option(help="The account that owns it. 所有者。")] = ROOT,
    data: DataFolder = None,
    as_json: AsJson = False,
) -> None:
    """Make a bucket. 新建桶。"""
    location, now_ms = settings_of(data).region, int(time.time() * 1000)

    async def work(meta: Meta) -> BucketRecord:
        return await house_buckets.make_bucket(meta, Wanted(name, acl), owner, location, now_ms)

    bucket = with_meta(data, work)
    show(_shown(bucket, owner), f"made {name} ({acl}), owned by {owner}", as_json)


@command.command("list")
def list_(
    owner: Annotated[str | None, typer.Option(help="Only this account's. 只列出该用户的。")] = None,
    data: DataFolder = None,
    as_json: AsJson = False,
) -> None:
    """List the buckets of all accounts. 列出桶。"""

    async def work(meta: Meta) -> list[tuple[BucketRecord, str]]:
        users = [await require_user(meta, owner)] if owner else await meta.read(list_users)
        return await house_buckets.owned_buckets(meta, users)

    rows = [_shown(bucket, name) for bucket, name in with_meta(data, work)]
    show(rows, table("buckets 桶", rows, ("name", "owner", "acl")), as_json)


@command.command("acl")
def acl_(
    name: Name,
    acl: Annotated[str | None, typer.Argument(help=f"The new one: {_CHOICES}. 新的权限。")] = None,
    data: DataFolder = None,
    as_json: AsJson = False,
) -> None:
    """Tell who may use a bucket, or change it; objects have lists of their own. 查看或修改桶的权限。"""

    async def work(meta: Meta) -> BucketRecord:
        if acl is not None:
            await house_buckets.set_acl(meta, name, acl)
        return await house_buckets.require_bucket(meta, name)

    told = acl_name(with_meta(data, work))
    show({"name": name, "acl": told}, f"{name}: {told}", as_json)


@command.command()
def remove(name: Name, data: DataFolder = None, as_json: AsJson = False) -> None:
    """Remove a bucket that holds no objects. 删除空桶。"""
    with_uploads = not settings_of(data).uploads_keep_buckets
    now_ms = int(time.time() * 1000)
    with_meta(data, lambda meta: house_buckets.remove_bucket(meta, name, now_ms, with_uploads=with_uploads))
    show({"removed": name}, f"removed {name}", as_json)


def _shown(bucket: BucketRecord, owner: str) -> dict[str, Any]:
    return {
        "name": bucket.name,
        "owner": owner,
        "acl": acl_name(bucket),
        "created_at_ms": bucket.created_at_ms,
    }
