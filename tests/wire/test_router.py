"""The router: every operation of the model is found by its own facts, and by no other's."""

from collections.abc import Mapping
from typing import Any

import pytest

from meiku import errors, model, ops
from meiku.model import OperationModel
from meiku.wire.request import Request, read_request
from meiku.wire.router import Router

OPERATIONS = model.operations()
ROUTER = Router(OPERATIONS, frozenset(ops.offered()))
PATHS = {"service": "/", "bucket": "/bbb", "object": "/bbb/k"}
# Second names for the same request.
TWINS = {name for name, operation in OPERATIONS.items() if operation.deprecated}


async def nothing() -> dict[str, Any]:
    raise AssertionError("routing reads no body")


def request(method: str, path: str, query: str = "", headers: Mapping[str, str] | None = None) -> Request:
    pairs = [(b"host", b"h"), *((n.encode(), v.encode()) for n, v in (headers or {}).items())]
    scope = {"method": method, "scheme": "http", "raw_path": path.encode(), "headers": pairs}
    scope["http_version"] = "1.0"  # which needs no Host
    return read_request({**scope, "query_string": query.encode(), "client": None}, nothing, ())


def least(operation: OperationModel) -> Request:
    """Make the least request that means this operation."""
    query = "&".join(f"{name}={value or ''}" for name, value in operation.required_query.items())
    headers = dict.fromkeys(operation.required_headers, "x")
    return request(operation.method, PATHS[operation.level], query, headers)


@pytest.mark.parametrize("name", sorted(OPERATIONS.keys() - TWINS))
def test_an_operation_matches_only_itself(name: str) -> None:
    """The least request that has an operation's facts is answered by that operation."""
    assert ROUTER.match(least(OPERATIONS[name])).name == name


@pytest.mark.parametrize("name", sorted(TWINS))
def test_a_twin_never_answers(name: str) -> None:
    """What has two names at one address answers under the one that is in use."""
    assert ROUTER.match(least(OPERATIONS[name])).name not in TWINS


@pytest.mark.parametrize("name", sorted(ops.offered()))
def test_what_is_offered_is_reached(name: str) -> None:
    """No operation that is offered stands in another's shadow."""
    assert ROUTER.match(least(OPERATIONS[name])).name == name


@pytest.mark.parametrize(
    ("method", "path", "query", "headers", "name"),
    [
        ("PUT", "/b/k", "", {"x-amz-copy-source": "b/k"}, "CopyObject"),
        ("PUT", "/b/k", "partNumber=1&uploadId=u", {"x-amz-copy-source": "b/k"}, "UploadPartCopy"),
        ("PUT", "/b/k", "partNumber=1&uploadId=u", {}, "UploadPart"),
        ("GET", "/b/k", "uploadId=u", {}, "ListParts"),
        ("GET", "/b/k", "partNumber=1", {}, "GetObject"),
        ("GET", "/b", "list-type=2", {}, "ListObjectsV2"),
        ("GET", "/b", "list-type=2&prefix=acl", {}, "ListObjectsV2"),
        ("GET", "/b", "uploads&prefix=x", {}, "ListMultipartUploads"),
        ("GET", "/b/", "", {}, "ListObjects"),
        ("GET", "/b", "inventory&id=x", {}, "GetBucketInventoryConfiguration"),
        ("GET", "/b", "inventory", {}, "ListBucketInventoryConfigurations"),
        ("DELETE", "/b", "website", {}, "DeleteBucketWebsite"),
        ("PUT", "/b/k", "retention", {}, "PutObjectRetention"),
        ("OPTIONS", "/b/k", "uploads", {}, "PreflightObject"),
        ("HEAD", "/b/k", "x-amz-process=x", {}, "ProcessObject"),
        ("HEAD", "/b/k", "x-ctyun-process=x", {}, "ProcessObjectCtyun"),
        ("POST", "/b/k", "x-cos-process", {}, "PostProcessObjectCos"),
        ("GET", "/b", "style", {}, "ListStyle"),
        ("GET", "/b", "style&styleName=a", {}, "GetStyle"),
        ("PUT", "/b", "style&styleName=a&category=image", {}, "PutStyle"),
        ("DELETE", "/b", "style=b&styleName=a", {}, "DeleteStyle"),
    ],
)
def test_most_facts_win(method: str, path: str, query: str, headers: dict[str, str], name: str) -> None:
    """Of the operations whose facts are all there, the one with the most answers."""
    assert ROUTER.match(request(method, path, query, headers)).name == name


@pytest.mark.parametrize(
    ("method", "path"), [("PATCH", "/b/k"), ("POST", "/b/k"), ("DELETE", "/"), ("BREW", "/b")]
)
def test_no_operation_is_method_not_allowed(method: str, path: str) -> None:
    """A method that no operation has at this level is refused."""
    with pytest.raises(errors.MethodNotAllowed):
        ROUTER.match(request(method, path))


@pytest.mark.parametrize("method", ["PUT", "DELETE"])
def test_a_write_with_an_unknown_parameter_is_refused(method: str) -> None:
    """Whatever could change something is judged by its whole query, and the refusal names the parameter."""
    with pytest.raises(errors.NotImplemented) as caught:
        ROUTER.match(request(method, "/b/k", "nobody-knows=1"))
    assert caught.value.detail["ArgumentName"] == "nobody-knows"


def test_a_read_with_another_operations_fact_is_refused() -> None:
    """A sub-resource that the chosen operation does not know is not ignored even by a read."""
    with pytest.raises(errors.NotImplemented):
        ROUTER.match(request("GET", "/b", "list-type=2&policy"))


@pytest.mark.parametrize("query", ["x-amz-process=1&x-oss-process=1", "x-zos-process=1&x-zos-process=2"])
@pytest.mark.parametrize("method", ["GET", "HEAD", "POST"])
def test_what_is_asked_for_twice_is_refused(method: str, query: str) -> None:
    """Under two names that mean the same, or twice under one, only one could be followed."""
    with pytest.raises(errors.InvalidArgument, match="stand for 2"):
        ROUTER.match(request(method, "/b/k", query))
    assert ROUTER.match(request("OPTIONS", "/b/k", query)).name == "PreflightObject"


def test_credentials_in_the_query_are_no_parameters() -> None:
    """A presigned URL of either version routes as the bare request does."""
    v2 = "AWSAccessKeyId=a&Signature=s&Expires=1&x-amz-security-token=t"
    v4 = "X-Amz-Algorithm=a&X-Amz-Credential=c&X-Amz-Date=d&X-Amz-Expires=1&X-Amz-SignedHeaders=h"
    assert ROUTER.match(request("PUT", "/b/k", v2)).name == "PutObject"
    assert (
        ROUTER.match(request("PUT", "/b/k", f"{v4}&X-Amz-Signature=s&x-amz-acl=private")).name == "PutObject"
    )
