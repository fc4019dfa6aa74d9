"""Requests of the form that the product's own guide teaches: they must work as they stand there.

The guide's page signs a policy with Version 2 on the application server, posts a form to the bucket's own
host, or puts to a presigned URL with the type that was signed.
"""

import base64
import binascii
import hashlib
import hmac
import json
from typing import Any
from urllib.parse import urlsplit

import botocore.session
import pytest
from botocore.config import Config

from browser_form import ACCESS_KEY, CONTENT, CONTENT_TYPE, SECRET_KEY, Key, encode, field, file_part, post
from plain_http import send

PNG = "post_dog.png"


def guide_signature(policy_base64: str) -> str:
    """Sign as the guide's Python does: b2a_base64 ends its text with a line feed."""
    digest = hmac.new(SECRET_KEY.encode(), policy_base64.encode(), hashlib.sha1).digest()
    return binascii.b2a_base64(digest).decode()


def guide_policy(bucket: str, key: str) -> str:
    document = {"expiration": "2099-12-28T00:00:00Z", "conditions": [{"bucket": bucket}, {"key": key}]}
    return base64.b64encode(json.dumps(document).encode()).decode()


def guide_form(bucket: str, key: str) -> bytes:
    """Encode the guide's page: `Policy` in upper case, the button after the file."""
    text = guide_policy(bucket, key)
    return encode(
        [
            field("key", key),
            field("Policy", text),
            field("AWSAccessKeyId", ACCESS_KEY),
            field("signature", guide_signature(text)),
            file_part(),
            field("submit", "Upload"),
        ]
    )


def test_the_guide_s_form_is_posted_to_the_bucket_s_host(server: Any, s3: Any, bucket: str) -> None:
    """The form goes to http://<bucket>.<endpoint>/, with a signature that ends in a line feed: 204."""
    headers = {"Host": f"{bucket}.localhost:{server.port}", "Content-Type": CONTENT_TYPE}
    answer = send(server.port, "POST", "/", body=guide_form(bucket, PNG), headers=headers)
    assert (answer.status, answer.body) == (204, b"")
    assert s3.get_object(Bucket=bucket, Key=PNG)["Body"].read() == CONTENT


@pytest.mark.parametrize("target", ["/{}", "/{}/"])
def test_the_guide_s_form_is_posted_to_the_bucket_s_path(
    server: Any, s3: Any, bucket: str, target: str
) -> None:
    """The same form may go to http://<endpoint>/<bucket>, with a slash at its end or not."""
    headers = {"Content-Type": CONTENT_TYPE}
    answer = send(server.port, "POST", target.format(bucket), body=guide_form(bucket, PNG), headers=headers)
    assert answer.status == 204
    assert s3.get_object(Bucket=bucket, Key=PNG)["Body"].read() == CONTENT


def test_a_domain_of_one_s_own_takes_the_guide_s_form(own_server: Any) -> None:
    """With --domain, the bucket's host is <bucket>.<domain>, with or without a port."""
    server = own_server("--domain", "media.example.cn", "--workers", "1")
    client = server.client()
    client.create_bucket(Bucket="guide")
    for host in ("guide.media.example.cn", "Guide.Media.Example.CN:80"):
        headers = {"Host": host, "Content-Type": CONTENT_TYPE}
        answer = send(server.port, "POST", "/", body=guide_form("guide", host), headers=headers)
        assert answer.status == 204, answer.body
    assert client.list_objects_v2(Bucket="guide")["KeyCount"] == 2


def test_the_guide_s_presigned_put(server: Any, s3: Any, bucket: str) -> None:
    """A URL made with the guide's botocore code takes a PUT with the type that was signed: 200."""
    url = guide_url(server, bucket)
    answer = send(server.port, "PUT", url, body=CONTENT, headers={"Content-Type": "text/plain"})
    assert answer.status == 200, answer.body
    stored = s3.get_object(Bucket=bucket, Key=PNG)
    assert (stored["Body"].read(), stored["ContentType"]) == (CONTENT, "text/plain")


def test_the_guide_s_presigned_put_with_another_type(server: Any, bucket: str) -> None:
    """Another type than the signed one is refused, and the answer names both."""
    url = guide_url(server, bucket)
    answer = send(server.port, "PUT", url, body=CONTENT, headers={"Content-Type": "image/png"})
    assert (answer.status, answer.code) == (403, "SignatureDoesNotMatch")
    assert "text/plain" in answer.element("LikelyCause") or "text/plain" in answer.element("FirstDifference")
    assert "image/png" in answer.element("LikelyCause")


def guide_url(server: Any, bucket: str) -> str:
    """Make a URL as the guide's application server does: Version 4, any region; give path and query."""
    client = botocore.session.get_session().create_client(
        "s3",
        aws_access_key_id=ACCESS_KEY,
        aws_secret_access_key=SECRET_KEY,
        endpoint_url=server.url,
        region_name="ap-east-1",
        config=Config(signature_version="s3v4"),
    )
    parameters = {"Bucket": bucket, "Key": PNG, "ContentType": "text/plain"}
    url = client.generate_presigned_url(ClientMethod="put_object", Params=parameters, ExpiresIn=3600)
    parts = urlsplit(url)
    return f"{parts.path}?{parts.query}"


@pytest.mark.parametrize("version", ["s3", "s3v4"])
def test_boto_s_presigned_post(server: Any, s3: Any, bucket: str, version: str) -> None:
    """What generate_presigned_post answers, in either version, can be posted as it is."""
    client = server.client(signature_version=version)
    made = client.generate_presigned_post(
        bucket,
        "user/${filename}",
        Fields={"acl": "public-read", "Content-Type": "image/png", "x-amz-meta-who": "page"},
        Conditions=[
            {"acl": "public-read"},
            ["starts-with", "$Content-Type", "image/"],
            {"x-amz-meta-who": "page"},
            ["content-length-range", 1, 1000],
        ],
        ExpiresIn=600,
    )
    assert urlsplit(made["url"]).path.strip("/") == bucket
    answer = post(server.port, bucket, made["fields"])
    assert answer.status == 204, answer.body
    stored = s3.get_object(Bucket=bucket, Key="user/a.png")
    assert (stored["Body"].read(), stored["ContentType"]) == (CONTENT, "image/png")
    assert stored["Metadata"] == {"who": "page"}


@pytest.mark.parametrize("version", ["s3", "s3v4"])
def test_boto_s_presigned_post_with_a_session_token(
    server: Any, s3: Any, bucket: str, temporary_key: Key, version: str
) -> None:
    """A temporary key's form carries x-amz-security-token, which boto puts there and signs."""
    key = temporary_key
    client = server.client(key.access_key, key.secret_key, key.token, signature_version=version)
    made = client.generate_presigned_post(bucket, "k")
    assert made["fields"]["x-amz-security-token"] == key.token
    assert post(server.port, bucket, made["fields"]).status == 204
    assert s3.get_object(Bucket=bucket, Key="k")["Body"].read() == CONTENT
