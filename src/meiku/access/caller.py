"""The caller: a user whose signature was verified, or nobody in particular."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Caller:
    """Who asks; an anonymous caller has no user id."""

    user_id: str | None
    name: str = ""
    access_key: str | None = None

    @property
    def anonymous(self) -> bool:
        """Tell whether nobody proved who they are."""
        return self.user_id is None


ANONYMOUS = Caller(None, "anonymous")
