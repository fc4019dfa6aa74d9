"""The errors of the whole house: one small class each.

An `S3Error` is named as S3 names its code, knows its HTTP status and its sentence, and is raised anywhere
below the edge. It is caught only in the pipeline and rendered only in `wire`. A `StateError` is what the
state layer may raise; meaning translates it. Nothing here formats, logs, or knows a request.

Codes and statuses: https://docs.aws.amazon.com/AmazonS3/latest/API/ErrorResponses.html
"""

from collections.abc import Mapping, Sequence
from typing import ClassVar

Detail = str | Sequence[Mapping[str, str]]


class S3Error(Exception):
    """An answer that S3 has a code for; the class name is the code unless `code` says otherwise."""

    status: ClassVar[int] = 500
    message: str = "We encountered an internal error. Please try again."
    code: ClassVar[str] = ""

    def __init__(
        self, message: str | None = None, *, headers: Mapping[str, str] | None = None, **detail: Detail
    ) -> None:
        """Take a sentence better than the class's own, extra response headers, and extra XML elements."""
        super().__init__(message or type(self).message)
        self.message = message or type(self).message
        self.headers: Mapping[str, str] = headers or {}
        self.detail = detail

    def __init_subclass__(cls) -> None:
        cls.code = cls.__dict__.get("code") or cls.__name__


class StateError(Exception):
    """What rows and bytes can say went wrong; knows nothing of S3."""


class Conflict(StateError):
    """Something that must be unique exists already, or something that must be empty is not."""


class Missing(StateError):
    """A row or a blob that the caller relied on is not there."""


class Replaced(StateError):
    """What was found and judged is not what is there now; nothing was changed."""


class Unmet(StateError):
    """The condition that the write was made to depend on does not hold."""


class Full(StateError):
    """There is no room left to write; what was there is untouched."""


class Busy(StateError):
    """Nothing was begun: what everybody who writes waits for does not come; the sentence says who has it."""


class ReadOnly(StateError):
    """The disk cannot be written at all, full or not; what was there is untouched."""


class Gone(StateError):
    """The data folder was removed while it was open: whatever is written now is lost."""


class Damaged(StateError):
    """A store does not hold what was written: its file cannot be read, or bytes that a row names are lost."""


class AccessDenied(S3Error):
    status = 403
    message = "Access Denied"


class AccessForbidden(S3Error):
    status = 403
    message = "CORSResponse: This CORS request is not allowed."


class AuthorizationHeaderMalformed(S3Error):
    status = 400
    message = "The authorization header you provided is invalid."


class AuthorizationQueryParametersError(S3Error):
    status = 400
    message = "The authorization query parameters that you provided are not valid."


class BadDigest(S3Error):
    status = 400
    message = "The Content-MD5 or checksum value that you specified did not match what the server received."


class BadRequest(S3Error):
    status = 400
    message = "An error occurred when parsing the HTTP request."


class BucketAlreadyExists(S3Error):
    status = 409
    message = "The requested bucket name is not available: another account owns a bucket of this name."


class BucketAlreadyOwnedByYou(S3Error):
    status = 409
    message = "The bucket that you tried to create already exists, and you own it."


class BucketNotEmpty(S3Error):
    status = 409
    message = "The bucket that you tried to delete is not empty: it holds objects or unfinished uploads."


class EntityTooLarge(S3Error):
    status = 400
    message = "Your proposed upload exceeds the maximum allowed size."


class EntityTooSmall(S3Error):
    status = 400
    message = "Your proposed upload is smaller than the minimum allowed size."


class IncompleteBody(S3Error):
    status = 400
    message = "You did not provide the number of bytes specified by the Content-Length HTTP header."


class IncorrectNumberOfFilesInPostRequest(S3Error):
    status = 400
    message = "POST requires exactly one file upload per request."


class InsufficientStorage(S3Error):
    status = 507
    message = "The server has no space left to store this. Nothing was stored; reads go on."


class InternalError(S3Error):
    status = 500


class InvalidAccessKeyId(S3Error):
    status = 403
    message = "The access key ID that you provided does not exist in our records."


class InvalidArgument(S3Error):
    status = 400
    message = "Invalid argument."


class InvalidBucketName(S3Error):
    status = 400
    message = (
        "The specified bucket name is not valid: 3 to 63 of a-z, 0-9, '-' and '.', beginning and ending "
        "with a letter or a digit, without '..', and not formatted as an IP address."
    )


class InvalidDigest(S3Error):
    status = 400
    message = "The Content-MD5 that you specified is not the base64 of 16 bytes."


class InvalidLocationConstraint(S3Error):
    status = 400
    message = "The specified location constraint is not valid."


class InvalidPart(S3Error):
    status = 400
    message = (
        "One or more of the specified parts could not be found. The part might not have been uploaded, or "
        "the specified entity tag might not match the part's entity tag."
    )


class InvalidPartNumber(S3Error):
    status = 416
    message = "The requested partnumber is not satisfiable."


class InvalidPartOrder(S3Error):
    status = 400
    message = "The list of parts was not in ascending order. Parts must be ordered by part number."


class InvalidPolicyDocument(S3Error):
    status = 400
    message = "The content of the form does not meet the conditions specified in the policy document."


class InvalidRange(S3Error):
    status = 416
    message = "The requested range is not satisfiable."


class InvalidRedirectLocation(S3Error):
    status = 400
    message = "The website redirect location must begin with 'http://', 'https://' or '/'."


class InvalidRequest(S3Error):
    status = 400
    message = "The request is not valid."


class InvalidStorageClass(S3Error):
    status = 400
    message = "The storage class that you specified is not valid."


class InvalidToken(S3Error):
    status = 403
    message = "The provided session token is malformed or does not belong to this access key."


class InvalidURI(S3Error):
    status = 400
    message = "The URI that you specified could not be parsed."


class KeyTooLongError(S3Error):
    status = 400
    message = "Your key is too long: an object name is at most 1,023 bytes of UTF-8."


class MalformedACLError(S3Error):
    status = 400
    message = "The ACL that you provided was not well formed or did not validate against our schema."


class MalformedPOSTRequest(S3Error):
    status = 400
    message = "The body of your POST request is not well-formed multipart/form-data."


class MalformedTrailerError(S3Error):
    status = 400
    message = "What follows the last chunk is not well formed, or is not the trailer that was announced."


class MalformedXML(S3Error):
    status = 400
    message = "The XML that you provided was not well formed or did not validate against our schema."


class MaxMessageLengthExceeded(S3Error):
    status = 400
    message = "Your request was too large."


class MaxPostPreDataLengthExceeded(S3Error):
    status = 400
    code = "MaxPostPreDataLengthExceededError"
    message = "Your POST request fields preceding the upload file were too large."


class MetadataTooLarge(S3Error):
    status = 400
    message = "Your metadata headers exceed the maximum allowed metadata size of 2,048 bytes."


class MethodNotAllowed(S3Error):
    status = 405
    message = "The specified method is not allowed against this resource."


class MissingContentLength(S3Error):
    status = 411
    message = "You must provide the Content-Length HTTP header."


class MissingSecurityHeader(S3Error):
    status = 400
    message = "Your request is missing a required header."


class NoSuchBucket(S3Error):
    status = 404
    message = "The specified bucket does not exist."


class NoSuchCORSConfiguration(S3Error):
    status = 404
    message = "The CORS configuration does not exist."


class NoSuchKey(S3Error):
    status = 404
    message = "The specified key does not exist."


class NoSuchStyle(S3Error):
    status = 404
    message = "The specified style does not exist in this bucket."


class NoSuchUpload(S3Error):
    status = 404
    message = "The specified multipart upload does not exist. It might have been aborted or completed."


class NoSuchVersion(S3Error):
    status = 404
    message = "The specified version does not exist: this bucket keeps no versions."


class NotImplemented(S3Error):  # noqa: A001 - S3's own name for it
    status = 501
    message = "A header, a parameter or an operation that you asked for is not offered here."


class NotModified(S3Error):
    """What the caller has is current; `answer` names the validators that a cache must see again."""

    status = 304
    message = "Not Modified"

    def __init__(self, answer: Mapping[str, object]) -> None:
        super().__init__()
        self.answer = dict(answer)


class OperationAborted(S3Error):
    status = 409
    message = "A conflicting operation is in progress against this resource. Try again."


class PreconditionFailed(S3Error):
    status = 412
    message = "At least one of the preconditions that you specified did not hold."


class RequestHeaderSectionTooLarge(S3Error):
    status = 400
    message = "Your request header section exceeds the maximum allowed size."


class RequestTimeTooSkewed(S3Error):
    status = 403
    message = "The difference between the request time and the server's time is too large."


class RequestTimeout(S3Error):
    status = 400
    message = "Your connection was not read from or written to within the timeout period."


class ServiceUnavailable(S3Error):
    status = 503
    message = "The server's disk is read-only. Nothing was changed; reads go on."


class SignatureDoesNotMatch(S3Error):
    status = 403
    message = (
        "The request signature that the server calculated does not match the signature that you provided. "
        "Check your secret access key and signing method."
    )


class SlowDown(S3Error):
    """Too much at once; always says after how many seconds to try again."""

    status = 503
    message = "Please reduce your request rate."

    def __init__(self, message: str | None = None, *, retry_after_s: int = 1, **detail: Detail) -> None:
        super().__init__(message, headers={"Retry-After": str(retry_after_s)}, **detail)


class UnexpectedContent(S3Error):
    status = 400
    message = "This request does not support content."


class UnresolvableGrantByEmailAddress(S3Error):
    status = 400
    message = "The e-mail address that you provided does not match any account on record."


class UserSuspended(S3Error):
    status = 403
    message = "The account that this access key belongs to is suspended."


class XAmzContentSHA256Mismatch(S3Error):
    status = 400
    message = "The provided 'x-amz-content-sha256' header does not match what was computed."
