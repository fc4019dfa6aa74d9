"""Requests that boto3 cannot express: signed in their headers by botocore, or signed by nobody."""

from collections.abc import Callable, Mapping

import pytest
from botocore.auth import S3SigV4Auth
from botocore.awsrequest import AWSRequest
from botocore.credentials import Credentials
from botocore.exceptions import ClientError

from plain_http import Answer, send
from running_server import ACCESS_KEY, SECRET_KEY, Server

Send = Callable[..., Answer]


@pytest.fixture
def raw(server: Server) -> Send:
    """Send a request of the root user's exactly as written."""

    def send_signed(
        method: str, target: str, body: bytes = b"", headers: Mapping[str, str] | None = None
    ) -> Answer:
        request = AWSRequest(method, server.url + target, headers=dict(headers or {}), data=body)
        S3SigV4Auth(Credentials(ACCESS_KEY, SECRET_KEY), "s3", "us-east-1").add_auth(request)
        return send(server.port, method, target, body=body, headers=dict(request.headers.items()))

    return send_signed


@pytest.fixture
def anonymous(server: Server) -> Send:
    """Send a request that nobody signed."""

    def send_unsigned(
        method: str, target: str, body: bytes = b"", headers: Mapping[str, str] | None = None
    ) -> Answer:
        return send(server.port, method, target, body=body, headers=headers)

    return send_unsigned


@pytest.fixture
def refusal() -> Callable[..., tuple[str, int]]:
    """Call what must be refused; gives S3's error code and the HTTP status."""

    def call(function: Callable[..., object], **arguments: object) -> tuple[str, int]:
        with pytest.raises(ClientError) as caught:
            function(**arguments)
        answer = caught.value.response
        return answer["Error"]["Code"], answer["ResponseMetadata"]["HTTPStatusCode"]

    return call
