"""The binder: from what a request carries to an operation's arguments, with nothing ignored."""

from collections.abc import Callable
from typing import Any

import pytest

from meiku import errors, ops
from meiku.wire.binder import Binder, Given
from meiku.wire.request import read_request

Bind = Callable[..., dict[str, Any]]


async def nothing() -> dict[str, Any]:
    raise AssertionError("binding reads no body")


def bind(
    name: str,
    query: str = "",
    headers: dict[str, str] | None = None,
    fields: dict[str, str] | None = None,
    document: bytes = b"",
    body: object = None,
) -> dict[str, Any]:
    """Bind a request to the operation of this name."""
    sent = [(n.encode(), v.encode()) for n, v in (headers or {}).items()]
    scope = {"method": "PUT", "scheme": "http", "raw_path": b"/bbb/k", "headers": sent, "client": None}
    scope["http_version"] = "1.0"  # which needs no Host
    request = read_request({**scope, "query_string": query.encode()}, nothing, ())
    return Binder(ops.offered()[name]).bind(Given(request, fields or {}, body, document))


def test_arguments_are_exactly_those_the_function_names() -> None:
    """Every operation is called with all of its arguments, and with nothing else."""
    assert ops.offered()
    for name, operation in ops.offered().items():
        binder = Binder(operation)
        named = {argument for argument, _ in binder._sources} | set(binder._absent) | set(binder._groups)
        assert named == set(operation.arguments), name


def test_what_is_not_sent_is_none() -> None:
    """An absent member is None, an absent group or metadata is empty."""
    given = bind("PutObject", body=b"the body")
    assert given["body"] == b"the body"
    assert (given["metadata"], given["grants"], given["system_headers"]) == ({}, {}, {})
    assert given["acl"] is given["storage_class"] is given["if_match"] is None


def test_members_of_a_group_travel_together() -> None:
    """A group is a dict of those given, by AWS's names."""
    headers = {"content-type": "a/b", "cache-control": "no-store", "x-amz-grant-read": "id=1"}
    given = bind("PutObject", headers=headers)
    assert given["system_headers"] == {"CacheControl": "no-store", "ContentType": "a/b"}
    assert given["grants"] == {"GrantRead": "id=1"}


def test_metadata_loses_its_prefix() -> None:
    """Each x-amz-meta- header is an entry."""
    given = bind("PutObject", headers={"x-amz-meta-a": "1", "x-amz-meta-b-c": "2", "x-amz-metadata": "3"})
    assert given["metadata"] == {"a": "1", "b-c": "2"}


def test_a_body_that_is_text_is_given_as_text() -> None:
    """Decoded, and refused where it cannot be; an absent one is empty."""
    assert bind("PostProcessObject", document="x=图".encode())["body"] == "x=图"
    assert bind("PostProcessObject")["body"] == ""
    with pytest.raises(errors.InvalidArgument, match="UTF-8"):
        bind("PostProcessObject", document=b"\xff")


@pytest.mark.parametrize(
    ("name", "query", "argument", "value"),
    [
        ("ListObjectsV2", "max-keys=7", "max_keys", 7),
        ("ListObjectsV2", "max-keys=-7", "max_keys", -7),
        ("ListObjectsV2", "fetch-owner=TRUE", "fetch_owner", True),
        ("ListObjectsV2", "fetch-owner=false", "fetch_owner", False),
        ("ListObjectsV2", "encoding-type=url", "encoding_type", "url"),
        ("ListObjectsV2", "encoding-type=", "encoding_type", None),
        ("ListObjectsV2", "prefix=a%20b%2Bc", "prefix", "a b+c"),
        ("ListObjectsV2", "prefix=", "prefix", ""),
        ("UploadPart", "partNumber=3&uploadId=u", "part_number", 3),
    ],
)
def test_values_have_the_models_type(name: str, query: str, argument: str, value: object) -> None:
    """Numbers, booleans and choices are read as the model names them."""
    assert bind(name, query)[argument] == value


@pytest.mark.parametrize(
    ("name", "query"),
    [
        ("ListObjectsV2", "max-keys="),
        ("ListObjectsV2", "max-keys=1.0"),
        ("ListObjectsV2", "max-keys=1e3"),
        ("ListObjectsV2", "max-keys=%D9%A3"),
        ("ListObjectsV2", "max-keys=" + "9" * 19),
        ("ListObjectsV2", "fetch-owner=1"),
        ("ListObjectsV2", "encoding-type=xml"),
        ("GetObject", "response-content-type=a%0D%0Ab"),
        ("GetObject", "response-content-type=a%7Fb"),
    ],
)
def test_values_of_another_type_are_refused(name: str, query: str) -> None:
    """What cannot be read is InvalidArgument and names the parameter."""
    with pytest.raises(errors.InvalidArgument) as caught:
        bind(name, query)
    assert caught.value.detail["ArgumentName"] == query.partition("=")[0]


def test_times_are_milliseconds_and_bad_ones_are_ignored() -> None:
    """An HTTP date is read; a condition whose date cannot be is none (RFC 9110, 13.1.3)."""
    date = {"if-modified-since": "Thu, 01 Jan 1970 00:00:09 GMT", "if-unmodified-since": "soon"}
    given = bind("GetObject", headers=date)
    assert (given["if_modified_since"], given["if_unmodified_since"]) == (9000, None)


@pytest.mark.parametrize(
    ("name", "headers", "query"),
    [
        ("PutObject", {"x-amz-server-side-encryption": "AES256"}, ""),
        ("PutObject", {"x-amz-tagging": "a=b"}, ""),
        ("GetObject", {"x-amz-server-side-encryption-customer-algorithm": "AES256"}, ""),
        ("CreateBucket", {"x-amz-bucket-object-lock-enabled": "true"}, ""),
        ("ListBuckets", {}, "bucket-region=x"),
        ("DeleteObject", {"x-amz-bypass-governance-retention": "true"}, ""),
    ],
)
def test_a_member_that_is_not_taken_is_refused(name: str, headers: dict[str, str], query: str) -> None:
    """What the model knows and the function does not take is NotImplemented, never ignored."""
    with pytest.raises(errors.NotImplemented):
        bind(name, query, headers)


def test_a_switch_that_is_off_asks_for_nothing() -> None:
    """A boolean member that is not taken may be sent as false."""
    assert "acl" in bind("CreateBucket", headers={"x-amz-bucket-object-lock-enabled": "False"})


def test_a_class_that_s3_does_not_have() -> None:
    """A wrong storage class has an error of its own."""
    with pytest.raises(errors.InvalidStorageClass):
        bind("PutObject", headers={"x-amz-storage-class": "CHEAP"})


@pytest.mark.parametrize("name", ["a\r\nset-cookie", "a b", "a:b", "é", "a\x00"])
def test_metadata_names_are_header_names(name: str) -> None:
    """A form's field can be named anything; what cannot be a header's name is refused."""
    with pytest.raises(errors.InvalidArgument):
        bind("PostObject", fields={f"x-amz-meta-{name}": "v"})


@pytest.mark.parametrize("value", ["a\nb", "a\rb", "\x00", "\x1b[2J"])
def test_metadata_values_hold_no_control_characters(value: str) -> None:
    """What is sent again as a header cannot begin another."""
    with pytest.raises(errors.InvalidArgument):
        bind("PostObject", fields={"x-amz-meta-a": value})


def test_metadata_values_hold_what_people_write() -> None:
    """Tabs and every printable character of UTF-8 pass."""
    assert bind("PostObject", fields={"x-amz-meta-a": "é\t媒 😀"})["metadata"] == {"a": "é\t媒 😀"}


def test_a_forms_fields_are_arguments_like_any_other() -> None:
    """A form's acl, type and status come from its fields, and not from the request's headers."""
    fields = {"acl": "private", "content-type": "a/b", "success_action_status": "201"}
    given = bind("PostObject", headers={"content-type": "multipart/form-data"}, fields=fields)
    assert (given["acl"], given["success_action_status"]) == ("private", "201")
    assert given["system_headers"] == {"ContentType": "a/b"}
    with pytest.raises(errors.NotImplemented):
        bind("PostObject", fields={"tagging": "<Tagging/>"})


def test_a_document_is_read_in_the_models_shape() -> None:
    """A payload is a dict by member name."""
    given = bind("DeleteObjects", "delete", document=b"<Delete><Object><Key>a</Key></Object></Delete>")
    assert given["delete"] == {"Objects": [{"Key": "a"}]}


def test_a_document_that_is_needed() -> None:
    """Without a body a required document is MalformedXML, an optional one None."""
    with pytest.raises(errors.MalformedXML):
        bind("DeleteObjects", "delete", document=b" \n")
    assert bind("CreateBucket")["create_bucket_configuration"] is None
