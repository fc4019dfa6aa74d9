"""`meiku env`: the root key pair and the server's address, as the variables that S3 clients read.

It prints a secret because that is what it is asked for, by whoever may read the file that holds it.
"""

import os
import shlex
from typing import Annotated

import typer

from meiku.cli.output import AsJson, show
from meiku.cli.store import DataFolder, settings_of
from meiku.root_key import find_root_key_pair
from meiku.serve import Address


def environment_command(
    endpoint_url: Annotated[
        str | None, typer.Option(help="Where clients reach the server, if elsewhere. 客户端访问的地址。")
    ] = None,
    data: DataFolder = None,
    as_json: AsJson = False,
) -> None:
    """Print the root key and the address for aws, boto3 and all SDKs. 以环境变量输出密钥和地址。

    Use it as:  eval "$(meiku env)"
    """
    settings = settings_of(data)
    pair = find_root_key_pair(settings.data_folder, os.environ)
    address = Address(settings.host, settings.port, settings.tls_certificate is not None)
    variables = {
        "AWS_ACCESS_KEY_ID": pair.access_key,
        "AWS_SECRET_ACCESS_KEY": pair.secret_key,
        "AWS_REGION": settings.region,
        "AWS_DEFAULT_REGION": settings.region,
        "AWS_ENDPOINT_URL_S3": endpoint_url or address.local_url,
    }
    lines = [f"export {name}={shlex.quote(value)}" for name, value in variables.items()]
    show(variables, "\n".join(lines), as_json)
