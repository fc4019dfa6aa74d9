"""Listings of uploads in progress and of the parts they hold."""

from collections.abc import Callable
from typing import Any

import pytest

from ops.conftest import Send

Refusal = Callable[..., tuple[str, int]]


def begin(s3: Any, bucket: str, key: str) -> str:
    upload_id: str = s3.create_multipart_upload(Bucket=bucket, Key=key)["UploadId"]
    return upload_id


def test_uploads_are_listed_by_key_with_their_people(s3: Any, bucket: str) -> None:
    """Every upload in progress is listed once, in the order of keys, with owner and initiator."""
    ids = {key: begin(s3, bucket, key) for key in ("b", "a", "c")}
    answer = s3.list_multipart_uploads(Bucket=bucket)
    assert [(u["Key"], u["UploadId"]) for u in answer["Uploads"]] == sorted(ids.items())
    me = s3.list_buckets()["Owner"]["ID"]
    assert {(u["Owner"]["ID"], u["Initiator"]["ID"], u["StorageClass"]) for u in answer["Uploads"]} == {
        (me, me, "STANDARD")
    }
    assert answer["IsTruncated"] is False


@pytest.mark.parametrize("page_size", [1, 2, 3])
def test_uploads_come_in_pages(s3: Any, bucket: str, page_size: int) -> None:
    """Both markers together lead through several uploads of one key without loss or repeat."""
    ids = [(key, begin(s3, bucket, key)) for key in ("a", "b", "b", "b", "c")]
    found: list[tuple[str, str]] = []
    markers: dict[str, str] = {}
    while True:
        page = s3.list_multipart_uploads(Bucket=bucket, MaxUploads=page_size, **markers)
        assert page["MaxUploads"] == page_size
        assert len(page["Uploads"]) <= page_size
        found += [(u["Key"], u["UploadId"]) for u in page["Uploads"]]
        if not page["IsTruncated"]:
            break
        markers = {"KeyMarker": page["NextKeyMarker"], "UploadIdMarker": page["NextUploadIdMarker"]}
    assert len(found) == len(ids)
    assert set(found) == set(ids)


def test_a_key_marker_alone_passes_all_uploads_of_that_key(s3: Any, bucket: str) -> None:
    """Without an upload id the page begins behind the key."""
    for key in ("a", "b", "b", "c"):
        begin(s3, bucket, key)
    page = s3.list_multipart_uploads(Bucket=bucket, KeyMarker="b")
    assert [u["Key"] for u in page["Uploads"]] == ["c"]


def test_uploads_fold_under_a_delimiter(s3: Any, bucket: str) -> None:
    """Prefix and delimiter work on uploads as on objects."""
    for key in ("p/a/1", "p/a/2", "p/b", "q/c"):
        begin(s3, bucket, key)
    page = s3.list_multipart_uploads(Bucket=bucket, Prefix="p/", Delimiter="/")
    assert [u["Key"] for u in page["Uploads"]] == ["p/b"]
    assert [common["Prefix"] for common in page["CommonPrefixes"]] == ["p/a/"]


def test_parts_are_listed_by_number(s3: Any, bucket: str) -> None:
    """A part's number, tag, size and time are told; pages follow the number."""
    upload = {"Bucket": bucket, "Key": "k", "UploadId": begin(s3, bucket, "k")}
    tags = {n: s3.upload_part(**upload, PartNumber=n, Body=b"x" * n)["ETag"] for n in (9, 1, 4)}
    first = s3.list_parts(**upload, MaxParts=2)
    assert (first["IsTruncated"], first["NextPartNumberMarker"], first["MaxParts"]) == (True, 4, 2)
    rest = s3.list_parts(**upload, MaxParts=2, PartNumberMarker=first["NextPartNumberMarker"])
    assert rest["IsTruncated"] is False
    listed = [*first["Parts"], *rest["Parts"]]
    assert [(p["PartNumber"], p["ETag"], p["Size"]) for p in listed] == [(n, tags[n], n) for n in (1, 4, 9)]


def test_the_parts_say_whose_upload_it_is(s3: Any, bucket: str) -> None:
    """ListParts names bucket, key, upload, owner and class."""
    upload = {"Bucket": bucket, "Key": "k", "UploadId": begin(s3, bucket, "k")}
    answer = s3.list_parts(**upload)
    assert {name: answer[name] for name in upload} == upload
    assert answer["Owner"]["ID"] == s3.list_buckets()["Owner"]["ID"]
    assert "Parts" not in answer


def test_a_page_of_nothing_is_the_last(s3: Any, raw: Send, bucket: str) -> None:
    """max-parts=0 and max-uploads=0 answer nothing and promise nothing, so that no client asks for ever."""
    upload = {"Bucket": bucket, "Key": "k", "UploadId": begin(s3, bucket, "k")}
    s3.upload_part(**upload, PartNumber=1, Body=b"x")
    assert s3.list_parts(**upload, MaxParts=0)["IsTruncated"] is False
    assert s3.list_multipart_uploads(Bucket=bucket, MaxUploads=0)["IsTruncated"] is False


@pytest.mark.parametrize("asked", [{"MaxParts": -1}, {"PartNumberMarker": -1}])
def test_negative_numbers_are_refused(s3: Any, bucket: str, refusal: Refusal, asked: dict[str, int]) -> None:
    """Neither a page nor a marker is negative."""
    upload = {"Bucket": bucket, "Key": "k", "UploadId": begin(s3, bucket, "k")}
    assert refusal(s3.list_parts, **upload, **asked) == ("InvalidArgument", 400)


def test_more_than_a_page_is_cut_to_a_page(s3: Any, bucket: str) -> None:
    """No page holds more than 1,000."""
    upload = {"Bucket": bucket, "Key": "k", "UploadId": begin(s3, bucket, "k")}
    assert s3.list_parts(**upload, MaxParts=5000)["MaxParts"] == 1000
    assert s3.list_multipart_uploads(Bucket=bucket, MaxUploads=5000)["MaxUploads"] == 1000
