"""The aws-chunked framing: what it gives, what it refuses, and the chain of signatures over it."""

import hmac

import pytest
from hypothesis import given
from hypothesis import strategies as st

from meiku import errors
from meiku.auth import ChunkSigner
from meiku.wire.aws_chunked import ChunkedDecoder, ChunkSignatures, ChunkStart, Event, Trailer

# AWS's published examples: one key pair, one moment, 65 KiB of the letter a in chunks of 64 KiB.
# https://docs.aws.amazon.com/AmazonS3/latest/API/sigv4-streaming.html and sigv4-streaming-trailers.html
SECRET = "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY"
SCOPE = "20130524/us-east-1/s3/aws4_request"
TIMESTAMP = "20130524T000000Z"
CHUNKS = [b"a" * 65536, b"a" * 1024, b""]
PLAIN_SEED = "4f232c4386841ef735655705268965c44a0e4690baa4adea153f7db9fa80a0a9"
PLAIN_SIGNATURES = [
    "ad80c730a21e5b8d04586a2213dd63b9a0e99e0e2307b0ade35a65485a288648",
    "0055627c9e194cb4542bae2aa5492e3c1575bbb81b612b7d234b86a503ef5497",
    "b6c6ea8a5354eaf15b3cb7646744f4275b71ea724fed81ceb9323e279d449df9",
]
TRAILER_SEED = "106e2a8a18243abcf37539882f36619c00e2dfc72633413f02d3b74544bfeb8e"
TRAILER_SIGNATURES = [
    "b474d8862b1487a5145d686f57f013e54db672cee1c953b3010fb58501ef5aa2",
    "1c1344b170168f8e65b41376b44b20fe354e373826ccbbe2c1d40a8cae51e5c7",
    "2ca2aba2005185cf7159c6277faf83795951dd77a3a99e6e65d5c9f85863f992",
]
TRAILER_FIELD = ("x-amz-checksum-crc32c", "sOO8/Q==")
TRAILER_SIGNATURE = "d81f82fc3505edab99d459891051a732e8730629a2e4a59689829ca17fe2e435"


def signer(seed: str) -> ChunkSigner:
    key = f"AWS4{SECRET}".encode()
    for text in SCOPE.split("/"):
        key = hmac.digest(key, text.encode(), "sha256")
    return ChunkSigner(key, TIMESTAMP, SCOPE, seed)


def frame(chunks: list[bytes], signatures: list[str] | None = None, end: bytes = b"\r\n") -> bytes:
    """Frame the chunks, the last of which must be empty; `end` follows the last header line."""
    lines = []
    for number, chunk in enumerate(chunks):
        extension = f";chunk-signature={signatures[number]}" if signatures else ""
        lines.append(f"{len(chunk):x}{extension}\r\n".encode() + chunk + (b"\r\n" if chunk else end))
    return b"".join(lines)


def decode(framed: bytes, size_bytes: int, cut_at: tuple[int, ...] = ()) -> list[Event]:
    """Decode, cut at these places, and join neighbouring bytes again."""
    decoder = ChunkedDecoder(size_bytes)
    events: list[Event] = []
    for start, stop in zip((0, *cut_at), (*cut_at, len(framed)), strict=True):
        for event in decoder.feed(framed[start:stop]):
            if isinstance(event, bytes) and events and isinstance(last := events[-1], bytes):
                events[-1] = last + event
            else:
                events.append(event)
    return [*events, decoder.finish()]


SMALL = frame([b"hello", b"world!!", b""], end=b"x-amz-checksum-crc32:AAAAAA==\r\n\r\n")
SMALL_EVENTS: list[Event] = [
    ChunkStart(5, None),
    b"hello",
    ChunkStart(7, None),
    b"world!!",
    ChunkStart(0, None),
    Trailer((("x-amz-checksum-crc32", "AAAAAA=="),), None),
]


def test_chunks_and_trailer_come_out_in_order() -> None:
    """Each chunk gives its start and its bytes; the end gives the trailer."""
    assert decode(SMALL, 12) == SMALL_EVENTS


@pytest.mark.parametrize("at", range(len(SMALL) + 1))
def test_a_cut_at_any_byte_changes_nothing(at: int) -> None:
    """The framing is read the same when the connection splits it anywhere."""
    assert decode(SMALL, 12, (at,)) == SMALL_EVENTS


@given(st.sets(st.integers(0, len(SMALL))))
def test_many_cuts_change_nothing(cuts: set[int]) -> None:
    """The framing is read the same in however many pieces, down to single bytes."""
    assert decode(SMALL, 12, tuple(sorted(cuts))) == SMALL_EVENTS


@given(chunks=st.lists(st.binary(min_size=1, max_size=40), max_size=8), data=st.data())
def test_what_was_framed_comes_out(chunks: list[bytes], data: st.DataObject) -> None:
    """Whatever the bytes, CR and LF among them, they come out as they went in."""
    framed = frame([*chunks, b""])
    cuts = data.draw(st.sets(st.integers(0, len(framed)), max_size=5))
    events = decode(framed, len(b"".join(chunks)), tuple(sorted(cuts)))
    assert b"".join(event for event in events if isinstance(event, bytes)) == b"".join(chunks)
    assert [event.size_bytes for event in events if isinstance(event, ChunkStart)] == [*map(len, chunks), 0]


@pytest.mark.parametrize("length", range(len(SMALL)))
def test_every_truncation_is_incomplete(length: int) -> None:
    """A body that stops before the blank line behind its trailer is refused, wherever it stops."""
    with pytest.raises(errors.IncompleteBody):
        decode(SMALL[:length], 12)


def test_an_empty_body_is_one_last_chunk() -> None:
    """No bytes at all are framed as the last chunk alone."""
    assert decode(b"0\r\n\r\n", 0) == [ChunkStart(0, None), Trailer((), None)]


@pytest.mark.parametrize(
    "header",
    [b"", b"g", b"-1", b"+5", b"0x5", b"5_0", b" 5", b"5 5", b"5\n", b"1" * 17, b"5\x00", b"\xff"],
)
def test_a_header_line_that_is_no_size_is_refused(header: bytes) -> None:
    """Only hexadecimal digits, and an extension, make a header line."""
    with pytest.raises(errors.InvalidRequest):
        decode(header + b"\r\nhello\r\n0\r\n\r\n", 5)


def test_an_unknown_extension_is_passed_over() -> None:
    """A chunk extension that is not a signature means nothing here."""
    assert decode(b"5;name=value\r\nhello\r\n0;x\r\n\r\n", 5)[0] == ChunkStart(5, None)


@pytest.mark.parametrize("at", [1, 100, 8191, 8192])
def test_a_header_line_has_a_limit(at: int) -> None:
    """A header line of more than 8 KiB is refused, whole or in pieces, finished or not."""
    with pytest.raises(errors.InvalidRequest, match="8,192 bytes"):
        decode(b"5;" + b"x" * 9000 + b"\r\nhello\r\n0\r\n\r\n", 5, (at,))
    with pytest.raises(errors.InvalidRequest, match="8,192 bytes"):
        decode(b"5;" + b"x" * 9000, 5, (at,))


def test_a_trailer_has_a_limit() -> None:
    """What follows the last chunk is at most 8 KiB."""
    framed = frame([b""], end=b"x:" + b"y" * 8192 + b"\r\n\r\n")
    with pytest.raises(errors.MalformedTrailerError, match="8,192 bytes"):
        decode(framed, 0)


@pytest.mark.parametrize(
    "framed", [b"5\r\nhelloworld\r\n0\r\n\r\n", b"5\r\nhello\n0\r\n\r\n", b"5\r\nhello\rX"]
)
def test_a_chunk_ends_where_its_header_says(framed: bytes) -> None:
    """Bytes where a chunk's line break must be are refused."""
    with pytest.raises(errors.IncompleteBody, match="longer"):
        decode(framed, 5)


def test_a_chunk_beyond_the_declared_length_is_refused_before_its_bytes() -> None:
    """The header line of a chunk that cannot fit is enough to refuse it."""
    decoder = ChunkedDecoder(9)
    decoder.feed(b"5\r\nhello\r\n")
    with pytest.raises(errors.IncompleteBody, match="x-amz-decoded-content-length"):
        decoder.feed(b"5\r\n")


def test_fewer_bytes_than_declared_are_incomplete() -> None:
    """The last chunk may come only when the declared length is reached."""
    with pytest.raises(errors.IncompleteBody):
        decode(frame([b"hello", b""]), 6)


@pytest.mark.parametrize(
    "after", [b"5\r\nhello\r\n0\r\n\r\n", b"junk\r\n\r\n", b"\x80:x\r\n\r\n", b"a b: c\r\n\r\n"]
)
def test_what_follows_the_last_chunk_must_be_fields(after: bytes) -> None:
    """More data, or anything that is no header field, is refused behind the last chunk."""
    with pytest.raises(errors.MalformedTrailerError):
        decode(frame([b""]) + after, 0)


@pytest.mark.parametrize(
    "end",
    [
        b"x-amz-checksum-crc32:AAAAAA==\r\nx-amz-trailer-signature:%s\r\n\r\n",
        b"x-amz-checksum-crc32:AAAAAA==\n\r\nx-amz-trailer-signature:%s\n\r\n\r\n",
        b"x-amz-checksum-crc32:AAAAAA==\n\r\nx-amz-trailer-signature:%s\r\n\r\n",
        b"X-Amz-Checksum-CRC32: AAAAAA== \r\nX-Amz-Trailer-Signature: %s\r\n\r\n",
    ],
)
def test_trailers_are_read_as_clients_write_them(end: bytes) -> None:
    """LF or CRLF, with or without a blank line before the signature, names in any case."""
    assert decode(frame([b""], end=end % (b"f" * 64)), 0)[-1] == Trailer(
        (("x-amz-checksum-crc32", "AAAAAA=="),), "f" * 64
    )


def test_a_trailer_is_signed_once() -> None:
    """Two signatures are one too many."""
    with pytest.raises(errors.MalformedTrailerError, match="twice"):
        decode(frame([b""], end=b"x-amz-trailer-signature:a\r\nx-amz-trailer-signature:b\r\n\r\n"), 0)


def test_a_thousand_tiny_chunks_are_enough() -> None:
    """A body of nothing but tiny chunks is refused; large ones may be as many as they like."""
    decode(frame([b"x"] * 999 + [b""]), 999)
    with pytest.raises(errors.InvalidRequest, match="1000 chunks"):
        decode(frame([b"x"] * 1001 + [b""]), 1001)
    decode(frame([b"x" * 1024] * 1100 + [b""]), 1100 * 1024)


@given(framed=st.binary(max_size=60), size_bytes=st.integers(0, 60), at=st.integers(0, 60))
def test_no_bytes_raise_anything_but_an_answer(framed: bytes, size_bytes: int, at: int) -> None:
    """Whatever comes is decoded or refused with an error of S3."""
    try:
        events = decode(framed, size_bytes, (min(at, len(framed)),))
    except errors.S3Error as error:
        assert error.status == 400
    else:
        assert sum(len(event) for event in events if isinstance(event, bytes)) == size_bytes


@given(
    parts=st.lists(
        st.sampled_from([b"0", b"5", b"a", b";", b"\r\n", b"\n", b"hello", b"x:y", b":"]), max_size=12
    ),
    cuts=st.sets(st.integers(0, 40), max_size=6),
)
def test_a_near_miss_is_judged_the_same_however_it_is_cut(parts: list[bytes], cuts: set[int]) -> None:
    """Framing that is almost right is taken or refused whatever way the network cuts it."""
    framed = b"".join(parts)

    def outcome(cut_at: tuple[int, ...]) -> list[Event] | type[errors.S3Error]:
        try:
            return decode(framed, 5, cut_at)
        except errors.S3Error as error:
            return type(error)

    assert outcome(()) == outcome(tuple(sorted(cut for cut in cuts if cut <= len(framed))))


def check(seed: str, framed: bytes, size_bytes: int = 66560) -> None:
    ChunkSignatures(signer(seed)).check(decode(framed, size_bytes))


def trailer_end(value: str = "sOO8/Q==", signature: str = TRAILER_SIGNATURE) -> bytes:
    return f"x-amz-checksum-crc32c:{value}\r\nx-amz-trailer-signature:{signature}\r\n\r\n".encode()


def test_the_published_chunks_are_signed_right() -> None:
    """AWS's example of a signed stream is accepted."""
    check(PLAIN_SEED, frame(CHUNKS, PLAIN_SIGNATURES))


def test_the_published_trailer_is_signed_right() -> None:
    """AWS's example of a signed stream with a trailer is accepted."""
    check(TRAILER_SEED, frame(CHUNKS, TRAILER_SIGNATURES, trailer_end()))


@pytest.mark.parametrize("number", range(3))
def test_a_wrong_signature_of_any_chunk_is_refused(number: int) -> None:
    """Each chunk's signature counts, the last, empty one's too."""
    signatures = [*PLAIN_SIGNATURES]
    signatures[number] = "0" * 64
    with pytest.raises(errors.SignatureDoesNotMatch, match=f"chunk {number + 1}"):
        check(PLAIN_SEED, frame(CHUNKS, signatures))


def test_changed_bytes_are_refused() -> None:
    """One other byte in a chunk breaks its signature."""
    with pytest.raises(errors.SignatureDoesNotMatch, match="chunk 2"):
        check(PLAIN_SEED, frame([CHUNKS[0], b"b" + CHUNKS[1][1:], b""], PLAIN_SIGNATURES))


def test_a_chain_of_another_request_is_refused() -> None:
    """The first chunk rests on the signature of its own request."""
    with pytest.raises(errors.SignatureDoesNotMatch, match="chunk 1"):
        check("0" * 64, frame(CHUNKS, PLAIN_SIGNATURES))


@pytest.mark.parametrize("chunks", [CHUNKS, [b""]])
def test_a_missing_signature_is_refused(chunks: list[bytes]) -> None:
    """Where chunks must be signed, an unsigned one is no chunk."""
    with pytest.raises(errors.SignatureDoesNotMatch, match="missing"):
        check(PLAIN_SEED, frame(chunks), sum(map(len, chunks)))


@pytest.mark.parametrize(
    "end", [trailer_end(value="AAAAAA=="), trailer_end(signature="0" * 64), trailer_end(signature="")]
)
def test_a_trailer_signed_otherwise_is_refused(end: bytes) -> None:
    """The trailer's signature covers its fields."""
    with pytest.raises(errors.SignatureDoesNotMatch, match="the trailer"):
        check(TRAILER_SEED, frame(CHUNKS, TRAILER_SIGNATURES, end))


def test_an_unsigned_trailer_behind_signed_chunks_is_refused() -> None:
    """Where chunks are signed, a trailer is too."""
    with pytest.raises(errors.SignatureDoesNotMatch, match="trailer is missing"):
        check(TRAILER_SEED, frame(CHUNKS, TRAILER_SIGNATURES, b"x-amz-checksum-crc32c:sOO8/Q==\r\n\r\n"))


def test_signatures_may_be_checked_piece_by_piece() -> None:
    """The chain holds its place between pieces of the stream."""
    decoder, signatures = ChunkedDecoder(66560), ChunkSignatures(signer(PLAIN_SEED))
    framed = frame(CHUNKS, PLAIN_SIGNATURES)
    for at in range(0, len(framed), 1000):
        signatures.check(decoder.feed(framed[at : at + 1000]))
    signatures.check([decoder.finish()])
