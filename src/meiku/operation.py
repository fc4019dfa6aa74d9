"""What an operation is: a plain async function under AWS's name for it.

    @operation("HeadBucket", action="s3:ListBucket")
    async def head_bucket(call: Call) -> Answer: ...

That is all a new operation needs. The route, the arguments' names and types, the answer's shape and the
documentation come from the model. `action` is the permission that a caller must hold; it has no default,
because a permission must be stated, never inherited. Parameters after `call` are members of the model's
input in snake_case, or one of `GROUPS`; one that the model does not have fails at import. Nothing here knows
HTTP or storage.
"""

import inspect
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any, Literal, TypeVar

from meiku import model
from meiku.checksums import ALGORITHMS
from meiku.model import OperationModel

Answer = dict[str, Any]

# Of a document that no operation bounds closer: a thousand keys to delete, or ten thousand parts.
DOCUMENT_LIMIT_BYTES = 4 * 1024 * 1024

# Members that always travel together are taken as one argument: a dict of those given, by AWS's name.
GROUPS: Mapping[str, tuple[str, ...]] = {
    "grants": ("GrantFullControl", "GrantRead", "GrantReadACP", "GrantWrite", "GrantWriteACP"),
    "system_headers": (
        "CacheControl",
        "ContentDisposition",
        "ContentEncoding",
        "ContentLanguage",
        "ContentType",
        "Expires",
        "WebsiteRedirectLocation",
    ),
    "overrides": (
        "ResponseCacheControl",
        "ResponseContentDisposition",
        "ResponseContentEncoding",
        "ResponseContentLanguage",
        "ResponseContentType",
        "ResponseExpires",
    ),
    "whole_checksums": tuple(algorithm.member for algorithm in ALGORITHMS.values()),
}
Function = Callable[..., Awaitable[Answer]]
Credentials = Literal["signature", "form", "none"]
F = TypeVar("F", bound=Function)

_offered: dict[str, "Operation"] = {}


@dataclass(frozen=True, slots=True)
class Operation:
    """One offered operation: the model's facts, our function, and who may call it."""

    model: OperationModel
    function: Function
    action: str
    credentials: Credentials
    creates_bucket: bool
    reads_bytes: bool
    document_limit_bytes: int
    arguments: tuple[str, ...]

    @property
    def name(self) -> str:
        """The name that AWS gave it."""
        return self.model.name


def operation(
    name: str,
    *,
    action: str,
    credentials: Credentials = "signature",
    creates_bucket: bool = False,
    reads_bytes: bool = False,
    document_limit_bytes: int = DOCUMENT_LIMIT_BYTES,
) -> Callable[[F], F]:
    """Offer the decorated function as the operation of this name.

    `credentials` says where the caller's proof travels (a form carries its own, a preflight none);
    `creates_bucket` that the bucket it is addressed to need not exist yet; `reads_bytes` that the look which
    finds its object is to bring small bytes along; `document_limit_bytes` how long its document may be.
    """

    def declare(function: F) -> F:
        entry = model.operations()[name]
        known = {member.argument for member in entry.input.members.values()} | GROUPS.keys()
        arguments = tuple(inspect.signature(function).parameters)[1:]
        if name in _offered or not known.issuperset(arguments):
            raise TypeError(f"{name}: offered twice, or {set(arguments) - known} is not in the model")
        _offered[name] = Operation(
            entry, function, action, credentials, creates_bucket, reads_bytes, document_limit_bytes, arguments
        )
        return function

    return declare


def offered() -> Mapping[str, Operation]:
    """List what is offered; complete once `meiku.ops` has been imported."""
    return MappingProxyType(_offered)
