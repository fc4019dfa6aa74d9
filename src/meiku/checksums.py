"""The checksum algorithms S3 knows, and the arithmetic on their results.

A leaf: it turns bytes into digests and digests into the text S3 writes. It knows no header rules, no
requests and no errors of S3. Where a checksum must be joined from those of parts, that is done here too.

Names, headers and members: botocore's model of S3. Composite and full-object checksums:
https://docs.aws.amazon.com/AmazonS3/latest/userguide/checking-object-integrity-upload.html
"""

import hashlib
import zlib
from base64 import b64decode, b64encode
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Protocol

from awscrt import checksums as crt

Data = bytes | bytearray | memoryview
Crc = Callable[[Data, int], int]
Combine = Callable[[int, int, int], int]


class Digest(Protocol):
    """A checksum that is being computed."""

    def update(self, data: Data, /) -> None:
        """Take the next bytes."""

    def digest(self) -> bytes:
        """Give the checksum of all bytes so far; CRCs are big-endian."""


class _CrcDigest:
    """A CRC that remembers where it is."""

    __slots__ = ("_crc", "_size_bytes", "_value")

    def __init__(self, crc: Crc, size_bytes: int) -> None:
        self._crc = crc
        self._size_bytes = size_bytes
        self._value = 0

    def update(self, data: Data, /) -> None:
        self._value = self._crc(data, self._value)

    def digest(self) -> bytes:
        return self._value.to_bytes(self._size_bytes, "big")


class _XxhDigest:
    """An xxHash, whose library calls the result something else."""

    __slots__ = ("_hash",)

    def __init__(self, new: Callable[[], crt.XXHash]) -> None:
        self._hash = new()

    def update(self, data: Data, /) -> None:
        # Unlike its CRCs, awscrt's xxHash takes nothing but bytes.
        self._hash.update(data if isinstance(data, bytes) else bytes(data))

    def digest(self) -> bytes:
        return bytes(self._hash.finalize())


@dataclass(frozen=True, slots=True)
class Algorithm:
    """One checksum algorithm under the names S3 has for it.

    `combine` joins the CRCs of two neighbours; only CRCs can do that.
    """

    name: str
    header: str
    member: str
    size_bytes: int
    new: Callable[[], Digest]
    combine: Combine | None = None


def _algorithm(
    name: str, size_bytes: int, new: Callable[[], Digest], combine: Combine | None = None
) -> Algorithm:
    return Algorithm(name, f"x-amz-checksum-{name.lower()}", f"Checksum{name}", size_bytes, new, combine)


def _crc(name: str, size_bytes: int, crc: Crc, combine: Combine) -> Algorithm:
    return _algorithm(name, size_bytes, partial(_CrcDigest, crc, size_bytes), combine)


def _xxh(name: str, size_bytes: int, new: Callable[[], crt.XXHash]) -> Algorithm:
    return _algorithm(name, size_bytes, partial(_XxhDigest, new))


ALGORITHMS: dict[str, Algorithm] = {
    algorithm.name: algorithm
    for algorithm in (
        _crc("CRC32", 4, zlib.crc32, crt.combine_crc32),
        _crc("CRC32C", 4, crt.crc32c, crt.combine_crc32c),
        _algorithm("SHA1", 20, partial(hashlib.sha1, usedforsecurity=False)),
        _algorithm("SHA256", 32, hashlib.sha256),
        _crc("CRC64NVME", 8, crt.crc64nvme, crt.combine_crc64nvme),
        _algorithm("SHA512", 64, hashlib.sha512),
        _algorithm("MD5", 16, partial(hashlib.md5, usedforsecurity=False)),
        _xxh("XXHASH64", 8, crt.XXHash.new_xxhash64),
        _xxh("XXHASH3", 8, crt.XXHash.new_xxhash3_64),
        _xxh("XXHASH128", 16, crt.XXHash.new_xxhash3_128),
    )
}

BY_HEADER: dict[str, Algorithm] = {algorithm.header: algorithm for algorithm in ALGORITHMS.values()}


def encode(digest: bytes) -> str:
    """Write a digest as S3 does: base64."""
    return b64encode(digest).decode("ascii")


def decode(text: str, algorithm: Algorithm) -> bytes:
    """Read a digest of this algorithm; ValueError when it is not base64 of the right size."""
    digest = b64decode(text, validate=True)
    if len(digest) != algorithm.size_bytes:
        raise ValueError(f"{algorithm.name} has {algorithm.size_bytes} bytes, not {len(digest)}")
    return digest


def extend_crc64nvme(data: Data, value: int = 0) -> int:
    """Return the CRC64NVME of what `value` is that of, with `data` behind it."""
    return int(crt.crc64nvme(data, value))


def crc64nvme(data: Data) -> bytes:
    """Return the CRC64NVME of bytes that are at hand."""
    return extend_crc64nvme(data).to_bytes(8, "big")


def composite(algorithm: Algorithm, part_digests: Sequence[bytes]) -> str:
    """Write the checksum of the parts' checksums, with their number behind it: `<base64>-<parts>`."""
    digest = algorithm.new()
    digest.update(b"".join(part_digests))
    return f"{encode(digest.digest())}-{len(part_digests)}"


def full_object(algorithm: Algorithm, parts: Sequence[tuple[bytes, int]]) -> bytes:
    """Join (digest, size in bytes) of the parts into the whole's digest; ValueError for what is no CRC."""
    if algorithm.combine is None:
        raise ValueError(f"{algorithm.name} of a whole cannot be told from its parts")
    whole = 0
    for digest, size_bytes in parts:
        whole = algorithm.combine(whole, int.from_bytes(digest, "big"), size_bytes)
    return whole.to_bytes(algorithm.size_bytes, "big")


class Digests:
    """All checksums of one body, computed together: MD5 and CRC64NVME always, others when asked."""

    ALWAYS = ("MD5", "CRC64NVME")

    __slots__ = ("_digests",)

    def __init__(self, names: Iterable[str] = ()) -> None:
        """Take the further algorithms' names; KeyError for one that S3 does not know."""
        self._digests = {name: ALGORITHMS[name].new() for name in dict.fromkeys((*self.ALWAYS, *names))}

    def update(self, data: Data) -> None:
        """Take the next bytes."""
        for digest in self._digests.values():
            digest.update(data)

    def results(self) -> dict[str, bytes]:
        """Give every checksum of all bytes so far, by algorithm."""
        return {name: digest.digest() for name, digest in self._digests.items()}
