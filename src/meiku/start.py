"""The process that serves: settings from the environment, the data folder made ready, the tree started.

`meiku serve` becomes this process once it has understood what was typed, so that no worker carries the
command line's libraries, a fifth of its memory. What must not live here: arguments, or anything that draws.
"""

import asyncio
import os
import shlex
import shutil
import sys
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import NoReturn, cast
from unicodedata import east_asian_width

from uvicorn._types import ASGI3Application

from meiku import data_folder, model, observe
from meiku.app import Application, open_meta
from meiku.blobs.files import make_files
from meiku.config import ConfigError, Settings
from meiku.counters import Counters
from meiku.errors import StateError
from meiku.inherited_secrets import SECRETS, with_secrets, without_secrets
from meiku.media.confinement import hide_memory, try_to_confine
from meiku.media.jobs import Jobs
from meiku.ops.accounts import AccountError, KeyPair, ensure_root
from meiku.ops.house_buckets import BucketError, Wanted, ensure_buckets, read_wanted
from meiku.root_key import FILE_NAME, root_key_pair
from meiku.serve import Address, serve

# -P: a file in the folder where somebody types `meiku serve` is not to be imported.
PROGRAM = ("-P", "-m", "meiku.start")
_LABEL_CELLS = 22
_BOLD, _PLAIN = "\x1b[1m", "\x1b[0m"


def become(settings: Settings, environment: Mapping[str, str] = os.environ) -> NoReturn:
    """Replace this process, which keeps its number, by one that does nothing but serve.

    The data folder stands in its command line for `ps` to show; what it does, its environment says.
    """
    command = [sys.executable, *PROGRAM, "--data", str(settings.data_folder.resolve())]
    told = without_secrets({**environment, **settings.as_environment()})
    os.execve(sys.executable, command, told)  # noqa: S606


def main() -> None:
    """Serve as the environment says; what cannot be done is one sentence and exit code 1."""
    hide_memory()
    try:
        if any(os.environ.get(name) for name in SECRETS):
            become(Settings.from_environment())
        environment = with_secrets(os.environ)
        sys.exit(_run(Settings.from_environment(environment=environment), environment))
    except (AccountError, BucketError, ConfigError, StateError) as refusal:
        _refuse(str(refusal))
    except OSError as error:
        _refuse(f"{error.filename or 'the data folder'}: {error.strerror or error}")
    except KeyboardInterrupt:
        sys.exit(130)


def _run(settings: Settings, environment: Mapping[str, str]) -> int:
    observe.write_log_to(sys.stderr)
    # Said once there is a service: whoever is told why there is none reads one sentence.
    unconfined = try_to_confine()
    data_id = data_folder.begin(settings.data_folder, settings.data_id)
    is_new = not (settings.data_folder / FILE_NAME).exists()
    pair, kept_in = root_key_pair(settings.data_folder, environment)
    wanted = read_wanted(settings.buckets)
    asyncio.run(_prepare(settings, pair, wanted))
    counters, jobs = Counters(settings.workers, model.operations()), Jobs(settings.workers)

    def make_application() -> ASGI3Application:
        return cast(ASGI3Application, Application(settings, counters, jobs, data_id))

    def greet(address: Address) -> None:
        for sentence in unconfined:
            observe.warn(sentence)
        _greet(address, settings, pair, kept_in, is_new)

    return serve(settings, make_application, greet, counters)


async def _prepare(settings: Settings, pair: KeyPair, wanted: Sequence[Wanted]) -> None:
    """Bring the database up to date, and make the root user and the buckets that are to be there.

    Before there are workers to race for it.
    """
    now_ms = int(time.time() * 1000)
    make_files(settings.data_folder)
    async with open_meta(settings) as meta:
        await ensure_root(meta, pair, now_ms)
        await ensure_buckets(meta, wanted, settings.region, now_ms)


def _greet(address: Address, settings: Settings, pair: KeyPair, kept_in: Path | None, is_new: bool) -> None:
    secret = f"保存在 kept in {kept_in}" if kept_in else "见 as in MEIKU_SECRET_KEY"
    # Not where a log is kept of what is printed: who may read logs need not be who may read keys.
    if is_new and kept_in and sys.stdout.isatty():
        secret = pair.secret_key
    lines = [
        ("媒库 meiku", "已就绪 is ready"),
        ("服务地址 endpoint", address.url),
        ("访问密钥 access key", pair.access_key),
        ("私有密钥 secret key", secret),
        ("数据目录 data", str(settings.data_folder.resolve())),
        ("", ""),
        *(
            ("试一试 try" if number == 0 else "", line)
            for number, line in enumerate(_to_try(address, settings))
        ),
        ("停止 stop", "Ctrl-C：先传完正在传的 running transfers finish first"),
    ]
    bold, plain = (_BOLD, _PLAIN) if sys.stdout.isatty() and "NO_COLOR" not in os.environ else ("", "")
    text = "".join(f"  {bold}{_padded(label)}{plain}{value}".rstrip() + "\n" for label, value in lines)
    # A terminal that knows no Chinese is no reason not to serve.
    sys.stdout.reconfigure(errors="replace")  # type: ignore[union-attr]
    print(text, flush=True)


def _padded(label: str) -> str:
    """Fill a label up to the column of the values; a Chinese character takes two cells of a terminal."""
    cells = sum(2 if east_asian_width(character) == "W" else 1 for character in label)
    return label + " " * (_LABEL_CELLS - cells)


def _to_try(address: Address, settings: Settings) -> list[str]:
    """Write what may be typed next, so that it can be pasted into any shell of this machine as it stands."""
    data = shlex.quote(str(settings.data_folder.resolve()))
    return [
        f"{_own_name()} bucket make photos --acl public-read --data {data}",
        f'eval "$({_own_name()} env --endpoint-url {address.local_url} --data {data})"',
        "aws s3 cp cat.jpg s3://photos/",
    ]


def _own_name() -> str:
    """Return how a shell calls this installation's command: by its name where that is what it finds."""
    beside = Path(sys.executable).with_name("meiku")
    found = shutil.which("meiku")
    if found and Path(found).resolve() == beside.resolve():
        return "meiku"
    return shlex.quote(str(beside)) if beside.exists() else f"{shlex.quote(sys.executable)} -m meiku"


def _refuse(sentence: str) -> NoReturn:
    sys.stderr.write(f"meiku: {sentence}\n")
    sys.exit(1)


if __name__ == "__main__":
    main()
