"""A picture by URL, from a real server: who may have it, what its headers say, and what is refused."""

import os
import signal
import subprocess
import time
import urllib.error
import urllib.request
from base64 import urlsafe_b64encode
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
import pyvips

from meiku.media import QUERY_NAMES
from meiku.signing import presign_v2, presign_v4
from running_server import Server
from signed_http import ACCESS


def photo(width_px: int = 1200, height_px: int = 800) -> bytes:
    noise = pyvips.Image.gaussnoise(width_px, height_px, mean=128, sigma=40)
    return bytes(noise.bandjoin([noise, noise]).cast("uchar").jpegsave_buffer())


PHOTO = photo()


def size_of(body: bytes) -> tuple[int, int]:
    image = pyvips.Image.new_from_buffer(body, "")
    return image.width, image.height


def get(url: str, method: str = "GET", **headers: str) -> tuple[int, Any, bytes]:
    request = urllib.request.Request(
        url, method=method, headers={n.replace("_", "-"): v for n, v in headers.items()}
    )
    try:
        with urllib.request.urlopen(request, timeout=60) as answer:
            return answer.status, answer.headers, answer.read()
    except urllib.error.HTTPError as error:
        return error.code, error.headers, error.read()


@pytest.fixture
def url_of(server: Server, s3: Any, bucket: str) -> Callable[..., str]:
    """Give signed addresses of an object that is put first."""

    def sign(recipe: str, name: str = "x-amz-process", body: bytes = PHOTO, key: str = "p.jpg") -> str:
        s3.put_object(Bucket=bucket, Key=key, Body=body, CacheControl="max-age=60")
        return presign_v4(ACCESS, "GET", f"{server.url}/{bucket}/{key}?{name}={recipe}")

    return sign


@pytest.mark.parametrize("name", QUERY_NAMES)
def test_a_signed_address_answers_with_the_picture(url_of: Callable[..., str], name: str) -> None:
    status, headers, body = get(url_of("image/resize,w_300/format,webp", name))
    assert (status, headers["content-type"], size_of(body)) == (200, "image/webp", (300, 200))
    assert headers["cache-control"] == "max-age=60" and int(headers["content-length"]) == len(body)


@pytest.mark.parametrize("wanted", ["heic", "bmp"])
def test_what_libvips_cannot_do_is_done_by_others(url_of: Callable[..., str], wanted: str) -> None:
    status, headers, body = get(url_of(f"image/resize,w_300/format,{wanted}"))
    assert (status, headers["content-type"]) == (200, f"image/{wanted}")
    status, headers, body = get(url_of("image/resize,w_60/format,jpg", body=body))
    assert (status, headers["content-type"], size_of(body)) == (200, "image/jpeg", (60, 40))


@pytest.mark.parametrize("name", QUERY_NAMES)
def test_what_was_not_signed_is_not_made(url_of: Callable[..., str], name: str) -> None:
    status, _, body = get(url_of("image/resize,w_300", name).replace("w_300", "w_301"))
    assert status == 403 and b"SignatureDoesNotMatch" in body


@pytest.mark.parametrize("name", QUERY_NAMES)
def test_v2_lets_the_recipe_be_appended_after_signing(
    server: Server, s3: Any, bucket: str, name: str
) -> None:
    s3.put_object(Bucket=bucket, Key="p.jpg", Body=PHOTO)
    signed = presign_v2(ACCESS, "GET", f"{server.url}/{bucket}/p.jpg")
    status, _, body = get(f"{signed}&{name}=image/resize,w_300")
    assert (status, size_of(body)) == (200, (300, 200))


def test_two_recipes_in_one_request_are_refused(server: Server, s3: Any, bucket: str) -> None:
    """Under two names or under one, appended or signed: none of them is chosen."""
    s3.put_object(Bucket=bucket, Key="p.jpg", Body=PHOTO)
    address = f"{server.url}/{bucket}/p.jpg"
    both = "x-oss-process=image/resize,w_30&x-zos-process=image/resize,w_40"
    twice = "x-amz-process=image/resize,w_30&x-amz-process=image/resize,w_40"
    appended = presign_v2(ACCESS, "GET", f"{address}?x-oss-process=image/resize,w_30")
    urls = [presign_v4(ACCESS, "GET", f"{address}?{query}") for query in (both, twice)]
    for url in (*urls, f"{appended}&x-bos-process=image/resize,w_40"):
        status, _, body = get(url)
        assert status == 400 and b"<Code>InvalidArgument</Code>" in body and b"stand for 2" in body


def test_strangers_have_what_is_public_and_nothing_else(server: Server, s3: Any, bucket: str) -> None:
    s3.put_object(Bucket=bucket, Key="open.jpg", Body=PHOTO, ACL="public-read")
    s3.put_object(Bucket=bucket, Key="own.jpg", Body=PHOTO)
    assert get(f"{server.url}/{bucket}/open.jpg?x-amz-process=image/resize,w_30")[0] == 200
    assert get(f"{server.url}/{bucket}/own.jpg?x-amz-process=image/resize,w_30")[0] == 403
    own = urlsafe_b64encode(b"own.jpg").decode().rstrip("=")
    recipe = f"image/watermark,image_{own}"
    assert get(f"{server.url}/{bucket}/open.jpg?x-amz-process={recipe}")[0] == 403


def test_a_result_has_its_own_tag_and_is_not_sent_twice(url_of: Callable[..., str]) -> None:
    url = url_of("image/resize,w_300")
    _, first, _ = get(url)
    status, again, _ = get(url, if_none_match=first["etag"])
    assert status == 304 and again["etag"] == first["etag"]
    assert first["etag"] not in (
        get(url_of("image/resize,w_301"))[1]["etag"],
        get(url_of("image/info"))[1]["etag"],
    )
    assert get(url, if_match='"other"')[0] == 412


@pytest.mark.parametrize("name", QUERY_NAMES)
def test_head_says_what_get_would(server: Server, s3: Any, bucket: str, name: str) -> None:
    s3.put_object(Bucket=bucket, Key="p.jpg", Body=PHOTO, ACL="public-read")
    url = f"{server.url}/{bucket}/p.jpg?{name}=image/resize,w_300"
    (_, head, nothing), (_, headers, body) = get(url, "HEAD"), get(url)
    assert nothing == b"" and int(head["content-length"]) == len(body)
    assert head["content-type"] == headers["content-type"] and head["etag"] == headers["etag"]


@pytest.mark.parametrize(
    ("recipe", "says"),
    [
        ("image/resise,w_1", b"resize"),
        ("image/resize,w_0", b"<Step>resize</Step>"),
        ("image/resize,w_1|sys/saveas,o_YQ", b"POST"),
        ("style/none", b"style"),
        ("image/crop,x_5000", b"<ArgumentName>x</ArgumentName>"),
    ],
)
def test_a_wrong_recipe_is_refused_in_words(url_of: Callable[..., str], recipe: str, says: bytes) -> None:
    status, headers, body = get(url_of(recipe.replace("|", "%7C")))
    assert status == 400 and b"<Code>InvalidArgument</Code>" in body and says in body
    assert headers["content-type"] == "application/xml"


def test_what_is_no_picture_is_refused(url_of: Callable[..., str]) -> None:
    status, _, body = get(url_of("image/resize,w_9", body=b"<svg xmlns='http://www.w3.org/2000/svg'/>"))
    assert status == 400 and b"not supported" in body


def test_a_picture_is_made_wherever_its_bytes_are_kept(server: Server, s3: Any, bucket: str) -> None:
    """Beside the rows, in a file, or in the parts that it was sent in."""
    large = photo(4000, 3000)
    s3.put_object(Bucket=bucket, Key="row.jpg", Body=photo(120, 90), ACL="public-read")
    s3.put_object(Bucket=bucket, Key="file.jpg", Body=large, ACL="public-read")
    where = {"Bucket": bucket, "Key": "parts.jpg"}
    upload = {**where, "UploadId": s3.create_multipart_upload(**where, ACL="public-read")["UploadId"]}
    cut = 5 << 20
    assert len(large) > cut
    sent = [
        {"PartNumber": number, "ETag": s3.upload_part(**upload, PartNumber=number, Body=part)["ETag"]}
        for number, part in enumerate((large[:cut], large[cut:]), 1)
    ]
    s3.complete_multipart_upload(**upload, MultipartUpload={"Parts": sent})
    made = [
        get(f"{server.url}/{bucket}/{key}?x-amz-process=image/resize,w_40")
        for key in ("row.jpg", "file.jpg", "parts.jpg")
    ]
    assert [(status, size_of(body)) for status, _, body in made] == [(200, (40, 30))] * 3
    assert made[1][2] == made[2][2]


def test_a_missing_object_is_missing(server: Server, bucket: str) -> None:
    url = presign_v4(ACCESS, "GET", f"{server.url}/{bucket}/none.jpg?x-amz-process=image/info")
    assert get(url)[0] == 404


def test_many_at_once_are_all_answered(url_of: Callable[..., str]) -> None:
    url = url_of("image/resize,w_100")
    with ThreadPoolExecutor(16) as clients:
        assert [answer[0] for answer in clients.map(get, [url] * 16)] == [200] * 16


def worker_pids(server: Server) -> list[int]:
    """List the media workers of a server; it began a session, and they are in it."""
    assert server.process is not None
    command = ["pgrep", "-s", str(server.process.pid), "-f", "meiku.media.worker"]
    return [int(pid) for pid in subprocess.run(command, capture_output=True, text=True).stdout.split()]


def test_a_picture_that_takes_too_long_is_given_up_and_the_next_is_made(
    own_server: Callable[..., Server],
) -> None:
    server = own_server(MEIKU_MEDIA_TIMEOUT_S="4", MEIKU_WORKERS="1")
    s3 = server.client()
    s3.create_bucket(Bucket="pictures")
    s3.put_object(Bucket="pictures", Key="p.jpg", Body=photo(4000, 4000), ACL="public-read")
    url = f"{server.url}/pictures/p.jpg?x-amz-process=image/"
    began_s = time.monotonic()
    status, _, body = get(f"{url}resize,w_9000,limit_0{'/blur,r_50,s_50' * 4}/format,jpg")
    assert status == 400 and b"longer than 4 seconds" in body and time.monotonic() - began_s < 60
    assert get(f"{url}resize,w_10")[0] == 200


def test_a_worker_that_dies_takes_nothing_with_it(own_server: Callable[..., Server]) -> None:
    server = own_server(MEIKU_WORKERS="1")
    s3 = server.client()
    s3.create_bucket(Bucket="pictures")
    s3.put_object(Bucket="pictures", Key="p.jpg", Body=photo(4000, 3000), ACL="public-read")
    url = f"{server.url}/pictures/p.jpg?x-amz-process=image/"
    assert get(f"{url}resize,w_10")[0] == 200
    with ThreadPoolExecutor(1) as client:
        slow = client.submit(get, f"{url}blur,r_50,s_50/format,avif")
        time.sleep(0.5)
        for pid in worker_pids(server):
            os.kill(pid, signal.SIGKILL)
        status, _, body = slow.result()
    assert status == 400 and b"given up" in body
    assert get(f"{url}resize,w_10")[0] == 200
