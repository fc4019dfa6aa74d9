"""Styles of a bucket and its separators: OSS's requests, signed, against a real server."""

from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime
from typing import Any

import pytest

from browser_form import Key
from meiku.signing import presign_v2
from ops.conftest import Send
from plain_http import Answer, send
from running_server import Server
from signed_http import ACCESS, SignedHttp
from signed_request import WAYS, sign

SMALL = "image/resize,w_200"
STYLE = "<Style><Content>{}</Content></Style>"
NAMESPACE = "{http://s3.amazonaws.com/doc/2006-03-01/}"
SEPARATORS = "<BucketProcessConfiguration><StyleDelimiters>{}</StyleDelimiters></BucketProcessConfiguration>"


class Styles:
    """The root user, at the styles of one bucket."""

    def __init__(self, raw: Send, bucket: str) -> None:
        self.raw, self.bucket = raw, bucket

    def put(self, name: str, content: str = SMALL, document: str | None = None, more: str = "") -> Answer:
        body = STYLE.format(content) if document is None else document
        return self.raw("PUT", f"/{self.bucket}?style&styleName={name}{more}", body.encode())

    def get(self, name: str) -> Answer:
        return self.raw("GET", f"/{self.bucket}?style&styleName={name}")

    def delete(self, name: str) -> Answer:
        return self.raw("DELETE", f"/{self.bucket}?style&styleName={name}")

    def list(self) -> list[dict[str, str]]:
        answer = self.raw("GET", f"/{self.bucket}?style")
        assert answer.status == 200, answer.body
        return [
            {n.removeprefix(NAMESPACE): v for n, v in entry.items()}
            for entry in answer.entries(f"{NAMESPACE}Style")
        ]

    def separate(self, delimiters: str, document: str | None = None) -> Answer:
        body = SEPARATORS.format(delimiters) if document is None else document
        return self.raw("PUT", f"/{self.bucket}?processConfiguration", body.encode())

    def separators(self) -> Answer:
        return self.raw("GET", f"/{self.bucket}?processConfiguration")


@pytest.fixture
def styles(raw: Send, bucket: str) -> Styles:
    """The styles of a bucket of this test's own."""
    return Styles(raw, bucket)


def test_a_style_comes_back_as_it_went(styles: Styles) -> None:
    """GetStyle tells name, content, category, dialect and when; as OSS does it, in an HTTP date."""
    assert styles.put("small").status == 200
    answer = styles.get("small")
    told = [answer.element(name) for name in ("Name", "Content", "Category", "Dialect")]
    assert (answer.status, told) == (200, ["small", SMALL, "image", "OSS"])
    assert answer.body.startswith(b"<?xml") and b"<Style xmlns=" in answer.body
    created = parsedate_to_datetime(answer.element("CreateTime"))
    assert abs(datetime.now(UTC) - created) < timedelta(minutes=1)
    assert answer.element("LastModifyTime") == answer.element("CreateTime")
    assert answer.element("CreateTime").endswith(" GMT")


def test_a_style_is_replaced_and_deleted(styles: Styles) -> None:
    """A second put replaces the content; after the delete there is none, and deleting again is no error."""
    styles.put("small")
    assert styles.put("small", "video/snapshot,t_7000").status == 200
    assert styles.get("small").element("Content") == "video/snapshot,t_7000"
    assert styles.get("small").element("Category") == "video"
    assert (styles.delete("small").status, styles.delete("small").status) == (204, 204)
    gone = styles.get("small")
    assert (gone.status, gone.code, gone.element("StyleName")) == (404, "NoSuchStyle", "small")


def test_styles_are_listed_by_name(styles: Styles) -> None:
    """ListStyle tells all of every style; a bucket without any has an empty list."""
    assert styles.list() == []
    for name in ("b", "a.9", "B_-"):
        styles.put(name)
    assert [entry["Name"] for entry in styles.list()] == ["B_-", "a.9", "b"]
    entry = styles.list()[0]
    told = ["Name", "Content", "Category", "Dialect", "CreateTime", "LastModifyTime"]
    assert list(entry) == told and entry["Content"] == SMALL


def test_a_style_is_kept_in_its_dialect(styles: Styles) -> None:
    """OSS unless the document says ZOS; the content is read as that dialect reads it."""
    in_zos = "<Style><Content>{}</Content><Dialect>ZOS</Dialect></Style>"
    assert styles.put("z", document=in_zos.format("image/rotate,45")).status == 200
    assert styles.get("z").element("Dialect") == "ZOS"
    assert styles.put("z", document=in_zos.format("image/resize,l_100")).status == 400
    assert styles.put("l", "image/resize,l_100").status == 200
    odd = styles.put("z", document=in_zos.replace("ZOS", "COS").format(SMALL))
    assert (odd.status, odd.code) == (400, "MalformedXML")


@pytest.mark.parametrize("name", ["", "a%20b", "a%21", "a%2Fb", "x" * 64, "%E5%AA%92", "a%00"])
def test_a_name_that_no_style_may_have(styles: Styles, name: str) -> None:
    """Refused in words, and nothing is kept."""
    answer = styles.put(name)
    assert (answer.status, answer.code) == (400, "InvalidArgument")
    assert styles.list() == []


@pytest.mark.parametrize(
    ("content", "says"),
    [
        ("image/resize,w_0", "resize, parameter w: '0' is not a whole number"),
        ("image/resise,w_1", "did you mean 'resize'?"),
        ("resize,w_1", "Did you mean 'image/resize,w_1'?"),
        ("style/other", "cannot name another style"),
        ("image/strip|sys/saveas,o_YQ", "not where it is kept"),
        ("", "The recipe is empty"),
        ("image/watermark,text_媒", "printable ASCII"),
        ("image/" + "strip/" * 40 + "strip", "more than 32 steps"),
        ("image/watermark,text_" + "A" * 9000, "longer than 8,192"),
    ],
)
def test_a_content_that_is_no_recipe(styles: Styles, content: str, says: str) -> None:
    """Refused when it is put, with the words that a request for it would get."""
    answer = styles.put("small", content)
    assert (answer.status, answer.code) == (400, "InvalidArgument")
    assert says in answer.element("Message")
    assert styles.list() == []


@pytest.mark.parametrize(
    "document",
    [
        "",
        "no xml",
        "<Style/>",
        "<Style><Content/><Content/></Style>",
        "<Other><Content>image/strip</Content></Other>",
        "<Style><Content>image/strip</Content><Name>a</Name></Style>",
        "<Style><Content><b/></Content></Style>",
        "<!DOCTYPE a><Style><Content>image/strip</Content></Style>",
    ],
)
def test_a_document_that_is_no_style(styles: Styles, document: str) -> None:
    """What the model does not know is refused, not skipped."""
    answer = styles.put("small", document=document)
    assert (answer.status, answer.code) == (400, "MalformedXML")
    assert styles.list() == []


def test_a_document_may_have_lines_and_oss_categories(styles: Styles) -> None:
    """White space around the content is none of it; a category that is named must be the content's own."""
    assert styles.put("a", f"\n  {SMALL}\n").status == 200
    assert styles.get("a").element("Content") == SMALL
    assert styles.put("a", more="&category=image").status == 200
    assert "of the category image" in styles.put("a", more="&category=video").element("Message")
    assert styles.put("a", more="&category=document").status == 400
    assert styles.put("a", more="&other=1").status == 501


@pytest.mark.parametrize("method", ["PUT", "DELETE"])
def test_a_request_that_names_no_style(raw: Send, bucket: str, method: str) -> None:
    """It is not taken for the bucket's own."""
    answer = raw(method, f"/{bucket}?style", STYLE.format(SMALL).encode() if method == "PUT" else b"")
    assert (answer.status, answer.code) == (400, "InvalidArgument")
    assert raw("HEAD", f"/{bucket}").status == 200


def test_fifty_styles_and_no_more(styles: Styles) -> None:
    """The fifty-first is refused in words; one that exists can still be replaced."""
    for number in range(50):
        assert styles.put(f"s{number}").status == 200
    refused = styles.put("s50")
    assert (refused.status, refused.code) == (400, "InvalidArgument")
    assert "at most 50 styles" in refused.element("Message")
    assert styles.put("s7", "image/info").status == 200
    assert len(styles.list()) == 50


def test_separators_come_back_as_oss_tells_them(styles: Styles) -> None:
    """None at first; what was put replaces what was, in one order; deleted, there are none."""
    first = styles.separators()
    assert (first.status, first.element("StyleDelimiters")) == (200, "")
    assert (first.element("CompliedHost"), first.element("SourceFileProtect")) == ("Both", "Disabled")
    assert styles.separate("/,-").status == 200
    assert styles.separators().element("StyleDelimiters") == "-,/"
    assert styles.separate("!").status == 200
    assert styles.separators().element("StyleDelimiters") == "!"
    styles.put("small")
    assert styles.raw("DELETE", f"/{styles.bucket}?processConfiguration").status == 204
    assert styles.separators().element("StyleDelimiters") == ""
    assert [entry["Name"] for entry in styles.list()] == ["small"]


def test_the_whole_document_of_osss_sdk(styles: Styles) -> None:
    """What OSS's Java SDK writes is taken where it asks for what is so here, and refused where it is not."""
    written = (
        "<BucketProcessConfiguration><CompliedHost>Both</CompliedHost>"
        "<SourceFileProtect>Disabled</SourceFileProtect><SourceFileProtectSuffix>*</SourceFileProtectSuffix>"
        "<StyleDelimiters>-</StyleDelimiters>"
        "<OssDomainSupportAtProcess>Disabled</OssDomainSupportAtProcess></BucketProcessConfiguration>"
    )
    assert styles.separate("", written).status == 200
    assert styles.separators().element("StyleDelimiters") == "-"
    for asked in ("<CompliedHost>Img", "<OssDomainSupportAtProcess>Enabled"):
        member = asked.removeprefix("<").partition(">")[0]
        other = written.replace("Both", "Img") if "Host" in asked else written
        other = other.replace(f"<{member}>Disabled", asked)
        refused = styles.separate("", other.replace("<StyleDelimiters>-", "<StyleDelimiters>!"))
        assert (refused.status, refused.code) == (501, "NotImplemented")
        assert member in refused.element("Message")
    assert styles.separators().element("StyleDelimiters") == "-"


@pytest.mark.parametrize("delimiters", ["@", "-!", "null", "a"])
def test_what_is_no_separator(styles: Styles, delimiters: str) -> None:
    """Four signs separate; anything else is refused and nothing changes."""
    styles.separate("_")
    answer = styles.separate(delimiters)
    assert (answer.status, answer.code) == (400, "InvalidArgument")
    assert answer.element("ArgumentName") == "StyleDelimiters"
    assert styles.separators().element("StyleDelimiters") == "_"


def test_a_separator_and_a_name_that_holds_it(styles: Styles) -> None:
    """Whichever comes second is refused, and says whose fault it is."""
    styles.put("a-b")
    cut = styles.separate("-,!")
    assert cut.status == 400 and "the style 'a-b' holds it" in cut.element("Message")
    assert styles.separate("!,_").status == 200
    named = styles.put("a_b")
    assert named.status == 400 and "'a_b' holds '_'" in named.element("Message")
    assert [entry["Name"] for entry in styles.list()] == ["a-b"]


def requests_of(bucket: str) -> list[tuple[str, str, bytes]]:
    """List every request about styles, as it would be answered well."""
    style, separators = f"/{bucket}?style", f"/{bucket}?processConfiguration"
    return [
        ("PUT", f"{style}&styleName=small", STYLE.format(SMALL).encode()),
        ("GET", f"{style}&styleName=small", b""),
        ("GET", style, b""),
        ("DELETE", f"{style}&styleName=small", b""),
        ("PUT", separators, SEPARATORS.format("!").encode()),
        ("GET", separators, b""),
        ("DELETE", separators, b""),
    ]


def test_styles_are_the_owners(server: Server, s3: Any, alice: Any, styles: Styles, anonymous: Send) -> None:
    """No grant of an ACL opens them to another user or to strangers, and nothing is changed."""
    styles.put("small")
    s3.put_bucket_acl(Bucket=styles.bucket, ACL="public-read-write")
    key = Key(alice.user["access_key"], alice.user["secret_key"])
    for method, target, body in requests_of(styles.bucket):
        unsigned = anonymous(method, target, body)
        hers = sign("v4-header", method, server.url + target, body=body, key=key).send(server.port)
        assert (unsigned.status, unsigned.code) == (hers.status, hers.code) == (403, "AccessDenied")
    assert [entry["Name"] for entry in styles.list()] == ["small"]


@pytest.mark.parametrize("way", [way for way in WAYS if way.startswith("v4")])
def test_every_request_in_both_forms_of_v4(server: Server, bucket: str, way: str) -> None:
    """Header and presigned URL alike."""
    for method, target, body in requests_of(bucket):
        answer = sign(way, method, server.url + target, body=body).send(server.port)
        assert answer.status in (200, 204), (method, target, answer.body)


def test_v2_signs_what_makes_it_a_style(server: Server, bucket: str) -> None:
    """A V2 address made for a style is good; one made for a listing cannot be made one of styles."""
    address = f"{server.url}/{bucket}"
    listed = presign_v2(ACCESS, "GET", f"{address}?style").removeprefix(server.url)
    assert b"StyleList" in send(server.port, "GET", listed).body
    objects = presign_v2(ACCESS, "GET", address).removeprefix(server.url)
    assert send(server.port, "GET", objects).status == 200
    assert send(server.port, "GET", f"{objects}&style").code == "SignatureDoesNotMatch"


def test_a_wrong_digest_keeps_nothing(server: Server, styles: Styles) -> None:
    """Content-MD5 and checksums are verified as of every document."""
    target = f"{server.url}/{styles.bucket}?style&styleName=a"
    wrong = {"Content-MD5": "AAAAAAAAAAAAAAAAAAAAAA=="}
    body = STYLE.format(SMALL).encode()
    assert sign("v4-header", "PUT", target, body=body, headers=wrong).send(server.port).code == "BadDigest"
    wrong = {"x-amz-checksum-crc32": "AAAAAA=="}
    assert sign("v4-header", "PUT", target, body=body, headers=wrong).send(server.port).status == 400
    assert styles.list() == []


def test_styles_of_no_bucket(raw: Send) -> None:
    """A bucket that is not there has none."""
    for method, target, body in requests_of("there-is-no-such-bucket"):
        assert raw(method, target, body).code == "NoSuchBucket"


def test_styles_go_with_their_bucket(s3: Any, styles: Styles) -> None:
    """A bucket made anew under the name has none of the former's."""
    styles.put("small")
    styles.separate("!")
    s3.delete_bucket(Bucket=styles.bucket)
    s3.create_bucket(Bucket=styles.bucket)
    assert styles.list() == [] and styles.separators().element("StyleDelimiters") == ""


@pytest.fixture
def pair(own_server: Callable[..., Server]) -> Iterator[Server]:
    """A server of two workers with the bucket `many`."""
    server = own_server("--workers", "2")
    with closing(SignedHttp(server.url)) as http:
        assert http.send("PUT", "many").status == 200
    yield server
    assert '"event": "mistake"' not in server.read_log()


def put_one(server: Server, name: str) -> int:
    with closing(SignedHttp(server.url)) as http:
        return http.send("PUT", "many", STYLE.format(SMALL).encode(), style="", styleName=name).status


def names(server: Server) -> set[str]:
    with closing(SignedHttp(server.url)) as http:
        body = http.send("GET", "many", style="").body.decode()
    return {part.partition("<")[0] for part in body.split("<Name>")[1:]}


def test_of_twenty_puts_at_once_none_is_lost(pair: Server) -> None:
    """Each reads what is kept, changes it and writes it within one transaction, on whichever worker."""
    asked = [f"s{number}" for number in range(20)]
    with ThreadPoolExecutor(20) as clients:
        assert set(clients.map(lambda name: put_one(pair, name), asked)) == {200}
    assert names(pair) == set(asked)


def test_fifty_is_the_limit_also_for_many_at_once(pair: Server) -> None:
    """Of sixty at once fifty are kept and ten are told."""
    with ThreadPoolExecutor(20) as clients:
        statuses = list(clients.map(lambda number: put_one(pair, f"s{number}"), range(60)))
    assert (statuses.count(200), statuses.count(400), len(names(pair))) == (50, 10, 50)


def test_styles_survive_a_kill(pair: Server) -> None:
    """What was answered is there after the whole process tree was killed."""
    assert put_one(pair, "small") == 200
    with closing(SignedHttp(pair.url)) as http:
        assert (
            http.send("PUT", "many", SEPARATORS.format("!").encode(), processConfiguration="").status == 200
        )
    pair.kill()
    pair.start()
    assert names(pair) == {"small"}
    with closing(SignedHttp(pair.url)) as http:
        kept = http.send("GET", "many", processConfiguration="").body
    assert b"<StyleDelimiters>!</StyleDelimiters>" in kept
