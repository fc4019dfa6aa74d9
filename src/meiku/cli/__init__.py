"""The command line: `meiku serve`, `bucket`, `user`, `key`, `check`, `backup` … Each has its file.

Only what people and scripts see: arguments, tables, JSON, exit codes. What a command does is done elsewhere.
"""

import sys

import typer

from meiku import __version__
from meiku.cli import buckets, explain, keys, users
from meiku.cli.backup import backup_command, restore_command
from meiku.cli.check import check_command
from meiku.cli.environment import environment_command
from meiku.cli.initialise import init_command
from meiku.cli.listing import Listing
from meiku.cli.output import AsJson, refuse, show
from meiku.cli.serving import serve_command
from meiku.config import ConfigError
from meiku.errors import StateError
from meiku.ops.accounts import AccountError
from meiku.ops.house_buckets import BucketError

HELP = """媒库 meiku: S3-compatible media storage that a browser uploads straight into.
兼容 S3 的媒体存储，浏览器直传。

\b
meiku serve                 start on http://127.0.0.1:9000, data in ./meiku-data
meiku init                  make a data folder, and tell its id
meiku bucket make photos    make a bucket; --acl public-read lets everybody list it
eval "$(meiku env)"         give aws, boto3 and their like the root key and the address
meiku user add alice        make another account, with a key pair of its own
meiku backup DIR            copy everything, also while a server runs
meiku explain url URL       why was this presigned URL refused?
"""

command = typer.Typer(
    cls=Listing,
    help=HELP,
    no_args_is_help=True,
    add_completion=False,
    rich_markup_mode=None,
    pretty_exceptions_enable=False,
)
command.command("serve")(serve_command)
command.command("init")(init_command)
command.command("env")(environment_command)
command.add_typer(buckets.command, name="bucket")
command.command("check")(check_command)
command.command("backup")(backup_command)
command.command("restore")(restore_command)
command.add_typer(users.command, name="user")
command.add_typer(keys.command, name="key")
command.add_typer(explain.command, name="explain")


@command.command()
def version(as_json: AsJson = False) -> None:
    """Tell which version this is. 显示版本。"""
    show({"version": __version__}, f"meiku {__version__}", as_json)


def main() -> None:
    """Run the command; what it cannot do is one sentence and exit code 1."""
    try:
        command()
    except (AccountError, BucketError, ConfigError, StateError) as refusal:
        refuse(str(refusal))
    except OSError as error:
        refuse(f"{error.filename or 'the data folder'}: {error.strerror or error}")
    except KeyboardInterrupt:
        sys.exit(130)
