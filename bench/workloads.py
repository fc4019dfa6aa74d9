"""The work: what is asked of everybody, on how many keys, over how many connections.

Names, titles and sizes only. How a request looks is in `requests`; who is asked, and when, is in `course`.
"""

import os
from dataclasses import dataclass
from typing import Literal

from bench.pictures import FILL_200, WEBP_400, Thumbnail

KIB, MIB = 1 << 10, 1 << 20
Kind = Literal[
    "put", "get", "head", "delete", "form", "list", "prefixes", "multipart", "made", "kept", "plain"
]
PREFIXES = 100
CORES = len(os.sched_getaffinity(0))


@dataclass(frozen=True, slots=True)
class Workload:
    """One row of the table for each number of connections.

    `longer` stretches the time where a second holds few requests. `times` is how often each request is sent
    for every second of the run, where a fixed amount says more than a fixed time: a large upload that is cut
    at the end leaves some servers with half an object. `crowded` says that objects are put by the million,
    straight into our own metadata store, so that only meiku takes part. `thumbnail` is what is made of the
    photographs: made anew for each request, or kept from the first; or stored as an object and plainly read.
    """

    name: str
    title: str
    kind: Kind
    size_bytes: int
    keys: int
    connections: tuple[int, ...]
    longer: int = 1
    times: int = 0
    crowded: bool = False
    thumbnail: Thumbnail | None = None

    @property
    def bucket(self) -> str:
        """Each kind of work has a bucket of its own, save reading, which shares."""
        if self.crowded:
            return "crowded"
        shared = "stored" if self.kind in ("get", "head", "list", "prefixes") else self.kind
        return f"{shared}-{self.size_bytes // KIB}k"

    @property
    def unit(self) -> Literal["requests/s", "MB/s"]:
        """Large bodies are counted in megabytes (10⁶ bytes)."""
        return "MB/s" if self.size_bytes >= MIB else "requests/s"


_MANY = 10_000
_SMALL = (1, 16, 64)
STORAGE: tuple[Workload, ...] = (
    Workload("put-4k", "PUT 4 KiB", "put", 4 * KIB, _MANY, _SMALL),
    Workload("form-4k", "form POST 4 KiB", "form", 4 * KIB, _MANY, _SMALL),
    Workload("get-4k", "GET 4 KiB", "get", 4 * KIB, _MANY, _SMALL),
    Workload("head-4k", "HEAD 4 KiB", "head", 4 * KIB, _MANY, _SMALL),
    Workload("delete-4k", "DELETE 4 KiB", "delete", 4 * KIB, _MANY, _SMALL),
    Workload("list-10k", "LIST 1,000 of 10,000", "list", 4 * KIB, _MANY, (1, 16)),
    Workload("prefixes-10k", "LIST 100 prefixes of 100 keys", "prefixes", 4 * KIB, _MANY, (16,)),
    Workload("put-1m", "PUT 1 MiB", "put", MIB, 64, (4,), times=4),
    Workload("form-1m", "form POST 1 MiB", "form", MIB, 64, (4,), times=4),
    Workload("get-1m", "GET 1 MiB", "get", MIB, 64, (4,)),
    Workload("put-64m", "PUT 64 MiB", "put", 64 * MIB, 4, (4,), times=2),
    Workload("get-64m", "GET 64 MiB", "get", 64 * MIB, 4, (4,), longer=2),
    Workload("multipart-256m", "multipart 256 MiB", "multipart", 8 * MIB, 32, (4,)),
    Workload("list-1m", "LIST 1,000 of {crowd:,}", "list", 4 * KIB, _MANY, (1, 16), crowded=True),
    Workload(
        "prefixes-1m", "LIST 100 prefixes of {each:,} keys", "prefixes", 4 * KIB, _MANY, (16,), crowded=True
    ),
)
PICTURES: tuple[Workload, ...] = (
    Workload("webp-400", "12 MP JPEG to WebP, 400 wide", "made", 0, 0, (CORES,), 2, thumbnail=WEBP_400),
    Workload("fill-200", "12 MP JPEG to JPEG, 200 x 200", "made", 0, 0, (CORES,), 2, thumbnail=FILL_200),
    Workload("webp-400-kept", "that WebP, kept", "kept", 0, 0, (16,), thumbnail=WEBP_400),
    Workload("webp-400-plain", "GET of an object like that WebP", "plain", 0, 0, (16,), thumbnail=WEBP_400),
    Workload("fill-200-kept", "that JPEG, kept", "kept", 0, 0, (16,), thumbnail=FILL_200),
    Workload("fill-200-plain", "GET of an object like that JPEG", "plain", 0, 0, (16,), thumbnail=FILL_200),
)
WORKLOADS: tuple[Workload, ...] = (*STORAGE, *PICTURES)


def find(name: str) -> Workload:
    """Find a workload by name."""
    return next(workload for workload in WORKLOADS if workload.name == name)


def key_of(number: int) -> str:
    """Name the object of this number; all names are equally long, and spread evenly over the prefixes."""
    return f"p{number % PREFIXES:02}/{number // PREFIXES:06}"
