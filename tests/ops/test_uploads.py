"""Multipart uploads: begun, sent in parts, completed into one object, or given up."""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from hashlib import md5
from typing import Any

import pytest

from ops.conftest import Send
from running_server import Server

Refusal = Callable[..., tuple[str, int]]
MIB = 1024 * 1024
PARTS = (b"a" * 5 * MIB, b"b" * 5 * MIB, b"end")


@pytest.fixture
def upload(s3: Any, bucket: str) -> dict[str, str]:
    """Begin an upload of the key `k`."""
    begun = s3.create_multipart_upload(Bucket=bucket, Key="k", Metadata={"a": "1"}, ContentType="video/mp4")
    assert begun["UploadId"].startswith("2~")
    return {name: begun[name] for name in ("Bucket", "Key", "UploadId")}


def send_parts(s3: Any, upload: dict[str, str], parts: tuple[bytes, ...]) -> list[dict[str, Any]]:
    """Send parts numbered from 1 and tell what Complete must name."""
    sent = [s3.upload_part(**upload, PartNumber=n, Body=part) for n, part in enumerate(parts, 1)]
    return [{"PartNumber": n, "ETag": part["ETag"]} for n, part in enumerate(sent, 1)]


def complete(s3: Any, upload: dict[str, str], named: list[dict[str, Any]], **more: Any) -> Any:
    return s3.complete_multipart_upload(**upload, MultipartUpload={"Parts": named}, **more)


def test_parts_become_one_object(s3: Any, bucket: str, upload: dict[str, str]) -> None:
    """The object is the parts in their order, described as the upload was begun, tagged as S3 tags it."""
    made = complete(s3, upload, send_parts(s3, upload, PARTS))
    tag = md5(b"".join(md5(part).digest() for part in PARTS)).hexdigest()
    assert made["ETag"] == f'"{tag}-3"'
    assert (made["Bucket"], made["Key"]) == (bucket, "k")
    assert made["Location"].endswith(f"/{bucket}/k")
    got = s3.get_object(Bucket=bucket, Key="k")
    assert got["Body"].read() == b"".join(PARTS)
    assert (got["ETag"], got["ContentType"], got["Metadata"]) == (made["ETag"], "video/mp4", {"a": "1"})


def test_a_range_may_span_parts(s3: Any, bucket: str, upload: dict[str, str]) -> None:
    """A range is cut from the whole, wherever parts begin."""
    complete(s3, upload, send_parts(s3, upload, PARTS))
    asked = f"bytes={5 * MIB - 2}-{5 * MIB + 1}"
    assert s3.get_object(Bucket=bucket, Key="k", Range=asked)["Body"].read() == b"aabb"
    assert s3.get_object(Bucket=bucket, Key="k", Range="bytes=-5")["Body"].read() == b"bbend"


def test_a_part_is_found_again(s3: Any, raw: Send, bucket: str, upload: dict[str, str]) -> None:
    """GET and HEAD by partNumber answer 206 with that part and how many there are."""
    complete(s3, upload, send_parts(s3, upload, PARTS))
    got = s3.get_object(Bucket=bucket, Key="k", PartNumber=3)
    assert (got["Body"].read(), got["PartsCount"]) == (b"end", 3)
    assert got["ContentRange"] == f"bytes {10 * MIB}-{10 * MIB + 2}/{10 * MIB + 3}"
    head = s3.head_object(Bucket=bucket, Key="k", PartNumber=2)
    assert (head["ContentLength"], head["PartsCount"]) == (5 * MIB, 3)
    assert raw("GET", f"/{bucket}/k?partNumber=4").code == "InvalidPartNumber"


def test_a_repeated_complete_is_answered_again(s3: Any, bucket: str, upload: dict[str, str]) -> None:
    """Who lost the answer may ask again, and the object is not made twice."""
    named = send_parts(s3, upload, (b"only",))
    first = complete(s3, upload, named)
    told = s3.head_object(Bucket=bucket, Key="k")["LastModified"]
    assert complete(s3, upload, named)["ETag"] == first["ETag"]
    assert s3.head_object(Bucket=bucket, Key="k")["LastModified"] == told


def test_a_part_that_is_too_small(s3: Any, bucket: str, upload: dict[str, str], refusal: Refusal) -> None:
    """Only the last part may be under 5 MiB; the upload goes on after the refusal."""
    named = send_parts(s3, upload, (b"small", b"end"))
    asked = {**upload, "MultipartUpload": {"Parts": named}}
    assert refusal(s3.complete_multipart_upload, **asked) == ("EntityTooSmall", 400)
    assert len(s3.list_parts(**upload)["Parts"]) == 2


@pytest.mark.parametrize(
    ("change", "code"),
    [
        (lambda named: named[::-1], "InvalidPartOrder"),
        (lambda named: [named[0], named[0]], "InvalidPartOrder"),
        (lambda named: [*named, {"PartNumber": 9, "ETag": named[0]["ETag"]}], "InvalidPart"),
        (lambda named: [{**named[0], "ETag": '"00"'}], "InvalidPart"),
        (lambda named: [{**named[0], "PartNumber": 0}], "InvalidArgument"),
        (lambda named: [{**named[0], "ChecksumSHA256": "AAAA"}], "InvalidPart"),
        (lambda named: [], "MalformedXML"),
    ],
    ids=["descending", "twice", "never sent", "another tag", "number 0", "a checksum never sent", "none"],
)
def test_a_list_that_is_wrong(
    s3: Any, bucket: str, upload: dict[str, str], refusal: Refusal, change: Callable[[Any], Any], code: str
) -> None:
    """A Complete that names the wrong parts makes no object and ends no upload."""
    asked = {**upload, "MultipartUpload": {"Parts": change(send_parts(s3, upload, (b"x", b"y")))}}
    assert refusal(s3.complete_multipart_upload, **asked)[0] == code
    assert refusal(s3.head_object, Bucket=bucket, Key="k")[1] == 404
    assert len(s3.list_parts(**upload)["Parts"]) == 2


def test_parts_that_are_not_named_are_left_out(own_server: Callable[..., Server]) -> None:
    """Complete may skip parts and numbers; the object is what was named."""
    s3 = own_server(MEIKU_MULTIPART_MIN_PART_BYTES="1").client()
    s3.create_bucket(Bucket="bbb")
    begun = s3.create_multipart_upload(Bucket="bbb", Key="k")
    upload = {name: begun[name] for name in ("Bucket", "Key", "UploadId")}
    tags = {n: s3.upload_part(**upload, PartNumber=n, Body=b"%d;" % n)["ETag"] for n in (10000, 7, 2, 5)}
    complete(s3, upload, [{"PartNumber": n, "ETag": tags[n]} for n in (2, 7, 10000)])
    assert s3.get_object(Bucket="bbb", Key="k")["Body"].read() == b"2;7;10000;"
    assert s3.get_object(Bucket="bbb", Key="k", Range="bytes=1-3")["Body"].read() == b";7;"
    assert s3.get_object(Bucket="bbb", Key="k", PartNumber=2)["PartsCount"] == 3


def test_an_object_of_many_parts_is_read_whole(own_server: Callable[..., Server]) -> None:
    """More parts than are looked up at once come in order, in any range that crosses from page to page."""
    s3 = own_server(MEIKU_MULTIPART_MIN_PART_BYTES="1").client()
    s3.create_bucket(Bucket="bbb")
    begun = s3.create_multipart_upload(Bucket="bbb", Key="k")
    upload = {name: begun[name] for name in ("Bucket", "Key", "UploadId")}
    bodies = [b"%d;" % number for number in range(1, 1006)]
    complete(s3, upload, send_parts(s3, upload, bodies))
    whole = b"".join(bodies)
    assert s3.get_object(Bucket="bbb", Key="k")["Body"].read() == whole
    for first, last in ((len(whole) - 40, len(whole) - 1), (3, len(whole) - 2)):
        ranged = s3.get_object(Bucket="bbb", Key="k", Range=f"bytes={first}-{last}")
        assert ranged["Body"].read() == whole[first : last + 1]


def test_a_part_that_is_sent_again_replaces_the_first(s3: Any, upload: dict[str, str], bucket: str) -> None:
    """The last part under a number counts."""
    s3.upload_part(**upload, PartNumber=1, Body=b"first")
    complete(s3, upload, send_parts(s3, upload, (b"second",)))
    assert s3.get_object(Bucket=bucket, Key="k")["Body"].read() == b"second"


@pytest.mark.parametrize("number", ["0", "10001", "-1", "x", ""])
def test_part_numbers_have_bounds(raw: Send, upload: dict[str, str], number: str) -> None:
    """A part is numbered 1 to 10,000."""
    target = f"/{upload['Bucket']}/k?partNumber={number}&uploadId={upload['UploadId']}"
    assert raw("PUT", target, b"x").code == "InvalidArgument"


def test_an_upload_that_is_not_there(s3: Any, bucket: str, upload: dict[str, str], refusal: Refusal) -> None:
    """Another id, or the id under another key, is NoSuchUpload in every operation."""
    for wrong in ({**upload, "UploadId": "2~none"}, {**upload, "Key": "other"}):
        assert refusal(s3.upload_part, **wrong, PartNumber=1, Body=b"x") == ("NoSuchUpload", 404)
        assert refusal(s3.list_parts, **wrong) == ("NoSuchUpload", 404)
        assert refusal(s3.abort_multipart_upload, **wrong) == ("NoSuchUpload", 404)
        named = {"Parts": [{"PartNumber": 1, "ETag": '"x"'}]}
        assert refusal(s3.complete_multipart_upload, **wrong, MultipartUpload=named)[0] == "NoSuchUpload"


def test_an_aborted_upload_is_gone(s3: Any, bucket: str, upload: dict[str, str], refusal: Refusal) -> None:
    """Abort answers 204; then there is neither upload nor part nor object."""
    send_parts(s3, upload, (b"x",))
    assert s3.abort_multipart_upload(**upload)["ResponseMetadata"]["HTTPStatusCode"] == 204
    assert refusal(s3.list_parts, **upload) == ("NoSuchUpload", 404)
    assert refusal(s3.abort_multipart_upload, **upload) == ("NoSuchUpload", 404)
    assert "Uploads" not in s3.list_multipart_uploads(Bucket=bucket)
    s3.delete_bucket(Bucket=bucket)


def test_a_completed_upload_is_over(s3: Any, bucket: str, upload: dict[str, str], refusal: Refusal) -> None:
    """After Complete no part is taken and nothing is listed."""
    complete(s3, upload, send_parts(s3, upload, (b"x",)))
    assert refusal(s3.upload_part, **upload, PartNumber=2, Body=b"y") == ("NoSuchUpload", 404)
    assert "Uploads" not in s3.list_multipart_uploads(Bucket=bucket)


def test_a_complete_may_have_conditions(
    s3: Any, bucket: str, upload: dict[str, str], refusal: Refusal
) -> None:
    """If-None-Match guards what Complete would replace, and the upload stays."""
    named = send_parts(s3, upload, (b"new",))
    s3.put_object(Bucket=bucket, Key="k", Body=b"old")
    asked = {**upload, "MultipartUpload": {"Parts": named}}
    assert refusal(s3.complete_multipart_upload, **asked, IfNoneMatch="*") == ("PreconditionFailed", 412)
    assert s3.get_object(Bucket=bucket, Key="k")["Body"].read() == b"old"
    complete(s3, upload, named)
    assert s3.get_object(Bucket=bucket, Key="k")["Body"].read() == b"new"


def test_the_whole_size_is_checked(s3: Any, upload: dict[str, str], refusal: Refusal) -> None:
    """x-amz-mp-object-size must be the size of the object."""
    asked = {**upload, "MultipartUpload": {"Parts": send_parts(s3, upload, (b"four",))}}
    assert refusal(s3.complete_multipart_upload, **asked, MpuObjectSize=5) == ("InvalidRequest", 400)
    s3.complete_multipart_upload(**asked, MpuObjectSize=4)


def test_parts_may_be_copied(s3: Any, bucket: str, upload: dict[str, str], refusal: Refusal) -> None:
    """UploadPartCopy takes a whole object or a range that lies inside it."""
    s3.put_object(Bucket=bucket, Key="from", Body=b"0123456789" * MIB)
    source = {"Bucket": bucket, "Key": "from"}
    ranged = {"CopySourceRange": f"bytes=5-{5 * MIB + 4}"}
    first = s3.upload_part_copy(**upload, PartNumber=1, CopySource=source, **ranged)["CopyPartResult"]
    second = s3.upload_part_copy(**upload, PartNumber=2, CopySource=source)["CopyPartResult"]
    complete(s3, upload, [{"PartNumber": n, "ETag": p["ETag"]} for n, p in enumerate((first, second), 1)])
    data = b"0123456789" * MIB
    assert s3.get_object(Bucket=bucket, Key="k")["Body"].read() == data[5 : 5 * MIB + 5] + data


@pytest.mark.parametrize(
    ("asked", "code"),
    [
        ("bytes=0-10", "InvalidArgument"),
        ("bytes=5-", "InvalidArgument"),
        ("bytes=5-2", "InvalidArgument"),
        ("x", "InvalidArgument"),
    ],
)
def test_a_copied_range_lies_inside(
    s3: Any, bucket: str, upload: dict[str, str], refusal: Refusal, asked: str, code: str
) -> None:
    """A range that is open or reaches past the source's end is refused."""
    s3.put_object(Bucket=bucket, Key="from", Body=b"0123456789")
    source = {"CopySource": {"Bucket": bucket, "Key": "from"}, "CopySourceRange": asked}
    assert refusal(s3.upload_part_copy, **upload, PartNumber=1, **source)[0] == code


def test_a_grantee_may_end_what_they_began(
    s3: Any, alice: Any, bucket: str, upload: dict[str, str], refusal: Refusal
) -> None:
    """Who may write may list, complete and abort uploads of their own, and nobody else's."""
    assert refusal(alice.create_multipart_upload, Bucket=bucket, Key="a") == ("AccessDenied", 403)
    s3.put_bucket_acl(Bucket=bucket, ACL="public-read-write")
    begun = alice.create_multipart_upload(Bucket=bucket, Key="a")
    own = {name: begun[name] for name in ("Bucket", "Key", "UploadId")}
    send_parts(alice, own, (b"x",))
    assert alice.list_parts(**own)["Initiator"]["ID"] == alice.user["user_id"]
    alice.abort_multipart_upload(**own)
    for function in (alice.list_parts, alice.abort_multipart_upload):
        assert refusal(function, **upload) == ("AccessDenied", 403)
    assert refusal(alice.upload_part, **upload, PartNumber=1, Body=b"x") == ("AccessDenied", 403)


def test_thousands_of_parts(own_server: Callable[..., Server]) -> None:
    """An object of more parts than are placed at once is whole, and each part lies where it belongs."""
    server = own_server(MEIKU_MULTIPART_MIN_PART_BYTES="0")
    s3 = server.client()
    s3.create_bucket(Bucket="bucket")
    begun = s3.create_multipart_upload(Bucket="bucket", Key="k")
    upload = {name: begun[name] for name in ("Bucket", "Key", "UploadId")}
    pieces = [b"%05d" % number * (1 + number % 3) for number in range(1, 1102)]
    with ThreadPoolExecutor(8) as threads:
        sent = list(
            threads.map(lambda n: s3.upload_part(**upload, PartNumber=n, Body=pieces[n - 1]), range(1, 1102))
        )
    named = [{"PartNumber": n, "ETag": part["ETag"]} for n, part in enumerate(sent, 1)]
    left_out = named.pop(700)
    complete(s3, upload, named)
    whole = pieces[:700] + pieces[701:]
    assert s3.get_object(Bucket="bucket", Key="k")["Body"].read() == b"".join(whole)
    for ordinal in (1, 500, 501, 700, 701, 1100):
        part = s3.get_object(Bucket="bucket", Key="k", PartNumber=ordinal)
        assert (part["Body"].read(), part["PartsCount"]) == (whole[ordinal - 1], 1100)
        start = sum(map(len, whole[: ordinal - 1]))
        assert part["ContentRange"].startswith(f"bytes {start}-")
    assert left_out["PartNumber"] == 701
