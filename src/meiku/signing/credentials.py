"""The keys that a signature is made with. Their secret part never shows in a `repr`."""

from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True)
class Credentials:
    """An access key, its secret key, and for temporary credentials the session token."""

    access_key: str
    secret_key: str = field(repr=False)
    session_token: str | None = field(default=None, repr=False)
