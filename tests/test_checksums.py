"""The checksum algorithms give the published values, join as S3 joins them, and are named as in the model."""

import base64
import hashlib
import json
from typing import Any

import pytest
from botocore.loaders import Loader
from hypothesis import given
from hypothesis import strategies as st

from meiku.checksums import (
    ALGORITHMS,
    BY_HEADER,
    Algorithm,
    Digests,
    composite,
    decode,
    encode,
    full_object,
)

CHECK = b"123456789"
KNOWN = {
    "CRC32": "cbf43926",
    "CRC32C": "e3069283",
    "CRC64NVME": "ae8b14860a799888",
    "MD5": "25f9e794323b453885f5181f1b624d0b",
    "SHA1": "f7c3bc1d808e04732adf679965ccc34ca7ae3441",
    "SHA256": "15e2b0d3c33891ebb0f1ef609ec419420c20e320ce94c65fbc8c3312448eb225",
    "SHA512": (
        "d9e6762dd1c8eaf6d61b3c6192fc408d4d6d5f1176d0c29169bc24e71c3f274a"
        "d27fcd5811b313d681f7e55ec02d73d499c95455b6b5bb503acf574fba8ffe85"
    ),
    "XXHASH64": "8cb841db40e6ae83",
}
KNOWN_OF_NOTHING = {
    "XXHASH64": "ef46db3751d8e999",
    "XXHASH3": "2d06800538d394c2",
    "XXHASH128": "99aa06d3014798d86001c324468d497f",
}
CRCS = ["CRC32", "CRC32C", "CRC64NVME"]


def digest_of(algorithm: Algorithm, *pieces: bytes) -> bytes:
    digest = algorithm.new()
    for piece in pieces:
        digest.update(piece)
    return digest.digest()


def model() -> dict[str, Any]:
    described: dict[str, Any] = json.loads(json.dumps(Loader().load_service_model("s3", "service-2")))
    return described


@pytest.mark.parametrize("name", KNOWN)
def test_every_algorithm_gives_its_published_check_value(name: str) -> None:
    """The digest of "123456789" is the one published for the algorithm, big-endian."""
    assert digest_of(ALGORITHMS[name], CHECK).hex() == KNOWN[name]


@pytest.mark.parametrize("name", KNOWN_OF_NOTHING)
def test_every_xxhash_gives_its_published_value_of_nothing(name: str) -> None:
    """The xxHashes are those of seed 0, in canonical (big-endian) order."""
    assert digest_of(ALGORITHMS[name]).hex() == KNOWN_OF_NOTHING[name]


def test_the_algorithms_are_those_of_the_model() -> None:
    """Each algorithm that botocore's model names is known here, and no other."""
    assert set(ALGORITHMS) == set(model()["shapes"]["ChecksumAlgorithm"]["enum"])


@pytest.mark.parametrize("name", ALGORITHMS)
def test_header_and_member_are_those_of_the_model(name: str) -> None:
    """PutObject carries the checksum in the member and header that the algorithm names."""
    algorithm = ALGORITHMS[name]
    members = model()["shapes"]["PutObjectRequest"]["members"]
    assert members[algorithm.member]["locationName"] == algorithm.header
    assert BY_HEADER[algorithm.header] is algorithm


@pytest.mark.parametrize("name", ALGORITHMS)
def test_the_size_is_that_of_the_digest(name: str) -> None:
    """A digest has as many bytes as its algorithm says."""
    assert len(digest_of(ALGORITHMS[name], b"x")) == ALGORITHMS[name].size_bytes


@given(pieces=st.lists(st.binary(max_size=50), max_size=6), name=st.sampled_from(sorted(ALGORITHMS)))
def test_pieces_give_the_digest_of_the_whole(pieces: list[bytes], name: str) -> None:
    """However the bytes are cut, their checksum is the same, and asking for it early changes nothing."""
    digest = ALGORITHMS[name].new()
    for piece in pieces:
        digest.update(memoryview(piece))
        digest.digest()
    assert digest.digest() == digest_of(ALGORITHMS[name], b"".join(pieces))


@given(parts=st.lists(st.binary(max_size=300), min_size=1, max_size=6), name=st.sampled_from(CRCS))
def test_a_full_object_crc_joins_the_crcs_of_its_parts(parts: list[bytes], name: str) -> None:
    """Joining the parts' CRCs gives the CRC of the whole."""
    algorithm = ALGORITHMS[name]
    joined = full_object(algorithm, [(digest_of(algorithm, part), len(part)) for part in parts])
    assert joined == digest_of(algorithm, b"".join(parts))


@pytest.mark.parametrize("name", CRCS)
def test_crcs_join_over_parts_of_many_gigabytes(name: str) -> None:
    """The length of a part may pass 32 bits: joining is associative there as well."""
    algorithm = ALGORITHMS[name]
    first, second, third = (digest_of(algorithm, piece) for piece in (b"a", b"b", b"c"))
    large = 5 * 1024**3
    at_once = full_object(algorithm, [(first, 1), (second, large), (third, large)])
    pair = full_object(algorithm, [(second, large), (third, large)])
    assert at_once == full_object(algorithm, [(first, 1), (pair, 2 * large)])


@pytest.mark.parametrize("name", sorted(ALGORITHMS.keys() - set(CRCS)))
def test_only_crcs_join(name: str) -> None:
    """The whole's checksum cannot be told from the parts' for anything but a CRC."""
    with pytest.raises(ValueError, match="cannot be told"):
        full_object(ALGORITHMS[name], [(bytes(ALGORITHMS[name].size_bytes), 1)])


def test_a_composite_checksum_is_that_of_the_digests_with_their_number() -> None:
    """The composite is the checksum of the parts' checksums, followed by how many they are."""
    digests = [hashlib.sha256(b"one").digest(), hashlib.sha256(b"two").digest()]
    expected = base64.b64encode(hashlib.sha256(b"".join(digests)).digest()).decode()
    assert composite(ALGORITHMS["SHA256"], digests) == f"{expected}-2"


@given(st.binary(min_size=4, max_size=4))
def test_decode_reads_what_encode_writes(digest: bytes) -> None:
    """Text and bytes of a digest are two forms of the same."""
    assert decode(encode(digest), ALGORITHMS["CRC32"]) == digest


@pytest.mark.parametrize(
    "text", ["", "AAAA", "AAAAAAA=", "AAAAA===", "AAAA AA==", "AAAAAA", "ÄAAAAA==", "AAAAAA==-2"]
)
def test_decode_refuses_what_is_no_digest(text: str) -> None:
    """Anything but base64 of exactly the algorithm's size is refused."""
    with pytest.raises(ValueError, match=r"."):
        decode(text, ALGORITHMS["CRC32"])


def test_digests_hold_md5_and_crc64nvme_and_what_is_asked() -> None:
    """A body always has MD5 and CRC64NVME; further algorithms are added, each once."""
    digests = Digests(["SHA256", "MD5"])
    digests.update(b"12345")
    digests.update(b"6789")
    assert {name: value.hex() for name, value in digests.results().items()} == {
        name: KNOWN[name] for name in ("MD5", "CRC64NVME", "SHA256")
    }


def test_digests_refuse_an_unknown_algorithm() -> None:
    """An algorithm that S3 does not know is a mistake of the caller."""
    with pytest.raises(KeyError):
        Digests(["CRC7"])
