"""Saving what a recipe made, through a real server: both forms, who may, where it goes, what is refused."""

import json
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from hashlib import md5
from typing import Any
from urllib.parse import quote, urlencode
from uuid import uuid4

import pytest
import pyvips

from browser_form import ROOT, Key
from media.filming import film, number_of
from media.writing import encoded
from meiku.media import QUERY_NAMES, ZOS
from plain_http import Answer, send
from running_server import Server
from signed_http import SignedHttp
from signed_request import WAYS, sign

OSS_NAMES = [name for name, dialect in QUERY_NAMES.items() if dialect is not ZOS]
ZOS_NAME = "x-zos-process"
Post = Callable[..., Answer]


def photo(width_px: int = 600, height_px: int = 400) -> bytes:
    noise = pyvips.Image.gaussnoise(width_px, height_px, mean=128, sigma=40)
    return bytes(noise.bandjoin([noise, noise]).cast("uchar").jpegsave_buffer())


PHOTO = photo()


def size_of(body: bytes) -> tuple[int, int]:
    image = pyvips.Image.new_from_buffer(body, "")
    return image.width, image.height


def save_as(key: str, bucket: str | None = None) -> str:
    """Write where a result goes."""
    return f"|sys/saveas,o_{encoded(key)}" + (f",b_{encoded(bucket)}" if bucket else "")


def key_of(client: Any) -> Key:
    """Name the key pair of a user that a test made."""
    return Key(client.user["access_key"], client.user["secret_key"])


@pytest.fixture
def source(s3: Any, bucket: str) -> str:
    """A bucket with the picture `p.jpg`."""
    s3.put_object(Bucket=bucket, Key="p.jpg", Body=PHOTO, CacheControl="max-age=60")
    return bucket


@pytest.fixture
def other(s3: Any) -> str:
    """Another bucket."""
    name = f"test-{uuid4().hex[:12]}"
    s3.create_bucket(Bucket=name)
    return name


@pytest.fixture
def post(server: Server, source: str) -> Post:
    """Post a recipe about `p.jpg` in OSS's form."""

    def ask(
        recipe: str,
        name: str = "x-oss-process",
        key: str = "p.jpg",
        way: str = "v4-header",
        user: Key = ROOT,
        **headers: str,
    ) -> Answer:
        return post_body(server, f"{source}/{key}", name, f"{name}={recipe}", way, user, **headers)

    return ask


def post_body(
    server: Server,
    path: str,
    query: str,
    body: str | bytes,
    way: str = "v4-header",
    user: Key = ROOT,
    **headers: str,
) -> Answer:
    """Post a body, signed, to an address with this query."""
    sent = {name.replace("_", "-"): value for name, value in headers.items()}
    data = body.encode() if isinstance(body, str) else body
    url = f"{server.url}/{quote(path)}?{query}"
    return sign(way, "POST", url, body=data, headers=sent, key=user).send(server.port)


def post_to(
    server: Server, path: str, source: str, recipe: str, way: str = "v4-header", user: Key = ROOT
) -> Answer:
    """Post a recipe in ZOS's form."""
    return post_body(server, path, ZOS_NAME, recipe, way, user, x_zos_process_source=source)


def keys_of(s3: Any, bucket: str) -> list[str]:
    return [entry["Key"] for entry in s3.list_objects_v2(Bucket=bucket).get("Contents", ())]


@pytest.mark.parametrize("name", OSS_NAMES)
def test_a_result_becomes_an_object(post: Post, s3: Any, source: str, name: str) -> None:
    """It has the result's type and its MD5 as tag, and the answer says what was kept, as OSS's does."""
    answer = post(f"image/resize,w_100/format,png{save_as('small/图.png')}", name)
    assert answer.status == 200, answer.body
    kept = s3.get_object(Bucket=source, Key="small/图.png")
    body = kept["Body"].read()
    assert (kept["ContentType"], size_of(body)) == ("image/png", (100, 67))
    assert kept["ETag"] == answer.headers["etag"] == f'"{md5(body).hexdigest()}"'
    assert answer.headers["content-type"] == "application/json"
    assert json.loads(answer.body) == {
        "bucket": "",
        "fileSize": len(body),
        "object": "small/图.png",
        "status": "OK",
    }
    assert "CacheControl" not in kept and kept["Metadata"] == {}


@pytest.mark.parametrize("way", WAYS)
def test_every_way_to_sign_may_save(post: Post, s3: Any, source: str, way: str) -> None:
    """In headers and in an address, by either version."""
    assert post(f"image/resize,w_50{save_as('s.jpg')}", way=way).status == 200
    assert size_of(s3.get_object(Bucket=source, Key="s.jpg")["Body"].read()) == (50, 33)


def test_a_form_may_be_percent_encoded(server: Server, s3: Any, source: str) -> None:
    """As a library writes it, with the type that says so; and the body's own checksum is verified."""
    body = urlencode({"x-oss-process": f"image/resize,w_50{save_as('s.jpg')}"})
    form = {"Content_Type": "application/x-www-form-urlencoded"}
    assert post_body(server, f"{source}/p.jpg", "x-oss-process", body, **form).status == 200
    assert keys_of(s3, source) == ["p.jpg", "s.jpg"]
    wrong = {"Content_MD5": "1B2M2Y8AsgTpgAmY7PhCfg=="}
    answer = post_body(server, f"{source}/p.jpg", "x-oss-process", body, **wrong)
    assert (answer.status, answer.code) == (400, "BadDigest")


def test_the_result_is_what_a_get_answers(post: Post, server: Server, s3: Any, source: str) -> None:
    """The same bytes, from the same place: what a GET made is found again."""
    with closing(SignedHttp(server.url)) as http:
        shown = http.send("GET", f"{source}/p.jpg", **{"x-oss-process": "image/resize,w_90"})
    assert post(f"image/resize,w_90{save_as('s.jpg')}").status == 200
    assert s3.get_object(Bucket=source, Key="s.jpg")["Body"].read() == shown.body


def test_another_bucket_may_be_named(post: Post, s3: Any, source: str, other: str) -> None:
    """The answer names the bucket as it was asked for."""
    answer = post(f"image/resize,w_100{save_as('s.jpg', other)}")
    assert json.loads(answer.body)["bucket"] == other
    assert (keys_of(s3, source), keys_of(s3, other)) == (["p.jpg"], ["s.jpg"])


def test_a_source_may_be_replaced_by_its_own_result(post: Post, s3: Any, source: str) -> None:
    """Again and again: each time what is there is read first and replaced at once."""
    for width_px, height_px in ((300, 200), (150, 100)):
        assert post(f"image/resize,w_{width_px}{save_as('p.jpg', source)}").status == 200
        body = s3.get_object(Bucket=source, Key="p.jpg")["Body"].read()
        assert size_of(body) == (width_px, height_px)
    assert keys_of(s3, source) == ["p.jpg"]


def test_who_reads_a_source_that_is_being_replaced_has_one_of_its_pictures(
    post: Post, server: Server, source: str
) -> None:
    """Many save results of an object onto itself at once; every save is answered, every read is whole."""

    def save(number: int) -> int:
        return post(f"image/rotate,{90 * (number % 4)}{save_as('p.jpg')}").status

    def read(_: int) -> bool:
        with closing(SignedHttp(server.url)) as http:
            found = http.send("GET", f"{source}/p.jpg")
        return found.etag == md5(found.body).hexdigest() and size_of(found.body) in ((600, 400), (400, 600))

    with ThreadPoolExecutor(8) as clients:
        saves, reads = clients.map(save, range(24)), clients.map(read, range(48))
        assert set(saves) == {200} and set(reads) == {True}


def test_a_large_result_is_kept_whole(post: Post, s3: Any, source: str) -> None:
    """Megabytes, made and found again: stored as a file, with the same bytes."""
    for key in ("first.tiff", "again.tiff"):
        answer = post(f"image/resize,w_1500,h_1000,m_fixed,limit_0/format,tiff{save_as(key)}")
        assert answer.status == 200, answer.body
        kept = s3.get_object(Bucket=source, Key=key)
        body = kept["Body"].read()
        assert len(body) == json.loads(answer.body)["fileSize"] > 1_000_000
        assert (kept["ETag"].strip('"'), size_of(body)) == (md5(body).hexdigest(), (1500, 1000))


def test_a_frame_of_a_video_is_kept(server: Server, s3: Any, source: str) -> None:
    """Snapshots and moving previews alike."""
    s3.put_object(Bucket=source, Key="v.mp4", Body=film("mp4", "libx264", frames=50, key_every=25))
    for recipe, key in (
        ("video/snapshot,t_1000,f_png,w_160", "frame.png"),
        ("video/animation,num_3,w_160", "m.webp"),
    ):
        body = f"x-amz-process={recipe}{save_as(key)}"
        assert post_body(server, f"{source}/v.mp4", "x-amz-process", body).status == 200
    assert number_of(s3.get_object(Bucket=source, Key="frame.png")["Body"].read()) == 25
    assert s3.head_object(Bucket=source, Key="m.webp")["ContentType"] == "image/webp"


def test_a_watermark_is_laid_on(post: Post, s3: Any, source: str) -> None:
    """The picture of a watermark is the source's bucket's."""
    s3.put_object(Bucket=source, Key="mark.jpg", Body=photo(60, 40))
    recipe = f"image/watermark,image_{encoded('mark.jpg')}/format,png"
    assert post(recipe + save_as("marked.png")).status == 200
    assert post("image/format,png" + save_as("plain.png")).status == 200
    marked, plain = (
        s3.get_object(Bucket=source, Key=f"{key}.png")["Body"].read() for key in ("marked", "plain")
    )
    assert marked != plain and size_of(marked) == size_of(plain)


def test_an_object_is_described_by_the_request(post: Post, s3: Any, server: Server, source: str) -> None:
    """ACL, metadata, class and conditions mean what they mean for a PUT of the destination."""
    recipe = f"image/resize,w_50{save_as('s.jpg')}"
    described = {"x_amz_acl": "public-read", "x_amz_meta_who": "me", "x_amz_storage_class": "STANDARD_IA"}
    assert post(recipe, **described, If_None_Match="*").status == 200
    found = send(server.port, "GET", f"/{source}/s.jpg")
    assert (found.status, found.headers["x-amz-meta-who"]) == (200, "me")
    assert found.headers["x-amz-storage-class"] == "STANDARD_IA"
    assert post(recipe, If_None_Match="*").code == "PreconditionFailed"
    assert post(recipe, If_Match='"0"').code == "PreconditionFailed"
    assert post(recipe, If_Match=found.headers["etag"]).status == 200
    assert send(server.port, "GET", f"/{source}/s.jpg").status == 403


@pytest.mark.parametrize(
    "header",
    [
        "x-amz-server-side-encryption",
        "x-amz-tagging",
        "x-amz-object-lock-mode",
        "x-amz-website-redirect-location",
        "x-zos-process-source",
        "If-Modified-Since",
    ],
)
def test_what_is_not_offered_is_not_ignored(post: Post, s3: Any, source: str, header: str) -> None:
    """A header that would change what is kept is refused, and nothing is."""
    value = {"x-amz-server-side-encryption": "AES256", "x-amz-object-lock-mode": "GOVERNANCE"}.get(
        header, "x"
    )
    answer = post(f"image/resize,w_50{save_as('s.jpg')}", **{header: value})
    assert (answer.status, answer.code) == (501, "NotImplemented")
    assert keys_of(s3, source) == ["p.jpg"]


# -- without sys/saveas


def test_without_a_place_the_result_is_the_answer(post: Post, s3: Any, source: str) -> None:
    """As OSS does it: the picture comes back, nothing is kept; facts too."""
    answer = post("image/resize,w_100/format,webp")
    assert (answer.status, answer.headers["content-type"]) == (200, "image/webp")
    assert size_of(answer.body) == (100, 67)
    assert int(answer.headers["content-length"]) == len(answer.body)
    assert json.loads(post("image/info").body)["ImageWidth"]["value"] == "600"
    assert keys_of(s3, source) == ["p.jpg"]


def test_nothing_can_be_said_of_what_is_not_kept(post: Post) -> None:
    """Whoever describes an object wants it kept, and forgot to say where."""
    for header in ({"x_amz_acl": "public-read"}, {"x_amz_meta_a": "b"}, {"If_None_Match": "*"}):
        answer = post("image/resize,w_100", **header)
        assert (answer.status, answer.code) == (400, "InvalidRequest") and b"sys/saveas" in answer.body


# -- ZOS's form


def test_the_address_may_be_the_place(server: Server, s3: Any, source: str, other: str) -> None:
    """ZOS's form: the header names the source, percent-encoded or not, and the body is the recipe."""
    s3.put_object(Bucket=source, Key="目 录/p.jpg", Body=PHOTO)
    for named in (f"/{source}/{quote('目 录/p.jpg')}", f"{source}/p.jpg", f"/{source}/p.jpg?versionId=null"):
        answer = post_to(server, f"{other}/kept.png", named, "image/resize,w_100/format,png")
        assert answer.status == 200, answer.body
        kept = s3.get_object(Bucket=other, Key="kept.png")
        body = kept["Body"].read()
        assert (kept["ContentType"], size_of(body)) == ("image/png", (100, 67))
        assert json.loads(answer.body) == {
            "bucket": other,
            "fileSize": len(body),
            "object": "kept.png",
            "status": "OK",
        }
        s3.delete_object(Bucket=other, Key="kept.png")


@pytest.mark.parametrize("way", WAYS)
def test_every_way_to_sign_may_save_in_the_other_form(
    server: Server, s3: Any, source: str, other: str, way: str
) -> None:
    """In headers by either version, in an address by V4, which signs the source's name; V2's lends none."""
    answer = post_to(server, f"{other}/k.jpg", f"/{source}/p.jpg", "image/rotate,90", way)
    if way == "v2-query":
        assert (answer.status, answer.code) == (403, "AccessDenied")
        return
    assert answer.status == 200, answer.body
    assert size_of(s3.get_object(Bucket=other, Key="k.jpg")["Body"].read()) == (400, 600)


def test_the_sources_name_must_be_signed(server: Server, s3: Any, source: str, other: str) -> None:
    """Whoever holds an address that was signed for a place cannot choose what of the signer's goes there."""
    for way in ("v4-header", "v4-query"):
        signed = sign(way, "POST", f"{server.url}/{other}/k.jpg?{ZOS_NAME}", body=b"image/rotate,90")
        answer = signed.with_headers(x_zos_process_source=f"/{source}/p.jpg").send(server.port)
        assert (answer.status, answer.code) == (403, "AccessDenied")
        assert answer.element("HeadersNotSigned") == "x-zos-process-source"
    assert keys_of(s3, other) == []


def test_the_other_form_speaks_its_own_dialect(server: Server, s3: Any, source: str) -> None:
    """A parameter that ZOS does not know is refused there."""
    answer = post_to(server, f"{source}/k.jpg", f"/{source}/p.jpg", "image/resize,l_100")
    assert answer.status == 400 and answer.element("Step") == "resize"


@pytest.mark.parametrize(
    ("named", "recipe", "status", "code", "said"),
    [
        (None, "image/rotate,90", 400, "MissingSecurityHeader", b"x-zos-process-source is missing"),
        ("p.jpg", "image/rotate,90", 400, "InvalidArgument", b"source bucket and key"),
        ("/{b}/", "image/rotate,90", 400, "InvalidArgument", b"source bucket and key"),
        ("/{b}/%FF", "image/rotate,90", 400, "InvalidArgument", b"source bucket and key"),
        ("/{b}/none.jpg", "image/rotate,90", 404, "NoSuchKey", b"none.jpg"),
        ("/{b}/p.jpg?versionId=7", "image/rotate,90", 400, "InvalidArgument", b""),
        ("/no-such-bucket-at-all/p.jpg", "image/rotate,90", 404, "NoSuchBucket", b"no-such-bucket-at-all"),
        ("/{b}/p.jpg", "", 400, "InvalidArgument", b"empty"),
        ("/{b}/p.jpg", "image/info", 400, "InvalidArgument", b"only a picture can be kept"),
        ("/{b}/p.jpg", "image/average-hue", 400, "InvalidArgument", b"only a picture can be kept"),
        ("/{b}/p.jpg", "image/rotate,90|sys/saveas,o_YQ", 400, "InvalidArgument", b"the address of this"),
        ("/{b}/p.jpg", "x-zos-process=image/rotate,90", 400, "InvalidArgument", b"x-zos-process"),
        ("/{b}/p.jpg", "image/rotate,90\0", 400, "InvalidArgument", b"printable ASCII"),
    ],
)
def test_the_other_form_is_refused_in_words(
    server: Server, s3: Any, source: str, named: str | None, recipe: str, status: int, code: str, said: bytes
) -> None:
    """Nothing is kept, and the sentence says what is wrong."""
    header = {} if named is None else {"x_zos_process_source": named.format(b=source)}
    answer = post_body(server, f"{source}/kept.jpg", ZOS_NAME, recipe, **header)
    assert (answer.status, answer.code) == (status, code), answer.body
    assert said in answer.body
    assert keys_of(s3, source) == ["p.jpg"]


# -- what is refused


@pytest.mark.parametrize(
    ("recipe", "step", "said"),
    [
        (f"image/info{save_as('s')}", "saveas", b"only a picture can be kept"),
        (f"image/average-hue{save_as('s')}", "saveas", b"only a picture can be kept"),
        (f"video/info{save_as('s')}", "saveas", b"only a picture can be kept"),
        ("sys/saveas,o_YQ", "saveas", b"there is nothing to keep"),
        ("image/resize,w_9|sys/saveas", "saveas", b"must be given"),
        ("image/resize,w_9|sys/saveas,o_!", "saveas", b"URL-safe base64"),
        ("image/resize,w_9|sys/saveas,o_A", "saveas", b"URL-safe base64"),
        ("image/resize,w_9|sys/saveas,o_gICA", "saveas", b"URL-safe base64"),
        ("image/resize,w_9|sys/saveas,o_YQ,b_YQ", "saveas", b"at least 3"),
        (f"image/resize,w_9{save_as('a' + chr(0))}", "saveas", b"control character"),
        (f"image/resize,w_9{save_as('a' * 1024)}", "saveas", b"at most 1023 bytes"),
        (f"image/resize,w_9{save_as('s')}{save_as('t')}", "saveas", b"once, and last"),
        (f"image/resize,w_9{save_as('s')},x_1", "saveas", b"parameter x"),
        ("image/resize,w_9|saveas,o_YQ", "", b"saveas"),
        (f"style/none{save_as('s')}", "style", b"no style"),
        (f"image/crop,x_5000{save_as('s')}", "crop", b"x"),
    ],
)
def test_a_wrong_recipe_keeps_nothing(
    post: Post, s3: Any, source: str, recipe: str, step: str, said: bytes
) -> None:
    """400 with the step and a sentence."""
    answer = post(recipe)
    assert (answer.status, answer.code) == (400, "InvalidArgument"), answer.body
    assert said in answer.body and (not step or answer.element("Step") == step)
    assert keys_of(s3, source) == ["p.jpg"]


@pytest.mark.parametrize(
    ("query", "body", "status", "code", "said"),
    [
        ("x-oss-process", b"", 400, "InvalidArgument", b"The body is empty"),
        ("x-oss-process", b"x-oss-process=\xff\xfe", 400, "InvalidArgument", b"UTF-8"),
        (
            "x-oss-process",
            b"x-oss-process=" + b"a" * 100_000,
            400,
            "InvalidArgument",
            b"longer than a recipe",
        ),
        ("x-oss-process", b"a" * 5_000_000, 400, "MaxMessageLengthExceeded", b""),
        ("x-oss-process", b"x-oss-process=image/resize,w_1\0", 400, "InvalidArgument", b"printable ASCII"),
        ("x-oss-process", b"x-oss-process=image/info&more=1", 400, "InvalidArgument", b"'more'"),
        ("x-oss-process", b"x-amz-process=image/info", 400, "InvalidArgument", b"use one name"),
        (
            "x-oss-process",
            b"x-oss-process=image/info&x-oss-process=image/info",
            400,
            "InvalidArgument",
            b"one recipe",
        ),
        (
            "x-oss-process=image%2Finfo",
            b"x-oss-process=image/info",
            400,
            "InvalidArgument",
            b"stands in its body",
        ),
        ("x-oss-process=image%2Finfo", b"", 400, "InvalidArgument", b"stands in its body"),
        ("x-oss-process&x-amz-process", b"x-oss-process=image/info", 400, "InvalidArgument", b"leave one"),
        ("x-oss-process&x-oss-process", b"x-oss-process=image/info", 400, "InvalidArgument", b"leave one"),
        ("x-oss-process&uploads", b"x-oss-process=image/info", 501, "NotImplemented", b"not offered"),
        ("x-oss-process&unknown", b"x-oss-process=image/info", 501, "NotImplemented", b"unknown"),
        ("x-oss-process&versionId=7", b"x-oss-process=image/info", 400, "InvalidArgument", b""),
    ],
)
def test_another_request_is_refused_in_words(
    server: Server, s3: Any, source: str, query: str, body: bytes, status: int, code: str, said: bytes
) -> None:
    """Of two recipes none is chosen, and what isn't known is not ignored."""
    answer = post_body(server, f"{source}/p.jpg", query, body)
    assert (answer.status, answer.code) == (status, code), answer.body
    assert said in answer.body
    assert keys_of(s3, source) == ["p.jpg"]


def test_what_is_not_there_is_missing(post: Post, s3: Any, source: str) -> None:
    """A bucket that does not exist, and a source that does not."""
    answer = post(f"image/resize,w_9{save_as('s.jpg', 'no-such-bucket-at-all')}")
    assert (answer.status, answer.code) == (404, "NoSuchBucket")
    assert answer.element("BucketName") == "no-such-bucket-at-all"
    assert post(f"image/resize,w_9{save_as('s.jpg')}", key="none.jpg").code == "NoSuchKey"
    assert keys_of(s3, source) == ["p.jpg"]


def test_what_is_no_picture_keeps_nothing(server: Server, s3: Any, source: str) -> None:
    """The source is judged by its bytes, as for a GET."""
    s3.put_object(Bucket=source, Key="t.jpg", Body=b"no picture")
    body = f"x-oss-process=image/resize,w_9{save_as('s.jpg')}"
    answer = post_body(server, f"{source}/t.jpg", "x-oss-process", body)
    assert answer.status == 400 and b"not supported" in answer.body
    assert keys_of(s3, source) == ["p.jpg", "t.jpg"]


def test_a_result_larger_than_a_put_may_be_is_refused(own_server: Callable[..., Server]) -> None:
    """The limit of a PUT is the limit here, also where the result was kept before."""
    server = own_server("--workers", "1", MEIKU_MAX_OBJECT_PUT_BYTES="100000")
    s3 = server.client()
    s3.create_bucket(Bucket="small")
    s3.put_object(Bucket="small", Key="p.jpg", Body=photo(300, 200))
    body = "x-oss-process=image/resize,w_600,limit_0/format,bmp"
    for _ in range(2):
        answer = post_body(server, "small/p.jpg", "x-oss-process", body + save_as("large.bmp"))
        assert (answer.status, answer.code) == (400, "EntityTooLarge")
        assert int(answer.element("ProposedSize")) > 100_000
    assert keys_of(s3, "small") == ["p.jpg"]


# -- who may


def test_a_stranger_may_neither_read_nor_write(
    server: Server, s3: Any, source: str, other: str, alice: Any
) -> None:
    """Nobody, and another account, are refused in both forms."""
    body = f"x-oss-process=image/resize,w_9{save_as('s.jpg', other)}".encode()
    answers = [
        send(server.port, "POST", f"/{source}/p.jpg?x-oss-process", body=body),
        post_body(server, f"{source}/p.jpg", "x-oss-process", body, user=key_of(alice)),
        post_to(server, f"{other}/s.jpg", f"/{source}/p.jpg", "image/resize,w_9", user=key_of(alice)),
        send(
            server.port,
            "POST",
            f"/{other}/s.jpg?{ZOS_NAME}",
            body=b"image/resize,w_9",
            headers={"x-zos-process-source": f"/{source}/p.jpg"},
        ),
    ]
    assert [(answer.status, answer.code) for answer in answers] == [(403, "AccessDenied")] * 4
    assert keys_of(s3, other) == []


def test_a_reader_may_save_in_a_bucket_of_their_own(server: Server, s3: Any, source: str, alice: Any) -> None:
    """Reading the source and writing the destination are two rights; what is kept belongs to who kept it."""
    s3.put_object(Bucket=source, Key="open.jpg", Body=PHOTO, ACL="public-read")
    own = f"alices-{uuid4().hex[:8]}"
    alice.create_bucket(Bucket=own)

    def ask(key: str, place: str) -> Answer:
        body = f"x-oss-process=image/resize,w_9{save_as('s.jpg', place)}"
        return post_body(server, f"{source}/{key}", "x-oss-process", body, user=key_of(alice))

    assert ask("open.jpg", own).status == 200
    assert (ask("open.jpg", source).code, ask("p.jpg", own).code) == ("AccessDenied", "AccessDenied")
    assert (
        post_to(server, f"{own}/z.jpg", f"/{source}/open.jpg", "image/resize,w_9", user=key_of(alice)).status
        == 200
    )
    assert (
        post_to(server, f"{own}/y.jpg", f"/{source}/p.jpg", "image/resize,w_9", user=key_of(alice)).status
        == 403
    )
    assert (keys_of(alice, own), keys_of(s3, source)) == (["s.jpg", "z.jpg"], ["open.jpg", "p.jpg"])
    assert alice.get_object_acl(Bucket=own, Key="s.jpg")["Owner"]["ID"] == alice.user["user_id"]


def test_a_writer_may_save_what_they_may_read(
    server: Server, s3: Any, source: str, other: str, alice: Any
) -> None:
    """The bucket's grant of WRITE is enough for the destination, as for a PUT; without it, it is not."""
    s3.put_object(Bucket=source, Key="open.jpg", Body=PHOTO, ACL="public-read")
    body = f"x-oss-process=image/resize,w_9{save_as('s.jpg', other)}"
    assert post_body(server, f"{source}/open.jpg", "x-oss-process", body, user=key_of(alice)).status == 403
    s3.put_bucket_acl(Bucket=other, GrantWrite=f'id="{alice.user["user_id"]}"')
    assert post_body(server, f"{source}/open.jpg", "x-oss-process", body, user=key_of(alice)).status == 200
    assert s3.get_object_acl(Bucket=other, Key="s.jpg")["Owner"]["ID"] == alice.user["user_id"]


def test_a_watermark_that_may_not_be_read_is_not_laid_on(
    server: Server, s3: Any, source: str, alice: Any
) -> None:
    """Every object that a recipe names is read by the caller's own rights."""
    s3.put_object(Bucket=source, Key="open.jpg", Body=PHOTO, ACL="public-read")
    own = f"alices-{uuid4().hex[:8]}"
    alice.create_bucket(Bucket=own)
    recipe = f"image/watermark,image_{encoded('p.jpg')}"
    body = f"x-oss-process={recipe}{save_as('s.jpg', own)}"
    assert post_body(server, f"{source}/open.jpg", "x-oss-process", body, user=key_of(alice)).status == 403
    s3.put_object_acl(Bucket=source, Key="p.jpg", ACL="public-read")
    assert post_body(server, f"{source}/open.jpg", "x-oss-process", body, user=key_of(alice)).status == 200


def test_a_page_may_ask_first(server: Server, s3: Any, source: str) -> None:
    """A browser's preflight for the POST is answered by the bucket's rules, and the answer may be read."""
    rule = {"AllowedOrigins": ["http://a.example"], "AllowedMethods": ["POST"], "AllowedHeaders": ["*"]}
    s3.put_bucket_cors(Bucket=source, CORSConfiguration={"CORSRules": [rule]})
    asked = {"Origin": "http://a.example", "Access-Control-Request-Method": "POST"}
    preflight = send(server.port, "OPTIONS", f"/{source}/p.jpg?x-oss-process", headers=asked)
    assert (preflight.status, preflight.headers["access-control-allow-origin"]) == (200, "http://a.example")
    answer = post_body(
        server,
        f"{source}/p.jpg",
        "x-oss-process",
        f"x-oss-process=image/resize,w_9{save_as('s.jpg')}",
        Origin="http://a.example",
    )
    assert (answer.status, answer.headers["access-control-allow-origin"]) == (200, "http://a.example")


def test_a_saved_result_outlives_a_kill(own_server: Callable[..., Server]) -> None:
    """When the answer came, the object is on disk, small or large."""
    server = own_server("--workers", "1")
    s3 = server.client()
    s3.create_bucket(Bucket="lasting")
    s3.put_object(Bucket="lasting", Key="p.jpg", Body=PHOTO)
    etags = {}
    for key, recipe in (("small", "image/resize,w_20"), ("large", "image/format,bmp")):
        answer = post_body(server, "lasting/p.jpg", "x-oss-process", f"x-oss-process={recipe}{save_as(key)}")
        etags[key] = answer.headers["etag"]
    server.kill()
    server.start()
    for key, etag in etags.items():
        body = s3.get_object(Bucket="lasting", Key=key)["Body"].read()
        assert f'"{md5(body).hexdigest()}"' == etag


def test_what_a_style_makes_is_saved(post: Post, s3: Any, server: Server, source: str) -> None:
    """A style stands for its steps, also where their result is kept."""
    with closing(SignedHttp(server.url)) as http:
        style = b"<Style><Content>image/resize,w_90</Content></Style>"
        assert http.send("PUT", source, style, style="", styleName="small").status == 200
    assert post(f"style/small{save_as('small.jpg')}").status == 200
    assert size_of(s3.get_object(Bucket=source, Key="small.jpg")["Body"].read()) == (90, 60)
