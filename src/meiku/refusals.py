"""What the stores' errors mean to whoever sent a request: one S3 error for each, in S3's words.

What must not live here: what is written to the log, and what is tried again.
"""

import errno

from meiku import errors

# Of an error of the system: too many files are open, in this process or on this machine.
_TOO_MANY_FILES = frozenset({errno.EMFILE, errno.ENFILE})
_BUSY_RETRY_AFTER_S = 5


def s3_error_of(error: Exception) -> errors.S3Error | None:
    """Tell what an error is to a client, None where it is a mistake of ours."""
    match error:
        case errors.S3Error():
            return error
        case errors.Full():
            return errors.InsufficientStorage()
        case errors.ReadOnly():
            return errors.ServiceUnavailable()
        case errors.Gone():
            return errors.ServiceUnavailable("The data folder was removed. Nothing was stored.")
        case errors.Busy():
            return errors.SlowDown(
                "Writes wait for one that does not end. Nothing was changed; please try again.",
                retry_after_s=_BUSY_RETRY_AFTER_S,
            )
        case errors.Missing():
            return errors.NoSuchBucket() if error.args == ("bucket",) else errors.OperationAborted()
        case OSError() if error.errno in _TOO_MANY_FILES:
            return errors.SlowDown("Too many files are open at once. Please try again.")
    return None
