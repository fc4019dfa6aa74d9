"""V4's own rules: time, coverage, the two readings of a path, the payload."""

from dataclasses import replace

import pytest
from botocore import auth
from botocore.awsrequest import AWSRequest
from botocore.credentials import Credentials

from auth.oracle import (
    ACCESS_KEY,
    HOST,
    NOW_S,
    SECRET,
    V4_WAYS,
    Call,
    seen,
    sign,
    verify,
    with_headers,
    with_query,
)
from meiku import errors
from meiku.auth import SignedRequest
from meiku.signing import (
    canonical_request_v4,
    join_canonical_v4,
    scope_v4,
    signature_v4,
    signing_key_v4,
    string_to_sign_v4,
)
from meiku.signing.v4 import EMPTY_SHA256

TIMESTAMP = "20240102T030405Z"


def hand_signed(
    path: str, canonical_query: str = "", *, query_string: str = "", payload_hash: str = EMPTY_SHA256
) -> SignedRequest:
    """Sign what a client may have meant: any text as the canonical path and query."""
    headers = {"host": HOST, "x-amz-date": TIMESTAMP, "x-amz-content-sha256": payload_hash}
    canonical = join_canonical_v4("GET", path, canonical_query, headers, list(headers), payload_hash)
    scope = scope_v4("20240102", "default")
    key = signing_key_v4(SECRET, "20240102", "default")
    signature = signature_v4(key, string_to_sign_v4(TIMESTAMP, scope, canonical))
    proof = f"AWS4-HMAC-SHA256 Credential={ACCESS_KEY}/{scope}, SignedHeaders={';'.join(sorted(headers))}, "
    headers["authorization"] = f"{proof}Signature={signature}"
    return seen("GET", f"http://{HOST}{path}{'?' if query_string else ''}{query_string}", headers)


@pytest.mark.parametrize("region", ["us-east-1", "cn-north-1", "default", "", "华东"])
def test_any_region_is_accepted(region: str) -> None:
    """The service has no region of its own, so that the client's is as good as any."""
    request = AWSRequest(method="GET", url=f"http://{HOST}/b/k")
    auth.S3SigV4Auth(Credentials(ACCESS_KEY, SECRET), "s3", region).add_auth(request)
    verify(seen("GET", request.url, {name.lower(): value for name, value in request.headers.items()}))


@pytest.mark.parametrize("seconds", [-900, 900])
def test_a_clock_within_15_minutes_is_accepted(seconds: int) -> None:
    """Fifteen minutes either way are tolerated."""
    verify(sign("v4-header", Call()), now_s=NOW_S + seconds)


@pytest.mark.parametrize("seconds", [-901, 901])
def test_a_clock_further_away_is_refused(seconds: int) -> None:
    """Beyond 15 minutes the refusal tells both times and the limit."""
    with pytest.raises(errors.RequestTimeTooSkewed) as caught:
        verify(sign("v4-header", Call()), now_s=NOW_S + seconds)
    assert caught.value.detail["RequestTime"] == TIMESTAMP
    assert caught.value.detail["MaxAllowedSkewMilliseconds"] == "900000"
    assert str(caught.value.detail["ServerTime"]).startswith("2024-01-02T0")


def test_a_url_is_good_until_its_last_second() -> None:
    """A V4 URL of 300 seconds is accepted 300 seconds later, and refused as expired after that."""
    request = sign("v4-query", Call())
    verify(request, now_s=NOW_S + 300)
    with pytest.raises(errors.AccessDenied, match="Request has expired") as caught:
        verify(request, now_s=NOW_S + 301)
    assert caught.value.detail == {
        "X-Amz-Expires": "300",
        "Expires": "2024-01-02T03:09:05Z",
        "ServerTime": "2024-01-02T03:09:06Z",
    }


def test_a_url_of_the_future_is_refused() -> None:
    """A V4 URL that was signed more than 15 minutes from now is not yet valid."""
    verify(sign("v4-query", Call()), now_s=NOW_S - 900)
    with pytest.raises(errors.AccessDenied, match="not yet valid"):
        verify(sign("v4-query", Call()), now_s=NOW_S - 901)


def test_the_host_must_be_signed() -> None:
    """A signature that leaves the host out would be good on any server."""
    headers = {"x-amz-date": TIMESTAMP, "x-amz-content-sha256": EMPTY_SHA256}
    canonical = canonical_request_v4("GET", "/b/k", [], headers, list(headers), EMPTY_SHA256)
    scope = scope_v4("20240102", "r")
    signature = signature_v4(
        signing_key_v4(SECRET, "20240102", "r"), string_to_sign_v4(TIMESTAMP, scope, canonical)
    )
    headers["authorization"] = (
        f"AWS4-HMAC-SHA256 Credential={ACCESS_KEY}/{scope}, SignedHeaders=x-amz-content-sha256;x-amz-date, "
        f"Signature={signature}"
    )
    with pytest.raises(errors.AccessDenied) as caught:
        verify(seen("GET", f"http://{HOST}/b/k", headers))
    assert caught.value.detail["HeadersNotSigned"] == "host"


def test_a_header_that_the_signed_query_repeats_is_covered() -> None:
    """What the pipeline copies from a URL's signed query into the headers is not unsigned."""
    request = sign("v4-query", Call(method="PUT", query="x-amz-acl=public-read"))
    verify(with_headers(request, x_amz_acl="public-read"))
    with pytest.raises(errors.AccessDenied, match="not signed"):
        verify(with_headers(request, x_amz_acl="private"))


@pytest.mark.parametrize("way", V4_WAYS)
def test_the_source_of_what_is_processed_must_be_signed(way: str) -> None:
    """ZOS's header says whose bytes are read, as x-amz-copy-source does: it is covered or refused."""
    source = (("x-zos-process-source", "/bucket/a.png"),)
    verify(sign(way, Call(method="POST", query="x-zos-process", headers=source)))
    bare = sign(way, Call(method="POST", query="x-zos-process"))
    with pytest.raises(errors.AccessDenied) as caught:
        verify(with_headers(bare, x_zos_process_source="/bucket/b.png"))
    assert caught.value.detail["HeadersNotSigned"] == "x-zos-process-source"


@pytest.mark.parametrize("value", ["UNSIGNED-PAYLOAD", EMPTY_SHA256])
def test_a_url_may_come_with_an_unsigned_payload_hash(value: str) -> None:
    """A URL is made before the body is known, so the header that tells its hash may be added later."""
    verify(with_headers(sign("v4-query", Call(method="PUT")), x_amz_content_sha256=value))


@pytest.mark.parametrize("name", ["x-amz-content-sha256", "X-Amz-Content-Sha256"])
def test_a_url_may_carry_its_payload_hash(name: str) -> None:
    """Some SDKs write the payload's hash into the query of the URL; then it is checked."""
    digest = "ab" * 32
    request = sign("v4-query", Call(method="PUT", query=f"{name}={digest}"))
    assert verify(request).sha256 == digest


def test_a_header_signed_request_must_tell_its_payload_hash() -> None:
    """Without x-amz-content-sha256 nobody knows what was signed."""
    with pytest.raises(errors.InvalidRequest, match="x-amz-content-sha256"):
        verify(with_headers(sign("v4-header", Call()), x_amz_content_sha256=None))


def test_the_path_is_accepted_as_sent() -> None:
    """A client that signs the path as it sends it is right, even where V4 would encode it otherwise."""
    verify(hand_signed("/bucket/a!b'c(d)*e"))
    verify(hand_signed("/bucket/%e5%aa%92"))


@pytest.mark.parametrize("signed", ["prefix=a%20b", "prefix=a%2Bb"])
def test_a_plus_in_the_query_is_accepted_in_both_meanings(signed: str) -> None:
    """Clients do not agree whether '+' is a space; either reading verifies."""
    verify(hand_signed("/bucket", signed, query_string="prefix=a+b"))


def test_the_date_header_stands_in_for_x_amz_date() -> None:
    """A client that sends only Date has signed that moment."""
    request = AWSRequest(method="GET", url=f"http://{HOST}/b/k", headers={"Date": "x"})
    auth.S3SigV4Auth(Credentials(ACCESS_KEY, SECRET), "s3", "r").add_auth(request)
    headers = {name.lower(): value for name, value in request.headers.items()}
    assert "x-amz-date" not in headers
    verify(seen("GET", request.url, headers))


def test_a_process_parameter_must_be_signed_in_v4() -> None:
    """V4 signs every parameter, so that nothing may be appended to a finished URL."""
    request = sign("v4-query", Call())
    with pytest.raises(errors.SignatureDoesNotMatch):
        verify(with_query(request, f"{request.query_string}&x-zos-process=image/resize,w_9"))


def test_a_host_style_request_verifies_by_its_public_name() -> None:
    """Behind a proxy that renames the host, the bucket still stands before the public name."""
    request = AWSRequest(method="GET", url="http://bucket.media.example.com/k")
    auth.S3SigV4Auth(Credentials(ACCESS_KEY, SECRET), "s3", "r").add_auth(request)
    outer = seen("GET", request.url, {name.lower(): value for name, value in request.headers.items()})
    inner = replace(with_headers(outer, host="bucket.inner:80"), host="bucket.inner:80", bucket="bucket")
    with pytest.raises(errors.SignatureDoesNotMatch):
        verify(inner, public_hosts=("other.example.com",))
    verify(inner, public_hosts=("other.example.com", "media.example.com"))
