"""Rows from columns: byte for byte what the same rows would be as records, whatever the names hold."""

from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from meiku import model
from meiku.wire.xml_text import escape, escape_column
from meiku.wire.xml_writer import compile_document

LISTING = model.operations()["ListObjects"].output
KEYS = st.text(alphabet=st.characters(exclude_categories=["Cs"]), max_size=8)
HOSTILE = st.text(alphabet="&<>\x00\x1f\x7f\ufffe\uffffa\n\té;", max_size=8)
VALUES = st.tuples(
    KEYS | HOSTILE,
    st.integers(0, 4_000_000_000_000),
    st.sampled_from(['"a"', '"b"']),
    st.sampled_from([None, ["CRC32"], ["SHA256"]]),
    st.sampled_from([None, "FULL_OBJECT"]),
    st.integers(0, 1 << 50),
    st.sampled_from(["STANDARD", "GLACIER"]),
    st.sampled_from([{"ID": "o1", "DisplayName": "<one>"}, {"ID": "o2", "DisplayName": ""}, None]),
)
NAMES = ("Key", "LastModified", "ETag", "ChecksumAlgorithm", "ChecksumType", "Size", "StorageClass", "Owner")
ROWS = st.lists(VALUES.map(lambda values: dict(zip(NAMES, values, strict=True))), max_size=250)


def columns(rows: list[dict[str, Any]], *, encoded: bool) -> dict[str, list[Any]]:
    made = {name: [row[name] for row in rows] for name in NAMES}
    return {**made, "Key": [key.encode() for key in made["Key"]]} if encoded else made


@given(rows=ROWS)
def test_columns_are_written_as_their_rows_would_be(rows: list[dict[str, Any]]) -> None:
    """For any rows, columns of text or of its bytes give the document that records give."""
    write = compile_document("ListBucketResult", LISTING)
    expected = write({"Name": "b", "Contents": rows, "IsTruncated": False})
    for encoded in (False, True):
        given_columns = columns(rows, encoded=encoded)
        assert write({"Name": "b", "Contents": given_columns, "IsTruncated": False}) == expected


@given(texts=st.lists(KEYS | HOSTILE, max_size=250))
def test_a_column_is_escaped_as_its_texts_are(texts: list[str]) -> None:
    """What stands beside a text changes nothing about it."""
    assert escape_column([text.encode() for text in texts]) == [escape(text).encode() for text in texts]
