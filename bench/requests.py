"""How the work looks on the wire: signed targets, bodies and forms. Sends nothing.

A body begins with its key, so that an object under a wrong key, or a torn one, is seen when samples are read
back. The rest is random bytes, the same in every run.
"""

import random
from collections.abc import Iterable, Sequence
from functools import lru_cache

from bench.peers import Peer
from bench.tally import Plan
from bench.workloads import PREFIXES, Workload, key_of
from meiku.signing import Policy, post_form_v4

_SEED = 20_261_124
_BOUNDARY = "bench-7MA4YWxkTrZu0gW"
_PAGE = 1000


def plan_of(peer: Peer, workload: Workload, numbers: Sequence[int], crowd: int, seconds: int) -> Plan:
    """Plan a workload on the keys of these numbers; a crowd is how many keys are listed."""
    times = workload.times * seconds
    if workload.kind == "form":
        return form_plan(peer, workload, numbers, times)
    if workload.kind in ("list", "prefixes"):
        return _listing_plan(peer, workload, crowd)
    if workload.kind == "put":
        return put_plan(peer, workload.bucket, workload.size_bytes, numbers, times)
    verb = workload.kind.upper()
    targets = _object_targets(peer, verb, workload.bucket, numbers)
    return Plan(verb, targets, (head_of(peer),), 1 if workload.kind == "delete" else times)


def put_plan(peer: Peer, bucket: str, size_bytes: int, numbers: Sequence[int], times: int) -> Plan:
    """Plan to put objects of one size."""
    targets = _object_targets(peer, "PUT", bucket, numbers)
    rest = filler(size_bytes)[len(targets[0][0]) :]
    return Plan("PUT", targets, (head_of(peer, size_bytes), rest), times)


def part_plan(peer: Peer, target: str, upload_id: str, size_bytes: int, parts: int) -> Plan:
    """Plan to put every part of an upload once."""
    targets = []
    for number in range(1, parts + 1):
        query = f"?partNumber={number}&uploadId={upload_id}"
        targets.append((key_of(number), peer.sign("PUT", target + query)))
    rest = filler(size_bytes)[len(targets[0][0]) :]
    return Plan("PUT", tuple(targets), (head_of(peer, size_bytes), rest), times=1)


def form_plan(peer: Peer, workload: Workload, numbers: Sequence[int], times: int) -> Plan:
    """Plan to post forms under one signed policy, each with a key of its own."""
    bucket, keys = workload.bucket, [key_of(number) for number in numbers]
    policy = Policy(expires_in_s=12 * 3600).bucket(bucket).starts_with("key", "p")
    policy = policy.content_length(0, workload.size_bytes)
    form = post_form_v4(peer.credentials, policy, action=f"{peer.url}/{bucket}")
    fields = "".join(_field(name, value) for name, value in form.fields.items())
    before = f'{fields}--{_BOUNDARY}\r\nContent-Disposition: form-data; name="key"\r\n\r\n'.encode()
    between = (
        f'\r\n--{_BOUNDARY}\r\nContent-Disposition: form-data; name="file"; filename="bench.bin"\r\n'
        "Content-Type: application/octet-stream\r\n\r\n"
    ).encode()
    after = filler(workload.size_bytes)[len(keys[0]) :] + f"\r\n--{_BOUNDARY}--\r\n".encode()
    length = len(before) + len(between) + len(after) + 2 * len(keys[0])
    head = head_of(peer, length, f"Content-Type: multipart/form-data; boundary={_BOUNDARY}\r\n")
    return Plan("POST", tuple((key, f"/{bucket}") for key in keys), (head + before, between, after), times)


def body_of(key: str, size_bytes: int) -> bytes:
    """Write the body that belongs under a key."""
    return key.encode() + filler(size_bytes)[len(key) :]


@lru_cache(4)
def filler(size_bytes: int) -> bytes:
    """Make random bytes, the same each time."""
    return random.Random(_SEED).randbytes(size_bytes)


def _listing_plan(peer: Peer, workload: Workload, crowd: int) -> Plan:
    """Plan to read pages from all over the bucket, or the prefixes of all of it."""
    if workload.kind == "prefixes":
        queries: Iterable[str] = ["delimiter=%2F&list-type=2"]
    else:
        starts = _starts(crowd)
        queries = [
            f"list-type=2&max-keys={_PAGE}&start-after={start.replace('/', '%2F')}" for start in starts
        ]
    targets = [(f"page{n:04}", f"/{workload.bucket}?{query}") for n, query in enumerate(queries)]
    # One thread of wrk needs at least one target of its own.
    targets = targets * (2 if len(targets) == 1 else 1)
    return Plan("GET", tuple((key, peer.sign("GET", target)) for key, target in targets), (head_of(peer),))


def _starts(crowd: int) -> list[str]:
    """Choose keys behind which there is a full page."""
    each = crowd // PREFIXES
    pages = max(1, (crowd - _PAGE) * 10 // crowd)
    return [f"p{page * PREFIXES // 10:02}/{each // 2:06}" for page in range(pages)]


def _object_targets(
    peer: Peer, verb: str, bucket: str, numbers: Sequence[int]
) -> tuple[tuple[str, str], ...]:
    keys = [key_of(number) for number in numbers]
    return tuple((key, peer.sign(verb, f"/{bucket}/{key}")) for key in keys)


def head_of(peer: Peer, length: int | None = None, more: str = "") -> bytes:
    """Write the rest of a request's head, behind its target."""
    declared = "" if length is None else f"Content-Length: {length}\r\n"
    return f" HTTP/1.1\r\nHost: 127.0.0.1:{peer.port}\r\n{declared}{more}\r\n".encode()


def _field(name: str, value: str) -> str:
    return f'--{_BOUNDARY}\r\nContent-Disposition: form-data; name="{name}"\r\n\r\n{value}\r\n'
