"""Users and their access keys, as whoever looks after them makes and removes them.

Key pairs are random unless they are given; a temporary key has a session token and an end. The root user is
the first account, made when a data folder is first used.
"""

import re
import secrets
from dataclasses import dataclass, field

from meiku import errors
from meiku.meta import Meta, users
from meiku.meta.records import KeyRecord, UserRecord

ROOT = "root"
_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._@+-]{0,63}")
_ACCESS_KEY = re.compile(r"[A-Za-z0-9._-]{1,128}")
_SECRET_KEY = re.compile(r"[\x21-\x7e]{1,128}")
_ALPHABET = "ABCDEFGHIJKLMNOPQRSTUVWXYZ234567"


class AccountError(Exception):
    """What was asked for cannot be done; the sentence says why."""


@dataclass(frozen=True, slots=True)
class KeyPair:
    """An access key and its secret."""

    access_key: str
    secret_key: str = field(repr=False)


def new_key_pair() -> KeyPair:
    """Make a random pair of the usual lengths: 20 and 40 characters."""
    access_key = "MK" + "".join(secrets.choice(_ALPHABET) for _ in range(18))
    return KeyPair(access_key, secrets.token_urlsafe(30))


async def add_user(meta: Meta, name: str, user_id: str | None, email: str, now_ms: int) -> UserRecord:
    """Make an account that owns its own buckets."""
    if not _NAME.fullmatch(name):
        raise AccountError(f"'{name}' is not a name: 1 to 64 of letters, digits and . _ @ + -")
    user = UserRecord(user_id or secrets.token_hex(16), name, email, now_ms, active=True)
    try:
        return await meta.write(users.add_user, user)
    except errors.Conflict:
        raise AccountError("a user with this name, id or e-mail address exists already") from None


async def require_user(meta: Meta, name: str) -> UserRecord:
    """Find a user by name."""
    user = await meta.read(users.find_user_by_name, name)
    if user is None:
        raise AccountError(f"there is no user '{name}'; `meiku user list` shows who there is")
    return user


async def remove_user(meta: Meta, name: str) -> UserRecord:
    """Remove an account and its keys; one that owns buckets stays."""
    user = await require_user(meta, name)
    if name == ROOT:
        raise AccountError("the root user cannot be removed")
    try:
        await meta.write(users.remove_user, user.user_id)
    except errors.Conflict:
        raise AccountError(f"'{name}' still owns buckets; remove or empty them first") from None
    return user


async def add_key(
    meta: Meta,
    user: UserRecord,
    pair: KeyPair,
    now_ms: int,
    lifetime_s: int | None = None,
) -> KeyRecord:
    """Give a user one more key pair; with a lifetime it gets a session token and ends by itself."""
    if not _ACCESS_KEY.fullmatch(pair.access_key) or not _SECRET_KEY.fullmatch(pair.secret_key):
        raise AccountError(
            "an access key has 1 to 128 letters, digits and . _ -; "
            "a secret key has 1 to 128 printable characters without spaces"
        )
    key = KeyRecord(
        access_key=pair.access_key,
        secret_key=pair.secret_key,
        user_id=user.user_id,
        created_at_ms=now_ms,
        active=True,
        session_token=secrets.token_urlsafe(48) if lifetime_s else None,
        expires_at_s=now_ms // 1000 + lifetime_s if lifetime_s else None,
    )
    try:
        return await meta.write(users.add_key, key)
    except errors.Conflict:
        raise AccountError(f"the access key '{pair.access_key}' exists already") from None


async def remove_key(meta: Meta, access_key: str) -> None:
    """Take a key pair away; requests signed with it are refused from now on."""
    if not await meta.write(users.remove_key, access_key):
        raise AccountError(f"there is no access key '{access_key}'; `meiku key list` shows which there are")


async def ensure_root(meta: Meta, pair: KeyPair, now_ms: int) -> UserRecord:
    """Make the root user where there is none, and its key pair the given one."""
    root = await meta.read(users.find_user_by_name, ROOT)
    if root is None:
        root = await add_user(meta, ROOT, None, "", now_ms)
    found = await meta.read(users.find_key, pair.access_key)
    if found is not None and found[0].user_id != root.user_id:
        raise AccountError(f"the access key '{pair.access_key}' belongs to user '{found[1].name}'")
    if found is not None and found[0].secret_key != pair.secret_key:
        await meta.write(users.remove_key, pair.access_key)
        found = None
    if found is None:
        await add_key(meta, root, pair, now_ms)
    return root
