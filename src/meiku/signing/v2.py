"""Signature Version 2 as S3 reads it: text in, text out, no clock and no request.

V2 signs the method, three standard headers, the `x-amz-*` headers and the resource. Of the query it signs
only the parameters in SUBRESOURCES, S3's and those of OSS that mean operations here; every other parameter is
outside the signature.
Source: https://docs.aws.amazon.com/AmazonS3/latest/userguide/RESTAuthentication.html
"""

import hmac
from base64 import b64encode
from collections.abc import Collection, Iterable, Mapping

SUBRESOURCES = frozenset(
    """
    accelerate acl analytics append cors defaultObjectAcl delete encryption inventory legal-hold lifecycle
    location logging metrics notification object-lock partNumber policy position processConfiguration
    replication requestPayment response-cache-control response-content-disposition response-content-encoding
    response-content-language response-content-type response-expires restore retention select select-type
    storageClass style styleName tagging torrent uploadId uploads versionId versioning versions website
    """.split()  # noqa: SIM905 - a paragraph is read more easily than forty lines
)


def canonical_resource_v2(
    resource: str, query: Iterable[tuple[str, str]], blank: Collection[str] = ()
) -> str:
    """Add the signed sub-resources of the decoded query to `/bucket/encoded-key` as on the wire.

    Those in `blank` keep the equals sign that they have with nothing behind it, as botocore signs them.
    """
    signed = sorted([pair for pair in query if pair[0] in SUBRESOURCES])
    if not signed:
        return resource
    written = [f"{name}={value}" if value or name in blank else name for name, value in signed]
    return f"{resource}?{'&'.join(written)}"


def string_to_sign_v2(
    method: str,
    resource: str,
    query: Iterable[tuple[str, str]],
    headers: Mapping[str, str],
    *,
    date: str,
    blank: Collection[str] = (),
) -> str:
    """Write the string to sign; header names are lower-case.

    `date` is the Date header, '' where x-amz-date is sent, or a presigned URL's Expires; `blank` as in
    `canonical_resource_v2`.
    """
    amz = sorted([name for name in headers if name.startswith("x-amz-")])
    lines = "".join([f"{name}:{headers[name].strip()}\n" for name in amz])
    md5, content_type = headers.get("content-md5", "").strip(), headers.get("content-type", "").strip()
    signed = canonical_resource_v2(resource, query, blank)
    return f"{method}\n{md5}\n{content_type}\n{date}\n{lines}{signed}"


def signature_v2(secret_key: str, text: str) -> str:
    """Sign a text, as base64."""
    return b64encode(hmac.digest(secret_key.encode(), text.encode(), "sha1")).decode()
