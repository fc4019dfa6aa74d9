"""Percent-encoded names: as S3 encodes them, and each as if it were alone."""

from urllib.parse import quote

from hypothesis import given
from hypothesis import strategies as st

from meiku.ops.percent import percent_encoded

KEYS = st.text(alphabet=st.characters(exclude_categories=["Cs"]), max_size=8)


@given(names=st.lists(KEYS | st.text(alphabet="a/ %+~*é\x00", max_size=6), max_size=250))
def test_names_are_encoded_one_by_one(names: list[str]) -> None:
    """All bytes but letters, digits and `/-_.~*` become a percent sign and two digits."""
    expected = [quote(name, safe="/-_.~*").encode() for name in names]
    assert list(percent_encoded([name.encode() for name in names])) == expected
