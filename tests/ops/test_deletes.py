"""DeleteObjects: many keys in one document, and what a document may not be."""

from base64 import b64encode
from collections.abc import Callable
from hashlib import md5
from typing import Any

import pytest

from ops.conftest import Send

Refusal = Callable[..., tuple[str, int]]
NAMESPACE = 'xmlns="http://s3.amazonaws.com/doc/2006-03-01/"'


def document(*keys: str, inside: str = "") -> bytes:
    objects = "".join(f"<Object><Key>{key}</Key></Object>" for key in keys)
    return f"<Delete {NAMESPACE}>{inside}{objects}</Delete>".encode()


@pytest.fixture
def delete(raw: Send, bucket: str) -> Callable[[bytes], Any]:
    """Post a document as it is, with its MD5."""

    def post(body: bytes) -> Any:
        return raw("POST", f"/{bucket}?delete", body, {"Content-MD5": b64encode(md5(body).digest()).decode()})

    return post


def keys_in(s3: Any, bucket: str) -> list[str]:
    return [entry["Key"] for entry in s3.list_objects_v2(Bucket=bucket).get("Contents", ())]


def test_named_keys_are_removed_and_told(s3: Any, bucket: str) -> None:
    """Each key is answered once, those that were not there as well; others stay."""
    for key in ("a", "b", "媒", "stays"):
        s3.put_object(Bucket=bucket, Key=key)
    asked = {"Objects": [{"Key": key} for key in ("a", "b", "媒", "none")]}
    answer = s3.delete_objects(Bucket=bucket, Delete=asked)
    assert [entry["Key"] for entry in answer["Deleted"]] == ["a", "b", "媒", "none"]
    assert "Errors" not in answer
    assert keys_in(s3, bucket) == ["stays"]


def test_quiet_tells_only_errors(s3: Any, bucket: str) -> None:
    """In quiet mode what went well is not mentioned, what did not is."""
    s3.put_object(Bucket=bucket, Key="a")
    s3.put_object(Bucket=bucket, Key="b")
    asked = {
        "Quiet": True,
        "Objects": [{"Key": "a"}, {"Key": "b", "VersionId": "3sL4kqtJlcpXroDTDmJ-rmSpXd3dIbrH"}],
    }
    answer = s3.delete_objects(Bucket=bucket, Delete=asked)
    assert "Deleted" not in answer
    assert [(entry["Key"], entry["Code"]) for entry in answer["Errors"]] == [("b", "NoSuchVersion")]
    assert keys_in(s3, bucket) == ["b"]


def test_one_refusal_does_not_spare_the_same_key_elsewhere(s3: Any, bucket: str) -> None:
    """Every entry is answered for itself, also where a key is named twice."""
    s3.put_object(Bucket=bucket, Key="a")
    asked = {"Objects": [{"Key": "a", "VersionId": "3sL4kqtJlcpXroDTDmJ-rmSpXd3dIbrH"}, {"Key": "a"}]}
    answer = s3.delete_objects(Bucket=bucket, Delete=asked)
    assert [entry["Code"] for entry in answer["Errors"]] == ["NoSuchVersion"]
    assert [entry["Key"] for entry in answer["Deleted"]] == ["a"]
    assert keys_in(s3, bucket) == []


def test_the_version_that_there_is_may_be_named(s3: Any, bucket: str) -> None:
    """`null` is the version of an object in a bucket that keeps none."""
    s3.put_object(Bucket=bucket, Key="a")
    s3.delete_objects(Bucket=bucket, Delete={"Objects": [{"Key": "a", "VersionId": "null"}]})
    assert keys_in(s3, bucket) == []


def test_conditions_are_refused_not_ignored(s3: Any, bucket: str) -> None:
    """An entry with a condition that is not evaluated is an error and removes nothing."""
    s3.put_object(Bucket=bucket, Key="a")
    answer = s3.delete_objects(Bucket=bucket, Delete={"Objects": [{"Key": "a", "ETag": '"other"'}]})
    assert [entry["Code"] for entry in answer["Errors"]] == ["NotImplemented"]
    assert keys_in(s3, bucket) == ["a"]


def test_a_thousand_keys_and_no_more(s3: Any, delete: Callable[[bytes], Any], bucket: str) -> None:
    """1,000 keys are taken; 1,001 and none are MalformedXML."""
    s3.put_object(Bucket=bucket, Key="k1000")
    names = [f"k{n}" for n in range(1001)]
    assert delete(document(*names)).code == "MalformedXML"
    assert delete(document()).code == "MalformedXML"
    assert keys_in(s3, bucket) == ["k1000"]
    answer = delete(document(*names[1:]))
    assert (answer.status, answer.body.count(b"<Deleted>")) == (200, 1000)
    assert keys_in(s3, bucket) == []


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"not xml",
        b"<Delete><Object><Key>k</Key></Object>",
        b"<Remove><Object><Key>k</Key></Object></Remove>",
        b"<Delete><Object></Object></Delete>",
        b"<Delete><Object><Key>k</Key><Key>l</Key></Object></Delete>",
        b"<Delete><Object><Key><b>k</b></Key></Object></Delete>",
        b"<Delete><Quiet>perhaps</Quiet><Object><Key>k</Key></Object></Delete>",
        b"<Delete><Object><Key>k</Key><Unknown>x</Unknown></Object></Delete>",
        b"<Delete><Object><Key>k\xff</Key></Object></Delete>",
        b'<?xml version="1.0" encoding="no-such"?><Delete><Object><Key>k</Key></Object></Delete>',
        b'<?xml version="1.0" encoding="rot13"?><Delete><Object><Key>k</Key></Object></Delete>',
        b"<a>" * 40 + b"</a>" * 40,
    ],
    ids=range(13),
)
def test_a_document_that_is_none(s3: Any, delete: Callable[[bytes], Any], bucket: str, body: bytes) -> None:
    """Whatever is not a Delete document is MalformedXML, and nothing is removed."""
    s3.put_object(Bucket=bucket, Key="k")
    answer = delete(body)
    assert (answer.status, answer.code) == (400, "MalformedXML")
    assert keys_in(s3, bucket) == ["k"]


@pytest.mark.parametrize(
    "declared",
    [
        '<!ENTITY x "k">',
        '<!ENTITY x SYSTEM "file:///etc/passwd">',
        '<!ENTITY a "aaaaaaaaaa"><!ENTITY x "&a;&a;&a;&a;&a;&a;&a;&a;&a;&a;">',
        '<!ENTITY % x SYSTEM "http://127.0.0.1/x">',
    ],
)
def test_entities_are_not_expanded(delete: Callable[[bytes], Any], declared: str) -> None:
    """A document type is refused before any entity is looked at."""
    body = f"<!DOCTYPE Delete [{declared}]>".encode() + document("&x;")
    assert delete(body).code == "MalformedXML"


def test_a_document_too_long(raw: Send, delete: Callable[[bytes], Any], bucket: str) -> None:
    """A document has a limit of its own, whatever objects may measure."""
    answer = delete(document("k") + b" " * (5 * 1024 * 1024))
    assert (answer.status, answer.code) == (400, "MaxMessageLengthExceeded")


def test_a_document_that_was_damaged(s3: Any, raw: Send, bucket: str) -> None:
    """A document whose MD5 does not match is BadDigest, and nothing is removed."""
    s3.put_object(Bucket=bucket, Key="k")
    wrong = {"Content-MD5": b64encode(md5(b"other").digest()).decode()}
    assert raw("POST", f"/{bucket}?delete", document("k"), wrong).code == "BadDigest"
    assert keys_in(s3, bucket) == ["k"]


def test_keys_are_read_as_xml_writes_them(s3: Any, delete: Callable[[bytes], Any], bucket: str) -> None:
    """References and CDATA are resolved; white space belongs to the key."""
    for key in ("a&b<c>", " sp ", "line\rend", "x]y"):
        s3.put_object(Bucket=bucket, Key=key)
    body = document("a&amp;b&lt;c&gt;", " sp ", "line&#13;end", "<![CDATA[x]y]]>")
    assert delete(b"\xef\xbb\xbf" + body).status == 200
    assert keys_in(s3, bucket) == []


def test_prefixed_namespaces_are_understood(s3: Any, delete: Callable[[bytes], Any], bucket: str) -> None:
    """With a prefix, with the default namespace, or with none, a document is the same."""
    s3.put_object(Bucket=bucket, Key="k")
    uri = "http://s3.amazonaws.com/doc/2006-03-01/"
    body = f'<a:Delete xmlns:a="{uri}"><a:Object><a:Key>k</a:Key></a:Object></a:Delete>'
    assert delete(body.encode()).status == 200
    assert keys_in(s3, bucket) == []


def test_strangers_remove_nothing(s3: Any, alice: Any, bucket: str, refusal: Refusal) -> None:
    """Without WRITE on the bucket the whole document is refused."""
    s3.put_object(Bucket=bucket, Key="k")
    asked = {"Objects": [{"Key": "k"}]}
    assert refusal(alice.delete_objects, Bucket=bucket, Delete=asked) == ("AccessDenied", 403)
    assert keys_in(s3, bucket) == ["k"]
