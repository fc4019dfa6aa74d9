"""The renderer: from an operation's answer, or its error, to what goes on the wire."""

from typing import Any
from xml.etree import ElementTree

import pytest

from meiku import errors, model
from meiku.wire.renderer import Renderer, Response, render_error

NS = "{http://s3.amazonaws.com/doc/2006-03-01/}"


def render(name: str, answer: dict[str, Any]) -> Response:
    return Renderer(model.operations()[name]).render(answer)


def headers_of(response: Response) -> dict[str, str]:
    return {name.decode().lower(): value.decode() for name, value in response.headers}


def tree(response: Response) -> ElementTree.Element:
    assert isinstance(response.body, bytes)
    return ElementTree.fromstring(response.body)


def test_bytes_are_sent_as_they_are() -> None:
    """A blob is the body, the rest are headers."""
    response = render("GetObject", {"Body": b"x", "ETag": '"t"', "ContentLength": 1, "LastModified": 9999})
    assert (response.status, response.body) == (200, b"x")
    assert headers_of(response) == {
        "etag": '"t"',
        "content-length": "1",
        "last-modified": "Thu, 01 Jan 1970 00:00:09 GMT",
    }


def test_a_range_is_partial_content() -> None:
    """An answer with a content range is 206."""
    assert render("GetObject", {"Body": b"x", "ContentRange": "bytes 0-0/2"}).status == 206
    assert render("HeadObject", {"ContentRange": "bytes 0-0/2"}).status == 206


def test_metadata_gets_its_prefix() -> None:
    """Each entry of metadata is a header; beyond ASCII an encoded word of RFC 2047."""
    response = render("HeadObject", {"Metadata": {"a": "1", "b": "é"}})
    assert headers_of(response) == {"x-amz-meta-a": "1", "x-amz-meta-b": "=?UTF-8?B?w6k=?="}


def test_what_is_none_is_not_said() -> None:
    """None leaves out a header, and an element."""
    assert headers_of(render("HeadObject", {"ETag": None})) == {}
    response = render("ListObjectsV2", {"Name": "b", "Delimiter": None, "Contents": []})
    assert [child.tag for child in tree(response)] == [f"{NS}Name"]


@pytest.mark.parametrize(
    ("name", "root"),
    [
        ("ListBuckets", "ListAllMyBucketsResult"),
        ("ListObjects", "ListBucketResult"),
        ("ListObjectsV2", "ListBucketResult"),
        ("CreateMultipartUpload", "InitiateMultipartUploadResult"),
        ("CompleteMultipartUpload", "CompleteMultipartUploadResult"),
        ("ListParts", "ListPartsResult"),
        ("ListMultipartUploads", "ListMultipartUploadsResult"),
        ("DeleteObjects", "DeleteResult"),
        ("GetBucketAcl", "AccessControlPolicy"),
        ("GetBucketCors", "CORSConfiguration"),
    ],
)
def test_documents_have_s3s_root(name: str, root: str) -> None:
    """The root element has S3's name, in S3's namespace, and the type is XML."""
    response = render(name, {})
    assert tree(response).tag == NS + root
    assert headers_of(response)["content-type"] == "application/xml"


def test_a_payload_is_the_document() -> None:
    """Where one member is the payload, its shape is the document."""
    made = {"ETag": '"t"', "LastModified": 0}
    response = render("CopyObject", {"CopyObjectResult": made})
    assert tree(response).tag == f"{NS}CopyObjectResult"
    assert [child.text for child in tree(response)] == ['"t"', "1970-01-01T00:00:00.000Z"]


@pytest.mark.parametrize(("location", "text"), [(None, None), ("cn-north-1", "cn-north-1")])
def test_a_location_is_its_own_root(location: str | None, text: str | None) -> None:
    """GetBucketLocation answers the constraint itself, empty for the first region."""
    root = tree(render("GetBucketLocation", {"LocationConstraint": location}))
    assert (root.tag, root.text) == (f"{NS}LocationConstraint", text)


def test_nothing_to_say_is_nothing() -> None:
    """Operations without output, 204 and HEAD have neither body nor type."""
    for name, status in (("PutBucketAcl", 200), ("DeleteBucket", 204), ("HeadBucket", 200)):
        response = render(name, {})
        assert (response.status, response.body, response.headers) == (status, b"", [])


def test_a_form_says_its_own_status() -> None:
    """PostObject's status is the answer's; only 201 has a document."""
    said = {"Location": "l", "Bucket": "b", "Key": "k", "ETag": '"t"'}
    created = render("PostObject", {"StatusCode": 201, "LocationHeader": "l", "PostResponse": said})
    assert (created.status, tree(created).tag) == (201, "PostResponse")
    for status in (200, 204, 303):
        response = render("PostObject", {"StatusCode": status, "LocationHeader": "l"})
        assert (response.status, response.body) == (status, b"")
        assert headers_of(response)["location"] == "l"


def test_a_name_that_the_model_does_not_have_fails() -> None:
    """A misspelt member is a mistake of ours and must not go unnoticed."""
    with pytest.raises(KeyError):
        render("ListObjectsV2", {"Nmae": "b"})


def test_an_error_says_everything_it_knows() -> None:
    """Code, message and details are elements, lists are nested, and nothing needs a namespace."""
    error = errors.AccessDenied("No & <never>", Conditions=[{"Field": "key", "Met": "false"}], Other="x")
    response = render_error(error, resource="/b/k", request_id="tx1", host_id="r")
    assert response.status == 403
    root = tree(response)
    assert root.tag == "Error"
    assert {child.tag: child.text for child in root if not len(child)} == {
        "Code": "AccessDenied",
        "Message": "No & <never>",
        "Other": "x",
        "Resource": "/b/k",
        "RequestId": "tx1",
        "HostId": "r",
    }
    assert root.findtext("Conditions/Condition/Field") == "key"


def test_an_error_may_bring_headers() -> None:
    """What an error says in headers is sent."""
    error = errors.InvalidRange(headers={"content-range": "bytes */3"})
    response = render_error(error, resource="/", request_id="", host_id="")
    assert headers_of(response) == {"content-range": "bytes */3", "content-type": "application/xml"}


@pytest.mark.parametrize("text", ["\ud800", "é媒😀", "]]>"])
def test_an_error_can_quote_anything(text: str) -> None:
    """What a client sent can be said back, whatever it was; the answer is always a document."""
    response = render_error(
        errors.InvalidArgument(ArgumentValue=text), resource="/", request_id="", host_id=""
    )
    assert tree(response).findtext("Code") == "InvalidArgument"
