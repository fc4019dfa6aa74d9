"""CORS: the rules of a bucket, the preflight, and the headers on every answer that a page may read."""

from collections.abc import Callable
from typing import Any

import pytest

from ops.conftest import Send

Refusal = Callable[..., tuple[str, int]]
PAGE = "https://shop.example.com"
VARY = "Origin, Access-Control-Request-Headers, Access-Control-Request-Method"
RULES: list[dict[str, Any]] = [
    {
        "ID": "shop",
        "AllowedOrigins": ["https://*.example.com"],
        "AllowedMethods": ["GET", "PUT"],
        "AllowedHeaders": ["x-amz-*", "Content-Type"],
        "ExposeHeaders": ["ETag", "x-amz-request-id"],
        "MaxAgeSeconds": 600,
    },
    {"AllowedOrigins": ["*"], "AllowedMethods": ["GET"]},
]


@pytest.fixture
def ruled(s3: Any, bucket: str) -> str:
    """A bucket with rules and a public object `k`."""
    s3.put_bucket_cors(Bucket=bucket, CORSConfiguration={"CORSRules": RULES})
    s3.put_object(Bucket=bucket, Key="k", Body=b"x", ACL="public-read")
    return bucket


def ask(anonymous: Send, target: str, origin: str, method: str, headers: str | None = None) -> Any:
    """Send the question that a browser sends."""
    asked = {"Origin": origin, "Access-Control-Request-Method": method}
    if headers is not None:
        asked["Access-Control-Request-Headers"] = headers
    return anonymous("OPTIONS", target, headers=asked)


def test_rules_come_back_as_they_went(s3: Any, ruled: str, refusal: Refusal) -> None:
    """GetBucketCors tells what was put, until it is deleted; a second put replaces all."""
    assert s3.get_bucket_cors(Bucket=ruled)["CORSRules"] == RULES
    s3.put_bucket_cors(Bucket=ruled, CORSConfiguration={"CORSRules": RULES[1:]})
    assert s3.get_bucket_cors(Bucket=ruled)["CORSRules"] == RULES[1:]
    assert s3.delete_bucket_cors(Bucket=ruled)["ResponseMetadata"]["HTTPStatusCode"] == 204
    assert refusal(s3.get_bucket_cors, Bucket=ruled) == ("NoSuchCORSConfiguration", 404)


@pytest.mark.parametrize(
    "change",
    [
        {"AllowedMethods": ["OPTIONS"]},
        {"AllowedOrigins": ["*.example.*"]},
        {"AllowedHeaders": ["x-*-*"]},
        {"ExposeHeaders": ["x-*"]},
        {"MaxAgeSeconds": -1},
        {"ID": "x" * 256},
    ],
)
def test_rules_that_s3_refuses(s3: Any, bucket: str, refusal: Refusal, change: dict[str, Any]) -> None:
    """A rule outside S3's limits is InvalidRequest and no rule is kept."""
    asked = {"CORSRules": [RULES[0] | change]}
    assert refusal(s3.put_bucket_cors, Bucket=bucket, CORSConfiguration=asked) == ("InvalidRequest", 400)
    assert refusal(s3.get_bucket_cors, Bucket=bucket)[0] == "NoSuchCORSConfiguration"


def test_a_hundred_rules_and_no_more(s3: Any, bucket: str, refusal: Refusal) -> None:
    """100 rules are kept; 101 are refused."""
    s3.put_bucket_cors(Bucket=bucket, CORSConfiguration={"CORSRules": RULES[1:] * 100})
    asked = {"CORSRules": RULES[1:] * 101}
    assert refusal(s3.put_bucket_cors, Bucket=bucket, CORSConfiguration=asked) == ("InvalidRequest", 400)
    assert len(s3.get_bucket_cors(Bucket=bucket)["CORSRules"]) == 100


def test_a_preflight_is_answered(anonymous: Send, ruled: str) -> None:
    """The answer tells origin, methods, headers, age and what it depends on, without a signature."""
    answer = ask(anonymous, f"/{ruled}/k", PAGE, "PUT", "Content-Type, X-Amz-Meta-A")
    assert (answer.status, answer.body) == (200, b"")
    told = {n: v for n, v in answer.headers.items() if n.startswith("access-control-") or n == "vary"}
    assert told == {
        "access-control-allow-origin": PAGE,
        "access-control-allow-methods": "GET, PUT",
        "access-control-allow-headers": "content-type, x-amz-meta-a",
        "access-control-allow-credentials": "true",
        "access-control-expose-headers": "ETag, x-amz-request-id",
        "access-control-max-age": "600",
        "vary": VARY,
    }


@pytest.mark.parametrize(
    ("origin", "method", "headers"),
    [
        ("https://evil.com", "PUT", None),
        ("https://shop.example.com.evil.com", "PUT", None),
        ("http://shop.example.com", "PUT", None),
        (PAGE, "DELETE", None),
        (PAGE, "PUT", "authorization"),
    ],
)
def test_a_preflight_that_no_rule_fits(
    anonymous: Send, ruled: str, origin: str, method: str, headers: str | None
) -> None:
    """Another origin, method or header is AccessForbidden, without a header that would let the page go on."""
    answer = ask(anonymous, f"/{ruled}/k", origin, method, headers)
    assert (answer.status, answer.code) == (403, "AccessForbidden")
    assert not [name for name in answer.headers if name.startswith("access-control-")]


def test_a_preflight_of_a_bucket_without_rules(anonymous: Send, bucket: str) -> None:
    """Without rules every preflight is refused and says so; without a bucket it is NoSuchBucket."""
    answer = ask(anonymous, f"/{bucket}", PAGE, "GET")
    assert answer.code == "AccessForbidden"
    assert "not enabled" in answer.element("Message")
    assert ask(anonymous, "/no-such-bucket-here/k", PAGE, "GET").code == "NoSuchBucket"


def test_a_preflight_says_what_it_asks(anonymous: Send, ruled: str) -> None:
    """OPTIONS without origin or method is no preflight."""
    assert anonymous("OPTIONS", f"/{ruled}/k").status == 400
    assert anonymous("OPTIONS", f"/{ruled}/k", headers={"Origin": PAGE}).status == 400


def test_a_preflight_of_a_key_that_is_not_there(anonymous: Send, ruled: str) -> None:
    """The question is about the bucket's rules, not about the object; a browser asks before it uploads."""
    assert ask(anonymous, f"/{ruled}/none", PAGE, "PUT").status == 200


@pytest.mark.parametrize(
    "query", ["uploads", "partNumber=1&uploadId=2~x", "acl", "X-Amz-Signature=0&x-amz-acl=private"]
)
def test_a_preflight_carries_the_query_of_what_follows(anonymous: Send, ruled: str, query: str) -> None:
    """A browser asks with the whole address of the request to come; its query is not the preflight's own."""
    assert ask(anonymous, f"/{ruled}/k?{query}", PAGE, "PUT").status == 200


def test_the_first_rule_that_fits_wins(anonymous: Send, ruled: str) -> None:
    """A GET of the shop is answered by its own rule, that of another page by the one for all."""
    assert (
        anonymous("GET", f"/{ruled}/k", headers={"Origin": PAGE}).headers["access-control-allow-origin"]
        == PAGE
    )
    other = anonymous("GET", f"/{ruled}/k", headers={"Origin": "https://other.net"}).headers
    assert other["access-control-allow-origin"] == "*"
    assert "access-control-allow-credentials" not in other
    assert "access-control-expose-headers" not in other


def test_a_rule_that_fits_all_but_a_header_is_passed_over(s3: Any, anonymous: Send, bucket: str) -> None:
    """In a preflight the first rule that fits origin, method and every header wins."""
    first = {"AllowedOrigins": ["*"], "AllowedMethods": ["PUT"]}
    second = {**first, "AllowedOrigins": [PAGE], "AllowedHeaders": ["*"]}
    s3.put_bucket_cors(Bucket=bucket, CORSConfiguration={"CORSRules": [first, second]})
    plain = ask(anonymous, f"/{bucket}/k", PAGE, "PUT").headers
    assert plain["access-control-allow-origin"] == "*"
    assert ask(anonymous, f"/{bucket}/k", PAGE, "PUT", "x-any").headers["access-control-allow-origin"] == PAGE


def test_errors_carry_the_headers_too(anonymous: Send, ruled: str) -> None:
    """A page may read why it was refused: on 403, 404, 405, 501 alike."""
    page = {"Origin": PAGE}
    for method, target, status in (
        ("GET", f"/{ruled}/none", 403),
        ("PUT", f"/{ruled}/k", 403),
        ("GET", f"/{ruled}?website", 501),
        ("GET", f"/{ruled}/k?response-expires=x", 400),
    ):
        answer = anonymous(method, target, b"", page)
        assert (answer.status, answer.headers["access-control-allow-origin"]) == (status, PAGE)
        assert answer.headers["vary"] == VARY


def test_a_bad_signature_is_legible(anonymous: Send, ruled: str) -> None:
    """Even a request whose signature is no signature is answered with the headers."""
    answer = anonymous("GET", f"/{ruled}/k", b"", {"Origin": PAGE, "Authorization": "AWS nobody:nothing"})
    assert (answer.status, answer.headers["access-control-allow-origin"]) == (403, PAGE)


def test_a_page_that_no_rule_fits_is_told_nothing(anonymous: Send, ruled: str) -> None:
    """The answer itself is as ever; it is the browser that hides it. Without an origin nothing is added."""
    answer = anonymous("DELETE", f"/{ruled}/k", b"", {"Origin": PAGE})
    assert not [name for name in answer.headers if name.startswith("access-control-")]
    plain = anonymous("GET", f"/{ruled}/k")
    assert (plain.body, "access-control-allow-origin" in plain.headers) == (b"x", False)


def test_caches_are_told_that_the_answer_depends_on_the_page(anonymous: Send, s3: Any, ruled: str) -> None:
    """Also where no page asks: a picture that was shown must not be what a script is given from the cache.

    A bucket without rules answers all alike, and says nothing of it.
    """
    for page in ({}, {"Origin": "https://evil.com"}, {"Origin": PAGE}):
        assert anonymous("GET", f"/{ruled}/k", b"", page).headers["vary"] == VARY
    assert anonymous("HEAD", f"/{ruled}/k").headers["vary"] == VARY
    s3.delete_bucket_cors(Bucket=ruled)
    assert "vary" not in anonymous("GET", f"/{ruled}/k", b"", {"Origin": PAGE}).headers


def test_rules_are_the_owners(s3: Any, alice: Any, ruled: str, refusal: Refusal) -> None:
    """No grant of an ACL opens a bucket's rules to others."""
    s3.put_bucket_acl(Bucket=ruled, ACL="public-read-write")
    for function in (alice.get_bucket_cors, alice.delete_bucket_cors):
        assert refusal(function, Bucket=ruled) == ("AccessDenied", 403)


LONG = "x" * 1024
CREDENTIAL = "X-Amz-Algorithm=AWS4-HMAC-SHA256&X-Amz-Signature=0"
REFUSED_EARLY = {
    "too long a key": (f"k{LONG}", "KeyTooLongError"),
    "too long a key, encoded": ("%C3%A9" * 512, "KeyTooLongError"),
    "a path that is not UTF-8": ("%FF", "InvalidURI"),
    "a query that is not UTF-8": ("k?a=%FF", "InvalidURI"),
    "too many parameters": ("k?" + "&".join(f"p{number}" for number in range(201)), "InvalidURI"),
    "a header that differs from the URL's": (f"k?{CREDENTIAL}&x-amz-acl=private", "InvalidArgument"),
    "a malformed part number": ("k?partNumber=0", "InvalidArgument"),
    "what is not offered": ("k?torrent", "NotImplemented"),
}


@pytest.mark.parametrize("name", REFUSED_EARLY)
@pytest.mark.parametrize("host_style", [False, True])
def test_a_page_may_read_what_is_refused_early(
    anonymous: Send, ruled: str, name: str, host_style: bool
) -> None:
    """A request that cannot even be read is refused with the headers that let its page read why."""
    target, code = REFUSED_EARLY[name]
    headers = {"Origin": PAGE, "x-amz-acl": "public-read"}
    if host_style:
        headers["Host"] = f"{ruled}.localhost"
    answer = anonymous("GET", f"/{target}" if host_style else f"/{ruled}/{target}", headers=headers)
    assert (answer.status >= 400, answer.code) == (True, code)
    assert answer.headers["access-control-allow-origin"] == PAGE
    assert answer.headers["vary"] == VARY
    elsewhere = anonymous("PUT", f"/{ruled}/{LONG}", headers={"Origin": "https://evil.com"})
    assert elsewhere.code == "KeyTooLongError"
    assert "access-control-allow-origin" not in elsewhere.headers


@pytest.mark.parametrize("name", REFUSED_EARLY)
def test_a_preflight_is_answered_by_the_rules_alone(anonymous: Send, ruled: str, name: str) -> None:
    """What the later request says of key and query is judged when it comes, so that its page learns why."""
    target, _ = REFUSED_EARLY[name]
    answer = ask(anonymous, f"/{ruled}/{target}", PAGE, "PUT", "x-amz-acl")
    assert answer.status == 200
    assert answer.headers["access-control-allow-origin"] == PAGE
    refused = ask(anonymous, f"/{ruled}/{target}", "https://evil.com", "PUT")
    assert (refused.status, refused.code) == (403, "AccessForbidden")
