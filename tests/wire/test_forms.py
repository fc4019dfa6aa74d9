"""A form's fields are known before its file, its file is streamed, and what is no form is refused."""

import asyncio
import base64
import hashlib
import tracemalloc
from collections.abc import Awaitable, Callable, Iterable, Iterator
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from meiku import errors
from meiku.auth import LengthRange
from meiku.wire.body import BodyLimits
from meiku.wire.forms import FileStream, Form, read_form

Message = dict[str, Any]
Part = tuple[str, bytes]
FORM_DATA = "multipart/form-data; boundary=edge"
CONTENT = b"line one\r\n--edg\r\n\r\nline two\r--edge\n"
KEY: Part = ('name="key"', b"a.txt")
FILE: Part = ('name="file"; filename="a.txt"', CONTENT)


def encode(*parts: Part, closing: bytes = b"--edge--\r\n") -> bytes:
    """Write a form as browsers do; a part is what follows `form-data;`, all headers, and its bytes."""
    written = [
        b"--edge\r\nContent-Disposition: form-data; %b\r\n\r\n%b\r\n" % (h.encode(), v) for h, v in parts
    ]
    return b"".join(written) + closing


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


@dataclass
class Read:
    """A form that was read to its end."""

    form: Form
    file: FileStream
    content: bytes


async def read_to_end(
    pieces: Iterable[bytes],
    content_type: str = FORM_DATA,
    allowed: LengthRange | None = None,
    max_bytes: int = 1 << 40,
) -> Read:
    limits = BodyLimits(max_bytes=max_bytes)
    form, file = await read_form(receive_of(pieces), content_type, None, limits=limits)
    file.length_range = allowed
    return Read(form, file, b"".join([piece async for piece in file]))


def read(data: bytes, **options: Any) -> Read:
    return asyncio.run(read_to_end([data], **options))


def refused(error: type[errors.S3Error], data: bytes, **options: Any) -> errors.S3Error:
    """Read a form that must be refused, and give the error."""
    with pytest.raises(error) as raised:
        read(data, **options)
    return raised.value


def fields_of(*parts: Part) -> dict[str, str]:
    return read(encode(*parts, FILE)).form.fields


def key_of(key: str, filename: str | None) -> str:
    named = "" if filename is None else f'; filename="{filename}"'
    return read(encode(('name="key"', key.encode()), (f'name="file"{named}', CONTENT))).form.key()


# -- fields


def test_a_form_is_its_fields_and_its_file() -> None:
    """Fields come by lower-case name in the order sent; the file is its exact bytes."""
    got = read(
        encode(
            KEY,
            ('name="Policy"', b"eyJ9"),
            ('name="AWSAccessKeyId"', b"AK"),
            ('name="x-amz-meta-Author"', "作者".encode()),
            ('name="file"; filename="a.txt"\r\nContent-Type: text/plain; charset=utf-8', CONTENT),
        )
    )
    assert list(got.form.fields.items()) == [
        ("key", "a.txt"),
        ("policy", "eyJ9"),
        ("awsaccesskeyid", "AK"),
        ("x-amz-meta-author", "作者"),
    ]
    assert got.form.names["awsaccesskeyid"] == "AWSAccessKeyId"
    assert (got.form.filename, got.form.file_content_type) == ("a.txt", "text/plain; charset=utf-8")
    assert got.content == CONTENT
    assert got.file.consumed


def test_fields_are_known_before_the_file_is_taken() -> None:
    """The form is given while the file is still to come: a policy can be judged first."""
    head = encode(KEY, ('name="file"; filename="a"', b""), closing=b"")

    def pieces() -> Iterator[bytes]:
        yield head.removesuffix(b"\r\n")
        raise AssertionError("the file was asked for")

    form, file = asyncio.run(read_form(receive_of(pieces()), FORM_DATA, None))
    assert form.fields == {"key": "a.txt"}
    assert not file.consumed


def test_the_product_s_own_page_is_accepted() -> None:
    """The example form sends its button behind the file: fields there are ignored."""
    got = read(
        encode(KEY, FILE, ('name="submit"', b"Upload"), ('name="key"', b"other"), ('name="acl"', b"\xff"))
    )
    assert got.form.fields == {"key": "a.txt"}
    assert got.content == CONTENT


@pytest.mark.parametrize("again", ["key", "KEY"])
def test_a_field_given_twice_is_refused(again: str) -> None:
    """Which of two values was meant cannot be known; names are the same in any case."""
    error = refused(errors.InvalidArgument, encode(KEY, (f'name="{again}"', b"b"), FILE))
    assert error.detail == {"ArgumentName": again}


def test_a_field_must_be_utf8() -> None:
    """A value in another encoding would be stored wrong."""
    error = refused(errors.InvalidArgument, encode(KEY, ('name="acl"', b"\xff\xfe"), FILE))
    assert error.detail == {"ArgumentName": "acl"}


def test_the_browser_s_charset_field_is_ignored() -> None:
    """_charset_ is about the form and no field of it."""
    assert fields_of(KEY, ('name="_charset_"', b"UTF-8")) == {"key": "a.txt"}


def test_a_field_without_a_name_is_refused() -> None:
    """A part that cannot be named cannot be judged."""
    refused(errors.MalformedPOSTRequest, encode(KEY, ('filename="x"', b"b"), FILE))


def test_an_empty_field_is_a_field() -> None:
    """A field may be empty; it is there all the same."""
    assert fields_of(KEY, ('name="policy"', b""))["policy"] == ""


def test_another_file_input_is_a_field() -> None:
    """The file is the part named `file`, whatever else has a filename."""
    assert fields_of(KEY, ('name="notes"; filename="n.txt"', b"text"))["notes"] == "text"


@pytest.mark.parametrize(
    "name", ['name="file"', 'name="File"; filename="a.txt"', 'filename="a.txt"; name="file"']
)
def test_the_file_is_named_file(name: str) -> None:
    """The name makes the file, in any case, with a filename or not."""
    assert read(encode(KEY, (name, CONTENT))).content == CONTENT


@pytest.mark.parametrize("size_bytes", [20_000, 20_200])
def test_fields_within_the_limit_are_taken(size_bytes: int) -> None:
    """Fields may take 20 KiB together."""
    assert len(fields_of(KEY, ('name="policy"', b"x" * size_bytes))["policy"]) == size_bytes


@pytest.mark.parametrize("step_bytes", [100, 1 << 20])
@pytest.mark.parametrize(
    "parts",
    [
        [('name="policy"', b"x" * 20481)],
        [(f'name="x-amz-meta-{number}"', b"x" * 1000) for number in range(21)],
        [(f'name="{number}"', b"") for number in range(1000)],
    ],
)
def test_fields_over_the_limit_are_refused(parts: list[Part], step_bytes: int) -> None:
    """One large field, several, or a crowd of empty ones: no more than 20 KiB come before the file."""
    with pytest.raises(errors.MaxPostPreDataLengthExceeded) as raised:
        asyncio.run(read_to_end(pieces_of(encode(*parts, FILE), step_bytes)))
    assert raised.value.code == "MaxPostPreDataLengthExceededError"


def test_a_field_without_end_is_refused_while_it_arrives() -> None:
    """A stranger cannot fill memory with a field."""
    taken = 0

    def pieces() -> Iterator[bytes]:
        nonlocal taken
        yield b'--edge\r\nContent-Disposition: form-data; name="policy"\r\n\r\n'
        while True:
            taken += 1
            yield b"x" * 1024

    with pytest.raises(errors.MaxPostPreDataLengthExceeded):
        asyncio.run(read_to_end(pieces()))
    assert taken <= 21


# -- the key


@pytest.mark.parametrize(
    ("filename", "name"),
    [
        ("a.png", "a.png"),
        ("C:\\Users\\me\\a.png", "a.png"),
        ("C:\\fakepath\\图片.png", "图片.png"),
        ("folder/sub/a.png", "a.png"),
        ("\\\\server\\share\\a.png", "a.png"),
        ("a/b\\c.png", "c.png"),
        ("../../etc/passwd", "passwd"),
        ("${filename}", "${filename}"),
    ],
)
def test_filename_in_the_key_is_the_name_without_folders(filename: str, name: str) -> None:
    """${filename} becomes the last part of what the browser calls the file."""
    assert key_of("user/${filename}", filename) == f"user/{name}"


@pytest.mark.parametrize(
    ("sent", "name"),
    [
        ('filename="C:\\Users\\me\\a.png"', "a.png"),
        ('filename="图片 1.png"', "图片 1.png"),
        ('filename="say %22hi%22.png"', 'say "hi".png'),
        ("filename=plain.png", "plain.png"),
    ],
)
def test_filenames_are_read_as_browsers_send_them(sent: str, name: str) -> None:
    """Paths, Chinese, quotes and bare names come through a form as they were."""
    form = read(encode(('name="key"', b"u/${filename}"), (f'name="file"; {sent}', CONTENT))).form
    assert form.key() == f"u/{name}"


def test_a_key_without_filename_stays() -> None:
    """Nothing else in a key is replaced."""
    assert key_of("a/${name}/b", "c") == "a/${name}/b"


def test_every_filename_in_the_key_is_replaced() -> None:
    """${filename} may be there more than once."""
    assert key_of("${filename}/${filename}", "a") == "a/a"


def test_filename_is_replaced_in_every_field() -> None:
    """S3 knows ${filename} in all fields; what is signed as it stands is left so."""
    fields = {"x-amz-meta-name": b"<${filename}>", "success_action_redirect": b"http://h/${filename}"}
    signed = {"policy": b"${filename}", "signature": b"${filename}", "key": b"k"}
    parts = [(f'name="{name}"', value) for name, value in (fields | signed).items()]
    form = read(encode(*parts, ('name="file"; filename="C:\\x\\图.png"', CONTENT))).form
    assert form.fields["x-amz-meta-name"] == "<图.png>"
    assert form.fields["success_action_redirect"] == "http://h/图.png"
    assert form.fields["policy"] == form.fields["signature"] == "${filename}"


def test_a_form_without_a_key_is_refused() -> None:
    """The key is asked for by name, and told to come before the file."""
    with pytest.raises(errors.InvalidArgument, match="key"):
        Form({}, {}).key()


@pytest.mark.parametrize(("key", "filename"), [("", "a"), ("${filename}", None), ("${filename}", "folder/")])
def test_an_empty_key_is_refused(key: str, filename: str | None) -> None:
    """A key has at least one character, after ${filename} too."""
    with pytest.raises(errors.InvalidArgument, match="length"):
        key_of(key, filename)


# -- what is no form


@pytest.mark.parametrize(
    "content_type", ["", "text/plain", "application/x-www-form-urlencoded", "multipart/mixed; boundary=edge"]
)
def test_another_content_type_is_no_form(content_type: str) -> None:
    """Only multipart/form-data is a form: 412, as S3 answers."""
    assert refused(errors.PreconditionFailed, encode(KEY, FILE), content_type=content_type).status == 412


@pytest.mark.parametrize(
    "boundary",
    ["", "; boundary=", '; boundary=""', "; boundary=" + "x" * 201, '; boundary="ü"', '; boundary="a "'],
)
def test_a_form_needs_a_boundary(boundary: str) -> None:
    """Without a boundary there are no parts."""
    refused(errors.MalformedPOSTRequest, encode(KEY, FILE), content_type="multipart/form-data" + boundary)


@pytest.mark.parametrize(
    "content_type",
    ['Multipart/Form-Data; charset=utf-8; boundary="edge"', "multipart/form-data;boundary=edge"],
)
def test_a_boundary_may_be_quoted(content_type: str) -> None:
    """Case, quotes, spaces and further parameters do not matter."""
    assert read(encode(KEY, FILE), content_type=content_type).content == CONTENT


@pytest.mark.parametrize("parts", [[], [KEY]])
def test_a_form_needs_a_file(parts: list[Part]) -> None:
    """A whole form without a file is told so."""
    error = refused(errors.InvalidArgument, encode(*parts))
    assert error.message == "POST requires exactly one file upload per request."


@pytest.mark.parametrize("second", ['name="file"; filename="b"', 'name="FILE"'])
def test_a_second_file_is_refused(second: str) -> None:
    """Two files are one too many, and the first is not committed."""
    refused(errors.IncorrectNumberOfFilesInPostRequest, encode(KEY, FILE, (second, b"b")))


WHOLE = encode(KEY, FILE)


@pytest.mark.parametrize("length", range(len(WHOLE) - len(b"\r\n")))
def test_every_truncation_is_refused(length: int) -> None:
    """A form that stops before its closing boundary is refused, wherever it stops."""
    refused(errors.MalformedPOSTRequest, WHOLE[:length])


@pytest.mark.parametrize("length", [0, 10, 60, len(WHOLE) - 30, len(WHOLE)])
def test_a_client_that_goes_away_leaves_an_incomplete_form(length: int) -> None:
    """A disconnect is not the end of a form, even at its last byte."""

    async def consume() -> None:
        _, file = await read_form(receive_of([WHOLE[:length]], gone=True), FORM_DATA, None)
        async for _ in file:
            pass

    with pytest.raises(errors.IncompleteBody):
        asyncio.run(consume())


@pytest.mark.parametrize("off_by", [-1, 1])
def test_another_length_than_declared_is_incomplete(off_by: int) -> None:
    """The form is as long as Content-Length says."""

    async def consume() -> None:
        _, file = await read_form(receive_of([WHOLE]), FORM_DATA, len(WHOLE) + off_by)
        async for _ in file:
            pass

    with pytest.raises(errors.IncompleteBody):
        asyncio.run(consume())


@pytest.mark.parametrize(
    "data",
    [
        b"preamble\r\n" + WHOLE,
        b"\n" + WHOLE,
        WHOLE.replace(b"form-data", b"attachment"),
        WHOLE.replace(b"Content-Disposition: form-data", b"X: y"),
        WHOLE.replace(b"Content-Disposition", b"Content Disposition"),
        WHOLE.replace(b'name="key"', b'name="k\x00y"'),
        WHOLE.replace(b'name="key"', b'name="k\ny"'),
        WHOLE.replace(b'name="key"', b'name="k\xffy"'),
        WHOLE.replace(b'name="key"', b'name="' + b"k" * 5000 + b'"'),
        WHOLE.replace(b"--edge\r\n", b"--edge\n"),
        WHOLE.replace(b"--edge--", b"--edgeXX"),
    ],
)
def test_what_is_no_form_is_refused(data: bytes) -> None:
    """Bytes that only resemble a form are refused as such."""
    refused(errors.MalformedPOSTRequest, data)


def test_a_line_break_may_come_first() -> None:
    """Some clients begin with an empty line."""
    assert read(b"\r\n" + WHOLE).content == CONTENT


@pytest.mark.parametrize("step_bytes", [1000, 1 << 20])
def test_little_may_follow_the_form(step_bytes: int) -> None:
    """What follows the closing boundary is ignored, but not without end."""
    read(WHOLE + b"x" * 1000)
    with pytest.raises(errors.MalformedPOSTRequest, match="follows"):
        asyncio.run(read_to_end(pieces_of(WHOLE + b"x" * 100_000, step_bytes)))
    with pytest.raises(errors.MalformedPOSTRequest, match="follows"):
        asyncio.run(read_to_end(pieces_of(encode(KEY, FILE, ('name="x"', b"x" * 100_000)), step_bytes)))


# -- the file


@pytest.mark.parametrize("size_bytes", range(1, len(WHOLE) + 1))
def test_the_file_is_the_same_however_it_is_cut(size_bytes: int) -> None:
    """Pieces of any size give the same fields and the same file."""
    got = asyncio.run(read_to_end(pieces_of(WHOLE, size_bytes)))
    assert got.form.fields == {"key": "a.txt"}
    assert got.content == CONTENT


@given(
    content=st.lists(st.sampled_from([b"\r", b"\n", b"-", b"--edge", b"\r\n--edg", b"\r\n", b"x"])).map(
        b"".join
    ),
    cuts=st.sets(st.integers(0, 400), max_size=8),
)
def test_content_that_resembles_a_boundary_comes_through(content: bytes, cuts: set[int]) -> None:
    """Only a whole boundary on its own line ends the file."""
    if b"\r\n--edge" in b"\r\n" + content:
        content = content.replace(b"--edge", b"--egde")
    data = encode(KEY, ('name="file"', content))
    places = [0, *sorted(cut for cut in cuts if cut <= len(data)), len(data)]
    pieces = [data[start:stop] for start, stop in pairwise(places)]
    assert asyncio.run(read_to_end(pieces)).content == content


def test_an_empty_file_is_a_file() -> None:
    """A file may have no bytes."""
    got = read(encode(KEY, ('name="file"; filename="a"', b"")))
    assert got.content == b""
    assert got.file.digests["MD5"].hex() == "d41d8cd98f00b204e9800998ecf8427e"


def test_digests_are_those_of_the_file_alone() -> None:
    """Neither fields nor boundaries are part of the object."""
    got = read(WHOLE)
    assert got.file.digests["MD5"] == hashlib.md5(CONTENT).digest()
    assert got.file.received_bytes == len(CONTENT)
    assert got.file.size_bytes is None


SIZE = len(CONTENT)


@pytest.mark.parametrize(
    "allowed", [LengthRange(SIZE, SIZE), LengthRange(0, SIZE), LengthRange(SIZE, 1 << 40)]
)
def test_both_edges_of_the_length_range_are_allowed(allowed: LengthRange) -> None:
    """content-length-range includes its ends."""
    assert read(WHOLE, allowed=allowed).content == CONTENT


def test_a_file_under_the_length_range_is_refused() -> None:
    """A file of one byte less than the minimum is refused at its end."""
    error = refused(errors.EntityTooSmall, WHOLE, allowed=LengthRange(SIZE + 1, SIZE + 1))
    assert error.detail == {"ProposedSize": str(SIZE), "MinSizeAllowed": str(SIZE + 1)}


def test_a_file_over_the_length_range_is_refused() -> None:
    """A file of one byte more than the maximum is refused."""
    error = refused(errors.EntityTooLarge, WHOLE, allowed=LengthRange(0, SIZE - 1))
    assert error.detail == {"ProposedSize": str(SIZE), "MaxSizeAllowed": str(SIZE - 1)}


def test_a_file_over_the_range_is_refused_while_it_arrives() -> None:
    """Nobody waits for the rest of a file that is already too large."""
    taken = 0

    def pieces() -> Iterator[bytes]:
        nonlocal taken
        yield encode(KEY, ('name="file"', b""), closing=b"").removesuffix(b"\r\n")
        while True:
            taken += 1
            yield bytes(1024)

    with pytest.raises(errors.EntityTooLarge):
        asyncio.run(read_to_end(pieces(), allowed=LengthRange(0, 10 * 1024)))
    assert taken == 11


@pytest.mark.parametrize(("max_bytes", "large"), [(SIZE, False), (SIZE - 1, True)])
def test_the_hard_limit_holds_without_a_range_or_above_it(max_bytes: int, large: bool) -> None:
    """A policy cannot allow more than the service does."""
    for allowed in (None, LengthRange(0, 1 << 40)):
        if large:
            refused(errors.EntityTooLarge, WHOLE, max_bytes=max_bytes, allowed=allowed)
        else:
            assert read(WHOLE, max_bytes=max_bytes, allowed=allowed).content == CONTENT


def test_a_declared_length_over_the_limit_is_refused_at_once() -> None:
    """A form that cannot fit is refused before it is read."""
    with pytest.raises(errors.EntityTooLarge):
        asyncio.run(read_form(receive_of([]), FORM_DATA, 10**7, limits=BodyLimits(max_bytes=10**6)))


# -- checksums in fields


def digest_field(name: str, data: bytes) -> Part:
    return (f'name="{name}"', base64.b64encode(hashlib.new(name.rpartition("-")[2].lower(), data).digest()))


@pytest.mark.parametrize("name", ["Content-MD5", "x-amz-checksum-sha256", "X-Amz-Checksum-SHA1"])
def test_a_checksum_field_must_be_that_of_the_file(name: str) -> None:
    """Checksums in fields are checked like those in headers."""
    assert read(encode(KEY, digest_field(name, CONTENT), FILE)).content == CONTENT
    refused(errors.BadDigest, encode(KEY, digest_field(name, b"other"), FILE))


def test_the_client_s_checksum_is_told() -> None:
    """The algorithm that a field named, and its value, are given at the end."""
    got = read(encode(KEY, digest_field("x-amz-checksum-sha256", CONTENT), FILE))
    assert got.file.checksum == ("SHA256", hashlib.sha256(CONTENT).digest())


@pytest.mark.parametrize(
    ("field", "error"),
    [("content-md5", errors.InvalidDigest), ("x-amz-checksum-crc32", errors.InvalidRequest)],
)
def test_a_malformed_checksum_field_is_refused_before_the_file(
    field: str, error: type[errors.S3Error]
) -> None:
    """What cannot be a digest is refused with the fields."""
    with pytest.raises(error):
        asyncio.run(read_form(receive_of([encode(KEY, (f'name="{field}"', b"x"), FILE)]), FORM_DATA, None))


# -- hostile bytes, and many of them


# A lone line feed is not among them: the library lets it pass before a header's name, unless it is cut there.
FRAGMENTS = [
    b"--edge",
    b"--",
    b"\r\n",
    b"\r",
    b":",
    b'"',
    b";",
    b" ",
    b"\x00",
    b"\xff",
    b"Content-Disposition: form-data; ",
    b"Content-Length: 3\r\n",
    b"Content-Type: x\r\n",
    b'name="file"',
    b'name="key"',
    b"name=",
    b'filename="a"',
    b"value",
]


def outcome(pieces: list[bytes]) -> tuple[Form, bytes] | None:
    """Give what was read, or nothing when it was refused with an error of S3."""
    try:
        got = asyncio.run(read_to_end(pieces))
    except errors.S3Error:
        return None
    return got.form, got.content


@given(st.lists(st.sampled_from(FRAGMENTS), max_size=30), st.integers(1, 50))
def test_no_bytes_raise_anything_but_an_answer(fragments: list[bytes], size_bytes: int) -> None:
    """Whatever comes is a form or is refused with an error of S3; the cut decides neither."""
    data = b"--edge\r\n" + b"".join(fragments)
    assert outcome([data]) == outcome(pieces_of(data, size_bytes))


@given(
    at=st.integers(0, len(WHOLE)),
    gone=st.integers(0, 20),
    instead=st.sampled_from([b"", *FRAGMENTS]),
    size_bytes=st.integers(1, 50),
)
def test_a_damaged_form_is_judged_the_same_however_it_is_cut(
    at: int, gone: int, instead: bytes, size_bytes: int
) -> None:
    """Some bytes lost or changed: a form or not, never the one or the other depending on the network."""
    data = WHOLE[:at] + instead + WHOLE[at + gone :]
    assert outcome([data]) == outcome(pieces_of(data, size_bytes))


@pytest.mark.parametrize("size_bytes", [1, 7, 1000])
def test_a_lone_line_feed_in_a_header_is_refused(size_bytes: int) -> None:
    """Found by the test above: taken for white space when it came in one packet with the end of its line."""
    data = WHOLE.replace(b'name="file"', b'name="file"; a=\n b', 1)
    assert data != WHOLE
    assert outcome(pieces_of(data, size_bytes)) is None


@given(data=st.binary(max_size=100))
def test_noise_is_no_form(data: bytes) -> None:
    """Bytes without a boundary are refused."""
    refused(errors.MalformedPOSTRequest, data)


@given(st.text(max_size=80))
def test_no_content_type_raises_anything_but_an_answer(content_type: str) -> None:
    """Whatever the header says, it is a form's or it is refused."""
    with pytest.raises(errors.S3Error):
        read(b"", content_type="multipart/form-data;" + content_type)


def test_memory_stays_flat_for_a_file_of_200_mb() -> None:
    """A file needs the memory of a few pieces, however large it is."""
    piece = bytes(128 * 1024)

    def pieces() -> Iterator[bytes]:
        yield encode(KEY, ('name="file"; filename="a"', b""), closing=b"").removesuffix(b"\r\n")
        for _ in range(1600):
            yield piece
        yield b"\r\n--edge--\r\n"

    async def consume() -> int:
        _, file = await read_form(receive_of(pieces()), FORM_DATA, None)
        return sum([len(part) async for part in file])

    tracemalloc.start()
    size_bytes = asyncio.run(consume())
    peak_bytes = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert size_bytes == 1600 * len(piece)
    assert peak_bytes < 4 * 1024 * 1024
