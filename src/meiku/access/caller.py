"""The caller: a user whose signature was verified, or nobody in particular."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Caller:
    """Who asks; an anonymous caller has no user id.

    `lends_address_alone` says that they gave a stranger a URL whose query is not all signed: what a stranger
    may have added to it must not reach anything else by their rights.
    """

    user_id: str | None
    name: str = ""
    access_key: str | None = None
    lends_address_alone: bool = False

    @property
    def anonymous(self) -> bool:
        """Tell whether nobody proved who they are."""
        return self.user_id is None


ANONYMOUS = Caller(None, "anonymous")
