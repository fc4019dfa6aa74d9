"""Which keys may be used at all, whatever the signature says."""

from dataclasses import replace

import pytest

from auth.oracle import CREDENTIAL, FOUR_WAYS, NOW_S, SECRET, Call, sign, verify
from meiku import errors

SESSION = replace(CREDENTIAL, session_token="token", expires_at_s=int(NOW_S) + 60)


@pytest.mark.parametrize("way", FOUR_WAYS)
def test_an_inactive_key_is_as_good_as_none(way: str) -> None:
    """A key that was switched off is InvalidAccessKeyId."""
    with pytest.raises(errors.InvalidAccessKeyId):
        verify(sign(way, Call()), replace(CREDENTIAL, active=False))


@pytest.mark.parametrize("token", [None, "other", "tok", "tokén"])
@pytest.mark.parametrize("way", ["v4-header", "v4-query", "v2-query"])
def test_a_temporary_key_needs_its_own_token(way: str, token: str | None) -> None:
    """No token, or another session's, is InvalidToken."""
    with pytest.raises(errors.InvalidToken):
        verify(sign(way, Call(token=token)), SESSION)


@pytest.mark.parametrize("way", FOUR_WAYS)
def test_a_token_with_a_lasting_key_is_refused(way: str) -> None:
    """A token that belongs to no session is InvalidToken."""
    with pytest.raises(errors.InvalidToken):
        verify(sign(way, Call(token="token")), CREDENTIAL)


@pytest.mark.parametrize("way", FOUR_WAYS)
def test_an_expired_session_is_access_denied(way: str) -> None:
    """The product answers AccessDenied, not AWS's ExpiredToken."""
    request = sign(way, Call(token="token"))
    verify(request, SESSION, now_s=NOW_S + 59)
    with pytest.raises(errors.AccessDenied, match="expired"):
        verify(request, SESSION, now_s=NOW_S + 60)


def test_secrets_do_not_show_in_a_repr() -> None:
    """Printing a credential shows neither the secret key nor the token."""
    shown = repr(replace(SESSION, session_token="the-token"))
    assert SECRET not in shown
    assert "the-token" not in shown
