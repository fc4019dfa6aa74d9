"""Answer documents: written so that any reader gets back what was meant."""

from xml.etree import ElementTree

import pytest
from hypothesis import given
from hypothesis import strategies as st

from meiku import model
from meiku.wire.xml_text import escape, escape_attribute
from meiku.wire.xml_writer import DECLARATION, compile_document

LISTING = model.operations()["ListObjectsV2"].output
ACL = model.operations()["GetBucketAcl"].output
NS = "{http://s3.amazonaws.com/doc/2006-03-01/}"
# What XML 1.0 can hold (https://www.w3.org/TR/xml/#charsets), without the surrogates that are no characters.
LEGIBLE = st.text(
    st.characters(blacklist_categories=["Cs"], blacklist_characters=["\ufffe", "\uffff"]).filter(
        lambda c: c >= " " or c in "\t\n\r"
    )
)


@given(LEGIBLE)
def test_text_comes_back_as_it_went(text: str) -> None:
    """Every character that XML 1.0 can hold survives, carriage returns and quotes included."""
    assert (ElementTree.fromstring(f"<a>{escape(text)}</a>").text or "") == text


@given(LEGIBLE)
def test_text_is_safe_in_an_attribute(text: str) -> None:
    """No text ends the attribute that it stands in."""
    root = ElementTree.fromstring(f'<a b="{escape_attribute(text)}"/>')
    assert list(root.attrib) == ["b"]
    assert len(root) == 0


@pytest.mark.parametrize(
    ("text", "written"),
    [
        ("\x01", "&#x1;"),
        ("\x00", "&#x0;"),
        ("\x7f", "&#x7f;"),
        ("\r", "&#xd;"),
        ("\uffff", "&#xffff;"),
        ("a", "a"),
    ],
)
def test_what_xml_cannot_hold_is_a_reference(text: str, written: str) -> None:
    """S3 writes such characters as references; a client asks for url encoding to read them."""
    assert escape(text) == written


def test_a_document_has_declaration_and_namespace() -> None:
    """S3's declaration and S3's namespace come first."""
    document = compile_document("Root", LISTING)({"Name": "b"})
    assert document.decode() == (
        f'{DECLARATION}<Root xmlns="http://s3.amazonaws.com/doc/2006-03-01/"><Name>b</Name></Root>'
    )


def test_scalars_are_written_as_s3_writes_them() -> None:
    """Booleans are words, times have milliseconds, numbers are digits."""
    entry = {"Key": "k", "LastModified": 1_500, "Size": 0}
    root = ElementTree.fromstring(compile_document("R", LISTING)({"IsTruncated": False, "Contents": [entry]}))
    assert root.findtext(f"{NS}IsTruncated") == "false"
    assert [child.text for child in root[1]] == ["k", "1970-01-01T00:00:01.000Z", "0"]


def test_flattened_lists_have_no_wrapper() -> None:
    """Each entry of a flattened list is an element of the list's own name."""
    root = ElementTree.fromstring(compile_document("R", LISTING)({"Contents": [{"Key": "a"}, {"Key": "b"}]}))
    assert [child.tag for child in root] == [f"{NS}Contents"] * 2


def test_wrapped_lists_have_one_and_types_are_attributes() -> None:
    """Grants stand inside their list, and a grantee's type is xsi:type."""
    grants = [{"Grantee": {"Type": "Group", "URI": "u"}, "Permission": "READ"}]
    root = ElementTree.fromstring(compile_document("R", ACL)({"Grants": grants}))
    grantee = root.find(f"{NS}AccessControlList/{NS}Grant/{NS}Grantee")
    assert grantee is not None
    assert grantee.attrib == {"{http://www.w3.org/2001/XMLSchema-instance}type": "Group"}
    assert [child.tag for child in grantee] == [f"{NS}URI"]


def test_only_the_named_members_are_written() -> None:
    """`names` keeps what belongs in the body; another member is a mistake."""
    document = compile_document("R", LISTING, frozenset({"Name"}))
    assert b"<Name>b</Name>" in document({"Name": "b"})
    with pytest.raises(KeyError):
        document({"Prefix": "p"})


def test_text_without_a_utf8_form_does_not_stop_an_answer() -> None:
    """A lone surrogate, which no key can hold, is still written as some bytes."""
    assert compile_document("R", LISTING)({"Name": "\ud800"}).startswith(DECLARATION.encode())
