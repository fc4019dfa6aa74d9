"""Dates: nothing that an answer says happened after the answer's own Date."""

import sqlite3
import time
from calendar import timegm
from collections.abc import Callable
from email.utils import parsedate_to_datetime
from typing import Any
from xml.etree import ElementTree

import pytest

from ops.conftest import Send
from plain_http import Answer

# Long enough that a date renewed once a second, or kept since a request began, would show.
TRIES_S = 2.5


def date_of(answer: Answer) -> float:
    return parsedate_to_datetime(answer.headers["date"]).timestamp()


def changed_at(answer: Answer) -> list[float]:
    """Give every time of a change that an answer tells, in its headers and in its document."""
    times = []
    if "last-modified" in answer.headers:
        times.append(parsedate_to_datetime(answer.headers["last-modified"]).timestamp())
    if answer.headers.get("content-type") == "application/xml" and answer.body:
        for element in ElementTree.fromstring(answer.body).iter():
            if element.tag.rpartition("}")[2] in ("LastModified", "CreationDate", "Initiated"):
                moment = time.strptime(element.text or "", "%Y-%m-%dT%H:%M:%S.000Z")
                times.append(float(timegm(moment)))
    return times


ASKED: dict[str, Callable[[Send, str], Answer]] = {
    "GET": lambda raw, bucket: raw("GET", f"/{bucket}/k"),
    "HEAD": lambda raw, bucket: raw("HEAD", f"/{bucket}/k"),
    "a range": lambda raw, bucket: raw("GET", f"/{bucket}/k", headers={"range": "bytes=0-0"}),
    "a copy": lambda raw, bucket: raw("PUT", f"/{bucket}/c", headers={"x-amz-copy-source": f"{bucket}/k"}),
    "a list": lambda raw, bucket: raw("GET", f"/{bucket}?list-type=2"),
    "all buckets": lambda raw, _: raw("GET", "/"),
    "a large object": lambda raw, bucket: raw("GET", f"/{bucket}/large"),
}


@pytest.mark.parametrize("name", ASKED)
def test_nothing_changed_after_the_answer(raw: Send, bucket: str, name: str) -> None:
    """Right after a write, on any worker and at any part of a second, no change is later than Date."""
    until = time.monotonic() + TRIES_S
    told = 0
    while time.monotonic() < until:
        raw("PUT", f"/{bucket}/k", b"x")
        if name == "a large object":
            raw("PUT", f"/{bucket}/large", b"x" * 3_000_000)
        answer = ASKED[name](raw, bucket)
        assert answer.status < 300
        times = changed_at(answer)
        told += len(times)
        assert all(moment <= date_of(answer) for moment in times)
    assert told


def test_a_date_is_of_now(raw: Send, bucket: str) -> None:
    """Every answer has one Date, which is the second in which it was sent, also a refusal's."""
    for method, target in (
        ("GET", "/"),
        ("GET", f"/{bucket}/none"),
        ("OPTIONS", f"/{bucket}"),
        ("GET", "/-/health"),
    ):
        before = int(time.time())
        answer = raw(method, target)
        assert before <= date_of(answer) <= time.time()


def test_a_clock_that_was_set_back(own_server: Any) -> None:
    """What was stored by a clock ahead is not told as of the future: then Last-Modified is Date itself."""
    server = own_server()
    s3 = server.client()
    s3.create_bucket(Bucket="bucket")
    s3.put_object(Bucket="bucket", Key="k", Body=b"x")
    with sqlite3.connect(server.data / "meta.sqlite3") as database:
        database.execute("UPDATE objects SET modified_at_ms = modified_at_ms + 3600000")
    head = s3.head_object(Bucket="bucket", Key="k")
    sent = head["ResponseMetadata"]["HTTPHeaders"]["date"]
    assert head["LastModified"] <= parsedate_to_datetime(sent)
