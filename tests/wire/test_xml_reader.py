"""Request documents: read as the model names them, and refused when they are anything else."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from fuzzing import often
from meiku import errors, model
from meiku.model import Shape
from meiku.wire.xml_reader import DEPTH_LIMIT, parse, read_document


def payload(name: str) -> Shape:
    operation = model.operations()[name]
    return operation.input.members[operation.payload or ""].shape


DELETE, COMPLETE = payload("DeleteObjects"), payload("CompleteMultipartUpload")
CORS, ACL = payload("PutBucketCors"), payload("PutBucketAcl")


def test_flattened_lists_gather() -> None:
    """Repeats of a flattened member are one list; text is taken as it stands."""
    body = b"<Delete><Object><Key> a </Key></Object><Quiet>true</Quiet><Object><Key>b</Key></Object></Delete>"
    assert read_document(body, DELETE, "Delete") == {
        "Objects": [{"Key": " a "}, {"Key": "b"}],
        "Quiet": True,
    }


def test_wrapped_lists_unwrap() -> None:
    """A list with an element of its own is read from its items; xsi:type is an attribute."""
    xsi = 'xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance" xsi:type="Group"'
    grant = f"<Grant><Grantee {xsi}><URI>u</URI></Grantee><Permission>READ</Permission></Grant>"
    body = f"<AccessControlPolicy><AccessControlList>{grant}</AccessControlList></AccessControlPolicy>"
    assert read_document(body.encode(), ACL, "AccessControlPolicy") == {
        "Grants": [{"Grantee": {"Type": "Group", "URI": "u"}, "Permission": "READ"}]
    }


@pytest.mark.parametrize("text", ["7", " 7 ", "\n7\n", "-7"])
def test_numbers_are_read(text: str) -> None:
    """White space around a number means nothing."""
    body = f"<CompleteMultipartUpload><Part><PartNumber>{text}</PartNumber></Part></CompleteMultipartUpload>"
    read = read_document(body.encode(), COMPLETE, "CompleteMultipartUpload")
    assert read == {"Parts": [{"PartNumber": int(text)}]}


@pytest.mark.parametrize("text", ["", "-", "1.0", "x", "٣", "9" * 19, "1 2"])
def test_what_is_no_number_is_refused(text: str) -> None:
    """Only plain decimal digits are a number."""
    body = f"<CompleteMultipartUpload><Part><PartNumber>{text}</PartNumber></Part></CompleteMultipartUpload>"
    with pytest.raises(errors.MalformedXML):
        read_document(body.encode(), COMPLETE, "CompleteMultipartUpload")


@pytest.mark.parametrize(
    "body",
    [
        "<Other/>",
        "<Delete/>",
        "<Delete><Object/></Delete>",
        "<Delete><Object><Key>a</Key><Key>b</Key></Object></Delete>",
        "<Delete><Object><Key>a</Key></Object><New/></Delete>",
        "<Delete><Object><Key><i>a</i></Key></Object></Delete>",
        "<Delete><Object><Key>a</Key></Object><Quiet>1</Quiet></Delete>",
        "<Delete><Object><Key>a</Key></Object></Delete><more/>",
        "<Delete><Object><Key>&unknown;</Key></Object></Delete>",
        "<Delete><Object><Key>&#0;</Key></Object></Delete>",
        "<!DOCTYPE Delete><Delete><Object><Key>a</Key></Object></Delete>",
        '<?xml version="1.0" encoding="none-such"?><Delete><Object><Key>a</Key></Object></Delete>',
        "",
        " ",
    ],
)
def test_what_is_no_such_document_is_malformed(body: str) -> None:
    """Unknown, missing, repeated or misplaced elements are refused, never skipped."""
    with pytest.raises(errors.MalformedXML):
        read_document(body.encode(), DELETE, "Delete")


def test_an_unknown_choice_is_refused() -> None:
    """A value outside the model's list is refused."""
    grants = "<AccessControlList><Grant><Permission>ALL</Permission></Grant></AccessControlList>"
    body = f"<AccessControlPolicy>{grants}</AccessControlPolicy>"
    with pytest.raises(errors.MalformedXML, match="ALL"):
        read_document(body.encode(), ACL, "AccessControlPolicy")


def test_other_encodings_are_read() -> None:
    """A document may be in UTF-16 or Latin-1 when it says so."""
    for encoding in ("utf-16", "iso-8859-1"):
        text = f'<?xml version="1.0" encoding="{encoding}"?><Delete><Object><Key>é</Key></Object></Delete>'
        assert read_document(text.encode(encoding), DELETE, "Delete") == {"Objects": [{"Key": "é"}]}


@pytest.mark.parametrize("depth", [DEPTH_LIMIT + 1, 100_000])
def test_depth_is_bounded(depth: int) -> None:
    """Nesting is refused before it can exhaust anything."""
    with pytest.raises(errors.MalformedXML, match="deeply"):
        parse(b"<a>" * depth + b"</a>" * depth)
    assert parse(b"<a>" * DEPTH_LIMIT + b"</a>" * DEPTH_LIMIT).name == "a"


def test_the_number_of_elements_is_bounded() -> None:
    """A document of empty elements is refused before it fills the memory."""
    with pytest.raises(errors.MalformedXML, match="too many"):
        parse(b"<a>" + b"<b/>" * 200_001 + b"</a>")


def test_a_rule_has_lists_of_several_names() -> None:
    """Interleaved flattened lists keep their own order."""
    rule = "".join(
        f"<{name}>{text}</{name}>"
        for name, text in (
            ("AllowedOrigin", "o1"),
            ("AllowedMethod", "GET"),
            ("AllowedOrigin", "o2"),
            ("MaxAgeSeconds", "5"),
        )
    )
    body = f"<CORSConfiguration><CORSRule>{rule}</CORSRule></CORSConfiguration>".encode()
    assert read_document(body, CORS, "CORSConfiguration") == {
        "CORSRules": [{"AllowedOrigins": ["o1", "o2"], "AllowedMethods": ["GET"], "MaxAgeSeconds": 5}]
    }


@settings(max_examples=often(200), deadline=None)
@given(
    st.binary(max_size=80) | st.text(alphabet="<>/&;!?[]=\"' aDeletObjcKy#x0", max_size=80).map(str.encode)
)
def test_any_bytes_are_read_or_malformed(body: bytes) -> None:
    """No bytes lead to anything but a document or MalformedXML."""
    try:
        assert set(read_document(body, DELETE, "Delete")) <= set(DELETE.members)
    except errors.MalformedXML as refusal:
        assert refusal.message
