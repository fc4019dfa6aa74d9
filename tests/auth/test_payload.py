"""How a body must be, as the headers say; and the signatures of its chunks."""

from hashlib import sha256

import pytest

from auth.oracle import NOW_S, Call, sign, verify, with_headers
from meiku import errors
from meiku.auth import ChunkSigner, Payload, payload_of
from meiku.signing import (
    canonical_request_v4,
    scope_v4,
    signature_v4,
    signing_key_v4,
    string_to_sign_v4,
)

SEED = "4f232c4386841ef735655705268965c44a0e4690baa4adea153f7db9fa80a0a9"
SIGNED = "STREAMING-AWS4-HMAC-SHA256-PAYLOAD"
PUBLISHED_SECRET = "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY"


def published_signer() -> ChunkSigner:
    """The signer of AWS's published example of a chunked upload."""
    key = signing_key_v4(PUBLISHED_SECRET, "20130524", "us-east-1")
    return ChunkSigner(key, "20130524T000000Z", scope_v4("20130524", "us-east-1"), SEED)


def test_seed_signature_equals_the_published_one() -> None:
    """The example's first signature covers the headers of the chunked request."""
    headers = {
        "host": "s3.amazonaws.com",
        "x-amz-date": "20130524T000000Z",
        "x-amz-storage-class": "REDUCED_REDUNDANCY",
        "x-amz-content-sha256": SIGNED,
        "content-encoding": "aws-chunked",
        "x-amz-decoded-content-length": "66560",
        "content-length": "66824",
    }
    canonical = canonical_request_v4(
        "PUT", "/examplebucket/chunkObject.txt", [], headers, list(headers), SIGNED
    )
    text = string_to_sign_v4("20130524T000000Z", scope_v4("20130524", "us-east-1"), canonical)
    assert signature_v4(signing_key_v4(PUBLISHED_SECRET, "20130524", "us-east-1"), text) == SEED


def test_chunk_signatures_equal_the_published_ones() -> None:
    """64 KiB, 1 KiB and the empty last chunk of the example have their printed signatures."""
    signer = published_signer()
    signatures = [signer.seed_signature]
    for chunk in (b"a" * 65536, b"a" * 1024, b""):
        signatures.append(signer.chunk(signatures[-1], sha256(chunk).hexdigest()))
    assert signatures[1:] == [
        "ad80c730a21e5b8d04586a2213dd63b9a0e99e0e2307b0ade35a65485a288648",
        "0055627c9e194cb4542bae2aa5492e3c1575bbb81b612b7d234b86a503ef5497",
        "b6c6ea8a5354eaf15b3cb7646744f4275b71ea724fed81ceb9323e279d449df9",
    ]


def test_trailer_signature_equals_the_published_one() -> None:
    """The example with a trailing CRC32C has its printed trailer signature."""
    key = signing_key_v4(PUBLISHED_SECRET, "20130524", "us-east-1")
    seed = "106e2a8a18243abcf37539882f36619c00e2dfc72633413f02d3b74544bfeb8e"
    signer = ChunkSigner(key, "20130524T000000Z", scope_v4("20130524", "us-east-1"), seed)
    previous = seed
    for chunk in (b"a" * 65536, b"a" * 1024, b""):
        previous = signer.chunk(previous, sha256(chunk).hexdigest())
    trailer = sha256(b"x-amz-checksum-crc32c:sOO8/Q==\n").hexdigest()
    assert (
        signer.trailer(previous, trailer)
        == "d81f82fc3505edab99d459891051a732e8730629a2e4a59689829ca17fe2e435"
    )


@pytest.mark.parametrize(("value", "trailer"), [(SIGNED, False), (f"{SIGNED}-TRAILER", True)])
def test_a_signed_stream_gets_its_chunk_signer(value: str, trailer: bool) -> None:
    """The signer continues from the signature of the request itself."""
    request = sign("v4-query", Call(method="PUT", headers=(("x-amz-content-sha256", value),)))
    payload = verify(request)
    assert (payload.streaming, payload.trailer, payload.sha256) == (True, trailer, None)
    assert payload.chunk_signer is not None
    assert payload.chunk_signer.seed_signature == dict(request.query)["X-Amz-Signature"]


def test_a_signed_body_must_have_its_hash() -> None:
    """A V4 header signature names the body's SHA-256."""
    payload = verify(sign("v4-header", Call(method="PUT", body=b"hello")))
    assert payload == Payload(sha256(b"hello").hexdigest())


@pytest.mark.parametrize("way", ["v4-query", "v2-header", "v2-query"])
def test_a_body_without_a_hash_is_unsigned(way: str) -> None:
    """Where nothing is said of the body, nothing is checked."""
    assert verify(sign(way, Call(method="PUT")), now_s=NOW_S) == Payload(None)


def test_an_anonymous_body_may_be_hashed_or_streamed_but_not_signed() -> None:
    """Without a key there are no chunk signatures to check."""
    assert payload_of({}) == Payload(None)
    assert payload_of({"x-amz-content-sha256": "UNSIGNED-PAYLOAD"}) == Payload(None)
    assert payload_of({"x-amz-content-sha256": "AB" * 32}) == Payload("ab" * 32)
    trailer = {"x-amz-content-sha256": "STREAMING-UNSIGNED-PAYLOAD-TRAILER"}
    assert payload_of(trailer) == Payload(None, streaming=True, trailer=True)
    with pytest.raises(errors.InvalidRequest):
        payload_of({"x-amz-content-sha256": SIGNED})


@pytest.mark.parametrize("value", ["", "x", "ab" * 31, "zz" * 32, "STREAMING-AWS4-ECDSA-P256-SHA256-PAYLOAD"])
def test_any_other_value_is_refused(value: str) -> None:
    """A value that tells nothing of the body is InvalidArgument."""
    with pytest.raises(errors.InvalidArgument):
        payload_of({"x-amz-content-sha256": value})
    with pytest.raises(errors.InvalidArgument):
        verify(with_headers(sign("v4-header", Call()), x_amz_content_sha256=value))


def test_the_signing_key_does_not_show_in_a_repr() -> None:
    """Printing a chunk signer does not show its key."""
    assert repr(published_signer().signing_key) not in repr(published_signer())
