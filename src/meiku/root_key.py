"""The root key pair: from the environment, else from its file in the data folder, else made and kept there.

The file is readable by its owner only. A pair from the environment is not written to it.
"""

import json
import os
from collections.abc import Mapping
from pathlib import Path

from meiku.config import ConfigError
from meiku.ops.accounts import KeyPair, new_key_pair

FILE_NAME = "root-key.json"


def root_key_pair(
    data_folder: Path, environment: Mapping[str, str] = os.environ
) -> tuple[KeyPair, Path | None]:
    """Find or make the pair; the path is where it is kept, None where the environment gave it."""
    given = _given(environment)
    if given is not None:
        return given, None
    path = data_folder / FILE_NAME
    return (_read(path) if path.exists() else _make(path)), path


def find_root_key_pair(data_folder: Path, environment: Mapping[str, str] = os.environ) -> KeyPair:
    """Find the pair, and make none."""
    path = data_folder / FILE_NAME
    given = _given(environment)
    if given is None and not path.exists():
        raise ConfigError(
            f"there is no root key in {path}; MEIKU_ACCESS_KEY and MEIKU_SECRET_KEY may name it"
        )
    return given or _read(path)


def _given(environment: Mapping[str, str]) -> KeyPair | None:
    access_key, secret_key = environment.get("MEIKU_ACCESS_KEY"), environment.get("MEIKU_SECRET_KEY")
    if bool(access_key) != bool(secret_key):
        raise ConfigError("set both MEIKU_ACCESS_KEY and MEIKU_SECRET_KEY, or neither")
    return KeyPair(access_key, secret_key) if access_key and secret_key else None


def _read(path: Path) -> KeyPair:
    try:
        kept = json.loads(path.read_text(encoding="utf-8"))
        return KeyPair(kept["access_key"], kept["secret_key"])
    except (ValueError, KeyError, TypeError):
        raise ConfigError(f"{path} holds no access_key and secret_key; restore or remove it") from None


def _make(path: Path) -> KeyPair:
    """Make a pair and keep it before anyone can be told it; never half a file."""
    pair = new_key_pair()
    text = json.dumps({"access_key": pair.access_key, "secret_key": pair.secret_key}, indent=2)
    partial = path.with_suffix(".partial")
    partial.unlink(missing_ok=True)
    descriptor = os.open(partial, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(descriptor, "w", encoding="utf-8") as file:
        file.write(text + "\n")
        file.flush()
        os.fsync(file.fileno())
    partial.rename(path)
    return pair
