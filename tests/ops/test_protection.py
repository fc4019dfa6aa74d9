"""Protection of originals: what strangers may have made and are not shown, against a real server."""

from collections.abc import Iterator
from pathlib import Path

import pytest
import pyvips
from botocore.exceptions import ClientError

from meiku.signing import presign_v2, presign_v4
from plain_http import Answer, send
from running_server import Server, free_port
from signed_http import ACCESS

PROTECTED = (
    "<BucketProcessConfiguration><SourceFileProtect>{}</SourceFileProtect>"
    "<SourceFileProtectSuffix>{}</SourceFileProtectSuffix><StyleDelimiters>!</StyleDelimiters>"
    "</BucketProcessConfiguration>"
)
STYLE = b"<Style><Content>image/resize,w_20</Content></Style>"
RECIPE = "x-oss-process=image/resize,w_21"


def started(folder: Path, **environment: str) -> Server:
    server = Server(folder / "data", free_port(), environment).start()
    client = server.client()
    client.create_bucket(Bucket="photos", ACL="public-read")
    picture = bytes(pyvips.Image.black(40, 30, bands=3).jpegsave_buffer())
    for key in ("cat.jpg", "doc.txt"):
        client.put_object(Bucket="photos", Key=key, Body=picture, ACL="public-read")
    assert asked(server, "PUT", "/photos?style&styleName=small", STYLE).status == 200
    return server


def asked(server: Server, method: str, target: str, body: bytes = b"") -> Answer:
    url = presign_v4(ACCESS, method, f"{server.url}{target}")
    return send(server.port, method, url.removeprefix(server.url), body=body)


def protect(server: Server, switch: str = "Enabled", ends: str = "*") -> Answer:
    return asked(server, "PUT", "/photos?processConfiguration", PROTECTED.format(switch, ends).encode())


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    server = started(tmp_path_factory.mktemp("protection"))
    yield server
    server.stop()


@pytest.mark.parametrize(
    "target", ["/photos/cat.jpg", f"/photos/cat.jpg?{RECIPE}", "/photos/cat.jpg?x-amz-process=image/info"]
)
def test_strangers_have_styles_and_no_originals(server: Server, target: str) -> None:
    """Unsigned, neither the object nor a recipe of one's own; a style either way of asking; signed, all."""
    assert protect(server).status == 200
    assert send(server.port, "GET", target).code == "AccessDenied"
    assert send(server.port, "HEAD", target).status == 403
    for styled in ("/photos/cat.jpg!small", "/photos/cat.jpg?x-oss-process=style/small"):
        assert send(server.port, "GET", styled).status == 200
    assert asked(server, "GET", target).status == 200


def test_which_originals_is_said_by_the_ends_of_keys(server: Server) -> None:
    """What is told comes back; other objects stay as public as they are; switched off, all are."""
    assert protect(server, ends="PNG, .jpg").status == 200
    told = asked(server, "GET", "/photos?processConfiguration")
    assert (told.element("SourceFileProtect"), told.element("SourceFileProtectSuffix")) == (
        "Enabled",
        "png,jpg",
    )
    assert send(server.port, "GET", "/photos/cat.jpg").status == 403
    assert send(server.port, "GET", "/photos/doc.txt").status == 200
    assert send(server.port, "GET", f"/photos/doc.txt?{RECIPE}").status == 200
    assert protect(server, "Disabled").status == 200
    assert send(server.port, "GET", "/photos/cat.jpg").status == 200


@pytest.mark.parametrize(("switch", "ends"), [("On", "*"), ("Enabled", "a/b"), ("Enabled", "x" * 17)])
def test_what_cannot_be_meant_is_refused_and_changes_nothing(server: Server, switch: str, ends: str) -> None:
    """A switch is Enabled or Disabled, an end is letters and digits."""
    assert protect(server).status == 200
    refused = protect(server, switch, ends)
    assert (refused.status, refused.code) == (400, "InvalidArgument")
    assert send(server.port, "GET", "/photos/cat.jpg").status == 403


def test_a_stranger_copies_no_original(server: Server) -> None:
    """What may not be read may not be read by copying it to where strangers may write."""
    assert protect(server).status == 200
    server.client().create_bucket(Bucket="drop", ACL="public-read-write")
    copied = send(server.port, "PUT", "/drop/copy", headers={"x-amz-copy-source": "photos/cat.jpg"})
    assert (copied.status, copied.code) == (403, "AccessDenied")


def test_refusals_do_not_tell_whether_an_object_exists(server: Server) -> None:
    """A key that is not there is refused in the same words."""
    assert protect(server).status == 200
    told = [send(server.port, "GET", f"/photos/{key}").element("Reason") for key in ("cat.jpg", "none.jpg")]
    assert told[0] == told[1] != ""


def test_a_server_may_refuse_strangers_recipes_everywhere(tmp_path: Path) -> None:
    """The setting leaves originals as public as they are; a V2 URL signs no recipe, a V4 URL does."""
    server = started(tmp_path, MEIKU_STRANGERS_NAME_STYLES_ONLY="true")
    try:
        assert send(server.port, "GET", "/photos/cat.jpg").status == 200
        assert send(server.port, "GET", f"/photos/cat.jpg?{RECIPE}").code == "AccessDenied"
        assert send(server.port, "GET", "/photos/cat.jpg?x-oss-process=style/small").status == 200
        assert asked(server, "GET", f"/photos/cat.jpg?{RECIPE}").status == 200
        lent = presign_v2(ACCESS, "GET", f"{server.url}/photos/cat.jpg").removeprefix(server.url)
        assert send(server.port, "GET", f"{lent}&{RECIPE}").code == "AccessDenied"
        posted = send(server.port, "POST", "/photos/cat.jpg?x-oss-process", body=RECIPE.encode())
        assert posted.code == "AccessDenied"
    finally:
        server.stop()


def test_grants_by_address_can_be_switched_off(tmp_path: Path) -> None:
    """Then an ACL tells nobody which addresses have an account: both answers are the same."""
    server = Server(tmp_path / "data", free_port(), {"MEIKU_GRANTS_BY_EMAIL": "false"}).start()
    try:
        server.meiku("user", "add", "alice", "--email", "alice@example.com")
        server.client().create_bucket(Bucket="photos")
        told = []
        for address in ("alice@example.com", "nobody@example.com"):
            with pytest.raises(ClientError) as refused:
                server.client().put_bucket_acl(Bucket="photos", GrantRead=f'emailAddress="{address}"')
            told.append((refused.value.response["Error"]["Code"], refused.value.response["Error"]["Message"]))
        assert told[0] == told[1] and told[0][0] == "NotImplemented"
    finally:
        server.stop()
