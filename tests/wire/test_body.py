"""A body is what its headers announced, or it is refused before the consumer reaches its end."""

import asyncio
import base64
import gc
import hashlib
import hmac
import tracemalloc
import weakref
import zlib
from collections.abc import Awaitable, Callable, Iterable, Iterator
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from meiku import errors
from meiku.auth import ChunkSigner, Payload
from meiku.checksums import ALGORITHMS, encode
from meiku.wire.body import Body, BodyLimits

Message = dict[str, Any]
UNSIGNED = Payload(None)
UNSIGNED_CHUNKS = Payload(None, streaming=True, trailer=True)
HELLO = b"hello world"
LARGE = bytes(range(256)) * 4 * 1024  # 1 MiB: several pieces, hashed in threads


def pieces_of(data: bytes, size_bytes: int) -> list[bytes]:
    return [data[at : at + size_bytes] for at in range(0, len(data), size_bytes)]


def receive_of(pieces: Iterable[bytes], *, gone: bool = False) -> Callable[[], Awaitable[Message]]:
    """Bring the pieces as a server does; `gone`: the client disconnects instead of ending."""

    def messages() -> Iterator[Message]:
        for piece in pieces:
            yield {"type": "http.request", "body": piece, "more_body": True}
        yield {"type": "http.disconnect"} if gone else {"type": "http.request"}

    remaining = messages()

    async def receive() -> Message:
        return next(remaining)

    return receive


def body_of(data: bytes, headers: dict[str, str] | None = None, payload: Payload = UNSIGNED) -> Body:
    return Body(receive_of([data]), headers or {}, payload)


async def collect(body: Body) -> bytes:
    return b"".join([piece async for piece in body])


def read(body: Body) -> bytes:
    return asyncio.run(collect(body))


def refused(
    error: type[errors.S3Error], data: bytes, headers: dict[str, str], payload: Payload = UNSIGNED
) -> Any:
    """Read a body that must be refused before its end, and give the error."""
    with pytest.raises(error) as raised:
        read(body_of(data, headers, payload))
    return raised.value


def sha256(data: bytes) -> Payload:
    return Payload(hashlib.sha256(data).hexdigest())


def md5(data: bytes) -> str:
    return base64.b64encode(hashlib.md5(data).digest()).decode()


def checksum(name: str, data: bytes) -> str:
    digest = ALGORITHMS[name].new()
    digest.update(data)
    return encode(digest.digest())


def chunked(data: bytes, trailer: bytes = b"", chunk_bytes: int = 65536) -> bytes:
    chunks = b"".join(b"%x\r\n%b\r\n" % (len(piece), piece) for piece in pieces_of(data, chunk_bytes))
    return chunks + b"0\r\n" + trailer + b"\r\n"


# -- plain bodies


@pytest.mark.parametrize("size_bytes", [100, 65536, 262144, 1 << 20])
def test_a_body_is_its_bytes(size_bytes: int) -> None:
    """The pieces together are what was sent, however the server cuts it."""
    body = Body(receive_of(pieces_of(LARGE, size_bytes)), {"content-length": str(len(LARGE))}, UNSIGNED)
    assert body.size_bytes == len(LARGE)
    assert read(body) == LARGE
    assert body.received_bytes == len(LARGE)
    assert body.consumed


def test_an_empty_body_has_no_pieces_but_digests() -> None:
    """No bytes give no piece, and the checksums of nothing."""
    body = body_of(b"", {"content-length": "0"})
    assert read(body) == b""
    assert body.digests["MD5"].hex() == "d41d8cd98f00b204e9800998ecf8427e"


@pytest.mark.parametrize("data", [b"", HELLO, LARGE])
def test_digests_are_those_of_the_bytes(data: bytes) -> None:
    """MD5 and CRC64NVME are always known; SHA256 when the request is signed with it."""
    body = body_of(data, payload=sha256(data))
    read(body)
    assert body.digests == {
        "MD5": hashlib.md5(data).digest(),
        "SHA256": hashlib.sha256(data).digest(),
        "CRC64NVME": base64.b64decode(checksum("CRC64NVME", data)),
    }


def test_further_digests_can_be_asked_for() -> None:
    """An upload that was begun with an algorithm can have it computed where the client sends another."""
    body = body_of(HELLO, {"x-amz-checksum-sha1": checksum("SHA1", HELLO)})
    body.also_digest("CRC32")
    read(body)
    assert body.digests["CRC32"] == zlib.crc32(HELLO).to_bytes(4, "big")
    assert set(body.digests) == {"MD5", "CRC64NVME", "SHA1", "CRC32"}


def test_nothing_is_known_before_the_end() -> None:
    """Digests and checksum are only there when they are true."""
    body = body_of(HELLO)
    with pytest.raises(RuntimeError):
        _ = body.digests
    with pytest.raises(RuntimeError):
        _ = body.checksum
    assert not body.consumed


def test_a_body_without_a_length_is_read_to_its_end() -> None:
    """Transfer-Encoding: chunked has no length: the size is unknown until the end."""
    body = Body(receive_of(pieces_of(HELLO, 3)), {"transfer-encoding": "chunked"}, UNSIGNED)
    assert body.size_bytes is None
    assert read(body) == HELLO


@pytest.mark.parametrize("length", [10, 12])
def test_another_length_than_declared_is_incomplete(length: int) -> None:
    """Too few bytes and too many are refused."""
    refused(errors.IncompleteBody, HELLO, {"content-length": str(length)})


@pytest.mark.parametrize("length", ["", "-1", "1.0", " 11", "²", "9" * 19, "9" * 5000])
def test_a_length_that_is_no_number_is_refused(length: str) -> None:
    """A declared length is a plain number."""
    refused(errors.InvalidArgument, HELLO, {"content-length": length})


def test_a_client_that_goes_away_leaves_an_incomplete_body() -> None:
    """A disconnect is not the end of a body, even at its last byte."""
    body = Body(receive_of([HELLO], gone=True), {}, UNSIGNED)
    with pytest.raises(errors.IncompleteBody):
        read(body)
    assert not body.consumed


def test_a_silent_client_is_timed_out() -> None:
    """A client may be silent for so long and no longer."""
    body = Body(lambda: asyncio.sleep(60, {}), {}, UNSIGNED, limits=BodyLimits(idle_s=0.01))
    with pytest.raises(errors.RequestTimeout):
        read(body)


def test_a_declared_length_over_the_limit_is_refused_at_once() -> None:
    """The header is enough to refuse what is too large."""
    with pytest.raises(errors.EntityTooLarge) as raised:
        Body(receive_of([]), {"content-length": "11"}, UNSIGNED, limits=BodyLimits(max_bytes=10))
    assert raised.value.detail == {"ProposedSize": "11", "MaxSizeAllowed": "10"}


@pytest.mark.parametrize(("limit", "large"), [(11, False), (10, True)])
def test_a_body_of_unknown_length_has_the_same_limit(limit: int, large: bool) -> None:
    """Bytes are counted where no length was declared; the limit itself is allowed."""
    body = Body(receive_of(pieces_of(HELLO, 3)), {}, UNSIGNED, limits=BodyLimits(max_bytes=limit))
    if large:
        with pytest.raises(errors.EntityTooLarge):
            read(body)
    else:
        assert read(body) == HELLO


def test_a_failure_is_not_forgotten() -> None:
    """A consumer that asks again after a failure gets the failure, not the rest and an end."""
    body = Body(receive_of([bytes(1 << 18)] * 4), {}, UNSIGNED, limits=BodyLimits(max_bytes=1 << 18))

    async def ask_twice() -> None:
        for _ in range(2):
            with pytest.raises(errors.EntityTooLarge):
                await collect(body)

    asyncio.run(ask_twice())


def test_a_body_that_was_left_cannot_be_resumed() -> None:
    """A cancellation can lose bytes that had arrived: the rest is not the body."""
    messages = receive_of([b"lost", b"rest"])
    slow = iter([0, 60, 0, 0])

    async def receive() -> Message:
        await asyncio.sleep(next(slow))
        return await messages()

    async def resume() -> None:
        body = Body(receive, {}, UNSIGNED)
        with pytest.raises(TimeoutError):
            await asyncio.wait_for(collect(body), 0.01)
        with pytest.raises(errors.IncompleteBody):
            await collect(body)

    asyncio.run(resume())


def test_the_end_stays_the_end() -> None:
    """A verified body that is asked again has nothing more."""
    body = body_of(HELLO)

    async def read_twice() -> tuple[bytes, bytes]:
        return await collect(body), await collect(body)

    assert asyncio.run(read_twice()) == (HELLO, b"")


# -- documents


def test_a_document_is_read_whole() -> None:
    """A document up to the limit is given in one."""
    assert asyncio.run(body_of(HELLO, {"content-length": "11"}).read_all(11)) == HELLO


@pytest.mark.parametrize("headers", [{"content-length": "11"}, {}])
def test_a_document_over_the_limit_is_refused(headers: dict[str, str]) -> None:
    """A longer one is refused, declared or not."""
    with pytest.raises(errors.MaxMessageLengthExceeded):
        asyncio.run(body_of(HELLO, headers).read_all(10))


# -- what headers announce


@pytest.mark.parametrize("data", [b"", HELLO, LARGE])
def test_the_signed_hash_must_be_that_of_the_bytes(data: bytes) -> None:
    """x-amz-content-sha256 is checked against what arrived, and both are told when they differ."""
    assert read(body_of(data, payload=sha256(data))) == data
    error = refused(errors.XAmzContentSHA256Mismatch, data + b".", {}, sha256(data))
    assert error.detail == {
        "ClientComputedContentSHA256": hashlib.sha256(data).hexdigest(),
        "S3ComputedContentSHA256": hashlib.sha256(data + b".").hexdigest(),
    }


def test_content_md5_must_be_that_of_the_bytes() -> None:
    """Content-MD5 is checked against what arrived."""
    assert read(body_of(HELLO, {"content-md5": md5(HELLO)})) == HELLO
    error = refused(errors.BadDigest, HELLO, {"content-md5": md5(b"other")})
    assert error.detail == {"ExpectedDigest": md5(b"other"), "CalculatedDigest": md5(HELLO)}


@pytest.mark.parametrize("text", ["", "x", hashlib.md5(HELLO).hexdigest(), "AAAA"])
def test_a_malformed_content_md5_is_refused_at_once(text: str) -> None:
    """What is not the base64 of 16 bytes is refused before a byte is read."""
    with pytest.raises(errors.InvalidDigest):
        body_of(HELLO, {"content-md5": text})


@pytest.mark.parametrize("name", ALGORITHMS)
def test_each_checksum_must_be_that_of_the_bytes(name: str) -> None:
    """x-amz-checksum-* is checked with its own algorithm and given as the client's checksum."""
    header, sdk = ALGORITHMS[name].header, {"x-amz-sdk-checksum-algorithm": name.lower()}
    body = body_of(HELLO, {header: checksum(name, HELLO), **sdk})
    assert read(body) == HELLO
    assert body.checksum == (name, body.digests[name])
    error = refused(errors.BadDigest, HELLO, {header: checksum(name, b"other")})
    assert error.message == f"The {name} you specified did not match the calculated checksum."


def test_a_body_without_a_checksum_has_none() -> None:
    """`checksum` tells what the client sent, not what was computed anyway."""
    body = body_of(HELLO)
    read(body)
    assert body.checksum is None


CRC32 = checksum("CRC32", HELLO)


@pytest.mark.parametrize(
    "headers",
    [
        {"x-amz-checksum-crc32": "not base64"},
        {"x-amz-checksum-crc32": "AAAA"},
        {"x-amz-checksum-crc32": CRC32 + "-2"},
        {"x-amz-checksum-crc32": f"{CRC32},{CRC32}"},
        {"x-amz-checksum-crc32": CRC32, "x-amz-checksum-sha1": checksum("SHA1", HELLO)},
        {"x-amz-checksum-crc32": CRC32, "x-amz-sdk-checksum-algorithm": "SHA1"},
        {"x-amz-checksum-crc32": CRC32, "x-amz-sdk-checksum-algorithm": "CRC7"},
        {"x-amz-sdk-checksum-algorithm": "CRC32"},
        {"x-amz-trailer": "x-amz-checksum-crc32"},
    ],
)
def test_headers_that_contradict_are_refused_at_once(headers: dict[str, str]) -> None:
    """Malformed, doubled, unknown or empty announcements are refused before a byte is read."""
    with pytest.raises(errors.InvalidRequest):
        body_of(HELLO, headers)


def test_headers_about_an_object_can_be_left_alone() -> None:
    """CompleteMultipartUpload sends the object's checksum with a body that is XML."""
    headers = {
        "x-amz-checksum-crc32": "AAAAAA==-2",
        "content-md5": "x",
        "x-amz-sdk-checksum-algorithm": "CRC32",
    }
    body = Body(receive_of([HELLO]), headers, UNSIGNED, checksum_headers=False)
    assert read(body) == HELLO


@pytest.mark.parametrize("name", ["x-amz-checksum-mode", "x-amz-checksum-type", "x-amz-checksum-algorithm"])
def test_other_headers_of_the_family_are_no_checksums(name: str) -> None:
    """Only the algorithms' own headers hold checksums."""
    assert read(body_of(HELLO, {name: "crc32"})) == HELLO


# -- aws-chunked bodies


def framed_headers(data: bytes, trailer: str | None = None) -> dict[str, str]:
    announced = {"x-amz-trailer": trailer} if trailer else {}
    return {"x-amz-decoded-content-length": str(len(data)), **announced}


@pytest.mark.parametrize("size_bytes", [1000, 65536, 262144, 1 << 20])
def test_a_framed_body_is_its_payload(size_bytes: int) -> None:
    """The framing is gone from what comes out, and the size is that of the payload."""
    framed = chunked(LARGE, f"x-amz-checksum-sha256:{checksum('SHA256', LARGE)}\r\n".encode())
    headers = framed_headers(LARGE, "x-amz-checksum-sha256") | {"content-length": str(len(framed))}
    body = Body(receive_of(pieces_of(framed, size_bytes)), headers, UNSIGNED_CHUNKS)
    assert body.size_bytes == len(LARGE)
    assert read(body) == LARGE
    assert body.checksum == ("SHA256", hashlib.sha256(LARGE).digest())
    assert body.consumed


@given(st.integers(1, 60))
def test_a_framed_body_may_be_cut_anywhere(size_bytes: int) -> None:
    """Pieces of any size give the same payload."""
    framed = chunked(HELLO, f"x-amz-checksum-crc32:{CRC32}\r\n".encode(), 4)
    headers = framed_headers(HELLO, "x-amz-checksum-crc32")
    assert read(Body(receive_of(pieces_of(framed, size_bytes)), headers, UNSIGNED_CHUNKS)) == HELLO


def test_a_framed_body_must_declare_its_length() -> None:
    """Without x-amz-decoded-content-length there is no way to know what to keep."""
    refused(errors.MissingContentLength, chunked(HELLO), {"content-length": "21"}, UNSIGNED_CHUNKS)


def test_a_framed_body_over_the_limit_is_refused_at_once() -> None:
    """The decoded length is what counts."""
    with pytest.raises(errors.EntityTooLarge):
        Body(receive_of([]), framed_headers(HELLO), UNSIGNED_CHUNKS, limits=BodyLimits(max_bytes=10))


@pytest.mark.parametrize(
    ("trailer", "error"),
    [
        (checksum("CRC32", b"other"), errors.BadDigest),
        ("AAAA", errors.InvalidRequest),
        ("", errors.InvalidRequest),
    ],
)
def test_a_wrong_trailer_is_refused(trailer: str, error: type[errors.S3Error]) -> None:
    """The checksum behind the last chunk counts like one in a header."""
    framed = chunked(HELLO, f"x-amz-checksum-crc32:{trailer}\r\n".encode())
    refused(error, framed, framed_headers(HELLO, "x-amz-checksum-crc32"), UNSIGNED_CHUNKS)


@pytest.mark.parametrize(
    ("announced", "fields"),
    [
        ("x-amz-checksum-crc32", []),
        ("x-amz-checksum-sha1", ["crc32"]),
        ("x-amz-checksum-crc32", ["crc32", "crc32"]),
        ("x-amz-checksum-crc32", ["crc32", "sha1"]),
        (None, ["crc32"]),
    ],
)
def test_a_trailer_holds_what_was_announced(announced: str | None, fields: list[str]) -> None:
    """No less than x-amz-trailer says, and no more."""
    lines = [f"x-amz-checksum-{name}:{checksum(name.upper(), HELLO)}\r\n" for name in fields]
    framed = chunked(HELLO, "".join(lines).encode())
    error = refused(errors.MalformedTrailerError, framed, framed_headers(HELLO, announced), UNSIGNED_CHUNKS)
    assert "x-amz-trailer" in error.message


@pytest.mark.parametrize(
    "announced", ["x-amz-checksum-crc7", "x-amz-meta-a", "x-amz-checksum-crc32,x-amz-checksum-sha1"]
)
def test_a_trailer_is_one_known_checksum(announced: str) -> None:
    """Other announcements are refused before a byte is read."""
    with pytest.raises(errors.InvalidRequest):
        body_of(b"", framed_headers(HELLO, announced), UNSIGNED_CHUNKS)


def test_header_and_trailer_are_two_checksums() -> None:
    """A checksum in front and another behind is one too many."""
    headers = framed_headers(HELLO, "x-amz-checksum-crc32") | {"x-amz-checksum-crc32": CRC32}
    with pytest.raises(errors.InvalidRequest):
        body_of(b"", headers, UNSIGNED_CHUNKS)


def test_a_framed_body_may_have_its_checksum_in_a_header() -> None:
    """Framing needs no trailer."""
    headers = framed_headers(HELLO) | {"x-amz-checksum-crc32": CRC32}
    assert read(body_of(chunked(HELLO), headers, UNSIGNED_CHUNKS)) == HELLO


def test_the_sdks_algorithm_may_be_that_of_the_trailer() -> None:
    """x-amz-sdk-checksum-algorithm agrees with a checksum that comes behind."""
    framed = chunked(HELLO, f"x-amz-checksum-crc32:{CRC32}\r\n".encode())
    headers = framed_headers(HELLO, "x-amz-checksum-crc32") | {"x-amz-sdk-checksum-algorithm": "CRC32"}
    assert read(body_of(framed, headers, UNSIGNED_CHUNKS)) == HELLO


@pytest.mark.parametrize("length", range(len(chunked(HELLO))))
def test_a_truncated_framed_body_is_incomplete(length: int) -> None:
    """Wherever a framed body stops early, it is refused."""
    refused(errors.IncompleteBody, chunked(HELLO)[:length], framed_headers(HELLO), UNSIGNED_CHUNKS)


def test_content_md5_of_a_framed_body_is_that_of_its_payload() -> None:
    """Checksums in headers are about the payload, not about the framing."""
    assert read(body_of(chunked(HELLO), framed_headers(HELLO) | {"content-md5": md5(HELLO)}, UNSIGNED_CHUNKS))


# AWS's published example: https://docs.aws.amazon.com/AmazonS3/latest/API/sigv4-streaming.html
EXAMPLE = b"a" * 66560
EXAMPLE_SCOPE = "20130524/us-east-1/s3/aws4_request"
EXAMPLE_SEED = "4f232c4386841ef735655705268965c44a0e4690baa4adea153f7db9fa80a0a9"
EXAMPLE_SIGNATURES = [
    "ad80c730a21e5b8d04586a2213dd63b9a0e99e0e2307b0ade35a65485a288648",
    "0055627c9e194cb4542bae2aa5492e3c1575bbb81b612b7d234b86a503ef5497",
    "b6c6ea8a5354eaf15b3cb7646744f4275b71ea724fed81ceb9323e279d449df9",
]


def example_payload() -> Payload:
    key = b"AWS4wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY"
    for text in EXAMPLE_SCOPE.split("/"):
        key = hmac.digest(key, text.encode(), "sha256")
    signer = ChunkSigner(key, "20130524T000000Z", EXAMPLE_SCOPE, EXAMPLE_SEED)
    return Payload(None, streaming=True, chunk_signer=signer)


def example(data: bytes, signatures: list[str]) -> bytes:
    chunks = [data[:65536], data[65536:], b""]
    return b"".join(
        b"%x;chunk-signature=%b\r\n%b\r\n" % (len(chunk), signature.encode(), chunk)
        for chunk, signature in zip(chunks, signatures, strict=True)
    )


@pytest.mark.parametrize("size_bytes", [777, 65536, 100_000])
def test_the_published_signed_stream_is_accepted(size_bytes: int) -> None:
    """AWS's example arrives in pieces of any size and is what it was."""
    framed = example(EXAMPLE, EXAMPLE_SIGNATURES)
    headers = framed_headers(EXAMPLE) | {"content-length": "66824"}
    assert read(Body(receive_of(pieces_of(framed, size_bytes)), headers, example_payload())) == EXAMPLE


@pytest.mark.parametrize("number", range(3))
@pytest.mark.parametrize("size_bytes", [777, 100_000])
def test_a_wrong_chunk_signature_is_refused(number: int, size_bytes: int) -> None:
    """A wrong signature of any chunk is found before the end, in a thread or not."""
    signatures = [*EXAMPLE_SIGNATURES]
    signatures[number] = "0" * 64
    framed = example(EXAMPLE, signatures)
    with pytest.raises(errors.SignatureDoesNotMatch, match=f"chunk {number + 1}"):
        read(Body(receive_of(pieces_of(framed, size_bytes)), framed_headers(EXAMPLE), example_payload()))


def test_changed_bytes_of_a_signed_stream_are_refused() -> None:
    """One changed byte is found before the end."""
    framed = example(EXAMPLE[:-1] + b"b", EXAMPLE_SIGNATURES)
    refused(errors.SignatureDoesNotMatch, framed, framed_headers(EXAMPLE), example_payload())


@pytest.mark.parametrize("chunks", [0, 4])
def test_the_last_signature_counts_when_it_comes_alone(chunks: int) -> None:
    """The signature behind the last piece, or of a body of no bytes, is checked before the end."""
    payload, data = example_payload(), bytes(65536)
    assert payload.chunk_signer is not None
    signature, sent = EXAMPLE_SEED, []
    for _ in range(chunks):
        signature = payload.chunk_signer.chunk(signature, hashlib.sha256(data).hexdigest())
        sent.append(b"10000;chunk-signature=%b\r\n%b\r\n" % (signature.encode(), data))
    sent.append(b"0;chunk-signature=" + b"0" * 64 + b"\r\n\r\n")
    headers = {"x-amz-decoded-content-length": str(chunks * 65536)}
    with pytest.raises(errors.SignatureDoesNotMatch, match=f"chunk {chunks + 1}"):
        read(Body(receive_of(sent), headers, payload))


@given(data=st.binary(max_size=80), streaming=st.booleans(), length=st.integers(0, 80))
def test_no_bytes_raise_anything_but_an_answer(data: bytes, streaming: bool, length: int) -> None:
    """Whatever comes is a body or is refused with an error of S3."""
    body = body_of(
        data, {"x-amz-decoded-content-length": str(length)}, UNSIGNED_CHUNKS if streaming else UNSIGNED
    )
    try:
        received = read(body)
    except errors.S3Error as error:
        assert error.status == 400
    else:
        assert len(received) == (length if streaming else len(data))


# -- how it runs


def test_memory_stays_flat_and_the_loop_free() -> None:
    """A body of 128 MiB needs a few pieces' memory, and other work goes on between."""
    piece = bytes(64 * 1024)
    body = Body(receive_of(piece for _ in range(2048)), {}, sha256(b""))
    turns = 0

    async def others() -> None:
        nonlocal turns
        while True:
            await asyncio.sleep(0)
            turns += 1

    async def consume() -> None:
        other = asyncio.create_task(others())
        with pytest.raises(errors.XAmzContentSHA256Mismatch):
            async for _ in body:
                pass
        other.cancel()

    tracemalloc.start()
    asyncio.run(consume())
    peak_bytes = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak_bytes < 4 * 1024 * 1024
    assert turns > 512


def test_a_consumer_may_give_up_early() -> None:
    """Leaving in the middle leaves nothing behind that complains, not even that a signature is wrong."""
    complaints: list[Any] = []
    chunk = b"10000;chunk-signature=" + b"0" * 64 + b"\r\n" + bytes(65536) + b"\r\n"
    headers = {"x-amz-decoded-content-length": str(8 * 65536)}

    async def take_one() -> None:
        asyncio.get_running_loop().set_exception_handler(lambda _, context: complaints.append(context))
        body = Body(receive_of([chunk] * 8), headers, example_payload())
        assert await anext(body)
        await asyncio.sleep(0.05)

    asyncio.run(take_one())
    gc.collect()
    assert not complaints


def test_a_body_that_broke_off_is_let_go_at_once() -> None:
    """An upload whose client went away holds none of its bytes until a collector comes by."""

    async def story() -> "weakref.ref[Body]":
        body = Body(receive_of([LARGE], gone=True), {}, UNSIGNED)
        with pytest.raises(errors.IncompleteBody):
            await collect(body)
        return weakref.ref(body)

    gc.collect()
    gc.disable()
    try:
        assert asyncio.run(story())() is None
    finally:
        gc.enable()
