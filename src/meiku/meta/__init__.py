"""What exists: users, keys, buckets, objects, uploads. The seam that meaning sees.

A driver offers `Meta` and nothing else; what to ask lives in the modules named after nouns, as transactions.
No S3 rules, no HTTP, no bytes of large objects. A driver imports nothing of the house but the leaves.
"""

from collections.abc import Callable
from typing import ParamSpec, Protocol, TypeVar

from meiku.meta.transaction import Transaction

__all__ = ["Meta"]

P = ParamSpec("P")
T = TypeVar("T")


class Meta(Protocol):
    """A store of records that runs transactions."""

    async def read(self, flow: Callable[P, Transaction[T]], *args: P.args, **kwargs: P.kwargs) -> T:
        """Run a transaction that only reads, in one consistent snapshot of all that is committed."""
        ...

    async def write(self, flow: Callable[P, Transaction[T]], *args: P.args, **kwargs: P.kwargs) -> T:
        """Run a transaction; what it wrote is durable when this returns, and undone when this raises.

        What the flow raises reaches its caller only. Raises Conflict when something must be unique, Full when
        there is no room. A caller that is cancelled meanwhile does not know whether the write happened.
        """
        ...

    def version(self) -> object:
        """Tell by a comparable value whether users, keys, buckets or settings changed, in any process."""
        ...

    async def close(self) -> None:
        """Finish the writes that wait, then let go of everything."""
        ...
