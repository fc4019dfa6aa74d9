"""What is not offered is refused by its own name, and is never mistaken for something that is."""

from collections.abc import Iterator
from typing import Any

import pytest

from meiku import model, ops
from meiku.model import OperationModel
from ops.conftest import Send
from running_server import Server

# Answered under their other name: the newer one, or (for directory buckets) the one of our kind of bucket.
TWINS = {name for name, operation in model.operations().items() if operation.deprecated}
UNOFFERED = sorted(model.operations().keys() - ops.offered().keys() - TWINS)
KEPT = "test-unoffered"


@pytest.fixture(scope="module", autouse=True)
def kept(server: Server) -> Iterator[None]:
    """A bucket with the object `k`, which every request of this file must leave as it is."""
    client = server.client()
    client.create_bucket(Bucket=KEPT)
    before = client.put_object(Bucket=KEPT, Key="k", Body=b"untouched")["ETag"]
    acl = client.get_bucket_acl(Bucket=KEPT)["Grants"]
    yield
    assert client.head_object(Bucket=KEPT, Key="k")["ETag"] == before
    assert client.list_objects_v2(Bucket=KEPT)["KeyCount"] == 1
    assert client.get_bucket_acl(Bucket=KEPT)["Grants"] == acl


def address_of(operation: OperationModel) -> tuple[str, dict[str, str]]:
    """Write the least request that means this operation: its address, and the headers it must have."""
    path = {"service": "/", "bucket": f"/{KEPT}", "object": f"/{KEPT}/k"}[operation.level]
    pairs = [
        name if value is None and name not in _VALUED else f"{name}={value or 'x'}"
        for name, value in operation.required_query.items()
    ]
    return f"{path}?{'&'.join(pairs)}" if pairs else path, dict.fromkeys(operation.required_headers, "x")


_VALUED = {"id", "uploadId", "partNumber"}


@pytest.mark.parametrize("name", UNOFFERED)
def test_an_operation_that_is_not_offered_says_so(raw: Send, name: str) -> None:
    """Its own least request, signed, is NotImplemented under its own name."""
    operation = model.operations()[name]
    target, headers = address_of(operation)
    answer = raw(operation.method, target, b"", headers)
    assert answer.status == 501
    if operation.method != "HEAD":
        assert (answer.code, answer.element("Operation")) == ("NotImplemented", name)


@pytest.mark.parametrize(
    ("method", "target"),
    [
        ("DELETE", "/{b}?website"),
        ("DELETE", "/{b}?anything"),
        ("DELETE", "/{b}?unknown=1"),
        ("DELETE", "/{b}/k?unknown"),
        ("DELETE", "/{b}/k?partNumber=1"),
        ("DELETE", "/{b}/k?retention"),
        ("PUT", "/{b}?unknown"),
        ("PUT", "/{b}/k?uploadId=x"),
        ("PUT", "/{b}/k?partNumber=1"),
        ("PUT", "/{b}/k?append"),
        ("PUT", "/{b}/k?append&position=0"),
        ("PUT", "/{b}/k?position=0"),
        ("PUT", "/{b}/k?retention"),
        ("PUT", "/{b}/k?legal-hold"),
        ("PUT", "/{b}/k?versionId=null"),
        ("PUT", "/{b}/k?Acl"),
        ("PUT", "/{b}/k?symlink"),
        ("POST", "/{b}/k?append&position=0"),
        ("POST", "/{b}/k?restore"),
        ("POST", "/{b}?unknown"),
        ("GET", "/{b}?uploads&policy"),
        ("GET", "/{b}?x-amz-process=image/resize,w_100"),
        ("GET", "/{b}/k?torrent&x-amz-process=image/resize,w_100"),
        ("GET", "/{b}/k?torrent"),
        ("GET", "/{b}?list-type=3"),
    ],
)
def test_no_request_falls_through_to_another_operation(raw: Send, method: str, target: str) -> None:
    """A parameter that the operation does not know is refused wherever it could change what was meant."""
    answer = raw(method, target.format(b=KEPT), b"other")
    assert answer.status == 501
    assert method == "HEAD" or answer.code == "NotImplemented"


@pytest.mark.parametrize("target", ["/{b}/k?v=123", "/{b}/k?utm_source=x", "/{b}?cache=1"])
def test_a_read_may_carry_what_nobody_knows(raw: Send, target: str) -> None:
    """A page may make an address its own with a parameter of no meaning, as S3 lets it."""
    assert raw("GET", target.format(b=KEPT)).status == 200


@pytest.mark.parametrize(
    ("method", "target"),
    [("POST", "/"), ("PUT", "/"), ("DELETE", "/"), ("OPTIONS", "/"), ("POST", "/{b}/k"), ("PATCH", "/{b}/k")],
)
def test_a_method_that_means_nothing_here(raw: Send, method: str, target: str) -> None:
    """No operation of this method at this address: MethodNotAllowed."""
    answer = raw(method, target.format(b=KEPT))
    assert (answer.status, answer.code) == (405, "MethodNotAllowed")


def test_a_newer_sdks_own_mark_is_no_parameter(raw: Send) -> None:
    """x-id names the operation that an SDK means; the facts of the request decide."""
    assert raw("GET", f"/{KEPT}/k?x-id=GetObject").body == b"untouched"


def test_who_is_refused_first(anonymous: Any) -> None:
    """What is not offered is said to strangers as well: it tells nothing about the bucket."""
    assert anonymous("GET", f"/{KEPT}?website").code == "NotImplemented"
