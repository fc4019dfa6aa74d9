"""How bodies are signed: whole, not at all, or in aws-chunked pieces with a checksum behind them."""

import base64
import hashlib
import io
import zlib
from typing import Any

import pytest
from botocore.httpchecksum import AwsChunkedWrapper, Crc32Checksum

from plain_http import send
from signed_request import sign, sign_chunks

CONTENT = bytes(range(256)) * 600  # more than one chunk, and more than is kept beside the rows
CRC32 = base64.b64encode(zlib.crc32(CONTENT).to_bytes(4, "big")).decode()
CHUNKS = [CONTENT[at : at + 65_536] for at in range(0, len(CONTENT), 65_536)]
UNSIGNED_TRAILER = "STREAMING-UNSIGNED-PAYLOAD-TRAILER"


def check_stored(s3: Any, bucket: str, content: bytes = CONTENT) -> None:
    """See that the object is these bytes, and that nothing of their framing is remembered."""
    got = s3.get_object(Bucket=bucket, Key="k")
    assert got["Body"].read() == content
    assert "ContentEncoding" not in got
    assert got["ETag"] == f'"{hashlib.md5(content).hexdigest()}"'


@pytest.mark.parametrize("calculation", ["when_supported", "when_required"])
@pytest.mark.parametrize("algorithm", ["CRC32", "SHA1", "SHA256", "CRC32C", "CRC64NVME", None])
def test_boto_s_own_ways(server: Any, s3: Any, bucket: str, calculation: str, algorithm: str | None) -> None:
    """Whatever checksum boto3 is asked for, or adds by itself, arrives and is shown again."""
    client = server.client(request_checksum_calculation=calculation)
    asked = {"ChecksumAlgorithm": algorithm} if algorithm else {}
    put = client.put_object(Bucket=bucket, Key="k", Body=io.BytesIO(CONTENT), **asked)
    check_stored(s3, bucket)
    head = s3.head_object(Bucket=bucket, Key="k", ChecksumMode="ENABLED")
    shown = algorithm or ("CRC32" if calculation == "when_supported" else "CRC64NVME")
    assert head[f"Checksum{shown}"] == put[f"Checksum{shown}"]


@pytest.mark.parametrize("payload", ["UNSIGNED-PAYLOAD", hashlib.sha256(CONTENT).hexdigest()])
def test_whole_bodies(server: Any, s3: Any, bucket: str, payload: str) -> None:
    """A body is signed by its SHA-256, or not at all."""
    signed = sign("v4-header", "PUT", f"{server.url}/{bucket}/k", body=CONTENT, payload_hash=payload)
    assert signed.send(server.port).status == 200
    check_stored(s3, bucket)


@pytest.mark.parametrize("trailer", [None, {"x-amz-checksum-crc32": CRC32}])
def test_signed_chunks(server: Any, s3: Any, bucket: str, trailer: Any) -> None:
    """Each chunk carries its signature, and the trailer its own."""
    signed = sign_chunks(f"{server.url}/{bucket}/k", CHUNKS, headers={}, trailer=trailer)
    assert signed.send(server.port).status == 200
    check_stored(s3, bucket)


def test_signed_chunks_of_nothing(server: Any, s3: Any, bucket: str) -> None:
    """An empty object is one last chunk."""
    assert sign_chunks(f"{server.url}/{bucket}/k", [], headers={}).send(server.port).status == 200
    check_stored(s3, bucket, b"")


@pytest.mark.parametrize("way", ["v4-header", "v2-header"])
def test_an_unsigned_trailer(server: Any, s3: Any, bucket: str, way: str) -> None:
    """botocore's own framing, signed by either version: the checksum comes behind the bytes."""
    framed = AwsChunkedWrapper(io.BytesIO(CONTENT), Crc32Checksum, "x-amz-checksum-crc32").read()
    signed = sign(
        way, "PUT", f"{server.url}/{bucket}/k", headers=chunked_headers(), payload_hash=UNSIGNED_TRAILER
    )
    answer = signed.send(server.port, body=framed)
    assert (answer.status, answer.headers.get("x-amz-checksum-crc32")) == (200, CRC32)
    check_stored(s3, bucket)


def test_an_anonymous_trailer(server: Any, s3: Any, bucket: str) -> None:
    """Where anyone may write, the unsigned framing needs no signature either."""
    s3.put_bucket_acl(Bucket=bucket, ACL="public-read-write")
    framed = AwsChunkedWrapper(io.BytesIO(CONTENT), Crc32Checksum, "x-amz-checksum-crc32").read()
    headers = {**chunked_headers(), "x-amz-content-sha256": UNSIGNED_TRAILER}
    assert send(server.port, "PUT", f"/{bucket}/k", body=framed, headers=headers).status == 200
    check_stored(s3, bucket)


def chunked_headers() -> dict[str, str]:
    return {
        "Content-Encoding": "aws-chunked",
        "x-amz-content-sha256": UNSIGNED_TRAILER,
        "x-amz-decoded-content-length": str(len(CONTENT)),
        "x-amz-trailer": "x-amz-checksum-crc32",
    }


def test_the_content_s_own_encoding_stays(server: Any, s3: Any, bucket: str) -> None:
    """aws-chunked is taken from Content-Encoding, and what else stands there is kept."""
    headers = {"Content-Encoding": "aws-chunked,gzip"}
    assert sign_chunks(f"{server.url}/{bucket}/k", CHUNKS, headers=headers).send(server.port).status == 200
    assert s3.head_object(Bucket=bucket, Key="k")["ContentEncoding"] == "gzip"


def test_parts_are_sent_in_chunks(server: Any, s3: Any, bucket: str) -> None:
    """A part of an upload may be framed like an object."""
    upload = s3.create_multipart_upload(Bucket=bucket, Key="k")["UploadId"]
    url = f"{server.url}/{bucket}/k?partNumber=1&uploadId={upload}"
    part = sign_chunks(url, CHUNKS, headers={}, trailer={"x-amz-checksum-crc32": CRC32}).send(server.port)
    parts = {"Parts": [{"PartNumber": 1, "ETag": part.headers["etag"]}]}
    s3.complete_multipart_upload(Bucket=bucket, Key="k", UploadId=upload, MultipartUpload=parts)
    assert s3.get_object(Bucket=bucket, Key="k")["Body"].read() == CONTENT
