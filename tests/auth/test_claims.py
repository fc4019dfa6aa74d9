"""Which proof a request carries, and the refusals before any key is looked up."""

from dataclasses import replace

import pytest

from auth.oracle import FOUR_WAYS, Call, seen, sign, with_headers, with_query
from meiku import errors
from meiku.auth import claim_of

V4_NAMES = ["X-Amz-Algorithm", "X-Amz-Credential", "X-Amz-Date", "X-Amz-Expires", "X-Amz-SignedHeaders"]


def test_a_request_without_proof_is_anonymous() -> None:
    """No Authorization header and no signature in the query: nobody claims anything."""
    assert claim_of(seen("GET", "http://h/b/k?prefix=a&Expires=1", {})) is None
    assert claim_of(seen("GET", "http://h/b/k", {})) is None


@pytest.mark.parametrize("way", FOUR_WAYS)
def test_a_claim_tells_key_token_and_place(way: str) -> None:
    """Each of the four ways names its access key, its session token, and whether it is a URL."""
    claim = claim_of(sign(way, Call(token="tok+en")))
    assert claim is not None
    assert claim.access_key == "AKIAIOSFODNN7EXAMPLE"
    assert claim.session_token == "tok+en"
    assert claim.presigned is way.endswith("query")


@pytest.mark.parametrize("second", ["v4-query", "v2-query"])
@pytest.mark.parametrize("first", ["v4-header", "v2-header"])
def test_header_and_query_together_are_refused(first: str, second: str) -> None:
    """Two mechanisms in one request are InvalidArgument: which of them should count?"""
    authorization = sign(first, Call()).headers["authorization"]
    with pytest.raises(errors.InvalidArgument, match="Only one"):
        claim_of(with_headers(sign(second, Call()), authorization=authorization))


def test_both_versions_in_one_query_are_refused() -> None:
    """A URL that is signed twice is InvalidArgument."""
    both = f"{sign('v4-query', Call()).query_string}&{sign('v2-query', Call()).query_string}"
    with pytest.raises(errors.InvalidArgument, match="Only one"):
        claim_of(seen("GET", f"http://h/b/k?{both}", {}))


@pytest.mark.parametrize(
    "value", ["", "AWS", "Bearer s3cr3t-token", "Basic dTpw", "AWS4-ECDSA-P256-SHA256 x"]
)
def test_other_authorization_is_refused_without_repeating_it(value: str) -> None:
    """Another scheme is InvalidArgument, and what may be a password is not in the answer."""
    with pytest.raises(errors.InvalidArgument) as caught:
        claim_of(seen("GET", "http://h/b/k", {"authorization": value}))
    assert "s3cr3t-token" not in f"{caught.value.message}{caught.value.detail}"


@pytest.mark.parametrize("value", ["AWS ", "AWS AK", "AWS :sig", "AWS AK:"])
def test_malformed_v2_header_is_refused(value: str) -> None:
    """A V2 header without key or signature is InvalidArgument."""
    request = seen("GET", "http://h/b/k", {"authorization": value, "date": "Tue, 02 Jan 2024 03:04:05 GMT"})
    with pytest.raises(errors.InvalidArgument):
        claim_of(request)


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("/s3/", "/ec2/"),
        ("aws4_request", "aws3_request"),
        ("/20240102/", "/20240101/"),
        ("/20240102/", "/"),
        ("Signature=", "Sig="),
        ("SignedHeaders=", "Headers="),
        ("Credential=AKIAIOSFODNN7EXAMPLE", "Credential="),
        ("/ap-east-1/", f"/{'x' * 65}/"),
    ],
)
def test_malformed_v4_header_is_refused(old: str, new: str) -> None:
    """A part that is missing or wrong in the V4 header is AuthorizationHeaderMalformed."""
    request = sign("v4-header", Call())
    changed = request.headers["authorization"].replace(old, new)
    assert changed != request.headers["authorization"]
    with pytest.raises(errors.AuthorizationHeaderMalformed):
        claim_of(with_headers(request, authorization=changed))


def test_v4_header_parts_may_stand_apart_or_not() -> None:
    """Clients write the parts with and without a space between them."""
    request = sign("v4-header", Call())
    tight = request.headers["authorization"].replace(", ", ",")
    assert claim_of(with_headers(request, authorization=tight)) == replace(
        claim_of(request), request=with_headers(request, authorization=tight)
    )


@pytest.mark.parametrize("name", V4_NAMES)
def test_missing_v4_parameter_is_named(name: str) -> None:
    """A V4 URL that lacks a parameter is AuthorizationQueryParametersError and says which."""
    request = sign("v4-query", Call())
    rest = "&".join(part for part in request.query_string.split("&") if not part.startswith(name))
    with pytest.raises(errors.AuthorizationQueryParametersError, match=name):
        claim_of(with_query(request, rest))


@pytest.mark.parametrize("name", [*V4_NAMES, "X-Amz-Signature", "x-amz-signature"])
def test_repeated_v4_parameter_is_refused(name: str) -> None:
    """A parameter given twice, in whatever case, leaves open which of them counts."""
    request = sign("v4-query", Call())
    with pytest.raises(errors.AuthorizationQueryParametersError, match="more than once"):
        claim_of(with_query(request, f"{request.query_string}&{name}=1"))


@pytest.mark.parametrize("expires", ["0", "604801", "-1", "1.5", "x", "９", "9" * 5000])
def test_v4_expires_must_be_within_a_week(expires: str) -> None:
    """X-Amz-Expires is a whole number of seconds from 1 to 604800."""
    request = sign("v4-query", Call())
    with pytest.raises(errors.AuthorizationQueryParametersError, match="X-Amz-Expires"):
        claim_of(
            with_query(request, request.query_string.replace("X-Amz-Expires=300", f"X-Amz-Expires={expires}"))
        )


@pytest.mark.parametrize(
    "date", ["20240102", "20241302T030405Z", "20240102T250405Z", "２0240102T030405Z", "+0240102T030405Z"]
)
def test_malformed_v4_dates_are_refused(date: str) -> None:
    """A moment that no calendar has is refused, in the header and in the URL."""
    url = sign("v4-query", Call())
    with pytest.raises(errors.AuthorizationQueryParametersError):
        claim_of(with_query(url, url.query_string.replace("20240102T030405Z", date)))
    with pytest.raises(errors.AccessDenied, match="x-amz-date"):
        claim_of(with_headers(sign("v4-header", Call()), x_amz_date=date))


@pytest.mark.parametrize("name", ["AWSAccessKeyId", "Signature", "Expires"])
def test_missing_v2_parameter_is_named(name: str) -> None:
    """A V2 URL that lacks a parameter is AccessDenied and says which."""
    request = sign("v2-query", Call())
    rest = "&".join(part for part in request.query_string.split("&") if not part.startswith(name))
    with pytest.raises(errors.AccessDenied, match=f"missing: {name}"):
        claim_of(with_query(request, rest))


@pytest.mark.parametrize("way", ["v2-header", "v4-header"])
def test_a_request_without_a_date_is_refused(way: str) -> None:
    """A signed request that does not say when it was signed is AccessDenied."""
    with pytest.raises(errors.AccessDenied, match="valid Date"):
        claim_of(with_headers(sign(way, Call()), date=None, x_amz_date=None))
