"""Whatever botocore signs, in each of its four ways, is accepted as it was signed, and in no other form."""

from dataclasses import replace

import pytest

from auth.oracle import (
    CREDENTIAL,
    FOUR_WAYS,
    NOW_S,
    SECRET,
    V2_WAYS,
    V4_WAYS,
    Call,
    sign,
    verify,
    with_headers,
    with_query,
)
from meiku import errors
from meiku.auth import Credential

KEYS = [
    "a.png",
    "媒体/图片 1.png",
    "a+b.txt",
    "100%.txt",
    "a%2Fb",
    "x//y",
    "//x",
    "../up/./z",
    "~-._",
    "!'()*;:@&=$,?#[]",
    "ü\u3000ñ😀",
    " lead and trail ",
]
QUERIES = [
    "versionId=3%2FL%2Bx",
    "partNumber=2&uploadId=2~abc",
    "acl",
    "response-content-disposition=attachment%3B%20filename%3D%22%E5%9B%BE.png%22&response-content-type=a%2Fb",
    "append&position=10",
    "tagging&versionId=null",
    "response-cache-control=",
    "acl&response-cache-control=&response-content-type=a%2Fb&versionId=",
]
HEADERS = [
    (("Content-Type", "image/png"),),
    (("x-amz-meta-a", "  v   w "), ("x-amz-meta-b", "=?UTF-8?B?5Zu+?="), ("x-amz-acl", "public-read")),
    (("Content-MD5", "1B2M2Y8AsgTpgAmY7PhCfg=="), ("Content-Type", "text/plain; charset=utf-8")),
    (("x-amz-meta-name", "图 片"),),
]


@pytest.mark.parametrize("key", KEYS)
@pytest.mark.parametrize("way", FOUR_WAYS)
def test_any_key_is_accepted(way: str, key: str) -> None:
    """No character of a key breaks a signature."""
    verify(sign(way, Call(key=key)))


@pytest.mark.parametrize("query", QUERIES)
@pytest.mark.parametrize("way", FOUR_WAYS)
def test_subresources_and_overrides_are_accepted(way: str, query: str) -> None:
    """Sub-resources and response-* overrides are signed as botocore signs them."""
    verify(sign(way, Call(query=query)))


@pytest.mark.parametrize("headers", HEADERS)
@pytest.mark.parametrize("way", FOUR_WAYS)
def test_signed_headers_are_accepted(way: str, headers: tuple[tuple[str, str], ...]) -> None:
    """Standard, metadata and ACL headers are signed as botocore signs them."""
    verify(sign(way, Call(method="PUT", headers=headers, body=b"x")))


@pytest.mark.parametrize("method", ["GET", "PUT", "POST", "HEAD", "DELETE"])
@pytest.mark.parametrize("way", FOUR_WAYS)
def test_any_method_is_accepted(way: str, method: str) -> None:
    """The method is signed as it is sent."""
    verify(sign(way, Call(method=method)))


@pytest.mark.parametrize("way", FOUR_WAYS)
def test_session_token_is_accepted(way: str) -> None:
    """Temporary credentials verify with their token, wherever it travels."""
    credential = replace(CREDENTIAL, session_token="to/k+en==", expires_at_s=int(NOW_S) + 1)
    verify(sign(way, Call(token="to/k+en==")), credential)


@pytest.mark.parametrize("way", FOUR_WAYS)
def test_wrong_secret_is_refused(way: str) -> None:
    """Another secret key does not verify."""
    with pytest.raises(errors.SignatureDoesNotMatch):
        verify(sign(way, Call()), Credential(CREDENTIAL.access_key, "another", "user"))


@pytest.mark.parametrize("way", FOUR_WAYS)
def test_changed_method_is_refused(way: str) -> None:
    """A signature is good for one method."""
    with pytest.raises(errors.SignatureDoesNotMatch):
        verify(replace(sign(way, Call()), method="DELETE"))


@pytest.mark.parametrize(
    "path", ["/bucket/b.png", "/other/a.png", "/bucket/a.png/", "/bucket//a.png", "/bucket"]
)
@pytest.mark.parametrize("way", FOUR_WAYS)
def test_changed_path_is_refused(way: str, path: str) -> None:
    """A signature is good for one object."""
    with pytest.raises(errors.SignatureDoesNotMatch):
        verify(replace(sign(way, Call()), raw_path=path))


@pytest.mark.parametrize(
    "added",
    [
        "acl",
        "versionId=1",
        "uploads",
        "delete",
        "response-content-type=text%2Fhtml",
        "style",
        "style&styleName=a",
        "processConfiguration",
    ],
)
@pytest.mark.parametrize("way", FOUR_WAYS)
def test_added_subresource_is_refused(way: str, added: str) -> None:
    """What turns a request into another operation cannot be added to a signed one."""
    request = sign(way, Call())
    joined = f"{request.query_string}&{added}" if request.query_string else added
    with pytest.raises(errors.SignatureDoesNotMatch):
        verify(with_query(request, joined))


@pytest.mark.parametrize("way", FOUR_WAYS)
def test_removed_subresource_is_refused(way: str) -> None:
    """A signed sub-resource cannot be taken away."""
    request = sign(way, Call(query="versionId=7"))
    with pytest.raises(errors.SignatureDoesNotMatch):
        verify(with_query(request, request.query_string.replace("versionId=7", "").strip("&")))


@pytest.mark.parametrize("value", [None, "image/gif"])
@pytest.mark.parametrize("way", FOUR_WAYS)
def test_changed_content_type_is_refused(way: str, value: str | None) -> None:
    """A Content-Type that was signed must be sent as it was; a V2 URL says it itself."""
    request = sign(way, Call(method="PUT", headers=(("Content-Type", "image/png"),)))
    if way == "v2-query" and value is None:
        verify(with_headers(request, content_type=value))
        return
    with pytest.raises(errors.SignatureDoesNotMatch):
        verify(with_headers(request, content_type=value))


@pytest.mark.parametrize("way", FOUR_WAYS)
def test_changed_amz_header_is_refused(way: str) -> None:
    """A signed x-amz-* header must be sent with its value."""
    request = sign(way, Call(method="PUT", headers=(("x-amz-meta-a", "1"),)))
    with pytest.raises(errors.SignatureDoesNotMatch):
        verify(with_headers(request, x_amz_meta_a="2"))


@pytest.mark.parametrize("way", V4_WAYS)
def test_added_amz_header_is_refused_by_name_in_v4(way: str) -> None:
    """A header that changes the meaning of a request must be among those signed; the refusal names it."""
    with pytest.raises(errors.AccessDenied) as caught:
        verify(with_headers(sign(way, Call()), x_amz_acl="public-read"))
    assert caught.value.detail["HeadersNotSigned"] == "x-amz-acl"


@pytest.mark.parametrize("way", V2_WAYS)
def test_added_amz_header_is_refused_in_v2(way: str) -> None:
    """V2 signs all x-amz-* headers there are, so that an added one breaks the signature."""
    with pytest.raises(errors.SignatureDoesNotMatch):
        verify(with_headers(sign(way, Call()), x_amz_acl="public-read"))


def test_amz_parameter_added_to_a_v2_url_is_refused() -> None:
    """The SDKs write headers into the query of a V2 URL: there too they must have been signed."""
    request = sign("v2-query", Call(method="PUT"))
    with pytest.raises(errors.SignatureDoesNotMatch):
        verify(with_query(request, f"{request.query_string}&x-amz-acl=public-read"))


@pytest.mark.parametrize("way", V4_WAYS)
def test_changed_host_is_refused_in_v4(way: str) -> None:
    """A signature is good for one host, unless the other is one of our public names."""
    request = sign(way, Call())
    moved = replace(with_headers(request, host="127.0.0.1:8000"), host="127.0.0.1:8000")
    with pytest.raises(errors.SignatureDoesNotMatch):
        verify(moved)
    verify(moved, public_hosts=("other.example.com", request.host))


@pytest.mark.parametrize("way", FOUR_WAYS)
@pytest.mark.parametrize("secret", ["", " ", "密钥", "x" * 500])
def test_any_secret_is_accepted(way: str, secret: str) -> None:
    """A secret key may be any text."""
    verify(sign(way, Call(), secret=secret), replace(CREDENTIAL, secret_key=secret))


@pytest.mark.parametrize("way", FOUR_WAYS)
def test_changed_signature_is_refused(way: str) -> None:
    """One other character in the signature is enough."""
    request = sign(way, Call())
    if way.endswith("header"):
        text = request.headers["authorization"]
        changed = with_headers(
            request, authorization=text[:-3] + ("A" if text[-3] != "A" else "B") + text[-2:]
        )
    else:
        pairs = [
            (n, f"0{v[1:]}" if v[0] != "0" else f"1{v[1:]}") if n.endswith("Signature") else (n, v)
            for n, v in request.query
        ]
        changed = replace(request, query=tuple(pairs))
    with pytest.raises(errors.SignatureDoesNotMatch):
        verify(changed)
    assert SECRET not in repr(CREDENTIAL)
