"""Requests that send their head, wait while the world changes, and send the rest: judged as it is then.

Each is begun by somebody who may, loses the right, the key, the bucket or the object while it waits, and must
change nothing any more.
"""

import socket
import time
from collections.abc import Iterator
from contextlib import closing
from dataclasses import dataclass, field
from typing import Any
from uuid import uuid4

import pytest

from browser_form import CONTENT_TYPE, Key, encode, file_part, signed_v4
from browser_form import field as part
from meiku.signing import Credentials, presign_v4
from plain_http import Answer, answer_on, connect, head
from running_server import ACCESS_KEY, SECRET_KEY, Server
from signed_request import sign

SETTLE_S = 0.2
EVERYBODY = "http://acs.amazonaws.com/groups/global/AllUsers"
CORS = (
    b"<CORSConfiguration><CORSRule><AllowedMethod>GET</AllowedMethod><AllowedOrigin>*</AllowedOrigin>"
    b"</CORSRule></CORSConfiguration>"
)
STYLE = b"<Style><Content>image/resize,w_20</Content></Style>"
SEPARATORS = b"<BucketProcessConfiguration><StyleDelimiters>-</StyleDelimiters></BucketProcessConfiguration>"
DELETE = b"<Delete><Object><Key>k</Key></Object></Delete>"
LOCATION = (
    b"<CreateBucketConfiguration><LocationConstraint>eu-west-1</LocationConstraint>"
    b"</CreateBucketConfiguration>"
)
RECIPE = b"x-oss-process=image/info"
ROOT_USER = {"access_key": ACCESS_KEY, "secret_key": SECRET_KEY}


@dataclass
class Held:
    """A request whose head, and half of whose body, have been sent."""

    port: int
    method: str
    target: str
    body: bytes
    headers: dict[str, str] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.socket = connect(self.port)
        headers = {"Host": f"127.0.0.1:{self.port}", "Content-Length": str(len(self.body)), **self.headers}
        self.socket.sendall(head(self.method, self.target, headers) + self.body[: len(self.body) // 2])
        time.sleep(SETTLE_S)
        assert self._waits(), answer_on(self.socket)

    def _waits(self) -> bool:
        """Tell that the server asks for more: a request that was refused at its head would prove nothing."""
        self.socket.setblocking(False)
        try:
            return not self.socket.recv(1, socket.MSG_PEEK)
        except BlockingIOError:
            return True
        finally:
            self.socket.settimeout(30)

    def finish(self) -> Answer:
        """Send the rest and read the answer."""
        with closing(self.socket):
            self.socket.sendall(self.body[len(self.body) // 2 :])
            return answer_on(self.socket)


class Holder:
    """Begins requests on one server, signed in their address or by nobody."""

    def __init__(self, server: Server) -> None:
        self._server, self.begun = server, list[Held]()

    def begin(self, user: Any, method: str, target: str, body: bytes, **headers: str) -> Held:
        named = {name.replace("_", "-"): value for name, value in headers.items()}
        if user is not None:
            keys = Credentials(user["access_key"], user["secret_key"])
            url = presign_v4(keys, method, self._server.url + target, headers=named)
            target = url.removeprefix(self._server.url)
        self.begun.append(Held(self._server.port, method, target, body, named))
        return self.begun[-1]


@pytest.fixture
def holder(server: Server) -> Iterator[Holder]:
    """Whoever begins requests; what was not finished is hung up."""
    made = Holder(server)
    yield made
    for held in made.begun:
        held.socket.close()


def key_of(user: Any) -> Key:
    return Key(user["access_key"], user["secret_key"])


def acl_document(group: str = EVERYBODY) -> bytes:
    return (
        "<AccessControlPolicy><AccessControlList><Grant>"
        '<Grantee xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance" xsi:type="Group">'
        f"<URI>{group}</URI></Grantee><Permission>READ</Permission></Grant></AccessControlList>"
        "</AccessControlPolicy>"
    ).encode()


def begun_upload(client: Any, bucket: str) -> tuple[str, bytes]:
    """Begin an upload with one part; returns its id, and the document that would complete it."""
    upload_id = client.create_multipart_upload(Bucket=bucket, Key="k")["UploadId"]
    etag = client.upload_part(Bucket=bucket, Key="k", UploadId=upload_id, PartNumber=1, Body=b"part")["ETag"]
    part = f"<Part><PartNumber>1</PartNumber><ETag>{etag}</ETag></Part>"
    return upload_id, f"<CompleteMultipartUpload>{part}</CompleteMultipartUpload>".encode()


def state_of(client: Any, bucket: str) -> list[Any]:
    """Tell all that a held request could have changed in a bucket."""
    kept: list[Any] = [client.get_object(Bucket=bucket, Key="k")["Body"].read()]
    for read in (client.get_bucket_acl, client.list_objects_v2, client.list_multipart_uploads):
        answer = read(Bucket=bucket)
        kept.append([answer.get(name) for name in ("Grants", "KeyCount", "Uploads")])
    kept.append(client.get_object_acl(Bucket=bucket, Key="k")["Grants"])
    return kept


# Method, target behind the bucket, body: what one who may write to a bucket, or owns it, can begin.
WRITES: dict[str, tuple[str, str, bytes]] = {
    "PutObject": ("PUT", "/k", b"other bytes"),
    "PutLargeObject": ("PUT", "/k", b"other bytes" * 100_000),
    "UploadPart": ("PUT", "/k?partNumber=1&uploadId={upload_id}", b"other part"),
    "CompleteMultipartUpload": ("POST", "/k?uploadId={upload_id}", b"{complete}"),
    "DeleteObjects": ("POST", "?delete=", DELETE),
}
SETTINGS: dict[str, tuple[str, str, bytes]] = {
    "PutBucketAcl": ("PUT", "?acl=", acl_document()),
    "PutObjectAcl": ("PUT", "/k?acl=", acl_document()),
    "PutBucketCors": ("PUT", "?cors=", CORS),
    "PutStyle": ("PUT", "?style=&styleName=s", STYLE),
    "PutBucketProcessConfiguration": ("PUT", "?processConfiguration=", SEPARATORS),
}


@pytest.mark.parametrize("name", WRITES)
def test_a_right_that_was_revoked_meanwhile_is_none(
    s3: Any, alice: Any, bucket: str, holder: Holder, name: str
) -> None:
    """Who may write when they begin and may no more when their bytes have come changes nothing."""
    s3.put_object(Bucket=bucket, Key="k", Body=b"before")
    s3.put_bucket_acl(Bucket=bucket, GrantWrite=f'id="{alice.user["user_id"]}"')
    upload_id, complete = begun_upload(alice, bucket)
    method, target, body = WRITES[name]
    body = complete if body == b"{complete}" else body
    held = holder.begin(alice.user, method, f"/{bucket}{target.format(upload_id=upload_id)}", body)
    s3.put_bucket_acl(Bucket=bucket, ACL="private")
    before = state_of(s3, bucket)
    answer = held.finish()
    assert (answer.status, answer.code) == (403, "AccessDenied")
    assert state_of(s3, bucket) == before


@pytest.mark.parametrize("name", [*WRITES, *SETTINGS])
def test_a_key_that_was_removed_meanwhile_opens_nothing(
    server: Server, s3: Any, alice: Any, holder: Holder, name: str
) -> None:
    """The owner's own request is refused where its key is taken away before its bytes have come."""
    bucket = f"owned-{uuid4().hex[:12]}"
    alice.create_bucket(Bucket=bucket)
    alice.put_object(Bucket=bucket, Key="k", Body=b"before")
    upload_id, complete = begun_upload(alice, bucket)
    spare = server.meiku("key", "add", alice.user["name"])
    method, target, body = (WRITES | SETTINGS)[name]
    body = complete if body == b"{complete}" else body
    held = holder.begin(spare, method, f"/{bucket}{target.format(upload_id=upload_id)}", body)
    server.meiku("key", "remove", spare["access_key"])
    before = state_of(alice, bucket)
    answer = held.finish()
    assert (answer.status, answer.code) == (403, "InvalidAccessKeyId")
    assert state_of(alice, bucket) == before
    for query, code in (("cors=", "NoSuchCORSConfiguration"), ("style=&styleName=s", "NoSuchStyle")):
        target = f"{server.url}/{bucket}?{query}"
        unchanged = sign("v4-query", "GET", target, key=key_of(alice.user)).send(server.port)
        assert (unchanged.status, unchanged.code) == (404, code)


def test_a_removed_key_makes_no_bucket(server: Server, alice: Any, holder: Holder) -> None:
    """CreateBucket looks up no bucket; its caller is looked up again all the same."""
    spare = server.meiku("key", "add", alice.user["name"])
    name = f"never-{uuid4().hex[:12]}"
    held = holder.begin(spare, "PUT", f"/{name}", LOCATION)
    server.meiku("key", "remove", spare["access_key"])
    answer = held.finish()
    assert (answer.status, answer.code) == (403, "InvalidAccessKeyId")
    assert name not in [each["Name"] for each in alice.list_buckets()["Buckets"]]


@pytest.mark.parametrize("change", ["right", "key"])
def test_a_held_form_is_judged_again(
    server: Server, s3: Any, alice: Any, bucket: str, holder: Holder, change: str
) -> None:
    """A form's file that comes after its signer lost the right, or the key, is not stored."""
    s3.put_bucket_acl(Bucket=bucket, GrantWrite=f'id="{alice.user["user_id"]}"')
    spare = server.meiku("key", "add", alice.user["name"])
    fields = {"key": "k", **signed_v4({"bucket": bucket}, {"key": "k"}, key=key_of(spare))}
    form = encode([*(part(name, value) for name, value in fields.items()), file_part(b"x" * 200_000)])
    held = holder.begin(None, "POST", f"/{bucket}", form, Content_Type=CONTENT_TYPE)
    if change == "right":
        s3.put_bucket_acl(Bucket=bucket, ACL="private")
    else:
        server.meiku("key", "remove", spare["access_key"])
    answer = held.finish()
    assert (answer.status, answer.code) == (
        403,
        "AccessDenied" if change == "right" else "InvalidAccessKeyId",
    )
    assert s3.list_objects_v2(Bucket=bucket)["KeyCount"] == 0


@pytest.mark.parametrize("name", ["PutObject", "DeleteObjects", "PutBucketCors"])
def test_another_bucket_of_the_same_name_is_not_meant(
    server: Server, s3: Any, alice: Any, holder: Holder, name: str
) -> None:
    """A request that was begun on a bucket does nothing to the one that somebody else made in its place."""
    bucket = f"again-{uuid4().hex[:12]}"
    alice.create_bucket(Bucket=bucket)
    method, target, body = (WRITES | SETTINGS)[name]
    held = holder.begin(alice.user, method, f"/{bucket}{target}", body)
    alice.delete_bucket(Bucket=bucket)
    s3.create_bucket(Bucket=bucket)
    s3.put_object(Bucket=bucket, Key="k", Body=b"before")
    before = state_of(s3, bucket)
    assert held.finish().status == 403
    assert state_of(s3, bucket) == before


def test_an_acl_is_given_to_no_other_object(s3: Any, alice: Any, bucket: str, holder: Holder) -> None:
    """Who may change one object's ACL opens not the private one that replaced it meanwhile."""
    s3.put_object(Bucket=bucket, Key="k", Body=b"first", GrantWriteACP=f'id="{alice.user["user_id"]}"')
    held = holder.begin(alice.user, "PUT", f"/{bucket}/k?acl=", acl_document())
    s3.put_object(Bucket=bucket, Key="k", Body=b"second", ACL="private")
    before = state_of(s3, bucket)
    answer = held.finish()
    assert (answer.status, answer.code) == (403, "AccessDenied")
    assert state_of(s3, bucket) == before


def test_a_recipe_is_not_followed_on_what_became_private(s3: Any, bucket: str, holder: Holder) -> None:
    """Anonymous pixels of a picture end with its being public, also for who had begun to ask."""
    s3.put_object(Bucket=bucket, Key="k", Body=b"no picture", ACL="public-read")
    held = holder.begin(None, "POST", f"/{bucket}/k?x-oss-process", RECIPE)
    s3.put_object_acl(Bucket=bucket, Key="k", ACL="private")
    answer = held.finish()
    assert (answer.status, answer.code) == (403, "AccessDenied")


def test_nothing_that_changes_meanwhile_is_no_reason_to_refuse(
    server: Server, s3: Any, alice: Any, bucket: str, holder: Holder
) -> None:
    """Users, keys and buckets of others may come and go: whoever still may, is served."""
    held = [
        holder.begin(ROOT_USER, "PUT", f"/{bucket}/k", b"bytes"),
        holder.begin(ROOT_USER, "PUT", f"/{bucket}?cors=", CORS),
    ]
    server.meiku("key", "remove", alice.user["access_key"])
    s3.put_bucket_acl(Bucket=bucket, ACL="public-read")
    assert [each.finish().status for each in held] == [200, 200]
    assert s3.get_object(Bucket=bucket, Key="k")["Body"].read() == b"bytes"
    assert s3.get_bucket_cors(Bucket=bucket)["CORSRules"]
