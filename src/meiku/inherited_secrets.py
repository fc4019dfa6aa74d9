"""How secrets reach the process that serves: in a file without a name, never in its environment.

A process's first environment can be read for as long as it lives, at /proc/PID/environ, whatever it changes
afterwards; and every child is given it. So the secrets leave it when `meiku serve` becomes that process.
"""

import json
import os
from collections.abc import Mapping

# What the server is told so, and what its clients may have left lying beside it.
SECRETS = frozenset({"MEIKU_SECRET_KEY", "MEIKU_METRICS_TOKEN", "AWS_SECRET_ACCESS_KEY", "AWS_SESSION_TOKEN"})
_DESCRIPTOR = "MEIKU_SECRETS_DESCRIPTOR"


def without_secrets(environment: Mapping[str, str]) -> dict[str, str]:
    """Return an environment whose secrets lie in an open file, of which only the number is named."""
    secrets = {name: value for name, value in environment.items() if name in SECRETS}
    file = os.memfd_create("secrets", 0)  # with no flag: open also in the process that follows
    os.write(file, json.dumps(secrets).encode())
    os.lseek(file, 0, os.SEEK_SET)
    open_to_all = {name: value for name, value in environment.items() if name not in SECRETS}
    return {**open_to_all, _DESCRIPTOR: str(file)}


def with_secrets(environment: Mapping[str, str]) -> dict[str, str]:
    """Return the environment that `without_secrets` was given; the file is gone then."""
    told = dict(environment)
    descriptor = told.pop(_DESCRIPTOR, None)
    if descriptor is None:
        return told
    with os.fdopen(int(descriptor), encoding="utf-8") as file:
        told.update(json.load(file))
    return told
