"""V2's own rules: time, resource, the parameters that are outside the signature."""

from dataclasses import replace

import pytest

from auth.oracle import (
    ACCESS_KEY,
    CREDENTIAL,
    HOST,
    NOW_S,
    SECRET,
    Call,
    seen,
    sign,
    verify,
    with_headers,
    with_query,
)
from meiku import errors
from meiku.auth import Credential, SignedRequest
from meiku.signing import signature_v2, string_to_sign_v2

DATE = "Tue, 02 Jan 2024 03:04:05 GMT"


def hand_signed(
    resource: str, *, path: str, headers: dict[str, str] | None = None, date: str = DATE
) -> SignedRequest:
    """Sign any resource and date, and send any path."""
    sent = {"date": DATE} if headers is None else headers
    signature = signature_v2(SECRET, string_to_sign_v2("GET", resource, [], sent, date=date))
    return seen("GET", f"http://{HOST}{path}", {**sent, "authorization": f"AWS {ACCESS_KEY}:{signature}"})


def test_reference_vector_is_accepted() -> None:
    """The worked V2 URL of the reference verifies."""
    query = "AWSAccessKeyId=testak&Expires=1900000000&Signature=6MKyGqqYf7QeSI3qeYnc426llck%3D"
    verify(seen("GET", f"http://h/demo/a.png?{query}", {}), Credential("testak", "testsk", "u"))


def test_a_url_is_good_until_its_last_second() -> None:
    """A V2 URL is refused as expired once its Expires is over, and says when that was."""
    request = sign("v2-query", Call())
    verify(request, now_s=NOW_S + 300)
    with pytest.raises(errors.AccessDenied, match="Request has expired") as caught:
        verify(request, now_s=NOW_S + 301)
    assert caught.value.detail == {"Expires": "2024-01-02T03:09:05Z", "ServerTime": "2024-01-02T03:09:06Z"}


@pytest.mark.parametrize("seconds", [-901, 901])
def test_a_clock_beyond_15_minutes_is_refused(seconds: int) -> None:
    """The Date header may be 15 minutes from our clock."""
    verify(sign("v2-header", Call()), now_s=NOW_S + seconds // 901 * 900)
    with pytest.raises(errors.RequestTimeTooSkewed) as caught:
        verify(sign("v2-header", Call()), now_s=NOW_S + seconds)
    assert caught.value.detail["RequestTime"] == DATE


@pytest.mark.parametrize("value", [DATE, "20240102T030405Z"])
def test_x_amz_date_takes_the_place_of_date(value: str) -> None:
    """Browsers cannot set Date: where x-amz-date is sent, the date line is empty."""
    headers = {"date": "Mon, 01 Jan 2001 00:00:00 GMT", "x-amz-date": value}
    verify(hand_signed("/b/k", path="/b/k", headers=headers, date=""))


@pytest.mark.parametrize(
    "name", ["x-amz-process", "x-oss-process", "x-zos-process", "x-amz-limitrate", "foo"]
)
def test_process_parameters_may_be_appended(name: str) -> None:
    """The product appends image processing to a finished V2 URL; it and other parameters are not signed."""
    request = sign("v2-query", Call())
    verify(with_query(request, f"{request.query_string}&{name}=image/resize,w_100"))


def test_a_hoisted_limit_rate_is_not_signed_either() -> None:
    """The same parameter, copied into the headers by the pipeline, does not break the signature."""
    request = sign("v2-query", Call())
    hoisted = with_query(request, f"{request.query_string}&x-amz-limitrate=100")
    verify(with_headers(hoisted, x_amz_limitrate="100"))


def test_a_limit_rate_may_be_signed() -> None:
    """A client that signs the parameter as the header that it is, is right as well."""
    verify(sign("v2-query", Call(headers=(("x-amz-limitrate", "100"),))))


@pytest.mark.parametrize("query", ["append&position=0", "position=7&append"])
def test_append_is_accepted_signed_or_unsigned(query: str) -> None:
    """Ceph's clients sign append and position, others know nothing of them."""
    verify(sign("v2-header", Call(method="PUT", query=query)))  # botocore does not sign them
    pairs = [("append", ""), ("position", query.split("position=")[1].split("&")[0])]
    signature = signature_v2(SECRET, string_to_sign_v2("PUT", "/b/k", pairs, {}, date=DATE))
    headers = {"date": DATE, "authorization": f"AWS {ACCESS_KEY}:{signature}"}
    verify(seen("PUT", f"http://{HOST}/b/k?{query}", headers))


@pytest.mark.parametrize(("path", "resource"), [("/k/%20x", "/bucket/k/%20x"), ("/", "/bucket/")])
def test_host_style_resource_names_the_bucket(path: str, resource: str) -> None:
    """The bucket in the host stands before the path in what V2 signs."""
    request = hand_signed(resource, path=path)
    verify(replace(request, bucket="bucket", host=f"bucket.{HOST}"))


def test_a_key_is_accepted_encoded_anew() -> None:
    """A client that signs %2A for a '*' that it sends as it is has signed the same key."""
    verify(hand_signed("/b/a%2Ab", path="/b/a*b"))


def test_an_unencoded_plus_in_the_signature_is_understood() -> None:
    """Base64 holds '+', which an unencoded query turns into a space; there is no other reading of it."""
    keys = (f"k{number}" for number in range(200))
    requests = (sign("v2-query", Call(key=key)) for key in keys)
    request = next(
        r for r in requests if "%2B" in dict(p.split("=") for p in r.query_string.split("&"))["Signature"]
    )
    verify(with_query(request, request.query_string.replace("%2B", "+")))


@pytest.mark.parametrize("expires", ["", "x", "1.5", "-1", "9" * 5000])
def test_expires_must_be_a_number(expires: str) -> None:
    """An Expires that is no count of seconds is AccessDenied."""
    request = sign("v2-query", Call())
    rest = [part for part in request.query_string.split("&") if not part.startswith("Expires=")]
    with pytest.raises(errors.AccessDenied, match="Expires"):
        verify(with_query(request, "&".join([*rest, f"Expires={expires}"])))


def test_a_repeated_parameter_is_refused() -> None:
    """Two values of Expires leave open which was signed."""
    request = sign("v2-query", Call())
    with pytest.raises(errors.InvalidArgument, match="more than once"):
        verify(with_query(request, f"{request.query_string}&Expires=9999999999"))


def test_the_signature_covers_expires() -> None:
    """A URL's life cannot be prolonged."""
    request = sign("v2-query", Call())
    expires = str(int(NOW_S) + 300)
    with pytest.raises(errors.SignatureDoesNotMatch):
        verify(with_query(request, request.query_string.replace(expires, "9999999999")), CREDENTIAL)
