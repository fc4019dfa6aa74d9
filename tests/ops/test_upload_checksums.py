"""Checksums of multipart uploads: of each part, of the parts' checksums, and of the whole."""

from base64 import b64encode
from collections.abc import Callable
from typing import Any

import pytest

from meiku.checksums import ALGORITHMS
from running_server import Server

Refusal = Callable[..., tuple[str, int]]
PARTS = (b"first part", b"second", b"3")
KINDS = [
    ("CRC32", "COMPOSITE"),
    ("CRC32", "FULL_OBJECT"),
    ("CRC32C", "COMPOSITE"),
    ("CRC32C", "FULL_OBJECT"),
    ("CRC64NVME", "FULL_OBJECT"),
    ("SHA1", "COMPOSITE"),
    ("SHA256", "COMPOSITE"),
]


@pytest.fixture(scope="module")
def s3(tmp_path_factory: pytest.TempPathFactory) -> Any:
    """A client of a server whose parts may be small."""
    from running_server import free_port

    few = {"MEIKU_MULTIPART_MIN_PART_BYTES": "1", "MEIKU_WORKERS": "1"}
    running = Server(tmp_path_factory.mktemp("checksums") / "data", free_port(), few).start()
    client = running.client(request_checksum_calculation="when_required")
    client.create_bucket(Bucket="bbb")
    yield client
    running.stop()
    assert '"event": "mistake"' not in running.read_log()


def checksum(algorithm: str, data: bytes) -> str:
    digest = ALGORITHMS[algorithm].new()
    digest.update(data)
    return b64encode(digest.digest()).decode()


def expected(algorithm: str, kind: str) -> str:
    """Compute the whole's checksum from the bytes, as S3 documents it."""
    if kind == "FULL_OBJECT":
        return checksum(algorithm, b"".join(PARTS))
    digest = ALGORITHMS[algorithm].new()
    for part in PARTS:
        one = ALGORITHMS[algorithm].new()
        one.update(part)
        digest.update(one.digest())
    return f"{b64encode(digest.digest()).decode()}-{len(PARTS)}"


def begin(s3: Any, **asked: str) -> tuple[dict[str, str], Any]:
    begun = s3.create_multipart_upload(Bucket="bbb", Key="k", **asked)
    return {name: begun[name] for name in ("Bucket", "Key", "UploadId")}, begun


def send(s3: Any, upload: dict[str, str], algorithm: str, **asked: str) -> list[dict[str, Any]]:
    named = []
    for number, part in enumerate(PARTS, 1):
        sent = s3.upload_part(**upload, PartNumber=number, Body=part, **asked)
        member = f"Checksum{algorithm}"
        assert sent[member] == checksum(algorithm, part)
        named.append({"PartNumber": number, "ETag": sent["ETag"], member: sent[member]})
    return named


@pytest.mark.parametrize(("algorithm", "kind"), KINDS)
@pytest.mark.parametrize("sent_by", ["client", "server"])
def test_the_whole_has_the_checksum_that_was_asked_for(
    s3: Any, algorithm: str, kind: str, sent_by: str
) -> None:
    """Complete, HEAD and listings tell algorithm, kind and value, whoever computed the parts' checksums."""
    upload, begun = begin(s3, ChecksumAlgorithm=algorithm, ChecksumType=kind)
    assert (begun["ChecksumAlgorithm"], begun["ChecksumType"]) == (algorithm, kind)
    named = send(s3, upload, algorithm, **({"ChecksumAlgorithm": algorithm} if sent_by == "client" else {}))
    listed = s3.list_parts(**upload)
    assert (listed["ChecksumAlgorithm"], listed["ChecksumType"]) == (algorithm, kind)
    assert [part[f"Checksum{algorithm}"] for part in listed["Parts"]] == [
        checksum(algorithm, p) for p in PARTS
    ]
    made = s3.complete_multipart_upload(**upload, MultipartUpload={"Parts": named})
    head = s3.head_object(Bucket="bbb", Key="k", ChecksumMode="ENABLED")
    for answer in (made, head):
        assert (answer[f"Checksum{algorithm}"], answer["ChecksumType"]) == (expected(algorithm, kind), kind)
    entry = s3.list_objects_v2(Bucket="bbb")["Contents"][0]
    assert (entry["ChecksumAlgorithm"], entry["ChecksumType"]) == ([algorithm], kind)


@pytest.mark.parametrize(("algorithm", "kind"), KINDS)
def test_the_whole_is_compared_with_what_the_client_computed(
    s3: Any, refusal: Refusal, algorithm: str, kind: str
) -> None:
    """A checksum of the whole in Complete must be right; a wrong one is BadDigest and makes no object."""
    upload, _ = begin(s3, ChecksumAlgorithm=algorithm, ChecksumType=kind)
    asked = {**upload, "MultipartUpload": {"Parts": send(s3, upload, algorithm)}, "ChecksumType": kind}
    wrong = {f"Checksum{algorithm}": checksum(algorithm, b"something else")}
    assert refusal(s3.complete_multipart_upload, **asked, **wrong) == ("BadDigest", 400)
    right = {f"Checksum{algorithm}": expected(algorithm, kind)}
    assert s3.complete_multipart_upload(**asked, **right)["ChecksumType"] == kind


@pytest.mark.parametrize(
    ("algorithm", "kind"), [("CRC64NVME", "COMPOSITE"), ("SHA1", "FULL_OBJECT"), ("SHA256", "FULL_OBJECT")]
)
def test_kinds_that_do_not_go_together(s3: Any, refusal: Refusal, algorithm: str, kind: str) -> None:
    """Only CRCs can be joined, and CRC64NVME is only joined."""
    asked = {"Bucket": "bbb", "Key": "k", "ChecksumAlgorithm": algorithm, "ChecksumType": kind}
    assert refusal(s3.create_multipart_upload, **asked) == ("InvalidRequest", 400)


def test_a_kind_needs_an_algorithm(s3: Any, refusal: Refusal) -> None:
    """A checksum type alone says nothing."""
    asked = {"Bucket": "bbb", "Key": "k", "ChecksumType": "COMPOSITE"}
    assert refusal(s3.create_multipart_upload, **asked) == ("InvalidRequest", 400)


def test_a_part_with_another_algorithm_is_refused(s3: Any, refusal: Refusal) -> None:
    """The parts of an upload are checked with the algorithm that it was begun with."""
    upload, _ = begin(s3, ChecksumAlgorithm="SHA256")
    asked = {**upload, "PartNumber": 1, "Body": b"x", "ChecksumAlgorithm": "CRC32"}
    assert refusal(s3.upload_part, **asked) == ("InvalidRequest", 400)
    assert "Parts" not in s3.list_parts(**upload)


def test_a_wrong_part_checksum_in_the_list_is_refused(s3: Any, refusal: Refusal) -> None:
    """Complete compares the checksums it is given with those of the parts."""
    upload, _ = begin(s3, ChecksumAlgorithm="SHA256")
    named = send(s3, upload, "SHA256")
    named[1]["ChecksumSHA256"] = checksum("SHA256", b"other")
    asked = {**upload, "MultipartUpload": {"Parts": named}}
    assert refusal(s3.complete_multipart_upload, **asked) == ("InvalidPart", 400)


def test_another_kind_in_complete_is_refused(s3: Any, refusal: Refusal) -> None:
    """Complete cannot change the kind that the upload was begun with."""
    upload, _ = begin(s3, ChecksumAlgorithm="CRC32", ChecksumType="COMPOSITE")
    asked = {**upload, "MultipartUpload": {"Parts": send(s3, upload, "CRC32")}}
    assert refusal(s3.complete_multipart_upload, **asked, ChecksumType="FULL_OBJECT")[0] == "InvalidRequest"


def test_an_upload_without_a_wish_has_s3s_checksum(s3: Any) -> None:
    """S3 adds a CRC64NVME of the whole where the client asks for none."""
    upload, begun = begin(s3)
    assert "ChecksumAlgorithm" not in begun
    named = [{"PartNumber": 1, "ETag": s3.upload_part(**upload, PartNumber=1, Body=b"123456789")["ETag"]}]
    s3.complete_multipart_upload(**upload, MultipartUpload={"Parts": named})
    head = s3.head_object(Bucket="bbb", Key="k", ChecksumMode="ENABLED")
    assert (head["ChecksumCRC64NVME"], head["ChecksumType"]) == ("rosUhgp5mIg=", "FULL_OBJECT")


def test_a_copied_part_has_the_uploads_checksum(s3: Any) -> None:
    """A part made of a stored object is hashed as if it had been sent."""
    s3.put_object(Bucket="bbb", Key="from", Body=PARTS[0])
    upload, _ = begin(s3, ChecksumAlgorithm="SHA256")
    made = s3.upload_part_copy(**upload, PartNumber=1, CopySource="bbb/from")["CopyPartResult"]
    assert made["ChecksumSHA256"] == checksum("SHA256", PARTS[0])


def test_a_part_that_was_damaged_is_refused(s3: Any, refusal: Refusal) -> None:
    """A part whose checksum does not match is BadDigest and is not kept."""
    upload, _ = begin(s3, ChecksumAlgorithm="CRC32")
    asked = {**upload, "PartNumber": 1, "Body": b"x", "ChecksumCRC32": checksum("CRC32", b"y")}
    assert refusal(s3.upload_part, **asked) == ("BadDigest", 400)
    assert "Parts" not in s3.list_parts(**upload)
