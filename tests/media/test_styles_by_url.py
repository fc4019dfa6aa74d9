"""Styles by URL, from a real server: by name, behind a separator, and judged by the object that is meant."""

import json
from base64 import urlsafe_b64encode
from collections.abc import Callable, Iterator
from contextlib import closing
from functools import partial
from typing import Any
from urllib.parse import quote

import pytest
import pyvips

from browser_form import Key
from meiku.signing import presign_v2, presign_v4
from plain_http import Answer, send
from running_server import Server
from signed_http import ACCESS, SignedHttp
from signed_request import WAYS, sign

SMALL = "image/resize,w_40/format,png"
STYLE = "<Style><Content>{}</Content>{}</Style>"
SEPARATORS = "<BucketProcessConfiguration><StyleDelimiters>{}</StyleDelimiters></BucketProcessConfiguration>"
NAMES = ("x-amz-process", "x-oss-process", "x-zos-process")


def picture(width_px: int = 120, height_px: int = 80) -> bytes:
    noise = pyvips.Image.gaussnoise(width_px, height_px, mean=128, sigma=40)
    return bytes(noise.bandjoin([noise, noise]).cast("uchar").jpegsave_buffer())


PICTURE = picture()


def width_of(body: bytes) -> int:
    width_px: int = pyvips.Image.new_from_buffer(body, "").width
    return width_px


def put_style(server: Server, bucket: str, name: str, content: str, more: str = "") -> None:
    with closing(SignedHttp(server.url)) as http:
        body = STYLE.format(content, more).encode()
        assert http.send("PUT", bucket, body, style="", styleName=name).status == 200


def put_separators(server: Server, bucket: str, delimiters: str) -> None:
    with closing(SignedHttp(server.url)) as http:
        body = SEPARATORS.format(delimiters).encode()
        assert http.send("PUT", bucket, body, processConfiguration="").status == 200


@pytest.fixture
def styled(server: Server, s3: Any, bucket: str) -> str:
    """A bucket with the style `small` behind `!`, and the private picture `p.jpg`."""
    put_style(server, bucket, "small", SMALL)
    put_separators(server, bucket, "!")
    s3.put_object(Bucket=bucket, Key="p.jpg", Body=PICTURE, CacheControl="max-age=60")
    return bucket


@pytest.fixture
def http(server: Server) -> Iterator[SignedHttp]:
    with closing(SignedHttp(server.url)) as connection:
        yield connection


@pytest.fixture
def anonymous(server: Server) -> Callable[..., Answer]:
    """Send a request that nobody signed."""
    return partial(send, server.port)


@pytest.mark.parametrize("way", WAYS)
def test_a_key_with_a_style_is_the_objects_picture(server: Server, styled: str, way: str) -> None:
    """In all four ways to sign, over the address as it is written; the result is that of the recipe."""
    address = f"{server.url}/{styled}/p.jpg"
    styled_answer = sign(way, "GET", f"{address}!small").send(server.port)
    spelled = sign(way, "GET", f"{address}?x-amz-process={quote(SMALL, safe='')}").send(server.port)
    assert (styled_answer.status, styled_answer.headers["content-type"]) == (200, "image/png")
    assert width_of(styled_answer.body) == 40
    assert (styled_answer.body, styled_answer.headers["etag"]) == (spelled.body, spelled.headers["etag"])
    assert styled_answer.headers["cache-control"] == "max-age=60"


@pytest.mark.parametrize("name", NAMES)
def test_a_style_by_its_name(server: Server, http: SignedHttp, styled: str, name: str) -> None:
    """On every name of the query, and each reads the style as the dialect that it was put under."""
    assert width_of(http.send("GET", f"{styled}/p.jpg", **{name: "style/small"}).body) == 40
    put_style(server, styled, "oss", "image/rotate,45/format,png")
    put_style(server, styled, "zos", "image/rotate,45/format,png", "<Dialect>ZOS</Dialect>")
    etags = {
        style: http.send("GET", f"{styled}/p.jpg", **{name: f"style/{style}"}).etag
        for style in ("oss", "zos")
    }
    spelled = {"oss": "x-oss-process", "zos": "x-zos-process"}
    for style, query_name in spelled.items():
        answer = http.send("GET", f"{styled}/p.jpg", **{query_name: "image/rotate,45/format,png"})
        assert answer.etag == etags[style]
        assert http.send("GET", f"{styled}/p.jpg!{style}").etag == etags[style]
    assert etags["oss"] != etags["zos"]


@pytest.mark.parametrize("presign", [presign_v2, presign_v4])
def test_a_presigned_address_is_good_for_its_style_alone(
    server: Server, styled: str, presign: Callable[..., str]
) -> None:
    """Neither another style nor the picture itself can be made of it, nor it of the picture's address."""
    put_style(server, styled, "large", "image/resize,w_100")
    address = presign(ACCESS, "GET", f"{server.url}/{styled}/p.jpg!small").removeprefix(server.url)
    assert send(server.port, "GET", address).status == 200
    assert "p.jpg%21small" in address
    for other in ("p.jpg", "p.jpg%21large"):
        changed = address.replace("p.jpg%21small", other)
        assert send(server.port, "GET", changed).code == "SignatureDoesNotMatch"
    plain = presign(ACCESS, "GET", f"{server.url}/{styled}/p.jpg").removeprefix(server.url)
    assert send(server.port, "GET", plain.replace("p.jpg", "p.jpg!small")).code == "SignatureDoesNotMatch"


def test_who_may_read_the_object_may_have_its_styles(
    s3: Any, anonymous: Callable[..., Answer], styled: str
) -> None:
    """The right is asked for the object that is meant, whatever an object of the whole key would allow."""
    s3.put_object(Bucket=styled, Key="open.jpg", Body=PICTURE, ACL="public-read")
    s3.put_object(Bucket=styled, Key="p.jpg!small", Body=PICTURE, ACL="public-read")
    assert width_of(anonymous("GET", f"/{styled}/open.jpg!small").body) == 40
    assert anonymous("HEAD", f"/{styled}/open.jpg!small").status == 200
    for path in ("p.jpg!small", "none.jpg!small", "p.jpg?x-amz-process=style/small"):
        refused = anonymous("GET", f"/{styled}/{path}")
        assert (refused.status, refused.code) == (403, "AccessDenied")


def test_another_user_needs_a_grant_on_the_object(server: Server, s3: Any, alice: Any, styled: str) -> None:
    """Without one she is refused; with one she has the picture."""
    key = Key(alice.user["access_key"], alice.user["secret_key"])

    def hers() -> Answer:
        return sign("v4-header", "GET", f"{server.url}/{styled}/p.jpg!small", key=key).send(server.port)

    assert hers().code == "AccessDenied"
    s3.put_object_acl(Bucket=styled, Key="p.jpg", ACL="authenticated-read")
    assert width_of(hers().body) == 40


def test_a_styles_watermark_is_read_with_the_callers_rights(
    server: Server, s3: Any, anonymous: Callable[..., Answer], styled: str
) -> None:
    """A style opens no object that its reader may not read."""
    mark = urlsafe_b64encode(b"p.jpg").decode().rstrip("=")
    put_style(server, styled, "marked", f"image/watermark,image_{mark}")
    s3.put_object(Bucket=styled, Key="open.jpg", Body=PICTURE, ACL="public-read")
    assert anonymous("GET", f"/{styled}/open.jpg!marked").code == "AccessDenied"
    s3.put_object_acl(Bucket=styled, Key="p.jpg", ACL="public-read")
    assert anonymous("GET", f"/{styled}/open.jpg!marked").status == 200


def test_conditions_and_head(s3: Any, anonymous: Callable[..., Answer], styled: str) -> None:
    """HEAD says what GET would; what the caller has is not sent again; a range is not of the original."""
    s3.put_object_acl(Bucket=styled, Key="p.jpg", ACL="public-read")
    target = f"/{styled}/p.jpg!small"
    whole, head = anonymous("GET", target), anonymous("HEAD", target)
    told = ("etag", "content-type", "content-length", "cache-control", "last-modified")
    assert {name: head.headers[name] for name in told} == {name: whole.headers[name] for name in told}
    assert (head.status, head.body) == (200, b"")
    tag = whole.headers["etag"]
    assert anonymous("GET", target, headers={"If-None-Match": tag}).status == 304
    assert anonymous("GET", target, headers={"If-Match": '"other"'}).status == 412
    assert (
        anonymous("GET", target, headers={"If-Modified-Since": whole.headers["last-modified"]}).status == 304
    )
    assert anonymous("GET", target, headers={"Range": "bytes=0-3"}).body == whole.body


def test_a_style_comes_first_and_only_for_reads(http: SignedHttp, s3: Any, styled: str) -> None:
    """An object whose key looks so is hidden from GET and HEAD; to write, list, copy and delete it is not."""
    whole = f"{styled}/p.jpg!small"
    assert http.send("PUT", whole, b"an object of its own").status == 200
    assert width_of(http.send("GET", whole).body) == 40
    assert http.send("HEAD", whole).headers["content-type"] == "image/png"
    listed = s3.list_objects_v2(Bucket=styled)["Contents"]
    assert [entry["Key"] for entry in listed] == ["p.jpg", "p.jpg!small"]
    s3.copy_object(Bucket=styled, Key="copy", CopySource={"Bucket": styled, "Key": "p.jpg!small"})
    assert http.send("GET", f"{styled}/copy").body == b"an object of its own"
    assert http.send("DELETE", whole).status == 204
    assert len(s3.list_objects_v2(Bucket=styled)["Contents"]) == 2


@pytest.mark.parametrize("name", NAMES)
def test_a_recipe_in_the_query_means_the_key_as_it_stands(http: SignedHttp, styled: str, name: str) -> None:
    """That is the way to a picture whose own key looks as if it named a style."""
    assert http.send("GET", f"{styled}/p.jpg!small", **{name: "image/info"}).code == "NoSuchKey"
    http.send("PUT", f"{styled}/p.jpg!small", picture(60, 60))
    facts = json.loads(http.send("GET", f"{styled}/p.jpg!small", **{name: "image/info"}).body)
    assert facts["ImageWidth"]["value"] == "60"


def test_what_is_no_style_is_a_key(http: SignedHttp, server: Server, styled: str) -> None:
    """An unknown name, another separator, nothing before it: the object of that key, where there is one."""
    put_style(server, styled, "a-b", SMALL)
    for key in ("p.jpg!none", "p.jpg-small", "p.jpg!small!", "!small", "small", "p.jpg!Small", "a!small!x"):
        http.send("PUT", f"{styled}/{key}", b"mine")
        assert http.send("GET", f"{styled}/{key}").body == b"mine", key
    assert width_of(http.send("GET", f"{styled}/p.jpg!a-b").body) == 40


@pytest.mark.parametrize("separator", ["-", "_", "/", "!"])
def test_every_separator_cuts_at_its_last(
    http: SignedHttp, server: Server, styled: str, separator: str
) -> None:
    """Also behind keys that hold separators, and in any alphabet."""
    put_separators(server, styled, "-,_,/,!")
    for key in ("p.jpg", "a/b-c_d!e.jpg", "图/猫 1.jpg"):
        http.send("PUT", f"{styled}/{key}", PICTURE)
        assert width_of(http.send("GET", f"{styled}/{key}{separator}small").body) == 40


def test_a_bucket_in_the_host(server: Server, styled: str) -> None:
    """Where the bucket stands in the name of the host, the key is taken apart as well."""
    url = f"http://{styled}.localhost:{server.port}/p.jpg!small"
    for way in WAYS:
        assert width_of(sign(way, "GET", url).send(server.port).body) == 40


def test_what_is_not_there_is_named(http: SignedHttp, styled: str) -> None:
    """Without the object it is NoSuchKey of the object; a key behind a style that is gone is a key."""
    missing = http.send("GET", f"{styled}/none.jpg!small")
    assert (missing.status, missing.code) == (404, "NoSuchKey") and b"<Key>none.jpg</Key>" in missing.body
    assert http.send("DELETE", styled, style="", styleName="small").status == 204
    gone = http.send("GET", f"{styled}/p.jpg", **{"x-amz-process": "style/small"})
    assert (gone.status, gone.code) == (400, "InvalidArgument")
    assert b"this bucket has no style" in gone.body
    assert http.send("GET", f"{styled}/p.jpg!small").code == "NoSuchKey"


def test_a_changed_style_makes_another_result(http: SignedHttp, server: Server, styled: str) -> None:
    """The result is known by what the style says, not by its name; said otherwise, it is the same result."""
    first = http.send("GET", f"{styled}/p.jpg!small")
    put_style(server, styled, "small", SMALL.replace("w_40", "w_41"))
    second = http.send("GET", f"{styled}/p.jpg!small")
    assert (width_of(second.body), second.etag != first.etag) == (41, True)
    put_style(server, styled, "twin", "image/resize,w_41|image/format,png")
    assert http.send("GET", f"{styled}/p.jpg!twin").etag == second.etag


def test_a_style_of_another_bucket_is_none(http: SignedHttp, s3: Any, styled: str, bucket: str) -> None:
    """Styles hold in their own bucket."""
    other = f"{bucket}-b"
    s3.create_bucket(Bucket=other)
    s3.put_object(Bucket=other, Key="p.jpg", Body=PICTURE)
    assert http.send("GET", f"{other}/p.jpg", **{"x-amz-process": "style/small"}).status == 400
    assert http.send("GET", f"{other}/p.jpg!small").code == "NoSuchKey"


@pytest.mark.parametrize(
    ("query", "code"),
    [({"partNumber": "1"}, "NotImplemented"), ({"versionId": "7"}, "InvalidArgument"), ({"v": "1"}, "")],
)
def test_the_rest_of_the_query_is_judged_as_with_a_recipe(
    http: SignedHttp, styled: str, query: dict[str, str], code: str
) -> None:
    """What has no meaning for a picture that is made is not ignored because a separator asked for it."""
    spelled = http.send("GET", f"{styled}/p.jpg", **{"x-amz-process": "style/small"}, **query)
    separated = http.send("GET", f"{styled}/p.jpg!small", **query)
    assert spelled.code == separated.code == code
    assert spelled.status == separated.status


def test_a_get_that_would_save_is_refused(http: SignedHttp, styled: str) -> None:
    """A style says what is made; where it is kept would be the request's, and a GET keeps nothing."""
    answer = http.send("GET", f"{styled}/p.jpg", **{"x-amz-process": "style/small|sys/saveas,o_YQ"})
    assert answer.status == 400 and b"POST the recipe" in answer.body


def test_a_page_of_another_origin_may_read_it(s3: Any, anonymous: Callable[..., Answer], styled: str) -> None:
    """The bucket's CORS rules hold for styled pictures as for all reads."""
    rule = {"AllowedOrigins": ["https://shop.example"], "AllowedMethods": ["GET"]}
    s3.put_bucket_cors(Bucket=styled, CORSConfiguration={"CORSRules": [rule]})
    s3.put_object_acl(Bucket=styled, Key="p.jpg", ACL="public-read")
    answer = anonymous("GET", f"/{styled}/p.jpg!small", headers={"Origin": "https://shop.example"})
    assert answer.headers["access-control-allow-origin"] == "https://shop.example"


def test_log_and_figures_name_what_was_done(own_server: Callable[..., Server]) -> None:
    """The operation is ProcessObject, the key the object's; an unstyled read beside it is GetObject."""
    server = own_server("--workers", "1", MEIKU_LOG_REQUESTS="yes")
    with closing(SignedHttp(server.url)) as http:
        http.send("PUT", "styled")
        http.send("PUT", "styled/p.jpg", PICTURE)
        put_style(server, "styled", "small", SMALL)
        put_separators(server, "styled", "!")
        for path in ("styled/p.jpg!small", "styled/p.jpg"):
            assert http.send("GET", path).status == 200
    figures = send(server.port, "GET", "/-/metrics").body.decode()
    for name in ("ProcessObject", "GetObject", "PutStyle", "PutBucketProcessConfiguration"):
        assert f'requests_total{{operation="{name}",status="2xx"}} 1\n' in figures
    logged = [json.loads(line) for line in server.read_log().splitlines() if line.startswith("{")]
    reads = [line for line in logged if line.get("operation") in ("ProcessObject", "GetObject")]
    assert [(line["operation"], line["key"]) for line in reads] == [
        ("ProcessObject", "p.jpg"),
        ("GetObject", "p.jpg"),
    ]
