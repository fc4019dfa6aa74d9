"""Which operation answers a request: the one whose required facts are all present, and most of them.

The table is built from the model, so that every operation S3 has is either offered or refused by its own
name. Without the second half, `DELETE /bucket?website` would be read as DeleteBucket. For the same reason a
query parameter that the chosen operation does not know is refused wherever it could change something.
"""

from collections.abc import Mapping
from collections.abc import Set as AbstractSet
from functools import cache

from meiku import errors, model
from meiku.model import Level, OperationModel
from meiku.wire.query import is_carried
from meiku.wire.request import Request

_SAFE_METHODS = {"GET", "HEAD"}
_UNJUDGED_PARAMETERS = {
    "AWSAccessKeyId",
    "Signature",
    "Expires",
    "x-id",  # which operation a newer SDK means; the facts decide, not the name
}


class Router:
    """The model's operations, by method and level."""

    def __init__(self, operations: Mapping[str, OperationModel], offered: frozenset[str]) -> None:
        candidates: dict[tuple[str, Level], list[OperationModel]] = {}
        for operation in sorted(operations.values(), key=lambda o: (-o.rank, o.name not in offered, o.name)):
            for method in _answered_methods(operation):
                candidates.setdefault((method, operation.level), []).append(operation)
        self._tables = {place: _Table(found) for place, found in candidates.items()}

    def match(self, request: Request) -> OperationModel:
        """Find the operation, or refuse with MethodNotAllowed or NotImplemented."""
        table = self._tables.get((request.method, request.level))
        operation = table.match(request) if table else None
        if operation is None:
            raise errors.MethodNotAllowed(
                _explanation(request), Method=request.method, ResourceType=request.level.upper()
            )
        if request.query:
            _refuse_second_name(operation, request)
            _refuse_unknown_query(operation, request)
        return operation


class _Table:
    """The operations of one method at one level, highest rank first."""

    def __init__(self, operations: list[OperationModel]) -> None:
        self._operations = operations
        self._queries = {name for operation in operations for name in operation.required_query}
        self._headers = {name for operation in operations for name in operation.required_headers}
        self._plain = next((o for o in operations if not o.required_query and not o.required_headers), None)

    def match(self, request: Request) -> OperationModel | None:
        if self._queries.isdisjoint(request.query) and self._headers.isdisjoint(request.headers):
            return self._plain
        return next((operation for operation in self._operations if _answers(operation, request)), None)


def _answered_methods(operation: OperationModel) -> tuple[str, ...]:
    """HEAD asks for what GET would answer; only pictures by URL need that said."""
    return ("GET", "HEAD") if operation.name.startswith("ProcessObject") else (operation.method,)


def _answers(operation: OperationModel, request: Request) -> bool:
    for name, value in operation.required_query.items():
        if name not in request.query or (value is not None and request.query[name] != value):
            return False
    return all(name in request.headers for name in operation.required_headers)


def _explanation(request: Request) -> str | None:
    """Say what is wrong with a form that names no bucket: the first mistake that a new installation sees."""
    if request.level != "service" or not request.headers.get("content-type", "").startswith("multipart/"):
        return None
    return (
        f"A form is posted to a bucket, but neither the path nor the host '{request.host}' names one: post "
        "it to /<bucket>, or start the server with --domain for what follows the bucket's name in the host."
    )


def _refuse_second_name(operation: OperationModel, request: Request) -> None:
    """Refuse what is asked for under two names, or twice under one: only one of them could be followed."""
    if not operation.siblings:
        return
    names = operation.siblings.values()
    said = [name for name, _ in request.query_pairs if name in names]
    if len(said) > 1:
        listed = " and ".join(dict.fromkeys(said))
        raise errors.InvalidArgument(
            f"The query asks for one thing, but {listed} stand for {len(said)}: leave one of them.",
            ArgumentName=said[1],
        )


def _refuse_unknown_query(operation: OperationModel, request: Request) -> None:
    judged: AbstractSet[str] = request.query.keys()
    if request.method in _SAFE_METHODS:
        if _sub_resources().isdisjoint(judged):
            return
        judged = judged & _sub_resources()
    for name in sorted(judged - _known_query(operation)):
        if is_carried(name, request.query, request.headers):
            continue
        raise errors.NotImplemented(
            f"The query parameter '{name}' is not offered for {operation.name}; it was not ignored, because "
            "it could change what you meant.",
            ArgumentName=name,
        )


@cache
def _sub_resources() -> frozenset[str]:
    return frozenset(name for o in model.operations().values() for name in o.required_query)


_known: dict[str, frozenset[str]] = {}


def _known_query(operation: OperationModel) -> frozenset[str]:
    if operation.name not in _known:
        members = operation.input.members.values()
        _known[operation.name] = frozenset(
            {m.wire_name for m in members if m.location == "querystring"}
            | operation.required_query.keys()
            | _UNJUDGED_PARAMETERS
        )
    return _known[operation.name]
