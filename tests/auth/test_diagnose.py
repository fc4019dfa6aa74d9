"""A refused signature names the mistake that was made: one test for each hypothesis."""

from collections.abc import Callable
from dataclasses import replace
from itertools import count
from urllib.parse import quote

import pytest

from auth.oracle import (
    ACCESS_KEY,
    CREDENTIAL,
    FOUR_WAYS,
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
from meiku import errors, signing
from meiku.auth import Credential, SignedRequest, claim_of, diagnose
from meiku.auth.reading import ReadingV2, ReadingV4, first_v2, first_v4
from meiku.signing.v4 import EMPTY_SHA256

TIMESTAMP = "20240102T030405Z"
DATE = "Tue, 02 Jan 2024 03:04:05 GMT"
SCOPE = signing.scope_v4("20240102", "ap-east-1")
SIGNED_HEADERS = "content-type;host;x-amz-content-sha256;x-amz-date;accept-encoding"
SENT = {
    "content-type": "image/png",
    "content-md5": "1B2M2Y8AsgTpgAmY7PhCfg==",
    "accept-encoding": "br",
    "x-amz-meta-a": "v",
}


def refusal(request: SignedRequest, credential: Credential = CREDENTIAL) -> dict[str, str]:
    """Verify what must be refused, and answer what the refusal tells."""
    with pytest.raises(errors.SignatureDoesNotMatch) as caught:
        verify(request, credential)
    return {name: str(value) for name, value in caught.value.detail.items()}


def mistaken_v4(url: str, mistake: Callable[[ReadingV4], ReadingV4], secret: str = SECRET) -> SignedRequest:
    """Sign a mistaken reading of a request, and send the request as it is."""
    headers = {**SENT, "x-amz-date": TIMESTAMP, "x-amz-content-sha256": "ab" * 32}
    del headers["x-amz-meta-a"]
    request = seen("PUT", url, headers)
    names = tuple(SIGNED_HEADERS.split(";"))
    canonical = mistake(first_v4(request, names, "ab" * 32)).text()
    key = signing.signing_key_v4(secret, "20240102", "ap-east-1")
    signature = signing.signature_v4(key, signing.string_to_sign_v4(TIMESTAMP, SCOPE, canonical))
    proof = f"Credential={ACCESS_KEY}/{SCOPE}, SignedHeaders={SIGNED_HEADERS}, Signature={signature}"
    return with_headers(request, authorization=f"AWS4-HMAC-SHA256 {proof}")


def mistaken_v2(url: str, mistake: Callable[[ReadingV2], ReadingV2], secret: str = SECRET) -> SignedRequest:
    """Sign a mistaken reading of a request, and send the request as it is."""
    request = seen("PUT", url, {**SENT, "date": DATE})
    signature = signing.signature_v2(secret, mistake(first_v2(request, DATE)).text())
    return with_headers(request, authorization=f"AWS {ACCESS_KEY}:{signature}")


KEY_URL = f"http://{HOST}/bucket/a%20%E5%AA%92/x%28.png"
PLAIN_URL = f"http://{HOST}/bucket/a.png"
QUERY_URL = f"{PLAIN_URL}?versionId=3%2FL&acl&tagging=a%20b%21"

V4_MISTAKES: dict[str, tuple[str, Callable[[ReadingV4], ReadingV4], str]] = {
    "the browser added a type": (PLAIN_URL, lambda r: r.with_header("content-type", ""), "none was signed"),
    "another type was sent": (
        PLAIN_URL,
        lambda r: r.with_header("content-type", "binary/octet-stream"),
        "«binary/",
    ),
    "a charset was lost": (
        PLAIN_URL,
        lambda r: r.with_header("content-type", "image/png; charset=utf-8"),
        "«image/png; charset=utf-8» was signed",
    ),
    "unsigned payload": (
        PLAIN_URL,
        lambda r: replace(r, payload_hash="UNSIGNED-PAYLOAD"),
        "UNSIGNED-PAYLOAD",
    ),
    "empty payload": (PLAIN_URL, lambda r: replace(r, payload_hash=EMPTY_SHA256), "empty body"),
    "method": (PLAIN_URL, lambda r: replace(r, method="GET"), "method GET"),
    "host without port": (
        PLAIN_URL,
        lambda r: r.with_header("host", "media.example.com"),
        "rewrote the Host",
    ),
    "host with its default port": (
        "http://media.example.com/bucket/a.png",
        lambda r: r.with_header("host", "media.example.com:80"),
        "«media.example.com:80»",
    ),
    "localhost": (PLAIN_URL, lambda r: r.with_header("host", "localhost:9000"), "«localhost:9000»"),
    "loopback": (PLAIN_URL, lambda r: r.with_header("host", "127.0.0.1:9000"), "«127.0.0.1:9000»"),
    "host-style signed": (
        PLAIN_URL,
        lambda r: replace(r.with_header("host", f"bucket.{HOST}"), path="/a.png"),
        "came path-style",
    ),
    "path without the bucket": (PLAIN_URL, lambda r: replace(r, path="/a.png"), "came path-style"),
    "path encoded twice": (KEY_URL, lambda r: replace(r, path=quote(r.path)), "encoded the path twice"),
    "path not encoded": (
        KEY_URL,
        lambda r: replace(r, path="/bucket/a 媒/x(.png"),
        "without percent-encoding",
    ),
    "path with plus": (KEY_URL, lambda r: replace(r, path=r.path.replace("%20", "+")), "in the path as '+'"),
    "slashes encoded": (
        KEY_URL,
        lambda r: replace(r, path="/bucket/a%20%E5%AA%92%2Fx%28.png"),
        "slashes within the key",
    ),
    "parentheses not encoded": (
        KEY_URL,
        lambda r: replace(r, path=r.path.replace("%28", "(")),
        "encodeURIComponent",
    ),
    "path normalised": (
        f"http://{HOST}/bucket//a/../b.png",
        lambda r: replace(r, path="/bucket/b.png"),
        "normalised the path",
    ),
    "no slash at the end": (
        f"http://{HOST}/bucket/",
        lambda r: replace(r, path="/bucket"),
        "without the slash",
    ),
    "a slash at the end": (f"http://{HOST}/bucket", lambda r: replace(r, path="/bucket/"), "with a slash"),
    "query in the order sent": (
        QUERY_URL,
        lambda r: replace(r, query="versionId=3%2FL&acl&tagging=a%20b%21"),
        "in the order it was sent",
    ),
    "query as sent": (
        f"{PLAIN_URL}?tagging=a/b&acl",
        lambda r: replace(r, query="acl=&tagging=a/b"),
        "percent-encodes names",
    ),
    "query with plus": (QUERY_URL, lambda r: replace(r, query=r.query.replace("%20", "+")), "query as '+'"),
    "query as a browser encodes": (
        QUERY_URL,
        lambda r: replace(r, query=r.query.replace("%21", "!")),
        "encodeURIComponent",
    ),
    "parameter added later": (
        QUERY_URL,
        lambda r: replace(r, query="acl=&versionId=3%2FL"),
        "parameter tagging was added",
    ),
    "query not signed": (QUERY_URL, lambda r: replace(r, query=""), "without its query"),
    "x-id lost": (PLAIN_URL, lambda r: replace(r, query="x-id=PutObject"), "x-id"),
    "a proxy changed accept-encoding": (
        PLAIN_URL,
        lambda r: r.with_header("accept-encoding", "identity"),
        "accept-encoding: identity",
    ),
}

V2_MISTAKES: dict[str, tuple[str, Callable[[ReadingV2], ReadingV2], str]] = {
    "the browser added a type": (PLAIN_URL, lambda r: r.with_header("content-type", ""), "none was signed"),
    "form type": (
        PLAIN_URL,
        lambda r: r.with_header("content-type", "application/x-www-form-urlencoded"),
        "«application/x-www-form-urlencoded» was signed",
    ),
    "method": (PLAIN_URL, lambda r: replace(r, method="POST"), "method POST"),
    "resource without bucket": (PLAIN_URL, lambda r: replace(r, resource="/a.png"), "without the bucket"),
    "bucket twice": (PLAIN_URL, lambda r: replace(r, resource="/bucket/bucket/a.png"), "bucket twice"),
    "key not encoded": (KEY_URL, lambda r: replace(r, resource="/bucket/a 媒/x(.png"), "without percent"),
    "key encoded twice": (KEY_URL, lambda r: replace(r, resource=quote(r.resource)), "twice"),
    "key without slash": (f"http://{HOST}/b/k/", lambda r: replace(r, resource="/b/k"), "without the slash"),
    "key with slash": (f"http://{HOST}/b/k", lambda r: replace(r, resource="/b/k/"), "with a slash"),
    "host in the resource": (
        PLAIN_URL,
        lambda r: replace(r, resource=f"/{HOST}/bucket/a.png"),
        "host's name",
    ),
    "sub-resources not signed": (QUERY_URL, lambda r: replace(r, query=()), "without the sub-resources"),
    "one sub-resource not signed": (
        QUERY_URL,
        lambda r: replace(r, query=[pair for pair in r.query if pair[0] != "tagging"]),
        "sub-resource tagging",
    ),
    "whole query signed": (
        f"{PLAIN_URL}?prefix=a&acl",
        lambda r: replace(r, resource=f"{r.resource}?prefix=a&acl", query=()),
        "whole query",
    ),
    "sub-resources encoded": (
        QUERY_URL,
        lambda r: replace(r, query=[("acl", ""), ("tagging", "a%20b%21"), ("versionId", "3%2FL")]),
        "values encoded",
    ),
    "no content-md5": (PLAIN_URL, lambda r: r.with_header("content-md5", ""), "without its Content-MD5"),
    "no date": (PLAIN_URL, lambda r: replace(r, date=""), "as its date"),
    "header not signed": (
        PLAIN_URL,
        lambda r: replace(r, headers={n: v for n, v in r.headers.items() if n != "x-amz-meta-a"}),
        "did not sign the header x-amz-meta-a",
    ),
}


@pytest.mark.parametrize("name", V4_MISTAKES)
def test_a_v4_mistake_is_named(name: str) -> None:
    """The likely cause is the mistake, and the first difference tells both lines."""
    url, mistake, words = V4_MISTAKES[name]
    told = refusal(mistaken_v4(url, mistake))
    assert words in told["LikelyCause"]
    assert told["FirstDifference"].startswith("line ")


@pytest.mark.parametrize("name", V2_MISTAKES)
def test_a_v2_mistake_is_named(name: str) -> None:
    """The likely cause is the mistake, and the first difference tells both lines."""
    url, mistake, words = V2_MISTAKES[name]
    told = refusal(mistaken_v2(url, mistake))
    assert words in told["LikelyCause"]
    assert told["FirstDifference"].startswith("line ")


def test_x_amz_date_signed_as_the_date_is_named() -> None:
    """V2 clients that send x-amz-date must leave the date line empty; who fills it is told so."""
    headers = {"x-amz-date": DATE}
    text = signing.string_to_sign_v2("GET", "/b/k", [], headers, date=DATE)
    headers["authorization"] = f"AWS {ACCESS_KEY}:{signing.signature_v2(SECRET, text)}"
    told = refusal(seen("GET", f"http://{HOST}/b/k", headers))
    assert "x-amz-date as its date" in told["LikelyCause"]


def test_the_host_before_a_proxy_is_found() -> None:
    """X-Forwarded-Host tells what the client signed."""
    request = sign("v4-query", Call())
    moved = replace(with_headers(request, host="127.0.0.1:1", x_forwarded_host=HOST), host="127.0.0.1:1")
    told = refusal(moved)
    assert f"signed the host «{HOST}»" in told["LikelyCause"]
    assert told["FirstDifference"] == (f"line 4: client signed «host:{HOST}», server sees «host:127.0.0.1:1»")


def test_a_proxy_that_hides_the_host_is_suspected() -> None:
    """Where only the traces of a proxy are left, the Host header is the first suspect."""
    request = sign("v4-query", Call())
    moved = replace(with_headers(request, host="127.0.0.1:1", x_forwarded_for="1.2.3.4"), host="127.0.0.1:1")
    assert "proxy probably rewrote the Host" in refusal(moved)["LikelyCause"]


def test_path_style_signed_and_host_style_sent_is_found() -> None:
    """A proxy that turns path-style into host-style breaks V4."""
    request = sign("v4-query", Call())
    moved = with_headers(request, host=f"bucket.{HOST}")
    moved = replace(moved, host=f"bucket.{HOST}", raw_path="/a.png", bucket="bucket")
    assert "came host-style" in refusal(moved)["LikelyCause"]


def test_a_header_that_did_not_arrive_is_named() -> None:
    """A signed header that is not there is the cause, whatever its value was."""
    request = sign("v4-header", Call(headers=(("x-amz-meta-a", "1"), ("x-custom", "2"))))
    assert "x-custom" in refusal(with_headers(request, x_custom=None))["LikelyCause"]


def test_a_process_parameter_added_to_a_v4_url_is_named() -> None:
    """Image processing must be in the URL before V4 signs it."""
    request = sign("v4-query", Call())
    told = refusal(with_query(request, f"{request.query_string}&x-amz-process=image/resize,w_9"))
    assert "parameter x-amz-process was added after" in told["LikelyCause"]


@pytest.mark.parametrize("way", FOUR_WAYS)
@pytest.mark.parametrize(
    ("changed", "words"),
    [
        (f"{SECRET}\n", "line feed"),
        (f"{SECRET} ", "a space"),
        (SECRET.replace("+", " "), "became a space"),
        (quote(SECRET, safe=""), "percent-encoded"),
    ],
)
def test_a_damaged_secret_is_recognised(way: str, changed: str, words: str) -> None:
    """What copying does to a secret key is recognised, without showing the key."""
    told = refusal(sign(way, Call(), secret=changed))
    assert words in told["LikelyCause"]
    assert SECRET not in str(told)


@pytest.mark.parametrize("way", FOUR_WAYS)
def test_any_other_secret_is_the_wrong_one(way: str) -> None:
    """Where no mistake explains it, the key pair does not belong together."""
    told = refusal(sign(way, Call(), secret="not-the-secret-of-this-key"))
    assert "secret key is probably not the one that belongs to AKIAIOSFODNN7EXAMPLE" in told["LikelyCause"]
    assert "FirstDifference" not in told


@pytest.mark.parametrize("way", FOUR_WAYS)
def test_the_refusal_shows_what_was_computed_and_no_secret(way: str) -> None:
    """The texts are there, as text and as bytes; the secret key is in none of them."""
    request = sign(way, Call(key="媒.png"), secret="not-the-secret-of-this-key")
    told = refusal(request)
    assert told["AWSAccessKeyId"] == ACCESS_KEY
    assert bytes.fromhex(told["StringToSignBytes"]).decode() == told["StringToSign"]
    assert told["SignatureProvided"] in str(request.headers.get("authorization")) + str(request.query)
    if way.startswith("v4"):
        assert bytes.fromhex(told["CanonicalRequestBytes"]).decode() == told["CanonicalRequest"]
    for secret in (SECRET, SECRET.encode().hex(" "), "not-the-secret-of-this-key"):
        assert secret not in str(told)


@pytest.mark.parametrize("way", FOUR_WAYS)
def test_a_refusal_costs_at_most_64_more_signatures(way: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """The diagnosis of the largest request is bounded, so that refusals cannot be used to exhaust us."""
    query = "&".join(f"p{number}=%2B" for number in range(100))
    headers = (("Content-Type", "a/b"), *((f"x-amz-meta-{n}", "v") for n in range(50)))
    request = sign(way, Call(query=query, headers=headers), secret="another")
    claim = claim_of(request)
    assert claim is not None
    counted: list[int] = []
    digest = signing.v4.hmac.digest

    def counting(key: bytes, text: bytes, algorithm: str) -> bytes:
        counted.append(1)
        return digest(key, text, algorithm)

    monkeypatch.setattr(signing.v4.hmac, "digest", counting)
    credential = replace(CREDENTIAL, secret_key="a+b/c ")
    with pytest.raises(errors.SignatureDoesNotMatch):
        claim.verify(credential, now_s=NOW_S, public_hosts=())
    own = 5 + 1  # one key is derived and one signature made to judge the claim; V4 may read it twice
    assert len(counted) <= 64 + own


def test_trials_without_end_are_given_up() -> None:
    """However many readings a request has, no more than the bound are signed."""
    signed: list[str] = []

    def signer(_secret: str) -> Callable[[str], str]:
        return lambda text: signed.append(text) or "wrong"  # type: ignore[func-returns-value]

    trials = (("cause", str(number)) for number in count())
    found = diagnose.find("s", provided="right", server_text="text", trials=trials, signer=signer)
    assert found is None
    assert signed[: diagnose.TRIALS_LIMIT] == [str(number) for number in range(40)]
    assert signed[diagnose.TRIALS_LIMIT :] == ["text"] * 3  # the secrets that are tried last


def test_the_first_differing_line_is_told() -> None:
    """Lines are counted from one; a text that ends early lacks the line; equal texts do not differ."""
    assert diagnose.compare("a\nb", "a\nc") == "line 2: client signed «b», server sees «c»"
    assert diagnose.compare("a", "a\nc") == "line 2: client signed no such line, server sees «c»"
    assert diagnose.compare("a\nb", "a\nb") is None


def test_an_unknown_content_type_is_suspected_beside_the_key() -> None:
    """A type that no trial guesses cannot be told from a wrong key, so that both are named."""
    request = mistaken_v4(PLAIN_URL, lambda reading: reading.with_header("content-type", "a/rare-type"))
    told = refusal(request)
    assert "Content-Type that was signed is not «image/png»" in told["LikelyCause"]
    assert "secret key" in told["LikelyCause"]
