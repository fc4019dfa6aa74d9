"""Users and their keys: the statements. Every change moves the settings version, so that caches notice."""

# Statements are joined from constants of the house, never from values.
# ruff: noqa: S608

from meiku import errors
from meiku.meta.records import KeyRecord, UserRecord
from meiku.meta.transaction import Row, Statement, Transaction, Value

CHANGE = Statement("UPDATE settings_version SET version = version + 1")

_USER = "user_id, name, email, created_at_ms, active"
_KEY = "access_key, secret_key, user_id, created_at_ms, active, session_token, expires_at_s"
_KEY_AND_USER = ", ".join(
    [f"k.{name}" for name in _KEY.split(", ")] + [f"u.{name}" for name in _USER.split(", ")]
)
_FIND_KEY = (
    f"SELECT {_KEY_AND_USER} FROM keys k JOIN users u ON u.user_id = k.user_id WHERE k.access_key = $1"
)


def _user(row: Row) -> UserRecord:
    return UserRecord(row[0], row[1], row[2], row[3], bool(row[4]))


def _key(row: Row) -> KeyRecord:
    return KeyRecord(row[0], row[1], row[2], row[3], bool(row[4]), row[5], row[6])


def add_user(user: UserRecord) -> Transaction[UserRecord]:
    """Add a user; Conflict when the id, the name or the e-mail address is taken."""
    yield Statement(
        f"INSERT INTO users ({_USER}) VALUES ($1, $2, $3, $4, $5)",
        (user.user_id, user.name, user.email, user.created_at_ms, int(user.active)),
    )
    yield CHANGE
    return user


def _one_user(condition: str, value: Value) -> Transaction[UserRecord | None]:
    rows = yield Statement(f"SELECT {_USER} FROM users WHERE {condition}", (value,))
    return _user(rows[0]) if rows else None


def find_user(user_id: str) -> Transaction[UserRecord | None]:
    """Find a user by id."""
    return (yield from _one_user("user_id = $1", user_id))


def find_user_by_name(name: str) -> Transaction[UserRecord | None]:
    """Find a user by name."""
    return (yield from _one_user("name = $1", name))


def find_user_by_email(email: str) -> Transaction[UserRecord | None]:
    """Find a user by e-mail address, whatever its case; no address finds nobody."""
    return (yield from _one_user("email <> '' AND lower(email) = lower($1)", email))


def list_users() -> Transaction[list[UserRecord]]:
    """List all users by name."""
    rows = yield Statement(f"SELECT {_USER} FROM users ORDER BY name")
    return [_user(row) for row in rows]


def set_user_active(user_id: str, active: bool) -> Transaction[bool]:
    """Suspend or restore a user; False when there is no such user."""
    return (yield from _change("UPDATE users SET active = $1 WHERE user_id = $2", (int(active), user_id)))


def remove_user(user_id: str) -> Transaction[bool]:
    """Remove a user and its keys; Conflict when it still owns buckets, False when there is no such user."""
    rows = yield Statement("SELECT 1 FROM buckets WHERE owner_id = $1 LIMIT 1", (user_id,))
    if rows:
        raise errors.Conflict(f"user {user_id} still owns buckets")
    yield Statement("DELETE FROM keys WHERE user_id = $1", (user_id,))
    return (yield from _change("DELETE FROM users WHERE user_id = $1", (user_id,)))


def add_key(key: KeyRecord) -> Transaction[KeyRecord]:
    """Add a key; Conflict when the access key exists, Missing when its user does not."""
    rows = yield Statement("SELECT 1 FROM users WHERE user_id = $1", (key.user_id,))
    if not rows:
        raise errors.Missing("user")
    yield Statement(
        f"INSERT INTO keys ({_KEY}) VALUES ($1, $2, $3, $4, $5, $6, $7)",
        (
            key.access_key,
            key.secret_key,
            key.user_id,
            key.created_at_ms,
            int(key.active),
            key.session_token,
            key.expires_at_s,
        ),
    )
    yield CHANGE
    return key


def find_key(access_key: str) -> Transaction[tuple[KeyRecord, UserRecord] | None]:
    """Find a key and the user it belongs to."""
    rows = yield Statement(_FIND_KEY, (access_key,))
    return (_key(rows[0]), _user(rows[0][7:])) if rows else None


def list_keys(user_id: str | None = None) -> Transaction[list[KeyRecord]]:
    """List one user's keys, or everybody's, oldest first."""
    if user_id is None:
        rows = yield Statement(f"SELECT {_KEY} FROM keys ORDER BY created_at_ms, access_key")
    else:
        rows = yield Statement(
            f"SELECT {_KEY} FROM keys WHERE user_id = $1 ORDER BY created_at_ms, access_key", (user_id,)
        )
    return [_key(row) for row in rows]


def set_key_active(access_key: str, active: bool) -> Transaction[bool]:
    """Switch a key on or off; False when there is no such key."""
    return (
        yield from _change("UPDATE keys SET active = $1 WHERE access_key = $2", (int(active), access_key))
    )


def remove_key(access_key: str) -> Transaction[bool]:
    """Remove a key; False when there is no such key."""
    return (yield from _change("DELETE FROM keys WHERE access_key = $1", (access_key,)))


def remove_expired_keys(now_s: int) -> Transaction[bool]:
    """Remove the temporary keys that ended before `now_s`; False when there were none."""
    return (yield from _change("DELETE FROM keys WHERE expires_at_s < $1", (now_s,)))


def _change(sql: str, values: tuple[Value, ...]) -> Transaction[bool]:
    """Run a statement and move the settings version only when it touched something."""
    rows = yield Statement(sql + " RETURNING 1", values)
    if rows:
        yield CHANGE
    return bool(rows)
