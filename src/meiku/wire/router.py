"""Which operation answers a request: the one whose required facts are all present, and most of them.

The table is built from the model, so that every operation S3 has is either offered or refused by its own
name. Without the second half, `DELETE /bucket?website` would be read as DeleteBucket. For the same reason a
query parameter that the chosen operation does not know is refused wherever it could change something.
"""

from collections.abc import Mapping
from functools import cache

from meiku import errors, model
from meiku.model import Level, OperationModel
from meiku.wire.request import CREDENTIAL_PARAMETERS, Request, is_carried_header

_SAFE_METHODS = {"GET", "HEAD", "OPTIONS"}
_UNJUDGED_PARAMETERS = {
    "AWSAccessKeyId",
    "Signature",
    "Expires",
    "x-id",  # which operation a newer SDK means; the facts decide, not the name
}


class Router:
    """The model's operations, by method and level, highest rank first."""

    def __init__(self, operations: Mapping[str, OperationModel], offered: frozenset[str]) -> None:
        self._candidates: dict[tuple[str, Level], list[OperationModel]] = {}
        for operation in sorted(operations.values(), key=lambda o: (-o.rank, o.name not in offered, o.name)):
            for method in _answered_methods(operation):
                self._candidates.setdefault((method, operation.level), []).append(operation)

    def match(self, request: Request) -> OperationModel:
        """Find the operation, or refuse with MethodNotAllowed or NotImplemented."""
        for operation in self._candidates.get((request.method, request.level), ()):
            if _answers(operation, request):
                if request.query:
                    _refuse_unknown_query(operation, request)
                return operation
        raise errors.MethodNotAllowed(Method=request.method, ResourceType=request.level.upper())


def _answered_methods(operation: OperationModel) -> tuple[str, ...]:
    """HEAD asks for what GET would answer; only pictures by URL need that said."""
    return ("GET", "HEAD") if operation.name.startswith("ProcessObject") else (operation.method,)


def _answers(operation: OperationModel, request: Request) -> bool:
    for name, value in operation.required_query.items():
        if name not in request.query or (value is not None and request.query[name] != value):
            return False
    return all(name in request.headers for name in operation.required_headers)


def _refuse_unknown_query(operation: OperationModel, request: Request) -> None:
    unknown = request.query.keys() - _known_query(operation)
    if request.method in _SAFE_METHODS:
        unknown &= _sub_resources()
    for name in sorted(unknown):
        if name.lower() in CREDENTIAL_PARAMETERS or is_carried_header(request, name):
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
