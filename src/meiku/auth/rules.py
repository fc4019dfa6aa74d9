"""What this server asks of signatures beyond S3's own rules: which versions, and how long a URL may be good.

Judged on what a claim says; whether it is true its own `verify` says.
"""

from dataclasses import dataclass

from meiku import errors


@dataclass(frozen=True, slots=True)
class SignatureRules:
    """`longest_expires_s` bounds how long presigned URLs and forms are valid; 0 leaves it to S3's rules."""

    allows_v2: bool = True
    longest_expires_s: int = 0

    def check_version(self, version: int) -> None:
        """Refuse Signature V2 where it is switched off."""
        if version == 2 and not self.allows_v2:
            raise errors.InvalidRequest(
                "The authorization mechanism you have provided is not supported. Please use AWS4-HMAC-SHA256."
            )

    def check_lifetime(self, lifetime_s: float | None) -> None:
        """Refuse a proof that is good for longer than allowed; None is one for a single request."""
        if self.longest_expires_s and lifetime_s is not None and lifetime_s > self.longest_expires_s:
            raise errors.AccessDenied(
                "This server accepts no URL or form that is valid for so long.",
                LongestExpires=str(self.longest_expires_s),
            )
